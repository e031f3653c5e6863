// SPDX-License-Identifier: MIT
//
// api.c: lua.h, first part: the stack, reading values from it, pushing values on it.
//
// What:       an index names a register of the current C frame, the registry, or an upvalue of the running C closure.
//             Registers are Values and are handed out as they are; upvalues are Slots and are decoded into L->scratch.
// Invariants: functions that allocate end with gc_check, when all live values are below L->top; nothing else here
//             collects. A string converted in place is anchored where it was found before its address is returned.
// Callers:    any C function; the state need not be the running one (api_own), but nobody else may run it meanwhile.
// See also:   api_data.c (tables, metatables, operators), api_func.c (upvalues, load, gc), call.c, dbg.c, state.c.
#include "api_int.h"
#include "call.h"
#include "cmodule.h"
#include "dbg.h"
#include "func.h"
#include "gc.h"
#include "meta.h"
#include "race.h"
#include "seam.h"
#include "share.h"
#include "str.h"
#include "table.h"

const char lua_ident[] = "$LuaVersion: " LUA_COPYRIGHT " $"
                         "$LuaAuthors: " LUA_AUTHORS " $";

const Value api_none = {.u = 0, .tag = TAG_NIL};

// ---- indices ---------------------------------------------------------------------------------------

NOINLINE void api_adopt(lua_State *L) {
  Ctx *ctx = rt_current(L->gl);
  if (ctx != NULL) L->ctx = ctx;
}

// The slot of upvalue idx of the running function, or NULL.
static Slot *upvalue_slot(lua_State *L, int idx) {
  const Value *f = L->ci->func;
  if (f->tag != TAG_CCL) return NULL;
  CClosure *cl = v_ccl(f);
  unsigned n = (unsigned)(LUA_REGISTRYINDEX - idx);
  unsigned nup = atomic_load_explicit(&cl->hdr.aux32, memory_order_relaxed);
  return n - 1u < nup ? &cl->upv[n - 1] : NULL;
}

NOINLINE Value *api_pseudo(lua_State *L, int idx) {
  if (idx == LUA_REGISTRYINDEX) return &L->gl->registry;
  const Slot *s = upvalue_slot(L, idx);
  if (s == NULL) return (Value *)&api_none;
  Value *v = &L->scratch[L->scratch_turn ^= 1];
  bits_decode(v, slot_load(s));
  return v;
}

// The registry can be replaced like a variable. Its tag never changes (a table), so readers on other workers see the
// old table or the new one.
static void set_registry(lua_State *L, const Value *v) {
  lg_assert(v_istable(v));
  if (atomic_load_explicit(&L->gl->multi, memory_order_relaxed)) share_value(L, v);
  __atomic_store_n(&L->gl->registry.p, v->p, __ATOMIC_RELEASE);
}

static void set_pseudo(lua_State *L, int idx, const Value *v) {
  if (idx == LUA_REGISTRYINDEX) {
    set_registry(L, v);
    return;
  }
  Slot *s = upvalue_slot(L, idx);
  if (s == NULL) return;
  api_own(L);
  uint64_t b = v_encode(L, v);
  share_into(L, v_ccl(L->ci->func), v);
  slot_store(s, b);
}

LUA_API int lua_absindex(lua_State *L, int idx) {
  return (idx > 0 || idx <= LUA_REGISTRYINDEX) ? idx : (int)(L->top - L->ci->func) + idx;
}

// ---- the stack -------------------------------------------------------------------------------------

LUA_API int lua_gettop(lua_State *L) { return (int)(L->top - (L->ci->func + 1)); }

static NOINLINE void settop_closing(lua_State *L, Value *newtop) {
  ptrdiff_t level = stack_save(L, newtop);
  api_own(L);
  tbc_close_c(L, level, LUA_OK, false);
  L->top = stack_restore(L, level);
}

LUA_API void lua_settop(lua_State *L, int idx) {
  Value *top = L->top;
  Value *newtop = idx >= 0 ? L->ci->func + 1 + idx : top + 1 + idx;
  lg_assert(newtop > L->ci->func && newtop <= L->ci->top);
  if (newtop < top) {
    if (unlikely(L->tbc != NULL) && tbc_pending(L, newtop)) {
      settop_closing(L, newtop);
      return;
    }
  } else {
    while (top < newtop) v_setnil(top++);
  }
  L->top = newtop;
}

LUA_API void lua_pushvalue(lua_State *L, int idx) {
  v_copy(L->top, api_index(L, idx));
  api_incrtop(L);
}

static void reverse(Value *from, Value *to) {
  for (; from < to; from++, to--) {
    Value t;
    v_copy(&t, from);
    v_copy(from, to);
    v_copy(to, &t);
  }
}

// Rotating AB into BA is reversing A, then B, then the whole.
LUA_API void lua_rotate(lua_State *L, int idx, int n) {
  Value *first = api_stackindex(L, idx), *last = L->top - 1;
  Value *split = n >= 0 ? last - n : first - n - 1; // last of A
  lg_assert((n >= 0 ? n : -n) <= last - first + 1);
  reverse(first, split);
  reverse(split + 1, last);
  reverse(first, last);
}

LUA_API void lua_copy(lua_State *L, int fromidx, int toidx) {
  const Value *from = api_index(L, fromidx);
  if (likely(toidx > LUA_REGISTRYINDEX)) {
    v_copy(api_stackindex(L, toidx), from);
  } else {
    set_pseudo(L, toidx, from);
  }
}

LUA_API int lua_checkstack(lua_State *L, int n) {
  lg_assert(n >= 0);
  if (unlikely(L->stack_last - L->top <= n)) {
    int used = (int)(L->top - L->stack) + EXTRA_STACK;
    if (used > LUAI_MAXSTACK - n) return 0;
    api_own(L);
    if (!stack_tryroom(L, n)) return 0;
  }
  if (L->ci->top < L->top + n) L->ci->top = L->top + n;
  return 1;
}

LUA_API void lua_xmove(lua_State *from, lua_State *to, int n) {
  if (from == to) return;
  lg_assert(from->gl == to->gl && to->ci->top - to->top >= n);
  from->top -= n;
  bool shared = obj_isshared(thread_of(to));
  if (unlikely(shared)) api_own(from);
  for (int i = 0; i < n; i++) {
    if (unlikely(shared)) share_value(from, from->top + i);
    v_copy(to->top++, from->top + i);
  }
}

// ---- reading ---------------------------------------------------------------------------------------

LUA_API int lua_type(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  return o == &api_none ? LUA_TNONE : v_type(o);
}

LUA_API const char *lua_typename(lua_State *L, int t) {
  (void)L;
  lg_assert(t >= LUA_TNONE && t < LUA_NUMTYPES);
  return meta_basicname(t);
}

LUA_API int lua_iscfunction(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  return o->tag == TAG_LCF || o->tag == TAG_CCL;
}

LUA_API int lua_isinteger(lua_State *L, int idx) { return v_isint(api_index(L, idx)); }

LUA_API int lua_isnumber(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  Value n;
  return v_isnumber(o) || (v_isstring(o) && value_tonumber(o, &n));
}

LUA_API int lua_isstring(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  return v_isstring(o) || v_isnumber(o);
}

LUA_API int lua_isuserdata(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  return o->tag == TAG_USERDATA || o->tag == TAG_LIGHTUD;
}

LUA_API lua_Number lua_tonumberx(lua_State *L, int idx, int *isnum) {
  const Value *o = api_index(L, idx);
  double n = 0;
  int ok = 1;
  if (likely(v_isfloat(o))) {
    n = o->n;
  } else if (v_isint(o)) {
    n = (double)o->i;
  } else if (!v_isstring(o) || !value_todouble(o, &n)) {
    n = 0;
    ok = 0;
  }
  if (isnum != NULL) *isnum = ok;
  return n;
}

LUA_API lua_Integer lua_tointegerx(lua_State *L, int idx, int *isnum) {
  const Value *o = api_index(L, idx);
  int64_t i = 0;
  int ok = 1;
  if (likely(v_isint(o))) {
    i = o->i;
  } else if (!value_tointeger(o, &i)) {
    i = 0;
    ok = 0;
  }
  if (isnum != NULL) *isnum = ok;
  return i;
}

LUA_API int lua_toboolean(lua_State *L, int idx) { return !v_isfalsy(api_index(L, idx)); }

// An upvalue is changed only if it still holds that number: another worker may just have assigned it; then the string
// stays anchored in the scratch value, until the second next access to an upvalue.
static void replace_number(Slot *slot, const Value *number, String *s) {
  uint64_t b = slot_load(slot);
  Value now;
  bits_decode(&now, b);
  if (now.tag != number->tag || now.u != number->u) return;
  atomic_compare_exchange_strong_explicit(&slot->bits, &b, SLOT_OBJ(TAG_STRING, s), memory_order_release,
                                          memory_order_relaxed);
}

// Converts the number at idx to a string where it stands.
static NOINLINE const char *number_tolstring(lua_State *L, int idx, Value *o, size_t *len) {
  api_own(L);
  char buf[VALUE_NUMBUF];
  size_t n = value_num2str(o, buf, sizeof buf);
  String *s = str_alloc_gc(L, n);
  memcpy(s->data, buf, n);
  Value old;
  v_copy(&old, o);
  v_setobj(o, TAG_STRING, s);
  Slot *slot = idx < LUA_REGISTRYINDEX ? upvalue_slot(L, idx) : NULL;
  if (slot != NULL) replace_number(slot, &old, s);
  if (len != NULL) *len = s->len;
  gc_check(L);
  return s->data;
}

LUA_API const char *lua_tolstring(lua_State *L, int idx, size_t *len) {
  Value *o = api_index(L, idx);
  if (likely(v_isstring(o))) {
    if (len != NULL) *len = v_str(o)->len;
    return v_str(o)->data;
  }
  if (v_isnumber(o)) return number_tolstring(L, idx, o, len);
  if (len != NULL) *len = 0;
  return NULL;
}

LUA_API lua_Unsigned lua_rawlen(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  switch (o->tag) {
  case TAG_TABLE:
    if (unlikely(race_on)) race_rawlength(L, v_table(o));
    return (lua_Unsigned)table_len(L, v_table(o));
  case TAG_STRING: return v_str(o)->len;
  case TAG_USERDATA: return v_ud(o)->len;
  default: return 0;
  }
}

LUA_API lua_CFunction lua_tocfunction(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  if (o->tag == TAG_LCF) return o->f;
  return o->tag == TAG_CCL ? ccl_function(v_ccl(o)) : NULL;
}

LUA_API void *lua_touserdata(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  if (likely(o->tag == TAG_USERDATA)) return ud_mem(v_ud(o));
  return o->tag == TAG_LIGHTUD ? o->p : NULL;
}

LUA_API lua_State *lua_tothread(lua_State *L, int idx) {
  const Value *o = api_index(L, idx);
  return o->tag == TAG_THREAD ? v_thread(o) : NULL;
}

// Equal short strings have one address, as in Lua, although only some of them are interned from the start: who is asked
// for its address is replaced by its interned twin.
static const void *string_pointer(lua_State *L, int idx, Value *o) {
  api_own(L);
  String *s = str_tointerned(L, v_str(o));
  if (idx > LUA_REGISTRYINDEX) v_setobj(o, TAG_STRING, s);
  return s;
}

LUA_API const void *lua_topointer(lua_State *L, int idx) {
  Value *o = api_index(L, idx);
  switch (o->tag) {
  case TAG_LIGHTUD:
  case TAG_LCF: return o->p;
  case TAG_STRING: return string_pointer(L, idx, o);
  case TAG_USERDATA: return ud_mem(v_ud(o));
  case TAG_THREAD: return v_thread(o);
  default: return v_iscollectable(o) ? o->p : NULL;
  }
}

// ---- pushing ---------------------------------------------------------------------------------------

LUA_API void lua_pushnil(lua_State *L) {
  v_setnil(L->top);
  api_incrtop(L);
}

LUA_API void lua_pushnumber(lua_State *L, lua_Number n) {
  v_setfloat(L->top, n);
  api_incrtop(L);
}

LUA_API void lua_pushinteger(lua_State *L, lua_Integer n) {
  v_setint(L->top, n);
  api_incrtop(L);
}

LUA_API void lua_pushboolean(lua_State *L, int b) {
  v_setbool(L->top, b != 0);
  api_incrtop(L);
}

LUA_API void lua_pushlightuserdata(lua_State *L, void *p) {
  v_setobj(L->top, TAG_LIGHTUD, p);
  api_incrtop(L);
}

// From now on Lua code may hold the state, so a goroutine's is not used again for another one.
LUA_API int lua_pushthread(lua_State *L) {
  Obj *o = &thread_of(L)->hdr;
  if (!(atomic_load_explicit(&o->flags, memory_order_relaxed) & OF_PINNED))
    atomic_fetch_or_explicit(&o->flags, OF_PINNED, memory_order_relaxed);
  v_setthread(L->top, L);
  api_incrtop(L);
  return L == L->gl->mainL;
}

static ALWAYS_INLINE const char *push_string(lua_State *L, String *s) {
  v_setobj(L->top, TAG_STRING, s);
  api_incrtop(L);
  gc_check(L);
  return s->data;
}

static String *new_string(lua_State *L, const char *s, size_t len) {
  String *str = str_alloc_gc(L, len);
  str_copy(L, str->data, s, len);
  return str;
}

LUA_API const char *lua_pushlstring(lua_State *L, const char *s, size_t len) {
  api_own(L);
  return push_string(L, new_string(L, s, len));
}

LUA_API const char *lua_pushstring(lua_State *L, const char *s) {
  if (unlikely(s == NULL)) {
    lua_pushnil(L);
    return NULL;
  }
  api_own(L);
  return push_string(L, str_newz(L, s));
}

LUA_API const char *lua_pushvfstring(lua_State *L, const char *fmt, va_list argp) {
  api_own(L);
  return push_string(L, str_vfmt(L, fmt, argp));
}

LUA_API const char *lua_pushfstring(lua_State *L, const char *fmt, ...) {
  va_list argp;
  api_own(L);
  va_start(argp, fmt);
  String *s = str_vfmt(L, fmt, argp);
  va_end(argp);
  return push_string(L, s);
}

static NOINLINE bool push_foreign(lua_State *L, lua_CFunction fn, int n) {
  api_own(L);
  if (!cmodule_pushclosure(L, fn, n)) return false;
  gc_check(L);
  return true;
}

LUA_API void lua_pushcclosure(lua_State *L, lua_CFunction fn, int n) {
  if (unlikely(!code_isours(fn)) && push_foreign(L, fn, n)) return;
  if (n == 0) {
    L->top->f = fn;
    L->top->tag = TAG_LCF;
    api_incrtop(L);
    return;
  }
  api_own(L);
  CClosure *cl = ccl_new(L, fn, n);
  const Value *from = L->top - n;
  for (int i = 0; i < n; i++) slot_store(&cl->upv[i], v_encode(L, from + i));
  L->top -= n;
  v_setobj(L->top, TAG_CCL, cl);
  api_incrtop(L);
  gc_check(L);
}

LUA_API size_t lua_stringtonumber(lua_State *L, const char *s) {
  size_t n = value_str2number(s, L->top);
  if (n != 0) api_incrtop(L);
  return n;
}
