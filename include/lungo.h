// SPDX-License-Identifier: MIT
//
// lungo.h: what lungo adds to lua.h for host programs. docs/embedding.md is the guide.
//
// Two ways in. A *lua_State*: made with lua_newstate as for Lua, used by one thread at a time; lungo_openlibs,
// lungo_run and their neighbours are for that. A *runtime* (lungo_new): runs goroutines on threads of its own; any host
// thread may start runs, wait for them and use channels, and none ever owns a lua_State.
#ifndef LUNGO_H
#define LUNGO_H

#include <lua.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LUNGO_VERSION "0.1.0"

// Opens Lua's standard libraries and lungo's (go, defer, chan, select, sync, atomic, time, context,
// runtime). Errors as luaL_openlibs.
LUA_API void lungo_openlibs(lua_State *L);

// Like lua_pcall(L, nargs, nresults, 0) at the outermost level, but the calling OS thread becomes a worker of the
// scheduler until the function (goroutine 1) has ended, so that goroutine switches cost no thread switch.
// L must be the state that lua_newstate returned, and not be running. Returns LUA_OK or an error status with the error
// value (and no traceback) on the stack. flags: LUNGO_PANIC reports an uncaught error as lungo's command does and
// exits.
//
// With LUNGO_PANIC the thread runs any goroutine, so that switching between main and others costs no thread switch; if
// another goroutine occupies it (in a blocking call, or waiting below a C function) when main has ended, that goroutine
// is abandoned, or the process ends with status 0. Without it, the thread runs goroutine 1 only and nothing is lost:
// after lungo_run has returned the other goroutines are stopped; they go on when the host enters L again in a way that
// waits (lungo_run, lungo_blocking, a call that blocks) or starts a goroutine.
// LUNGO_KEEP (without LUNGO_PANIC): an uncaught error in another goroutine is reported on stderr and ends only that
// goroutine. When no goroutine can ever run again, goroutine 1 gets the error `all goroutines are asleep - deadlock!`
// where it waits; the others stay as they are. Also starts the monitor thread that lungo_interrupt needs. For a REPL.
// Without LUNGO_PANIC, runtime.goexit in goroutine 1 ends the call with the status LUNGO_EXITED and nil as value.
// LUNGO_LAST (with LUNGO_PANIC): nothing is run after this but lua_close. Then other goroutines that are inside C code
// that does not return (a module's blocking call) hold up the end of the process half a second at most: it ends with
// status 0, without the last finalizers.
// LUNGO_LEAKS: if the process ends in order inside the call (os.exit, or as said above), lungo_leaks is called before.
#define LUNGO_PANIC 1
#define LUNGO_KEEP 2
#define LUNGO_LAST 4
#define LUNGO_LEAKS 8
#define LUNGO_EXITED 64
LUA_API int lungo_run(lua_State *L, int nargs, int nresults, int flags);

// Before the program ends: looks for goroutines that nothing can ever wake (docs/manual.md, runtime.leaks), taking L's
// own goroutine as ended, so that what only its stack refers to does not count, and prints them on stderr. Returns how
// many there are, -1 if there was no memory to look. A full collection; stops the world, may run finalizers. Call it
// from a C function or, between calls, from the host thread. Never raises.
LUA_API int lungo_leaks(lua_State *L);

// Runs f(arg) in a blocking region: f may wait in the system (read, poll, sleep) while other goroutines go on, and
// must not touch any lua_State. Call it from a C function or, between calls, from a host thread. Never raises.
LUA_API void lungo_blocking(lua_State *L, void (*f)(void *), void *arg);

// For a C module, in its luaopen_ function: all code of its shared object may be called by several threads at once, so
// it needs no lock. Without this call, the functions of a shared object that was loaded by `require` or package.loadlib
// run one at a time, under a lock of that object which is released while they call Lua functions, wait for something in
// lua_* functions, or are in lungo_blocking. L is the state that luaopen_ was given. No effect elsewhere. Cannot be
// taken back. Never raises. To load into Lua 5.4 as well, declare it weak and test its address.
LUA_API void lungo_modulesafe(lua_State *L);

// Makes scheduling reproducible, with one processor (lungo_maxprocs, before anything runs): what runs when, and what a
// select chooses, follows from the seed; time slices are counted in steps, and timers go by what was done, not by the
// clock (docs/manual.md, --seed). With L == NULL it is about the states that the process makes from then on, and the
// order in which `pairs` meets string keys follows from the seed, too. With more processors it seeds random choices.
LUA_API void lungo_setseed(lua_State *L, unsigned long long seed);

// Data races (docs/manual.md "Data races"). lungo_detectraces: from now on they are looked for and reported on standard
// error. To be called once, before the only state of the process is made. lungo_racestatus: for who ends the process:
// 66 in place of a status of 0 if there were any, after a line that says how many; else the status as it is. Ends
// inside (os.exit) do that by themselves.
LUA_API void lungo_detectraces(void);
LUA_API int lungo_racestatus(int status);
// Writes down what every goroutine of L does when, from now to the end of the program or of L: events for
// chrome://tracing and Perfetto, or a page that shows them itself if the name ends in .html. Call it from the host
// thread, before lungo_run. Once in a process. Returns 0, or a negative errno: the file cannot be made, there is no
// memory, or -EBUSY. What happens later (no room on the disk) is reported on stderr at the end.
LUA_API int lungo_trace(lua_State *L, const char *file);
// A handler for signals that end the process: completes that file first. Without a trace it does nothing.
LUA_API void lungo_tracekill(int sig);

// Processors (threads that run Lua at once). n < 1 only asks. Returns the previous number.
LUA_API int lungo_maxprocs(lua_State *L, int n);

// Asks for an error in goroutine `id` of L's runtime (1 is the one of lungo_run), or in all if id is 0. `how`:
//   LUNGO_RAISE  raises `interrupted!`, which pcall catches
//   LUNGO_END    ends it as runtime.goexit does: deferred calls and to-be-closed variables run, no pcall stops it
// It takes effect soon after the call, at the goroutine's next safepoint: Lua code has one at each call and loop. If
// the goroutine waits (channel, select, sleep, anything of `sync`), its wait is called off: the error is raised there,
// and nothing was sent, received or locked. A wait on a condition locks its mutex again first. What foreign code or the
// system does is not cut short. A number that belongs to no goroutine is no error. An interrupt of goroutine 1 that
// arrives between two lungo_runs is forgotten.
// May be called from any thread at any time while L's runtime exists, and from a signal handler; never blocks.
// Before a first goroutine, timer or lungo_run with LUNGO_KEEP it reaches only a goroutine 1 that computes.
// Returns 0, -EINVAL for a wrong argument, or -EAGAIN if requests for 8 other goroutines are still to be served.
#define LUNGO_RAISE 1
#define LUNGO_END 4
LUA_API int lungo_interrupt(lua_State *L, long long id, int how);

// What is known about one goroutine. Texts are cut to fit and empty if there is nothing to say.
typedef struct lungo_Goroutine {
  long long id;
  long long created_by;                // number of the goroutine that started it, 0: none
  double waiting;                      // seconds it has waited; 0 unless it waits
  char state[32];                      // as in a dump: "running", "chan receive", "sleep", ...
  char where[LUA_IDSIZE + 16];         // "file:line" of the innermost Lua function
  char created_where[LUA_IDSIZE + 16]; // "file:line" of the statement that started it
} lungo_Goroutine;

// A snapshot of all goroutines, by number, in list[0] to list[n-1]. Returns how many there are, which may be more.
// Stops the world. Call it from a C function or, between calls, from the host thread. Never raises.
LUA_API size_t lungo_goroutines(lua_State *L, lungo_Goroutine *list, size_t n);

typedef struct lungo_Chaninfo {
  const char *type;          // element type, constant text; NULL: any
  size_t len, cap;           // values queued, and how many can be
  size_t senders, receivers; // goroutines that wait (at the moment: others may come and go)
  int closed;
  int cansend, canrecv; // what may be done through this value
} lungo_Chaninfo;

// Describes the channel at idx. Returns 0 if there is no channel. Never raises or blocks; any goroutine may call it.
LUA_API int lungo_chaninfo(lua_State *L, int idx, lungo_Chaninfo *out);

// If msg is the message of an error about a global that is nil, and the name of one that is not nil is close, writes
// `did you mean 'print'?` to buf, with its end, and returns 1; else 0. Call it inside a run. Never raises or blocks.
LUA_API int lungo_hint(lua_State *L, const char *msg, char *buf, size_t size);

// Pushes a listing of the bytecode of the Lua function at idx, and of those inside it, and returns 1; or pushes nothing
// and returns 0 if there is no Lua function. May raise `not enough memory`. The format may change with every version.
LUA_API int lungo_disassemble(lua_State *L, int idx);

// Between two calls of lua.h the thread that made a lua_State keeps its processor, as if it computed in a C function. A
// host that computes or waits for long outside of Lua says so: between lungo_leave and lungo_enter its goroutines have
// the processor, and L must not be touched. The pair does not nest. lungo_enter may wait for a processor.
LUA_API void lungo_leave(lua_State *L);
LUA_API void lungo_enter(lua_State *L);

// ---- results ---------------------------------------------------------------------------------------------------

#define LUNGO_OK 0
#define LUNGO_ERROR 1     // a Lua error; lungo_error has the message
#define LUNGO_TIMEOUT 2   // not done in the time given; it goes on
#define LUNGO_CLOSED 3    // channel: closed (and, for a receive, drained)
#define LUNGO_CANCELLED 4 // run: ended by lungo_cancel, lungo_cancelall or lungo_free
#define LUNGO_LIMIT 5     // run: ended because it exceeded its time, instructions or goroutines
#define LUNGO_DEAD 6      // the runtime is gone
#define LUNGO_NOMEM 7     // no memory outside of the Lua heap
#define LUNGO_STUCK 8     // run: exceeded a limit or was cancelled, but does not return from a C function

// ---- values ------------------------------------------------------------------------------------------------------
// What crosses between Lua and host threads. nil, booleans, numbers and light pointers are copied; so are strings;
// anything else is a handle that keeps the object alive until lungo_clear.

typedef struct lungo_Runtime lungo_Runtime;
typedef struct lungo_Task lungo_Task;
typedef struct lungo_Chan lungo_Chan;
typedef struct lungo_Ref lungo_Ref;
typedef struct lungo_Async lungo_Async;

typedef enum lungo_Type {
  LUNGO_TNIL,
  LUNGO_TBOOLEAN,
  LUNGO_TINTEGER,
  LUNGO_TNUMBER,
  LUNGO_TSTRING,
  LUNGO_TPOINTER, // light userdata
  LUNGO_TCHAN,
  LUNGO_TREF // table, function, userdata, thread
} lungo_Type;

typedef struct lungo_Value {
  lungo_Type type;
  union {
    int b;
    lua_Integer i;
    lua_Number n;
    struct {
      const char *data; // zero-terminated, may contain zeros
      size_t len;
    } s;
    void *p;
    lungo_Chan *chan;
    lungo_Ref *ref;
  } u;
} lungo_Value;

// Arguments that the host passes in: no copy is made until the call; strings need not outlive it.
LUA_API lungo_Value lungo_nil(void);
LUA_API lungo_Value lungo_boolean(int b);
LUA_API lungo_Value lungo_integer(lua_Integer i);
LUA_API lungo_Value lungo_number(lua_Number n);
LUA_API lungo_Value lungo_string(const char *s); // NULL: nil
LUA_API lungo_Value lungo_lstring(const char *s, size_t len);
LUA_API lungo_Value lungo_pointer(void *p);
LUA_API lungo_Value lungo_channel(lungo_Chan *ch);
LUA_API lungo_Value lungo_object(lungo_Ref *ref);
// Frees what a value received by lungo_recv owns, and makes it nil.
LUA_API void lungo_clear(lungo_Value *v);
// One handle more for the same object; each is released once.
LUA_API lungo_Ref *lungo_ref_retain(lungo_Ref *ref);
LUA_API void lungo_ref_release(lungo_Ref *ref);

// ---- runtimes -------------------------------------------------------------------------------------------------------

#define LUNGO_LIB_BASE 0x0001 // always open
#define LUNGO_LIB_PACKAGE 0x0002
#define LUNGO_LIB_COROUTINE 0x0004
#define LUNGO_LIB_TABLE 0x0008
#define LUNGO_LIB_IO 0x0010
#define LUNGO_LIB_OS 0x0020
#define LUNGO_LIB_STRING 0x0040
#define LUNGO_LIB_MATH 0x0080
#define LUNGO_LIB_UTF8 0x0100
#define LUNGO_LIB_DEBUG 0x0200
#define LUNGO_LIB_GO 0x0400 // go, defer, select, chan, sync, atomic, time, context
#define LUNGO_LIB_RUNTIME 0x0800
#define LUNGO_LIB_ALL 0xffff
// What an untrusted script may have: no files, no processes, no C modules, no debug.
#define LUNGO_LIB_SAFE                                                                                                 \
  (LUNGO_LIB_BASE | LUNGO_LIB_COROUTINE | LUNGO_LIB_TABLE | LUNGO_LIB_STRING | LUNGO_LIB_MATH | LUNGO_LIB_UTF8 |       \
   LUNGO_LIB_GO)

#define LUNGO_READONLY 1   // libraries and globals cannot be changed; each run has global variables of its own
#define LUNGO_NOBYTECODE 2 // load refuses binary chunks; string.dump is absent
#define LUNGO_NOFILES 4    // no dofile, loadfile
#define LUNGO_FAILALL 8    // an uncaught error in any goroutine cancels all runs (as it would end a lungo process)
#define LUNGO_SANDBOX (LUNGO_READONLY | LUNGO_NOBYTECODE | LUNGO_NOFILES)

typedef struct lungo_Options {
  size_t size;            // sizeof(lungo_Options): lungo_defaults sets it
  int processors;         // OS threads that run Lua at once; 0: as many as CPUs (LUNGOMAXPROCS). No more than one for
                          // each megabyte of memory
  size_t memory;          // bytes of the Lua heap; 0: no limit
  unsigned libs;          // LUNGO_LIB_*
  unsigned flags;         // LUNGO_READONLY ...
  double time;            // seconds a run may take; 0: no limit
  long long instructions; // VM instructions a run may execute, counted by the thousand; 0: no limit
  int goroutines;         // goroutines a run may have at once, the first included; 0: no limit
  double finalizer_time;  // seconds one __gc may take, and all those of a run that has ended by itself; 0: no limit for
                          // one, and `time` for all of those
  // Called with what print and io.write write, instead of standard output. One call at a time; may block.
  void (*output)(void *ud, const char *text, size_t len);
  // Called with the text of an uncaught error of a goroutine that is not a run's first; NULL: printed on stderr.
  void (*panic)(void *ud, const char *text);
  void *ud;
  lua_CFunction setup; // called once, libraries open and nothing read-only yet, with ud as a light userdata; or NULL
} lungo_Options;

// All libraries, no limits, no flags.
LUA_API void lungo_defaults(lungo_Options *o);
// Makes a runtime; NULL: why is in err (cut at errlen bytes; err may be NULL). o == NULL: the defaults. Does not keep
// o.
LUA_API lungo_Runtime *lungo_new(const lungo_Options *o, char *err, size_t errlen);
// Ends all goroutines, runs finalizers, frees everything. Tasks end as LUNGO_CANCELLED, channels give LUNGO_DEAD; their
// handles stay valid until they are released. Returns LUNGO_OK, or LUNGO_STUCK after `timeout` seconds (and a few
// milliseconds): then some goroutine does not return from a C function, and the rest is freed when it does. Call it
// once, from any thread but one of the runtime's own.
LUA_API int lungo_free(lungo_Runtime *rt, double timeout);
// The runtime of a C function called by Lua; NULL if its state was not made by lungo_new.
LUA_API lungo_Runtime *lungo_runtime(lua_State *L);
LUA_API void *lungo_userdata(lungo_Runtime *rt); // Options.ud

// ---- runs -----------------------------------------------------------------------------------------------------------

// What to run: exactly one of code, file, global, function, cfunction.
typedef struct lungo_Job {
  const char *code;        // source text
  size_t codelen;          // 0: strlen(code)
  const char *name;        // chunk name of code, for messages; NULL: the text itself
  const char *file;        // name of a file of source text
  const char *global;      // a global function: "f" or "module.f"
  lungo_Ref *function;     // a function that Lua gave us
  lua_CFunction cfunction; // gets cud as a light userdata before the arguments
  void *cud;
  int nargs;
  const lungo_Value *args;
  double time;            // limits of this run instead of the runtime's; 0: the runtime's; negative: none
  long long instructions; //
  int goroutines;         //
  void (*done)(void *ud, lungo_Task *t); // called when it has ended, on a thread of the runtime: must not block
  void *done_ud;
} lungo_Job;

// Starts a goroutine and returns at once. NULL: no memory, or the runtime is being freed. Everything in job is copied.
LUA_API lungo_Task *lungo_start(lungo_Runtime *rt, const lungo_Job *job);
// Waits until the run has ended, for `timeout` seconds (negative: without end). Returns its status: LUNGO_OK, _ERROR,
// _CANCELLED, _LIMIT, _STUCK, _DEAD; or LUNGO_TIMEOUT. Several threads may wait. Not from a goroutine (use channels).
LUA_API int lungo_wait(lungo_Task *t, double timeout);
LUA_API int lungo_status(lungo_Task *t); // without waiting: LUNGO_TIMEOUT while it runs
// Of an ended run, valid until lungo_release: how many values it returned, the i-th (0 is the first; nil beyond the
// last), and the error text with traceback ("" if there is none).
LUA_API int lungo_nresults(lungo_Task *t);
LUA_API const lungo_Value *lungo_result(lungo_Task *t, int i);
LUA_API const char *lungo_error(lungo_Task *t);
// Ends the run's goroutines, also those it started that outlive it. They cannot catch it; deferred calls and __close
// methods run, for 10 ms at most, and so do finalizers of their tables. Returns at once. While a C function computes
// without returning, goroutines that wait cannot be woken: then LUNGO_STUCK is told after two seconds, and they end
// when it returns.
LUA_API void lungo_cancel(lungo_Task *t);
// Cancels all runs and waits until their goroutines are gone: LUNGO_OK, or LUNGO_TIMEOUT.
LUA_API int lungo_cancelall(lungo_Runtime *rt, double timeout);
// Gives the handle back. The run goes on.
LUA_API void lungo_release(lungo_Task *t);

// ---- channels, from any thread --------------------------------------------------------------------------------------
// timeout in seconds: 0 tries, negative waits without end. An operation costs some microseconds, as a goroutine does it
// for the caller.

LUA_API lungo_Chan *lungo_chan(lungo_Runtime *rt, int capacity); // NULL: no memory, or negative capacity
LUA_API lungo_Chan *lungo_chan_retain(lungo_Chan *ch);
LUA_API void lungo_chan_release(lungo_Chan *ch);
// LUNGO_OK, LUNGO_TIMEOUT, LUNGO_CLOSED, LUNGO_ERROR (a value the channel does not take), LUNGO_DEAD, LUNGO_NOMEM.
LUA_API int lungo_send(lungo_Chan *ch, const lungo_Value *v, double timeout);
// *v is the host's: lungo_clear it. It is nil unless LUNGO_OK is returned.
LUA_API int lungo_recv(lungo_Chan *ch, lungo_Value *v, double timeout);
LUA_API int lungo_close(lungo_Chan *ch); // LUNGO_OK, LUNGO_CLOSED (it was), LUNGO_ERROR (receive-only), LUNGO_DEAD
// For event loops. From the first call on, up to 64 values (a megabyte of strings) are received ahead, in order, and
// lungo_recv on this handle takes them without a switch. lungo_chan_fd: a descriptor that is readable while
// lungo_recv(ch, v, 0) would not return LUNGO_TIMEOUT; it belongs to the handle; -1: errno says why. lungo_chan_notify:
// notify(ud) is called on a thread of the runtime when that becomes so; it must not block nor use the channel
// (uv_async_send, PostMessage, ...).
LUA_API int lungo_chan_fd(lungo_Chan *ch);
LUA_API int lungo_chan_notify(lungo_Chan *ch, void (*notify)(void *ud), void *ud);

// In C functions: pushes a channel, and the channel at idx as a new handle (NULL: it is none).
LUA_API void lungo_pushchan(lua_State *L, lungo_Chan *ch);
LUA_API lungo_Chan *lungo_tochan(lua_State *L, int idx);
LUA_API void lungo_push(lua_State *L, const lungo_Value *v);   // raises as lua_pushlstring
LUA_API void lungo_get(lua_State *L, int idx, lungo_Value *v); // raises `not enough memory`; lungo_clear it

// ---- asynchronous C functions ---------------------------------------------------------------------------------------
//   static int fetch(lua_State *L) {
//     lungo_Async *a = lungo_async(L);
//     queue_request(luaL_checkstring(L, 1), a);  // later another thread calls lungo_complete or lungo_fail
//     return lungo_await(L, a);
//   }
// The goroutine waits, no thread does. Works in every lungo state. Each handle is completed or failed exactly once,
// from any thread, at any time, also when the goroutine or its runtime is gone: that frees it.

LUA_API lungo_Async *lungo_async(lua_State *L);        // raises `not enough memory`
LUA_API int lungo_await(lua_State *L, lungo_Async *a); // `return lungo_await(L, a);` results are the values
LUA_API void lungo_complete(lungo_Async *a, int n, const lungo_Value *v); // copies
LUA_API void lungo_fail(lungo_Async *a, const char *message);             // an error in the goroutine

#ifdef __cplusplus
}
#endif
#endif
