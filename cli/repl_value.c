// SPDX-License-Identifier: MIT
//
// repl_value.c: values as people read them.
//
// What:       in two steps: *build* asks Lua for everything that is to be shown and makes a tree of texts (Node), cut
//             at a sane size; *emit* lays the tree out, on one line if it fits, else with one field a line. So values
//             are asked once, however often the layout tries.
//             Tables show their array part, then numbers, strings and other keys, each sorted. A table with
//             __tostring is shown as that says, one with __pairs as that iterates.
// Invariants: values may be hostile. Everything that runs code of theirs is a protected call whose error becomes part
//             of the text; numbers of fields, depth and lengths are bounded, and so is the counting of what is left
//             out. All nodes lie in an arena, so an error loses nothing.
// See also:   docs/manual.md "The prompt". Tests: tests/pty/values.
#include "repl.h"
#include <ctype.h>
#include <wchar.h>
#include <wctype.h>

#define MAX_DEPTH 5          // tables in tables
#define MAX_FIELDS_TOP 200   // fields shown of the outermost table
#define MAX_FIELDS 40        // and of those inside
#define MAX_NODES 2000       // values shown altogether
#define MAX_SCAN 1000000     // keys looked at to count a table
#define MAX_STRING_TOP 10000 // bytes of a string shown by itself
#define MAX_STRING 300       // and inside a table
#define MAX_TEXT 500         // bytes of what __tostring says

typedef struct Node Node;
struct Node {
  Node *next;       // the next field of the same table
  const char *key;  // before the value; NULL: none
  const char *text; // the value, or what stands before the brace of a table
  Color color;
  bool is_table;
  Node *first, *last;
  size_t width; // columns on one line, key included
};

typedef struct Block {
  struct Block *next;
  char mem[];
} Block;

typedef struct Builder {
  lua_State *L;
  Block *blocks;
  int nodes;
  int depth;
  const void *path[MAX_DEPTH + 1]; // the tables around the present one
  bool failed;                     // no memory
} Builder;

// ---- arena ---------------------------------------------------------------------------------------------------------

static void *take(Builder *b, size_t size) {
  Block *block = calloc(1, sizeof *block + size);
  if (block == NULL) {
    b->failed = true;
    return NULL;
  }
  block->next = b->blocks;
  b->blocks = block;
  return block->mem;
}

static void free_blocks(Builder *b) {
  for (Block *next; b->blocks != NULL; b->blocks = next) {
    next = b->blocks->next;
    free(b->blocks);
  }
}

static const char *keep(Builder *b, const char *s, size_t len) {
  char *copy = take(b, len + 1);
  if (copy == NULL) return "";
  memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

__attribute__((format(printf, 2, 3))) static const char *keepf(Builder *b, const char *fmt, ...) {
  char buf[1024];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(buf, sizeof buf, fmt, ap);
  va_end(ap);
  return keep(b, buf, n < 0 ? 0 : (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1);
}

// ---- strings -------------------------------------------------------------------------------------------------------

// Length of the valid UTF-8 sequence at s, 0 if there is none. Control characters beyond ASCII do not count.
static size_t utf8_len(const unsigned char *s, size_t left) {
  size_t n = *s >= 0xF0 ? 4 : *s >= 0xE0 ? 3 : 2;
  if (*s < 0xC2 || *s > 0xF4 || left < n) return 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xC0) != 0x80) return 0;
  if ((*s == 0xC2 && s[1] < 0xA0) || (*s == 0xE0 && s[1] < 0xA0) || (*s == 0xED && s[1] > 0x9F)) return 0;
  if ((*s == 0xF0 && s[1] < 0x90) || (*s == 0xF4 && s[1] > 0x8F)) return 0;
  return n;
}

static size_t put_char(FILE *f, const char *s, size_t left, bool quoted) {
  static const char letters[] = "abtnvfr"; // 7 to 13
  unsigned char c = (unsigned char)*s;
  if (c >= 0x80) {
    size_t n = utf8_len((const unsigned char *)s, left);
    if (n > 0)
      fwrite(s, 1, n, f);
    else
      fprintf(f, "\\x%02X", c);
    return n > 0 ? n : 1;
  }
  if (quoted && (c == '"' || c == '\\'))
    fprintf(f, "\\%c", c);
  else if (c >= 7 && c <= 13)
    fprintf(f, "\\%c", letters[c - 7]);
  else if (c < 32 || c == 127)
    fprintf(f, left > 1 && isdigit((unsigned char)s[1]) ? "\\%03d" : "\\%d", c);
  else
    putc(c, f);
  return 1;
}

// Quoted as Lua reads it, or as it is but for what would upset a terminal.
static const char *show_string(Builder *b, const char *s, size_t len, size_t max, bool quoted) {
  char *text = NULL;
  size_t n, shown = len < max ? len : max;
  FILE *f = open_memstream(&text, &n);
  if (f == NULL) return "";
  if (quoted) putc('"', f);
  for (size_t i = 0; i < shown;) i += put_char(f, s + i, len - i, quoted);
  if (quoted) putc('"', f);
  if (shown < len) fprintf(f, "... (%zu bytes)", len);
  fclose(f);
  const char *copy = keep(b, text, n);
  free(text);
  return copy;
}

static size_t text_width(const char *s) {
  size_t w = 0;
  for (; *s != '\0'; s++) w += ((unsigned char)*s & 0xC0) != 0x80;
  return w;
}

// ---- values that are no tables ----------------------------------------------------------------------------------

static int tostring_protected(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

// As tostring has it, an error in __tostring included.
static const char *show_tostring(Builder *b, int idx) {
  lua_State *L = b->L;
  size_t len;
  idx = lua_absindex(L, idx);
  lua_pushcfunction(L, tostring_protected);
  lua_pushvalue(L, idx);
  bool ok = lua_pcall(L, 1, 1, 0) == LUA_OK;
  const char *s = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
  const char *text = s == NULL ? "(error object is no string)" : show_string(b, s, len, MAX_TEXT, false);
  lua_pop(L, 1);
  return ok ? text : keepf(b, "<error in __tostring: %s>", text);
}

// "string.rep" for what a loaded module has under that name; NULL if none has.
static const char *library_name(Builder *b, int idx) {
  lua_State *L = b->L;
  const char *found = NULL;
  int top = lua_gettop(L);
  if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE) != LUA_TTABLE) {
    lua_settop(L, top);
    return NULL;
  }
  for (lua_pushnil(L); found == NULL && lua_next(L, top + 1); lua_settop(L, top + 2)) {
    if (lua_type(L, top + 2) != LUA_TSTRING || !lua_istable(L, top + 3)) continue;
    const char *module = lua_tostring(L, top + 2);
    for (lua_pushnil(L); found == NULL && lua_next(L, top + 3); lua_settop(L, top + 4)) {
      if (lua_type(L, top + 4) != LUA_TSTRING || !lua_rawequal(L, idx, top + 5)) continue;
      bool global = strcmp(module, LUA_GNAME) == 0;
      found = keepf(b, "%s%s%s", global ? "" : module, global ? "" : ".", lua_tostring(L, top + 4));
    }
  }
  lua_settop(L, top);
  return found;
}

static const char *show_function(Builder *b, int idx) {
  lua_Debug ar;
  lua_pushvalue(b->L, idx);
  lua_getinfo(b->L, ">S", &ar);
  if (*ar.what != 'C') return keepf(b, "function: %s:%d", ar.short_src, ar.linedefined);
  const char *name = library_name(b, lua_absindex(b->L, idx));
  return name != NULL ? keepf(b, "function: %s", name) : show_tostring(b, idx);
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

static const char *show_channel(Builder *b, int idx, const lungo_Chaninfo *c) {
  char state[160];
  int n = c->cap > 0 ? snprintf(state, sizeof state, "%zu of %zu queued", c->len, c->cap)
                     : snprintf(state, sizeof state, "unbuffered");
  if (c->closed) n += snprintf(state + n, sizeof state - (size_t)n, ", closed");
  if (c->senders > 0)
    n += snprintf(state + n, sizeof state - (size_t)n, ", %zu sender%s waiting", c->senders, plural(c->senders));
  if (c->receivers > 0)
    snprintf(state + n, sizeof state - (size_t)n, ", %zu receiver%s waiting", c->receivers, plural(c->receivers));
  return keepf(b, "%s (%s)", show_tostring(b, idx), state);
}

static void set_leaf(Builder *b, Node *n, int idx) {
  lua_State *L = b->L;
  size_t len;
  lungo_Chaninfo c;
  switch (lua_type(L, idx)) {
  case LUA_TNIL:
  case LUA_TBOOLEAN:
    n->text = lua_isnil(L, idx) ? "nil" : lua_toboolean(L, idx) ? "true" : "false";
    n->color = COLOR_WORD;
    break;
  case LUA_TNUMBER:
    n->text = show_tostring(b, idx);
    n->color = COLOR_NUMBER;
    break;
  case LUA_TSTRING:
    n->text = lua_tolstring(L, idx, &len);
    n->text = show_string(b, n->text, len, b->depth == 0 ? MAX_STRING_TOP : MAX_STRING, true);
    n->color = COLOR_STRING;
    break;
  case LUA_TFUNCTION:
    n->text = show_function(b, idx);
    n->color = COLOR_DIM;
    break;
  default:
    n->text = lungo_chaninfo(L, idx, &c) ? show_channel(b, idx, &c) : show_tostring(b, idx);
    n->color = COLOR_DIM;
    break;
  }
}

// ---- tables -----------------------------------------------------------------------------------------------------

static Node *build(Builder *b, int idx);

static Node *add_node(Node *parent, Node *n) {
  if (n == NULL) return NULL;
  if (parent->last != NULL)
    parent->last->next = n;
  else
    parent->first = n;
  return parent->last = n;
}

static Node *add_note(Builder *b, Node *parent, const char *text) {
  Node *n = take(b, sizeof *n);
  if (n == NULL) return NULL;
  n->text = text;
  n->color = COLOR_DIM;
  n->width = text_width(text);
  return add_node(parent, n);
}

static bool is_name(const char *s, size_t len) {
  static const char *const reserved[] = {"and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
                                         "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
                                         "repeat",   "return", "then", "true", "until",  "while"};
  if (len == 0 || len > 60 || strlen(s) != len || isdigit((unsigned char)*s)) return false;
  for (size_t i = 0; i < len; i++)
    if (!isalnum((unsigned char)s[i]) && s[i] != '_') return false;
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (strcmp(s, reserved[i]) == 0) return false;
  return true;
}

static const char *show_key(Builder *b, int idx) {
  size_t len;
  if (lua_type(b->L, idx) == LUA_TSTRING) {
    const char *s = lua_tolstring(b->L, idx, &len);
    if (is_name(s, len)) return keepf(b, "%s = ", s);
    return keepf(b, "[%s] = ", show_string(b, s, len, 80, true));
  }
  return keepf(b, "[%s] = ", show_tostring(b, idx));
}

// The value on top of the stack, popped, as a field of parent; key: 0 or where it is on the stack.
static void add_field(Builder *b, Node *parent, int key) {
  const char *text = key == 0 ? NULL : show_key(b, key);
  Node *n = build(b, -1);
  lua_pop(b->L, 1);
  if (n == NULL) return;
  n->key = text;
  if (text != NULL) n->width += text_width(text);
  add_node(parent, n);
}

// Where a key stands among the others.
typedef struct Key {
  int order; // 0 number, 1 string, 2 boolean, 3 anything else
  lua_Number number;
  const char *string; // in the Lua string, which the list of keys holds
  int index;          // in the list
} Key;

static int compare_keys(const void *x, const void *y) {
  const Key *a = x, *b = y;
  if (a->order != b->order) return a->order - b->order;
  if (a->order == 0) return (a->number > b->number) - (a->number < b->number);
  int c = a->order == 1 ? strcmp(a->string, b->string) : 0;
  return c != 0 ? c : a->index - b->index;
}

static void fill_key(lua_State *L, int idx, int index, Key *k) {
  int t = lua_type(L, idx);
  *k = (Key){.order = t == LUA_TNUMBER ? 0 : t == LUA_TSTRING ? 1 : t == LUA_TBOOLEAN ? 2 : 3, .index = index};
  if (t == LUA_TNUMBER) k->number = lua_tonumber(L, idx);
  if (t == LUA_TSTRING) k->string = lua_tostring(L, idx);
}

#define SORT_MAX 1000 // keys sorted; a table that has more shows some of them

typedef struct Fields {
  Builder *b;
  Node *node;
  int max; // fields to show
} Fields;

static void add_rest(Builder *b, Node *node, lua_Integer left, bool counted) {
  if (left > 0) add_note(b, node, keepf(b, "... %s%lld more", counted ? "" : "at least ", (long long)left));
}

// Keys of the table at 1 beyond its array part, which has `border` values: up to SORT_MAX into the table at 2 and
// `keys`. Returns how many there are; *counted is false if there may be more.
static lua_Integer collect_keys(lua_State *L, lua_Integer border, Key *keys, bool *counted) {
  lua_Integer n = 0, scanned = 0;
  for (lua_pushnil(L); lua_next(L, 1); scanned++) {
    lua_pop(L, 1);
    *counted = scanned < MAX_SCAN;
    if (!*counted) {
      lua_pop(L, 1);
      break;
    }
    if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= border) continue;
    if (++n > SORT_MAX) continue;
    fill_key(L, -1, (int)n, &keys[n - 1]);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, n);
  }
  return n;
}

static void add_keys(Fields *f, lua_Integer n, Key *keys, bool counted) {
  lua_State *L = f->b->L;
  int have = n < SORT_MAX ? (int)n : SORT_MAX, shown = 0;
  qsort(keys, (size_t)have, sizeof *keys, compare_keys);
  for (; shown < have && shown < f->max && f->b->nodes < MAX_NODES; shown++) {
    lua_rawgeti(L, 2, keys[shown].index);
    lua_pushvalue(L, -1);
    lua_rawget(L, 1);
    add_field(f->b, f->node, lua_gettop(L) - 1);
    lua_pop(L, 1);
  }
  add_rest(f->b, f->node, n - shown, counted);
}

// Protected, of (table, list of keys, Fields *): others may change the table meanwhile, so that `next` raises an error.
static int raw_fields(lua_State *L) {
  Fields *f = lua_touserdata(L, 3);
  lua_Integer border = (lua_Integer)lua_rawlen(L, 1), shown = 0;
  Key *keys = take(f->b, SORT_MAX * sizeof *keys);
  if (keys == NULL) return 0;
  for (; shown < border && shown < f->max && f->b->nodes < MAX_NODES; shown++) {
    lua_rawgeti(L, 1, shown + 1);
    add_field(f->b, f->node, 0);
  }
  add_rest(f->b, f->node, border - shown, true);
  bool counted = true;
  lua_Integer n = collect_keys(L, border, keys, &counted);
  add_keys(f, n, keys, counted);
  return 0;
}

// Protected, of (table, anything, Fields *): by __pairs, in its order.
static int pairs_fields(lua_State *L) {
  Fields *f = lua_touserdata(L, 3);
  luaL_getmetafield(L, 1, "__pairs");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 3); // at 4, 5, 6: iterator, state, control
  for (int shown = 0;; shown++) {
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 5);
    lua_pushvalue(L, 6);
    lua_call(L, 2, 2); // at 7, 8
    if (lua_isnil(L, 7)) return 0;
    if (shown >= f->max || f->b->nodes >= MAX_NODES) break;
    add_field(f->b, f->node, 7);
    lua_replace(L, 6);
  }
  add_note(f->b, f->node, "...");
  return 0;
}

static bool in_path(const Builder *b, const void *table) {
  for (int i = 0; i < b->depth; i++)
    if (b->path[i] == table) return true;
  return false;
}

static bool has_meta(lua_State *L, int idx, const char *name) {
  if (luaL_getmetafield(L, idx, name) == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

// The fields of the table at idx. Frames and stack of their own for each level.
static void add_fields(Builder *b, Node *n, int idx) {
  lua_State *L = b->L;
  Fields f = {b, n, b->depth == 0 ? MAX_FIELDS_TOP : MAX_FIELDS};
  idx = lua_absindex(L, idx);
  b->path[b->depth++] = lua_topointer(L, idx);
  int depth = b->depth;
  lua_pushcfunction(L, has_meta(L, idx, "__pairs") ? pairs_fields : raw_fields);
  lua_pushvalue(L, idx);
  lua_newtable(L);
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    b->depth = depth;
    add_note(b, n, keepf(b, "<error: %s>", show_tostring(b, -1)));
    lua_pop(L, 1);
  }
  b->depth--;
}

static void set_table(Builder *b, Node *n, int idx) {
  lua_State *L = b->L;
  n->color = COLOR_DIM;
  if (has_meta(L, idx, "__tostring")) {
    n->text = show_tostring(b, idx);
  } else if (in_path(b, lua_topointer(L, idx))) {
    n->text = "<cycle>";
  } else if (b->depth >= MAX_DEPTH || !lua_checkstack(L, 2 * LUA_MINSTACK)) {
    n->text = "{...}";
  } else {
    n->is_table = true;
    n->text = "";
    if (luaL_getmetafield(L, idx, "__name") == LUA_TSTRING) {
      size_t len;
      const char *name = lua_tolstring(L, -1, &len);
      n->text = keepf(b, "%s ", show_string(b, name, len, 80, false));
      lua_pop(L, 1);
    }
    add_fields(b, n, idx);
  }
}

static void set_width(Node *n) {
  n->width = text_width(n->text);
  if (!n->is_table) return;
  n->width += 2;
  for (Node *c = n->first; c != NULL; c = c->next) n->width += c->width + (c->next != NULL ? 2 : 0);
}

static Node *build(Builder *b, int idx) {
  Node *n = take(b, sizeof *n);
  if (n == NULL) return NULL;
  b->nodes++;
  if (lua_type(b->L, idx) == LUA_TTABLE)
    set_table(b, n, lua_absindex(b->L, idx));
  else
    set_leaf(b, n, idx);
  set_width(n);
  return n;
}

// ---- layout -----------------------------------------------------------------------------------------------------

static void put_colored(FILE *f, Color c, const char *s) {
  if (*s == '\0') return;
  const char *on = term_color(c);
  fprintf(f, "%s%s%s", on, s, *on != '\0' ? term_color(COLOR_NONE) : "");
}

static void newline(FILE *f, int indent) { fprintf(f, "\n%*s", indent, ""); }

static void emit(FILE *f, const Node *n, int indent, int columns, bool key);

// Short values without keys share lines; everything else has a line of its own.
static void emit_fields(FILE *f, const Node *n, int indent, int columns) {
  size_t at = (size_t)columns;
  for (const Node *c = n->first; c != NULL; c = c->next) {
    bool plain = c->key == NULL && !c->is_table && c->width < 40;
    if (plain && at + c->width + 2 < (size_t)columns) {
      putc(' ', f);
      at++;
    } else {
      newline(f, indent);
      at = (size_t)indent;
    }
    emit(f, c, indent, columns, true);
    if (c->next != NULL) putc(',', f);
    at = plain ? at + c->width + 1 : (size_t)columns;
  }
}

static void emit(FILE *f, const Node *n, int indent, int columns, bool key) {
  if (key && n->key != NULL) put_colored(f, COLOR_KEY, n->key);
  put_colored(f, n->color, n->text);
  if (!n->is_table) return;
  putc('{', f);
  if ((size_t)indent + n->width <= (size_t)columns) {
    for (const Node *c = n->first; c != NULL; c = c->next) {
      emit(f, c, 0, 1 << 30, true);
      if (c->next != NULL) fputs(", ", f);
    }
  } else {
    emit_fields(f, n, indent + 2, columns);
    newline(f, indent);
  }
  putc('}', f);
}

char *value_text(lua_State *L, int from, int to, size_t *len) {
  char *text = NULL;
  FILE *f = open_memstream(&text, len);
  if (f == NULL) return NULL;
  for (int i = from; i <= to; i++) {
    Builder b = {.L = L};
    Node *n = build(&b, i);
    if (n != NULL && !b.failed)
      emit(f, n, 0, term_columns() - 1, false);
    else
      fputs("(not enough memory to show the value)", f);
    putc('\n', f);
    free_blocks(&b);
  }
  fclose(f);
  return text;
}
