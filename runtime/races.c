// SPDX-License-Identifier: MIT
//
// races.c: places in the program, and reports of data races.
//
// What:       a *site* is the innermost frames of a goroutine at an access, interned. A report shows the access that
// was
//             found to race in full, the earlier one as far as its site goes, and where both goroutines were started;
//             in Go's layout. It goes to standard error in one write. Of one pair of lines there is one report.
// Invariants: sites keep their prototypes alive (sites_mark), so an address in one never comes to mean another
// function.
//             They are never freed: there are as many as there are ways to the accesses of the program.
// Locking:    sites_lock for the table of sites; lookups take none, as entries are only added in front and never leave.
//             report_lock for the pairs reported and the count. Both are leaves.
// See also:   shadow.c, report.c (other reports). Tests: tests/cli/race_*.sh.
#include "race_int.h"
#include "dbg.h"
#include "func.h"
#include "gc.h"
#include "lungo.h"
#include "sched_int.h"
#include "str.h"
#include "table.h"
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_RACES 66 // Go's
#define REPORT_FRAMES 50

// ---- sites -----------------------------------------------------------------------------------------------------

// The frames of L and of those who resumed it, the innermost first.
uint32_t site_capture(lua_State *L, Frame *f, uint32_t max) {
  uint32_t n = 0;
  for (; L != NULL; L = L->from) {
    for (const CallInfo *ci = L->ci; ci != NULL && ci != &L->base_ci; ci = ci->prev) {
      if (n == max) return n;
      if (ci_isLua(ci)) {
        const Proto *p = v_lcl(ci->func)->p;
        f[n++] = (Frame){p, ci_pcrel(ci, p)};
      } else if (ci->func->tag == TAG_LCF || ci->func->tag == TAG_CCL) {
        f[n++] = (Frame){(const void *)(ci->func->tag == TAG_LCF ? ci->func->f : v_ccl(ci->func)->f), -1};
      }
    }
  }
  return n;
}

#define SITE_BITS 14
static _Atomic(Site *) sites[1 << SITE_BITS];
static Lock sites_lock;

static uint32_t frames_hash(const Frame *f, uint32_t n) {
  uint64_t h = n;
  for (uint32_t i = 0; i < n; i++)
    h = (h ^ (uintptr_t)f[i].code ^ (uint64_t)f[i].pc << 40) * UINT64_C(0x9E3779B97F4A7C15);
  return (uint32_t)(h >> 32);
}

static bool same_frames(const Site *s, const Frame *f, uint32_t n) {
  if (s->n != n) return false;
  for (uint32_t i = 0; i < n; i++)
    if (s->f[i].code != f[i].code || s->f[i].pc != f[i].pc) return false;
  return true;
}

static const Site *site_find(const Site *s, const Frame *f, uint32_t n, uint32_t hash) {
  while (s != NULL && !(s->hash == hash && same_frames(s, f, n))) s = s->next;
  return s;
}

static const Site *site_intern(const Frame *f, uint32_t n) {
  uint32_t hash = frames_hash(f, n);
  _Atomic(Site *) *b = &sites[hash >> (32 - SITE_BITS)];
  const Site *found = site_find(atomic_load_explicit(b, memory_order_acquire), f, n, hash);
  if (found != NULL) return found;
  lock(&sites_lock);
  found = site_find(atomic_load_explicit(b, memory_order_relaxed), f, n, hash);
  if (found == NULL) {
    Site *s = race_alloc(NULL, sizeof *s + n * sizeof *f);
    *s = (Site){.next = atomic_load_explicit(b, memory_order_relaxed), .hash = hash, .n = n};
    memcpy(s->f, f, n * sizeof *f);
    atomic_store_explicit(b, s, memory_order_release); // pairs with the lookup above
    found = s;
  }
  unlock(&sites_lock);
  return found;
}

const Site *site_here(lua_State *L) {
  Frame f[SITE_FRAMES];
  return site_intern(f, site_capture(L, f, SITE_FRAMES));
}

void sites_mark(struct Marker *m) {
  for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++)
    for (const Site *s = atomic_load_explicit(&sites[i], memory_order_relaxed); s != NULL; s = s->next)
      for (uint32_t k = 0; k < s->n; k++)
        if (s->f[k].pc >= 0) gc_mark_obj(m, (Obj *)s->f[k].code);
}

// ---- which have been reported ------------------------------------------------------------------------------------

typedef struct Line {
  const void *source; // String, or lua_CFunction
  int line;
} Line;

typedef struct Pair {
  struct Pair *next;
  Line a, b;
} Pair;

static Lock report_lock; // guards what follows
static Pair *reported;
static int nreported;

// That of the innermost Lua function.
static Line line_of(const Frame *f, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    const Proto *p = f[i].code;
    if (f[i].pc >= 0) return (Line){p->source, dbg_line(p, f[i].pc)};
  }
  return (Line){n > 0 ? f[0].code : NULL, 0};
}

static bool same_line(Line a, Line b) { return a.source == b.source && a.line == b.line; }

static bool first_of_pair(Line a, Line b) {
  lock(&report_lock);
  const Pair *p = reported;
  while (p != NULL && !(same_line(p->a, a) && same_line(p->b, b)) && !(same_line(p->a, b) && same_line(p->b, a)))
    p = p->next;
  if (p == NULL) {
    Pair *fresh = race_alloc(NULL, sizeof *fresh);
    *fresh = (Pair){reported, a, b};
    reported = fresh;
    nreported++;
  }
  unlock(&report_lock);
  return p == NULL;
}

// ---- names -----------------------------------------------------------------------------------------------------

// The name of a C function: as a field of a loaded module, or what the frame that called it calls it.
static const char *module_field(lua_State *L, const void *f, const char **module) {
  Value loaded, at = {.tag = TAG_NIL}, key, mod, name, val;
  uint32_t hash;
  String *s = str_find(L->gl, LUA_LOADED_TABLE, strlen(LUA_LOADED_TABLE), &hash);
  if (s == NULL || !table_getstr(L, v_table(&L->gl->registry), s, &loaded) || !v_istable(&loaded)) return NULL;
  while (table_next(L, v_table(&loaded), &at, &key, &mod) > 0) {
    v_copy(&at, &key);
    if (!v_isstring(&key) || !v_istable(&mod)) continue;
    for (Value pos = {.tag = TAG_NIL}; table_next(L, v_table(&mod), &pos, &name, &val) > 0; v_copy(&pos, &name)) {
      if (!v_isstring(&name) || val.tag != TAG_LCF || (const void *)val.f != f) continue;
      *module = v_str(&key)->data;
      return v_str(&name)->data;
    }
  }
  return NULL;
}

static void put_called(FILE *o, lua_State *L, const Frame *f, const Frame *caller) {
  const char *name = NULL, *module;
  if (f->pc < 0 && (name = module_field(L, f->code, &module)) != NULL) {
    bool global = strcmp(module, LUA_GNAME) == 0;
    fprintf(o, "function '%s%s%s'\n", global ? "" : module, global ? "" : ".", name);
    return;
  }
  const char *kind = caller != NULL && caller->pc >= 0 ? dbg_calledname(L, caller->code, caller->pc, &name) : NULL;
  const Proto *p = f->code;
  char src[LUA_IDSIZE] = "?";
  if (kind != NULL) {
    fprintf(o, "%s '%s'\n", strcmp(kind, "global") == 0 ? "function" : kind, name);
  } else if (f->pc < 0) {
    fputs("?\n", o);
  } else if (p->line == 0) {
    fputs("main chunk\n", o);
  } else {
    if (p->source != NULL) dbg_chunkid(src, p->source->data, p->source->len);
    fprintf(o, "function <%s:%d>\n", src, p->line);
  }
}

static void put_frames(FILE *o, lua_State *L, const Frame *f, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    char src[LUA_IDSIZE] = "?";
    const Proto *p = f[i].code;
    if (f[i].pc < 0) {
      fputs("\t[C]: in ", o);
    } else {
      if (p->source != NULL) dbg_chunkid(src, p->source->data, p->source->len);
      fprintf(o, "\t%s:%d: in ", src, dbg_line(p, f[i].pc));
    }
    put_called(o, L, &f[i], i + 1 < n ? &f[i + 1] : NULL);
  }
}

// The captured local that the current instruction is about.
static const char *variable_name(lua_State *L) {
  const Proto *p = v_lcl(L->ci->func)->p;
  int pc = ci_pcrel(L->ci, p);
  Instr i = p->code[pc];
  const char *name = NULL;
  switch (INSTR_OP(i)) {
  case OP_GETUPVAL:
  case OP_UPSELFCALL:
  case OP_SETUPVAL: {
    const String *s = p->upvals[INSTR_B(i)].name;
    return s != NULL ? s->data : "?";
  }
  case OP_GETCELL: name = proto_locname(p, INSTR_B(i), pc); break;
  default: name = proto_locname(p, INSTR_A(i), pc); break;
  }
  return name != NULL ? name : "?";
}

static void put_key(FILE *o, lua_State *L, const RaceVar *var, const Value *key) {
  Value g;
  table_getint(L, v_table(&L->gl->registry), LUA_RIDX_GLOBALS, &g);
  switch (key->tag) {
  case TAG_STRING: fprintf(o, "%s '%.60s'", (const Obj *)g.p == var->obj ? "global" : "field", v_str(key)->data); break;
  case TAG_INT: fprintf(o, "index %lld", (long long)key->i); break;
  case TAG_FLOAT: fprintf(o, "index %.14g", key->n); break;
  case TAG_FALSE:
  case TAG_TRUE: fprintf(o, "key %s", key->tag == TAG_TRUE ? "true" : "false"); break;
  default: fprintf(o, "key %s: %p", lua_typename(L, v_type(key)), key->p); break;
  }
}

static void put_variable(FILE *o, lua_State *L, const RaceVar *var, const Value *key) {
  switch (var->kind) {
  case RACE_CELL: fprintf(o, "variable '%s'", variable_name(L)); break;
  case RACE_LENGTH: fputs("length of a table", o); break;
  case RACE_KEYS: fputs("keys of a table", o); break;
  default: put_key(o, L, var, key); break;
  }
}

static void put_goroutine(FILE *o, const Life *life) {
  if (life->id == 1)
    fputs("main goroutine", o);
  else
    fprintf(o, "goroutine %lld", (long long)life->id);
}

static void put_access(FILE *o, const char *verb, const RaceVar *var, const char *name, const Life *life) {
  fprintf(o, "%s at %p (%s) by ", verb, (const void *)var->obj, name);
  put_goroutine(o, life);
  fputs(":\n", o);
}

static void put_creation(FILE *o, lua_State *L, const Life *life) {
  if (life->created == NULL) return;
  fprintf(o, "\nGoroutine %lld (%s) created at:\n", (long long)life->id, life->over ? "finished" : "running");
  put_frames(o, L, life->created->f, life->created->n);
}

// ---- reports -----------------------------------------------------------------------------------------------------

typedef struct Report {
  const RaceVar *var;
  const Value *key;
  RaceOp op, earlier;
  const Access *before;
  Life now, then;
  const Frame *f;
  uint32_t n;
} Report;

static void put_report(FILE *o, lua_State *L, const Report *r) {
  char name[128];
  FILE *s = fmemopen(name, sizeof name, "w");
  if (s == NULL) return;
  put_variable(s, L, r->var, r->key);
  fclose(s);
  fputs("==================\nWARNING: DATA RACE\n", o);
  put_access(o, r->op == RACE_READ ? "Read" : "Write", r->var, name, &r->now);
  put_frames(o, L, r->f, r->n);
  fputs("\n", o);
  put_access(o, r->earlier == RACE_READ ? "Previous read" : "Previous write", r->var, name, &r->then);
  put_frames(o, L, r->before->site->f, r->before->site->n);
  put_creation(o, L, &r->now);
  put_creation(o, L, &r->then);
  fputs("==================\n", o);
}

static void write_all(const char *s, size_t n) {
  while (n > 0) {
    ssize_t done = write(STDERR_FILENO, s, n);
    if (done < 0 && errno != EINTR) return;
    if (done < 0) continue;
    s += done;
    n -= (size_t)done;
  }
}

void race_report(lua_State *L, const Racer *racer, const RaceVar *var, const Value *key, RaceOp op,
                 const Access *before, RaceOp earlier) {
  Frame f[REPORT_FRAMES];
  Report r = {.var = var, .key = key, .op = op, .earlier = earlier, .before = before, .f = f};
  r.n = site_capture(L, f, REPORT_FRAMES);
  if (!first_of_pair(line_of(f, r.n), line_of(before->site->f, before->site->n))) return;
  r.now = life_at(racer->epoch);
  r.then = life_at(before->at);
  char *text = NULL;
  size_t n = 0;
  FILE *o = open_memstream(&text, &n);
  if (o == NULL) return;
  put_report(o, L, &r);
  fclose(o);
  write_all(text, n);
  free(text);
}

int race_status(int status) {
  lock(&report_lock);
  int n = nreported;
  unlock(&report_lock);
  if (n == 0 || status != 0) return status;
  fprintf(stderr, "Found %d data race%s\n", n, n == 1 ? "" : "s");
  return EXIT_RACES;
}

// ---- lungo.h -----------------------------------------------------------------------------------------------------

LUA_API void lungo_detectraces(void) { race_on = true; }
LUA_API int lungo_racestatus(int status) { return race_status(status); }
