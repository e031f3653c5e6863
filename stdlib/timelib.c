// SPDX-License-Identifier: MIT
//
// timelib.c: the `time` library: sleeping, timers and tickers, clocks, durations.
//
// What:       a timer object holds a runtime Timer and the channel it sends on (room for one value; a value nobody took
//             is overwritten by none: the next tick is dropped), or the function that afterfunc starts as a goroutine.
// Invariants: Go 1.23's rules. After stop and reset the channel holds no value of before: timer_stop returns when
//             `fire` is over, then the channel is drained. Timer and channel refer to each other, so whoever still has
//             the channel keeps the timer; when neither can be reached, the collector takes both. An afterfunc timer
//             is kept while it is armed.
// See also:   runtime/timer.c; spec "time". Tests: tests/runtime/time_*.lua.
#include "lungolib.h"
#include "group.h"
#include "gc.h"
#include <math.h>
#include <time.h>

typedef struct TimerObj {
  ObjHead head;
  Timer t;
  Userdata *chan; // NULL for afterfunc
  int64_t group;  // afterfunc: of who made it
  Value fn;       // afterfunc: what to start; else nil
} TimerObj;

static void timer_trace(struct Marker *m, void *mem) {
  TimerObj *o = mem;
  if (o->chan) gc_mark_obj(m, &o->chan->hdr);
  gc_mark_value(m, &o->fn);
}
static const ObjKind timer_kind = {"time.timer", timer_trace};
static const ObjKind ticker_kind = {"time.ticker", timer_trace};

double lib_wallclock(void) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int64_t deadline(lua_State *L, int64_t ns) {
  int64_t now = timer_clock(L);
  return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

// ---- timers ---------------------------------------------------------------------------------------------------

static void fire_send(Ctx *ctx, Timer *t, int64_t now) {
  (void)now;
  TimerObj *o = t->arg;
  Value v;
  v_setfloat(&v, lib_wallclock());
  chan_offer(ctx, ud_mem(o->chan), &v);
}

static void fire_start(Ctx *ctx, Timer *t, int64_t now) {
  (void)now;
  g_go_value(ctx, &((TimerObj *)t->arg)->fn, ((TimerObj *)t->arg)->group);
}

// Pushes a new, unarmed timer with its channel.
static TimerObj *push_timer(lua_State *L, const ObjKind *kind) {
  TimerObj *o = obj_new(L, kind, sizeof(TimerObj), 0);
  Userdata *u = v_ud(L->top - 1);
  v_setnil(&o->fn);
  timer_init(&o->t, fire_send, o, &u->hdr);
  share_obj(L, &u->hdr);
  Chan *c = lib_pushchan(L, ELEM_ANY, 1);
  c->keeps = &u->hdr;
  o->chan = chan_ud(c);
  o->chan->trace = chan_trace_recvonly; // as in Go: who else sent on it would break the promise of stop and reset
  share_obj(L, &o->chan->hdr);
  lua_pop(L, 1);
  return o;
}

static void push_channel(lua_State *L, const TimerObj *o) {
  Value v;
  v_setobj(&v, TAG_USERDATA, o->chan);
  lib_push(L, &v);
}

static int time_timer(lua_State *L) {
  int64_t ns = time_checkduration(L, 1);
  TimerObj *o = push_timer(L, &timer_kind);
  timer_start(L, &o->t, deadline(L, ns), 0);
  return 1;
}

void lib_pushafter(lua_State *L, int64_t ns) {
  TimerObj *o = push_timer(L, &timer_kind);
  timer_start(L, &o->t, deadline(L, ns), 0);
  push_channel(L, o);
  lua_remove(L, -2);
}

static int time_after(lua_State *L) {
  int64_t ns = time_checkduration(L, 1);
  TimerObj *o = push_timer(L, &timer_kind);
  timer_start(L, &o->t, deadline(L, ns), 0);
  push_channel(L, o);
  return 1;
}

static int64_t check_interval(lua_State *L, int arg) {
  int64_t ns = time_checkduration(L, arg);
  luaL_argcheck(L, ns > 0, arg, "non-positive interval");
  return ns;
}

static int time_ticker(lua_State *L) {
  int64_t ns = check_interval(L, 1);
  TimerObj *o = push_timer(L, &ticker_kind);
  timer_start(L, &o->t, deadline(L, ns), ns);
  return 1;
}

static int time_tick(lua_State *L) {
  int64_t ns = time_checkduration(L, 1);
  if (ns <= 0) {
    luaL_pushfail(L);
    return 1;
  }
  TimerObj *o = push_timer(L, &ticker_kind);
  timer_start(L, &o->t, deadline(L, ns), ns);
  push_channel(L, o);
  return 1;
}

static int time_afterfunc(lua_State *L) {
  int64_t ns = time_checkduration(L, 1);
  lib_checkcallable(L, 2);
  share_universe(L);
  share_value(L, lib_arg(L, 2));
  TimerObj *o = obj_new(L, &timer_kind, sizeof(TimerObj), 0);
  v_copy(&o->fn, lib_arg(L, 2));
  timer_init(&o->t, fire_start, o, &v_ud(L->top - 1)->hdr);
  share_obj(L, o->t.owner);
  o->t.keep = true;
  o->group = group_idof(L->g);
  timer_start(L, &o->t, deadline(L, ns), 0);
  return 1;
}

// Disarms. True: it had not fired, or nobody had taken its value yet.
static bool disarm(lua_State *L, TimerObj *o) {
  bool armed = timer_stop(rt_of(L->gl), &o->t);
  bool queued = o->chan && chan_drain(ud_mem(o->chan));
  return armed || queued;
}

static int timer_stopm(lua_State *L) {
  lua_pushboolean(L, disarm(L, obj_check(L, 1, &timer_kind)));
  return 1;
}

static int timer_reset(lua_State *L) {
  TimerObj *o = obj_check(L, 1, &timer_kind);
  int64_t ns = time_checkduration(L, 2);
  bool active = disarm(L, o);
  timer_start(L, &o->t, deadline(L, ns), 0);
  lua_pushboolean(L, active);
  return 1;
}

static int ticker_stop(lua_State *L) {
  disarm(L, obj_check(L, 1, &ticker_kind));
  return 0;
}

static int ticker_reset(lua_State *L) {
  TimerObj *o = obj_check(L, 1, &ticker_kind);
  int64_t ns = check_interval(L, 2);
  disarm(L, o);
  timer_start(L, &o->t, deadline(L, ns), ns);
  return 0;
}

// __index: `c` is the channel, all else a method (table in upvalue 1).
static int timer_index(lua_State *L) {
  Userdata *u = obj_ud(lib_arg(L, 1), &timer_kind);
  if (!u) u = obj_checkud(L, 1, &ticker_kind);
  TimerObj *o = ud_mem(u);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "c") == 0) {
    if (o->chan)
      push_channel(L, o);
    else
      lua_pushnil(L);
    return 1;
  }
  lua_settop(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

static void timer_class(lua_State *L, const ObjKind *kind, const luaL_Reg *methods) {
  obj_class(L, kind, NULL, NULL);
  luaL_getmetatable(L, kind->name);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushcclosure(L, timer_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

// ---- sleeping and clocks ------------------------------------------------------------------------------------

static int slept(lua_State *L, int status, lua_KContext ctx) {
  (void)L;
  (void)status;
  (void)ctx;
  return 0;
}

static int time_sleep(lua_State *L) {
  int64_t ns = time_checkduration(L, 1);
  return ns <= 0 ? 0 : g_sleepc(L, ns, 0, slept);
}

static int time_now(lua_State *L) {
  lua_pushnumber(L, lib_wallclock());
  return 1;
}

static int time_monotonic(lua_State *L) {
  lua_pushnumber(L, (double)mono_ns() * 1e-9);
  return 1;
}

static int time_since(lua_State *L) {
  lua_pushnumber(L, lib_wallclock() - luaL_checknumber(L, 1));
  return 1;
}

// ---- time.format --------------------------------------------------------------------------------------------

// Writes n / 10^digits without trailing zeros.
static char *put_decimal(char *p, uint64_t n, int digits) {
  uint64_t unit = 1;
  for (int i = 0; i < digits; i++) unit *= 10;
  p += sprintf(p, "%llu", (unsigned long long)(n / unit));
  n %= unit;
  if (n > 0) *p++ = '.';
  for (; n > 0; n %= unit) {
    unit /= 10;
    *p++ = (char)('0' + n / unit);
  }
  return p;
}

static char *put_small(char *p, uint64_t ns) { // less than a second
  static const struct {
    const char *name;
    int digits;
  } units[] = {{"ns", 0}, {"µs", 3}, {"ms", 6}};
  int u = ns < 1000 ? 0 : ns < 1000000 ? 1 : 2;
  p = put_decimal(p, ns, units[u].digits);
  return p + sprintf(p, "%s", units[u].name);
}

static char *put_large(char *p, uint64_t ns) {
  const uint64_t minute = UINT64_C(60000000000), hour = 60 * minute;
  if (ns >= hour) p += sprintf(p, "%lluh", (unsigned long long)(ns / hour));
  if (ns >= minute) p += sprintf(p, "%llum", (unsigned long long)(ns % hour / minute));
  p = put_decimal(p, ns % minute, 9);
  *p++ = 's';
  return p;
}

char *lib_formatduration(char *p, int64_t d) {
  uint64_t ns = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
  if (d < 0) *p++ = '-';
  if (ns == 0)
    p += sprintf(p, "0s");
  else
    p = ns < 1000000000 ? put_small(p, ns) : put_large(p, ns);
  *p = '\0';
  return p;
}

// Beyond what a Duration can hold it is the longest one.
static int64_t signed_ns(lua_State *L, int arg) {
  int64_t ns;
  if (lua_isinteger(L, arg)) {
    lua_Integer s = lua_tointeger(L, arg);
    return __builtin_mul_overflow(s, INT64_C(1000000000), &ns) ? (s < 0 ? INT64_MIN : INT64_MAX) : ns;
  }
  double d = luaL_checknumber(L, arg);
  luaL_argcheck(L, d == d, arg, "duration is NaN");
  d = nearbyint(d * 1e9);
  return d >= 0x1p63 ? INT64_MAX : d <= -0x1p63 ? INT64_MIN : (int64_t)d;
}

static int time_format(lua_State *L) {
  char buf[64];
  char *end = lib_formatduration(buf, signed_ns(L, 1));
  lua_pushlstring(L, buf, (size_t)(end - buf));
  return 1;
}

static void set_units(lua_State *L) {
  static const struct {
    const char *name;
    double seconds;
  } fractions[] = {{"nanosecond", 1e-9}, {"microsecond", 1e-6}, {"millisecond", 1e-3}};
  static const struct {
    const char *name;
    lua_Integer seconds;
  } wholes[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}};
  for (int i = 0; i < 3; i++) {
    lua_pushnumber(L, fractions[i].seconds);
    lua_setfield(L, -2, fractions[i].name);
    lua_pushinteger(L, wholes[i].seconds);
    lua_setfield(L, -2, wholes[i].name);
  }
}

int lungo_opentime(lua_State *L) {
  static const luaL_Reg timer_m[] = {{"stop", timer_stopm}, {"reset", timer_reset}, {NULL, NULL}};
  static const luaL_Reg ticker_m[] = {{"stop", ticker_stop}, {"reset", ticker_reset}, {NULL, NULL}};
  static const luaL_Reg funcs[] = {
      {"sleep", time_sleep},   {"after", time_after},         {"tick", time_tick}, {"timer", time_timer},
      {"ticker", time_ticker}, {"afterfunc", time_afterfunc}, {"now", time_now},   {"monotonic", time_monotonic},
      {"since", time_since},   {"format", time_format},       {NULL, NULL}};
  timer_class(L, &timer_kind, timer_m);
  timer_class(L, &ticker_kind, ticker_m);
  luaL_newlib(L, funcs);
  set_units(L);
  return 1;
}
