// SPDX-License-Identifier: MIT
//
// repl_complete.c: what Tab offers.
//
// What:       looks at the line up to the cursor: inside a string, file names; after a colon at its start, commands and
//             their arguments; else a name, a field (a.b.c) or a method (a.b:c). Fields are found by looking, never by
//             calling: through tables and through __index as long as it is a table.
// Invariants: nothing of the program runs, so completion has no side effects.
#include "repl.h"
#include <ctype.h>
#include <dirent.h>
#include <sys/stat.h>

// ---- lists ------------------------------------------------------------------------------------------------------

void completions_add(Completions *c, const char *text) {
  if (c->n == c->cap) {
    size_t cap = 2 * c->cap + 32;
    char **v = realloc(c->v, cap * sizeof *v);
    if (v == NULL) return;
    c->v = v;
    c->cap = cap;
  }
  if ((c->v[c->n] = strdup(text)) != NULL) c->n++;
}

void completions_free(Completions *c) {
  for (size_t i = 0; i < c->n; i++) free(c->v[i]);
  free(c->v);
  memset(c, 0, sizeof *c);
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void sort_unique(Completions *c) {
  size_t n = 0;
  if (c->n > 0) qsort(c->v, c->n, sizeof *c->v, compare);
  for (size_t i = 0; i < c->n; i++) {
    if (n > 0 && strcmp(c->v[n - 1], c->v[i]) == 0)
      free(c->v[i]);
    else
      c->v[n++] = c->v[i];
  }
  c->n = n;
}

static bool begins(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

// ---- files ------------------------------------------------------------------------------------------------------

static bool is_dir(const char *dir, const char *name) {
  struct stat st;
  char *path;
  if (asprintf(&path, "%s/%s", dir, name) < 0) return false;
  bool yes = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
  free(path);
  return yes;
}

// path: what is there of it. Only the last part is completed.
static void add_files(Completions *out, const char *path) {
  const char *slash = strrchr(path, '/'), *last = slash != NULL ? slash + 1 : path;
  char *dir = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
  DIR *d = dir == NULL ? NULL : opendir(dir);
  out->len = strlen(last);
  for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
    if (!begins(e->d_name, last) || (e->d_name[0] == '.' && *last != '.')) continue;
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    char name[sizeof e->d_name + 1];
    snprintf(name, sizeof name, "%s%s", e->d_name, is_dir(dir, e->d_name) ? "/" : "");
    completions_add(out, name);
  }
  if (d != NULL) closedir(d);
  free(dir);
}

// Where the string begins that the cursor is in; NULL: it is in none.
static const char *open_string(const char *s) {
  const char *start = NULL;
  char quote = 0;
  for (; *s != '\0'; s++) {
    if (quote == 0 && (*s == '"' || *s == '\'')) {
      quote = *s;
      start = s + 1;
    } else if (quote == 0 && s[0] == '-' && s[1] == '-') {
      return NULL;
    } else if (quote != 0 && *s == '\\' && s[1] != '\0') {
      s++;
    } else if (*s == quote) {
      quote = 0;
    }
  }
  return quote != 0 ? start : NULL;
}

// ---- names ------------------------------------------------------------------------------------------------------

typedef struct Chain {
  const char *start; // of the expression: name(.name)*
  const char *last;  // the name to complete
  char sep;          // before it: '.', ':' or 0
  bool after_string; // ("..."):name
  Completions *out;
} Chain;

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }

static void find_chain(const char *line, Chain *c) {
  const char *p = line + strlen(line);
  while (p > line && is_word(p[-1])) p--;
  c->last = p;
  c->sep = p > line && (p[-1] == '.' || p[-1] == ':') ? p[-1] : 0;
  if (p - line >= 2 && p[-1] == '.' && p[-2] == '.') c->sep = 0; // concatenation
  while (p > line && c->sep != 0 && (is_word(p[-1]) || p[-1] == '.' || p[-1] == ':')) p--;
  c->start = p;
  if (p > line && p[-1] == ')') p--;
  c->after_string = c->sep == ':' && p > line && (p[-1] == '"' || p[-1] == '\'');
}

#define MAX_CHAIN 20 // of __index

// Replaces the value on top by its field; nil if it has none.
static void look_up(lua_State *L, const char *name, size_t len) {
  int top = lua_gettop(L);
  for (int i = 0; i < MAX_CHAIN; i++) {
    if (lua_istable(L, -1)) {
      lua_pushlstring(L, name, len);
      lua_rawget(L, -2);
      if (!lua_isnil(L, -1)) {
        lua_remove(L, -2);
        return;
      }
      lua_pop(L, 1);
    }
    if (luaL_getmetafield(L, -1, "__index") != LUA_TTABLE) break;
    lua_remove(L, -2);
  }
  lua_settop(L, top - 1);
  lua_pushnil(L);
}

static bool is_callable(lua_State *L, int idx) {
  if (lua_isfunction(L, idx)) return true;
  if (luaL_getmetafield(L, idx, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

static void add_name(lua_State *L, Chain *c) { // of the pair on top
  if (lua_type(L, -2) != LUA_TSTRING) return;
  const char *name = lua_tostring(L, -2);
  if (!begins(name, c->last) || *name == '\0' || isdigit((unsigned char)*name)) return;
  for (const char *p = name; *p != '\0'; p++)
    if (!is_word(*p)) return;
  if (c->sep == ':' && !is_callable(L, -1)) return;
  completions_add(c->out, name);
}

static void add_fields(lua_State *L, Chain *c) { // of the value on top, which is popped
  int top = lua_gettop(L);
  for (int i = 0; i < MAX_CHAIN; i++) {
    if (lua_istable(L, top)) {
      for (lua_pushnil(L); lua_next(L, top); lua_pop(L, 1)) add_name(L, c);
    }
    if (luaL_getmetafield(L, top, "__index") != LUA_TTABLE) break;
    lua_replace(L, top);
  }
  lua_settop(L, top - 1);
}

static int names_protected(lua_State *L) {
  Chain *c = lua_touserdata(L, 1);
  lua_pushglobaltable(L);
  if (c->sep == 0) {
    add_fields(L, c);
    return 0;
  }
  if (!is_word(*c->start)) { // what stands before it is no name
    if (!c->after_string) return 0;
    lua_pushliteral(L, "");
    add_fields(L, c);
    return 0;
  }
  for (const char *p = c->start; p < c->last - 1;) {
    size_t len = 0;
    while (is_word(p[len])) len++;
    look_up(L, p, len);
    p += len;
    if (p < c->last - 1) p++;
  }
  add_fields(L, c);
  return 0;
}

static const char *const keywords[] = {"and", "break",    "case",   "defer",  "do",   "else", "elseif", "end",  "false",
                                       "for", "function", "go",     "goto",   "if",   "in",   "local",  "nil",  "not",
                                       "or",  "repeat",   "return", "select", "then", "true", "until",  "while"};

static void add_names(lua_State *L, const char *line, Completions *out) {
  Chain c = {.out = out};
  find_chain(line, &c);
  out->len = strlen(c.last);
  repl_call(L, names_protected, &c);
  for (size_t i = 0; c.sep == 0 && i < sizeof keywords / sizeof *keywords; i++)
    if (begins(keywords[i], c.last)) completions_add(out, keywords[i]);
}

// ---- commands ---------------------------------------------------------------------------------------------------

static void add_command_words(lua_State *L, const char *line, Completions *out) {
  const char *space = strchr(line, ' ');
  if (space == NULL) {
    out->len = strlen(line);
    command_names(out, line);
    return;
  }
  const char *arg = space + strspn(space, " ");
  out->len = strlen(arg);
  if (begins(line, ":load "))
    add_files(out, arg);
  else if (begins(line, ":run "))
    example_names(out, arg);
  else if (begins(line, ":help "))
    help_names(out, arg);
  else if (begins(line, ":set "))
    begins("maxprocs", arg) ? completions_add(out, "maxprocs") : (void)0;
  else
    add_names(L, arg, out);
}

void complete(lua_State *L, const char *before, Completions *out) {
  const char *string = open_string(before);
  if (before[0] == ':' && before[1] != ':')
    add_command_words(L, before, out);
  else if (string != NULL)
    add_files(out, string);
  else
    add_names(L, before, out);
  sort_unique(out);
}
