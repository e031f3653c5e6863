// SPDX-License-Identifier: MIT
//
// trace.c: --trace FILE: what every goroutine did when, as a file that a browser shows.
//
// What:       the file is a JSON array of trace events as chrome://tracing and Perfetto read them, or, if its name ends
//             in .html, a page that holds that array and a viewer (trace_view.html). Process 1 has a track for each P:
//             which goroutine ran there, timers, flushes, arrows from who readied to who ran. Process 2 has one for
//             each goroutine: its states without a gap. Process 3 has the collector and counters.
//             A change of state is one event, noted when the state *ends*: a slice with its beginning and its end. So
//             events need no order among each other, and each buffer is written as it fills, by who fills it: memory
//             is bounded, the file is not. Where a goroutine is in its state, since when, and what it runs stands in
//             its GTrace.
// Invariants: a GTrace changes only with its goroutine's status, by who may change that, and under the lock of a
//             buffer. Whoever holds the locks of all buffers (trace_close) therefore sees all goroutines in one
//             consistent moment: no stop of the world is needed, so the file is complete however the program ends.
//             After `closing` was set and the buffer's lock taken nothing is noted any more.
//             A goroutine's slices are contiguous; those of a P do not overlap, as a goroutine's running slice ends
//             before it lets its P go. The two exceptions, a P taken from a stopped worker and a worker that never goes
//             on, call trace_state themselves (host.c, proc.c).
//             Texts are made fit for JSON (and for a page) when they are interned; the rest of what is written are
//             numbers and words of ours.
// Locking:    TraceBuf.lock guards its buffer: taken for every event, but by others than its P's worker only in
//             trace_close, so it costs no more than an atomic operation. tr.file guards the file and `out`.
// Signals:    a handler only notes the signal and wakes the monitor, which completes the file and sends it again.
// See also:   docs/debugging.md. Tests: tests/cli/trace*.sh.
#include "trace.h"
#include "dbg.h"
#include "lungo.h"
#include "seam.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define BUF_EVENTS 512
#define DRAIN_AT (BUF_EVENTS * 3 / 4)
#define SAMPLE_NS 100000 // the least time between two samples of the counters
#define OUT_SIZE 65536
#define SOURCES 4096 // names of source files that are told apart; a power of 2

enum { TRACK_PROCS = 1, TRACK_GOROUTINES, TRACK_RUNTIME }; // process numbers in the file
enum { TID_GC = 1, TID_STOPS };

// State of a goroutine in the trace: STATE_WAIT + a WaitReason, or one of those before it.
enum { STATE_NONE, STATE_RUNNING, STATE_RUNNABLE, STATE_SYSCALL, STATE_SLEEP, STATE_ENDED, STATE_WAIT };

typedef enum EventKind { EV_STATE, EV_READY, EV_INSTANT, EV_SPAN, EV_PHASE, EV_COUNT, EV_BORN, EV_EXIT } EventKind;

typedef struct Place {
  uint32_t src; // number of an interned name, 0: not known
  int32_t line;
} Place;

typedef struct Event {
  int64_t at, dur; // ns since the trace began
  int64_t g, n;    // goroutine; another number that the kind needs
  Place fn, place; // the goroutine's function, where it is
  int32_t p;
  uint8_t kind, what;
} Event;

typedef struct TraceBuf {
  Lock lock;
  uint32_t n;
  int32_t p; // -1: what threads without a P note
  int64_t nready;
  struct TraceBuf *next; // tr.bufs, push only
  Event ev[BUF_EVENTS];
} TraceBuf;

typedef struct GTrace {
  struct GTrace *next; // tr.all, push only
  int64_t id, since;
  int64_t flow; // of the arrow that ends where it runs next; 0: none
  Place fn, place;
  int32_t p; // where it runs
  uint8_t state;
} GTrace;

static struct Trace {
  Runtime *rt;
  int64_t begun;
  int fd;
  bool html;
  const char *name;
  _Atomic bool taken, closing;
  _Atomic(TraceBuf *) bufs;
  _Atomic(TraceBuf *) nop; // of the threads without a P
  _Atomic(GTrace *) all;
  _Atomic int64_t sampled;
  int64_t collected;  // end of the last collection, by who stopped the world
  _Atomic int killed; // by this signal
  _Atomic(char *) sources[SOURCES];
  Lock file; // guards what follows
  int error;
  size_t n;
  char out[OUT_SIZE];
} tr;

_Atomic bool trace_on;

__asm__(".section .rodata\n"
        ".global trace_page, trace_page_end\n"
        "trace_page: .incbin \"runtime/trace_view.html\"\n"
        "trace_page_end: .byte 0\n"
        ".previous\n");
extern const char trace_page[], trace_page_end[];

// ---- names of source files ---------------------------------------------------------------------------------------

// Length of the UTF-8 sequence at s, 0 if it is none.
static int utf8_length(const unsigned char *s) {
  int n = *s < 0x80 ? 1 : *s >= 0xC2 && *s < 0xE0 ? 2 : *s >= 0xE0 && *s < 0xF0 ? 3 : *s >= 0xF0 && *s < 0xF5 ? 4 : 0;
  for (int i = 1; i < n; i++)
    if ((s[i] & 0xC0) != 0x80) return 0;
  if ((*s == 0xE0 && s[1] < 0xA0) || (*s == 0xED && s[1] > 0x9F)) return 0;
  if ((*s == 0xF0 && s[1] < 0x90) || (*s == 0xF4 && s[1] > 0x8F)) return 0;
  return n;
}

// The text between the quotes of a JSON string that may stand in a page. out: room for 6 bytes for each of s, and 1.
static void escape(char *out, const char *s) {
  while (*s != '\0') {
    unsigned char c = (unsigned char)*s;
    int n = utf8_length((const unsigned char *)s);
    if (c < ' ' || c == '"' || c == '\\' || c == '<' || c == 0x7F) {
      out += sprintf(out, "\\u%04x", c);
      s++;
    } else if (n == 0) {
      *out++ = '?';
      s++;
    } else {
      memcpy(out, s, (size_t)n);
      out += n;
      s += n;
    }
  }
  *out = '\0';
}

static uint32_t hash_text(const char *s) {
  uint32_t h = 2166136261u;
  for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * 16777619u;
  return h;
}

// The number of a text, from 1; 0 if there is no room for it. An entry never changes, so readers need no lock.
static uint32_t intern(const char *text) {
  char escaped[6 * LUA_IDSIZE + 1];
  escape(escaped, text);
  uint32_t h = hash_text(escaped);
  for (uint32_t i = 1; i < SOURCES; i++) {
    uint32_t at = 1 + (h + i) % (SOURCES - 1);
    char *old = atomic_load_explicit(&tr.sources[at], memory_order_acquire);
    if (old == NULL) {
      char *mine = strdup(escaped);
      if (mine == NULL) return 0;
      if (atomic_compare_exchange_strong(&tr.sources[at], &old, mine)) return at;
      free(mine);
    }
    if (strcmp(old, escaped) == 0) return at;
  }
  return 0;
}

// The source of p, remembered in it. Other workers may do the same: they find the same number.
static uint32_t source_of(Proto *p) {
  uint32_t n = atomic_load_explicit(&p->tracesrc, memory_order_acquire);
  char text[LUA_IDSIZE];
  if (n != 0 || p->source == NULL) return n;
  n = intern(dbg_chunkid(text, p->source->data, p->source->len));
  atomic_store_explicit(&p->tracesrc, n, memory_order_release);
  return n;
}

static Place function_place(const Value *f) {
  if (f->tag == TAG_LCL) return (Place){source_of(v_lcl(f)->p), v_lcl(f)->p->line};
  return (Place){intern("[C]"), -1};
}

// The innermost Lua frame of a goroutine that this worker runs, or that waits for it.
static Place frame_place(const lua_State *L) {
  for (; L != NULL; L = L->from) {
    for (const CallInfo *ci = L->ci; ci != NULL && ci != &L->base_ci; ci = ci->prev) {
      if (!ci_isLua(ci) || ci->func->tag != TAG_LCL) continue;
      Proto *p = v_lcl(ci->func)->p;
      ptrdiff_t at = ci->u.l.pc - p->code - 1;
      return (Place){source_of(p), p->lines == NULL ? -1 : at < 0 ? p->line : p->lines[at]};
    }
  }
  return (Place){0, 0};
}

// ---- the file ------------------------------------------------------------------------------------------------------

static void out_flush(void) {
  for (size_t done = 0; done < tr.n && tr.error == 0;) {
    ssize_t n = write(tr.fd, tr.out + done, tr.n - done);
    if (n > 0) done += (size_t)n;
    if (n < 0 && errno != EINTR) tr.error = errno;
  }
  tr.n = 0;
}

static void put(const char *s, size_t n) {
  if (tr.n + n > sizeof tr.out) out_flush();
  memcpy(tr.out + tr.n, s, n);
  tr.n += n;
}

static void put_text(const char *s) { put(s, strlen(s)); }

static void put_int(int64_t v) {
  char buf[24], *p = buf + sizeof buf;
  uint64_t u = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
  do *--p = (char)('0' + u % 10);
  while ((u /= 10) > 0);
  if (v < 0) *--p = '-';
  put(p, (size_t)(buf + sizeof buf - p));
}

// Nanoseconds as microseconds.
static void put_time(int64_t ns) {
  char frac[] = {'.', (char)('0' + ns / 100 % 10), (char)('0' + ns / 10 % 10), (char)('0' + ns % 10)};
  put_int(ns / 1000);
  put(frac, sizeof frac);
}

static void put_place(Place at) {
  const char *name = at.src != 0 ? atomic_load_explicit(&tr.sources[at.src], memory_order_acquire) : NULL;
  put_text(name != NULL ? name : "?");
  if (at.line <= 0) return;
  put_text(":");
  put_int(at.line);
}

// The beginning of an event, up to its time.
static void put_head(const char *phase, int process, int64_t track, int64_t at) {
  put_text(",\n{\"ph\":\"");
  put_text(phase);
  put_text("\",\"pid\":");
  put_int(process);
  put_text(",\"tid\":");
  put_int(track);
  put_text(",\"ts\":");
  put_time(at);
}

static void put_slice(int process, int64_t track, const Event *e, const char *name) {
  put_head("X", process, track, e->at);
  put_text(",\"dur\":");
  put_time(e->dur);
  put_text(",\"name\":\"");
  put_text(name);
}

static void put_trackname(int process, int64_t track, const char *name, int64_t n, const char *more) {
  put_text(",\n{\"ph\":\"M\",\"pid\":");
  put_int(process);
  put_text(",\"tid\":");
  put_int(track);
  put_text(",\"ts\":0,\"name\":\"thread_name\",\"args\":{\"name\":\"");
  put_text(name);
  if (n >= 0) put_int(n);
  put_text(more);
}

static const char *state_name(int state) {
  switch (state) {
  case STATE_RUNNING: return "running";
  case STATE_RUNNABLE: return "runnable";
  case STATE_SYSCALL: return "syscall";
  case STATE_SLEEP: return "sleep";
  case STATE_ENDED: return "ended";
  default: return wait_reason_text[state - STATE_WAIT];
  }
}

// P k is track k + 1: some viewers give track 0 a meaning of its own.
static void put_running(const Event *e) {
  put_slice(TRACK_PROCS, e->p + 1, e, "G");
  put_int(e->g);
  put_text(" ");
  put_place(e->fn);
  put_text("\",\"args\":{\"goroutine\":");
  put_int(e->g);
  put_text(",\"until\":\"");
  put_place(e->place);
  put_text("\"}}");
  if (e->n == 0) return;
  put_head("f", TRACK_PROCS, e->p + 1, e->at);
  put_text(",\"id\":");
  put_int(e->n);
  put_text(",\"bp\":\"e\",\"cat\":\"ready\",\"name\":\"ready\"}");
}

static void put_state(const Event *e) {
  bool running = e->what == STATE_RUNNING;
  put_slice(TRACK_GOROUTINES, e->g, e, state_name(e->what));
  put_text(running ? "\",\"args\":{\"until\":\"" : "\",\"args\":{\"at\":\"");
  put_place(e->place);
  if (running) {
    put_text("\",\"processor\":");
    put_int(e->p);
    put_text("}}");
    if (e->p >= 0) put_running(e);
  } else {
    put_text("\"}}");
  }
}

static void put_ready(const Event *e) {
  put_head("s", TRACK_PROCS, e->p + 1, e->at);
  put_text(",\"id\":");
  put_int(e->n);
  put_text(",\"cat\":\"ready\",\"name\":\"ready\",\"args\":{\"goroutine\":");
  put_int(e->g);
  put_text("}}");
}

static void put_born(const Event *e) {
  put_trackname(TRACK_GOROUTINES, e->g, "goroutine ", e->g, " ");
  put_place(e->fn);
  put_text("\"}}");
  put_head("i", TRACK_GOROUTINES, e->g, e->at);
  put_text(",\"s\":\"t\",\"name\":\"go\",\"args\":{\"function\":\"");
  put_place(e->fn);
  if (e->n != 0) {
    put_text("\",\"created by\":\"goroutine ");
    put_int(e->n);
    put_text(" at ");
    put_place(e->place);
  }
  put_text("\"}}");
}

static void put_exit(const Event *e) {
  put_head("i", TRACK_GOROUTINES, e->g, e->at);
  put_text(",\"s\":\"t\",\"name\":\"exit\"}");
}

static void put_instant(const Event *e) {
  static const char *const names[][2] = {[INSTANT_PREEMPT] = {"preempt", "goroutine"},
                                         [INSTANT_STEAL] = {"steal", "from processor"},
                                         [INSTANT_HANDOFF] = {"handoff", "processor"}};
  put_head("i", TRACK_PROCS, e->p + 1, e->at);
  put_text(",\"s\":\"t\",\"name\":\"");
  put_text(names[e->what][0]);
  put_text("\",\"args\":{\"");
  put_text(names[e->what][1]);
  put_text("\":");
  put_int(e->n);
  put_text("}}");
}

#define SPAN_FLUSH 3 // beside those of trace.h
static void put_span(const Event *e) {
  static const char *const names[] = {
      [SPAN_TIMER] = "timer", [SPAN_STOPPED] = "stopped", [SPAN_WORLD] = "world stopped", [SPAN_FLUSH] = "trace"};
  put_slice(e->p < 0 ? TRACK_RUNTIME : TRACK_PROCS, e->p < 0 ? TID_STOPS : e->p + 1, e, names[e->what]);
  put_text("\"}");
}

static const char *const phase_names[] = {"collection", "stop the world", "mark", "weak tables", "sweep"};

static void put_phase(const Event *e) {
  put_slice(TRACK_RUNTIME, TID_GC, e, phase_names[e->what]);
  put_text("\"}");
}

static void put_count(const Event *e) {
  static const char *const names[] = {"goroutines", "runnable", "heap bytes"};
  put_head("C", TRACK_RUNTIME, 0, e->at);
  put_text(",\"name\":\"");
  put_text(names[e->what]);
  put_text("\",\"args\":{\"n\":");
  put_int(e->n);
  put_text("}}");
}

static void put_event(const Event *e) {
  static void (*const write_kind[])(const Event *) = {
      [EV_STATE] = put_state, [EV_READY] = put_ready, [EV_INSTANT] = put_instant, [EV_SPAN] = put_span,
      [EV_PHASE] = put_phase, [EV_COUNT] = put_count, [EV_BORN] = put_born,       [EV_EXIT] = put_exit};
  write_kind[e->kind](e);
}

static void put_process(int process, const char *name) {
  put_text(process == TRACK_PROCS ? "{" : ",\n{");
  put_text("\"ph\":\"M\",\"pid\":");
  put_int(process);
  put_text(",\"tid\":0,\"ts\":0,\"name\":\"process_name\",\"args\":{\"name\":\"");
  put_text(name);
  put_text("\"}}");
}

// The page has one place for the array, between the two halves of the template.
static const char *view_gap(void) {
  static const char mark[] = "@TRACE@";
  return memmem(trace_page, (size_t)(trace_page_end - trace_page), mark, sizeof mark - 1);
}

static void put_beginning(void) {
  if (tr.html) put(trace_page, (size_t)(view_gap() - trace_page));
  put_text("[\n");
  put_process(TRACK_PROCS, "processors");
  put_process(TRACK_GOROUTINES, "goroutines");
  put_process(TRACK_RUNTIME, "runtime");
  put_trackname(TRACK_RUNTIME, TID_GC, "collector", -1, "\"}}");
  put_trackname(TRACK_RUNTIME, TID_STOPS, "other stops", -1, "\"}}");
}

static void put_ending(void) {
  put_text("\n]\n");
  if (tr.html) {
    const char *rest = view_gap() + strlen("@TRACE@");
    put(rest, (size_t)(trace_page_end - rest));
  }
  out_flush();
  if (close(tr.fd) != 0 && tr.error == 0) tr.error = errno;
}

// ---- buffers -------------------------------------------------------------------------------------------------------

static TraceBuf *buf_new(int p) {
  TraceBuf *b = malloc(sizeof *b);
  if (b == NULL) return NULL;
  b->lock = (Lock){0};
  b->n = 0;
  b->p = p;
  b->nready = 0;
  b->next = atomic_load(&tr.bufs);
  while (!atomic_compare_exchange_weak(&tr.bufs, &b->next, b)) {
  }
  if (p < 0) return b;
  lock_ranked(&tr.file, RANK_TRACEFILE);
  if (!atomic_load(&tr.closing)) put_trackname(TRACK_PROCS, p + 1, "processor ", p, "\"}}");
  unlock_ranked(&tr.file, RANK_TRACEFILE);
  return b;
}

// The buffer of the P that this thread holds, or of those without.
static TraceBuf *buf_mine(void) {
  const M *m = m_current;
  if (m != NULL && m->rt == tr.rt && m->p != NULL) {
    if (m->p->trace == NULL) m->p->trace = buf_new(m->p->id);
    return m->p->trace;
  }
  return atomic_load(&tr.nop);
}

static void buf_write_locked(TraceBuf *b) {
  lock_ranked(&tr.file, RANK_TRACEFILE);
  for (uint32_t i = 0; i < b->n; i++) put_event(&b->ev[i]);
  b->n = 0;
  unlock_ranked(&tr.file, RANK_TRACEFILE);
}

static int64_t now_ns(void) { return mono_ns() - tr.begun; }

// Room for one event more.
static Event *add_locked(TraceBuf *b, EventKind kind) {
  if (b->n == BUF_EVENTS) buf_write_locked(b);
  Event *e = &b->ev[b->n++];
  *e = (Event){.kind = (uint8_t)kind, .p = b->p};
  return e;
}

// The calling thread's buffer, locked; NULL when the trace is over. Pairs with trace_close, which sets `closing` before
// it takes the locks.
static TraceBuf *buf_lock(void) {
  TraceBuf *b = buf_mine();
  if (b == NULL) return NULL;
  lock_ranked(&b->lock, RANK_TRACEBUF);
  if (likely(!atomic_load(&tr.closing))) return b;
  unlock_ranked(&b->lock, RANK_TRACEBUF);
  return NULL;
}

static void buf_unlock(TraceBuf *b) { unlock_ranked(&b->lock, RANK_TRACEBUF); }

static void drain_locked(TraceBuf *b) {
  int64_t begin = now_ns();
  buf_write_locked(b);
  Event *e = add_locked(b, EV_SPAN);
  e->at = begin;
  e->dur = now_ns() - begin;
  e->what = SPAN_FLUSH;
}

void trace_drain(const M *m) {
  if (m->p == NULL || m->p->trace == NULL || m->rt != tr.rt) return;
  TraceBuf *b = buf_lock(); // trace_close empties it on another thread
  if (b == NULL) return;
  if (b->n >= DRAIN_AT) drain_locked(b);
  buf_unlock(b);
}

// ---- counters
// --------------------------------------------------------------------------------------------------------

static uint32_t count_runnable(Runtime *rt) {
  uint32_t n = atomic_load_explicit(&rt->globn, memory_order_relaxed);
  for (int i = 0; i < atomic_load(&rt->nallp); i++) {
    Runq *q = &rt->allp[i]->runq;
    n += runq_len(q) + (runq_peeknext(q) != NULL);
  }
  return n;
}

// Taken by who comes by, not by a clock: in a program that does nothing, nothing changes. No lock of ours held, as the
// heap is asked.
static void sample(int64_t now) {
  int64_t last = atomic_load_explicit(&tr.sampled, memory_order_relaxed);
  if (now - last < SAMPLE_NS || !atomic_compare_exchange_strong(&tr.sampled, &last, now)) return;
  int64_t counts[] = {rt_numgoroutine(tr.rt), count_runnable(tr.rt), (int64_t)heap_bytes(tr.rt->gl)};
  TraceBuf *b = buf_lock();
  if (b == NULL) return;
  for (int i = 0; i < 3; i++) {
    Event *e = add_locked(b, EV_COUNT);
    e->at = now;
    e->n = counts[i];
    e->what = (uint8_t)i;
  }
  buf_unlock(b);
}

// ---- what goroutines do
// ------------------------------------------------------------------------------------------------

static int state_of(const G *g, GStatus status) {
  switch (status) {
  case G_RUNNING: return STATE_RUNNING;
  case G_RUNNABLE: return STATE_RUNNABLE;
  case G_SYSCALL: return g->reason == WAIT_SLEEP ? STATE_SLEEP : STATE_SYSCALL;
  case G_WAITING: return g->reason == WAIT_NONE ? STATE_ENDED : STATE_WAIT + g->reason; // main_ended
  default: return STATE_NONE;
  }
}

// g's record, made at its first event and kept when the G is reused. NULL: not traced.
static GTrace *record_of(G *g) {
  if (likely(g->in_trace != NULL)) return g->in_trace;
  if (g->L == NULL || g->L->gl->rt != tr.rt) return NULL;
  GTrace *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->next = atomic_load(&tr.all);
  while (!atomic_compare_exchange_weak(&tr.all, &t->next, t)) {
  }
  return g->in_trace = t;
}

static void note_slice_locked(TraceBuf *b, const GTrace *t, int64_t now) {
  Event *e = add_locked(b, EV_STATE);
  e->at = t->since;
  e->dur = now - t->since;
  e->g = t->id;
  e->n = t->flow;
  e->fn = t->fn;
  e->place = t->place;
  e->p = t->state == STATE_RUNNING ? t->p : -1;
  e->what = t->state;
}

// An arrow from here to where it runs next, unless who readies it has no P.
static void note_ready_locked(TraceBuf *b, GTrace *t, int64_t now) {
  if (b->p < 0) return;
  Event *e = add_locked(b, EV_READY);
  e->at = now;
  e->g = t->id;
  e->n = t->flow = ++b->nready * MAX_PROCS + b->p;
}

static void note_born_locked(TraceBuf *b, const GTrace *t, const G *g, Place created, int64_t now) {
  Event *e = add_locked(b, EV_BORN);
  e->at = now;
  e->g = t->id;
  e->n = g->created_by;
  e->fn = t->fn;
  e->place = created;
}

static Place created_place(const G *g) {
  char text[LUA_IDSIZE];
  if (g->created_srcobj == NULL) return (Place){0, 0};
  return (Place){intern(dbg_chunkid(text, g->created_srcobj->data, g->created_srcobj->len)), g->created_line};
}

static Place born_function(const G *g) {
  if (g->is_main || g->is_system) return (Place){intern(g->is_main ? "main" : "system"), -1};
  return function_place(g->L->base_ci.func + 1);
}

static void begin_life_locked(TraceBuf *b, GTrace *t, const G *g, Place fn, Place created, int64_t now) {
  t->id = g->id;
  t->fn = t->place = fn;
  t->flow = 0;
  note_born_locked(b, t, g, created, now);
}

// Running on another P is a new slice; anything else that does not change is not.
static bool is_same(const GTrace *t, int state, const TraceBuf *b) {
  return t->state == state && (state != STATE_RUNNING || t->p == b->p);
}

static void change_locked(TraceBuf *b, GTrace *t, int state, int64_t now) {
  if (t->state != STATE_NONE) note_slice_locked(b, t, now);
  if (t->state == STATE_RUNNING) t->flow = 0;
  t->state = (uint8_t)state;
  t->since = now;
  t->p = b->p;
}

void trace_state(G *g, GStatus from, GStatus to) {
  GTrace *t = record_of(g);
  if (t == NULL) return;
  int64_t now = now_ns();
  Place fn = {0, 0}, created = {0, 0}, place = {0, 0};
  bool born = t->state == STATE_NONE, stops = from == G_RUNNING && to != G_DEAD;
  sample(now);
  if (born) {
    fn = born_function(g);
    created = created_place(g);
  } else if (stops) {
    place = frame_place(g->cur);
  }
  int state = state_of(g, to);
  TraceBuf *b = buf_lock();
  if (b == NULL) return;
  if (born) begin_life_locked(b, t, g, fn, created, now);
  if (stops && place.src != 0) t->place = place;
  if (!is_same(t, state, b)) {
    change_locked(b, t, state, now);
    if (state == STATE_RUNNABLE && from != G_RUNNING) note_ready_locked(b, t, now);
    if (state == STATE_NONE) {
      Event *e = add_locked(b, EV_EXIT);
      e->at = now;
      e->g = t->id;
    }
  }
  buf_unlock(b);
}

// ---- everything else
// ---------------------------------------------------------------------------------------------------

void trace_instant(const P *p, TraceInstant what, int64_t n) {
  TraceBuf *b = buf_lock();
  if (b == NULL) return;
  Event *e = add_locked(b, EV_INSTANT);
  e->at = now_ns();
  e->n = n;
  e->p = p->id;
  e->what = (uint8_t)what;
  buf_unlock(b);
}

// A span that began before the trace did is left out.
static void note_span(int p, EventKind kind, int what, int64_t begin, int64_t end) {
  TraceBuf *b = begin > tr.begun ? buf_lock() : NULL;
  if (b == NULL) return;
  Event *e = add_locked(b, kind);
  e->at = begin - tr.begun;
  e->dur = end - begin;
  e->p = p;
  e->what = (uint8_t)what;
  buf_unlock(b);
}

void trace_end(const P *p, TraceSpan what, int64_t begin) {
  note_span(p != NULL ? p->id : -1, EV_SPAN, what, begin, mono_ns());
}

// The world is stopped. A worker may have wanted a collection before the last one was over.
void rt_gcphases(Global *gl, const uint64_t times[5]) {
  if (!trace_ison() || gl->rt != tr.rt) return;
  int64_t asked = (int64_t)times[0] > tr.collected ? (int64_t)times[0] : tr.collected;
  note_span(-1, EV_PHASE, 0, asked, (int64_t)times[4]);
  for (int i = 1; i < 5; i++) note_span(-1, EV_PHASE, i, i == 1 ? asked : (int64_t)times[i - 1], (int64_t)times[i]);
  tr.collected = (int64_t)times[4];
}

// ---- beginning and end
// ---------------------------------------------------------------------------------------------------

static void close_atexit(void) { trace_close(NULL); }

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), k = strlen(end);
  return n >= k && strcmp(s + n - k, end) == 0;
}

// Goroutine 1 runs already.
static bool begin_main(G *g) {
  trace_state(g, G_IDLE, G_RUNNING);
  return g->in_trace != NULL;
}

LUA_API int lungo_trace(lua_State *L, const char *file) {
  Runtime *rt = L->gl->rt;
  if (atomic_exchange(&tr.taken, true)) return -EBUSY;
  tr.fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (tr.fd < 0) {
    int error = errno;
    atomic_store(&tr.taken, false);
    return -error;
  }
  tr.rt = rt;
  tr.html = ends_with(file, ".html");
  tr.begun = mono_ns() - 1; // so that every time in the file is positive
  put_beginning();
  int r = rt_start(rt, rt->m0); // the monitor, for signals
  if (r != 0 || (tr.name = strdup(file)) == NULL) return r != 0 ? r : -ENOMEM;
  atomic_store(&tr.nop, buf_new(-1));
  atomic_store(&trace_on, true);
  atexit(close_atexit);
  return begin_main(rt->g1) ? 0 : -ENOMEM;
}

static void put_rest(TraceBuf *first) {
  int64_t now = now_ns();
  TraceBuf *nop = atomic_load(&tr.nop);
  for (TraceBuf *b = first; b != NULL; b = b->next) buf_write_locked(b);
  for (GTrace *t = atomic_load(&tr.all); nop != NULL && t != NULL; t = t->next)
    if (t->state != STATE_NONE) note_slice_locked(nop, t, now);
  if (nop != NULL) buf_write_locked(nop);
  lock_ranked(&tr.file, RANK_TRACEFILE);
  put_ending();
  unlock_ranked(&tr.file, RANK_TRACEFILE);
}

// All locks are of one rank, so only the first is told to the checker of their order. A buffer made meanwhile is not
// among them: its maker finds `closing` set.
static void lock_all(TraceBuf *first) {
  lockrank_push(RANK_TRACEBUF);
  for (TraceBuf *b = first; b != NULL; b = b->next) lock(&b->lock);
}

static void unlock_all(TraceBuf *first) {
  for (TraceBuf *b = first; b != NULL; b = b->next) unlock(&b->lock);
  lockrank_pop(RANK_TRACEBUF);
}

void trace_close(const Runtime *rt) {
  if (!atomic_load(&trace_on) || (rt != NULL && rt != tr.rt) || atomic_exchange(&tr.closing, true)) return;
  TraceBuf *first = atomic_load(&tr.bufs);
  lock_all(first);
  atomic_store(&trace_on, false);
  put_rest(first);
  unlock_all(first);
  if (tr.error != 0) fprintf(stderr, "lungo: cannot write %s: %s\n", tr.name, strerror(tr.error));
}

void trace_freep(P *p) { free(p->trace); }

LUA_API void lungo_tracekill(int sig) {
  int saved = errno;
  atomic_store(&tr.killed, sig);
  if (tr.rt != NULL) sysmon_wake(tr.rt);
  errno = saved;
}

void trace_killpoll(void) {
  int sig = atomic_load(&tr.killed);
  if (likely(sig == 0)) return;
  trace_close(NULL);
  signal(sig, SIG_DFL);
  kill(getpid(), sig);
  for (;;) pause();
}
