// SPDX-License-Identifier: MIT
//
// repl_help.c: the manual, asked by name.
//
// What:       docs/manual.md is part of the binary (its pages are read from disk only when somebody asks). A topic is
// the
//             heading of a section, or the name of a function: an entry of the manual is headed by the names it is
//             about (`### atomic.int:compareandswap, atomic.int:cas`). A name may be given without what stands before
//             a point or colon: chan.send, chan:send and send are one topic.
// Invariants: none beyond the manual's Markdown: `##` and `###` headings, paragraphs, tables, blocks of code.
// See also:   tests/cli/manual_names.sh, which keeps the headings complete. Tests: tests/pty/commands, completion.
#include "repl.h"
#include <ctype.h>

__asm__(".section .rodata\n"
        ".global lungo_manual, lungo_manual_end\n"
        "lungo_manual: .incbin \"docs/manual.md\"\n"
        "lungo_manual_end: .byte 0\n"
        ".previous\n");
extern const char lungo_manual[], lungo_manual_end[];

// ---- cutting -------------------------------------------------------------------------------------------------------

typedef struct Part {          // a heading and what stands below it, up to the next one
  int level;                   // of the heading: 2 a section, 3 an entry
  const char *head, *head_end; // without the signs
  const char *text, *text_end; // without blank lines around it
} Part;

static const char *line_end(const char *p) {
  const char *e = memchr(p, '\n', (size_t)(lungo_manual_end - p));
  return e != NULL ? e + 1 : lungo_manual_end;
}

static int heading_level(const char *p) { return strncmp(p, "## ", 3) == 0 ? 2 : strncmp(p, "### ", 4) == 0 ? 3 : 0; }

// The next part at or after *p. False: the manual ends.
static bool next_part(const char **p, Part *part) {
  while (*p < lungo_manual_end && heading_level(*p) == 0) *p = line_end(*p);
  if (*p >= lungo_manual_end) return false;
  part->level = heading_level(*p);
  part->head = *p + part->level + 1;
  *p = line_end(*p);
  part->head_end = *p - 1;
  while (**p == '\n') (*p)++;
  part->text = *p;
  while (*p < lungo_manual_end && heading_level(*p) == 0) *p = line_end(*p);
  part->text_end = *p;
  while (part->text_end > part->text && part->text_end[-1] == '\n') part->text_end--;
  return true;
}

// The names in the heading of an entry, one after the other: p at first its head, then what came back. NULL: no more.
static const char *next_name(const Part *part, const char *p, char name[64]) {
  if (p >= part->head_end) return NULL;
  const char *end = memchr(p, ',', (size_t)(part->head_end - p));
  if (end == NULL) end = part->head_end;
  snprintf(name, 64, "%.*s", (int)(end - p), p);
  return end < part->head_end ? end + 2 : end;
}

// ---- finding -------------------------------------------------------------------------------------------------------

static bool is_separator(char c) { return c == '.' || c == ':'; }

static bool same_name(const char *a, const char *b) {
  for (; *a != '\0' && *b != '\0'; a++, b++)
    if (*a != *b && !(is_separator(*a) && is_separator(*b))) return false;
  return *a == *b;
}

// Whether `topic` is the name of the entry, or the end of one.
static bool is_about(const Part *part, const char *topic) {
  char name[64];
  size_t len = strlen(topic);
  if (part->level != 3) return false;
  for (const char *p = part->head; (p = next_name(part, p, name)) != NULL;) {
    size_t n = strlen(name);
    if (n < len || !same_name(name + n - len, topic)) continue;
    if (n == len || is_separator(name[n - len - 1])) return true;
  }
  return false;
}

static bool is_section(const Part *part, const char *topic) {
  size_t n = (size_t)(part->head_end - part->head);
  return part->level == 2 && n == strlen(topic) && strncasecmp(part->head, topic, n) == 0;
}

// ---- showing -------------------------------------------------------------------------------------------------------

// Prose is filled anew, as lines of the manual are longer than those of most terminals.
typedef struct Fill {
  FILE *f;
  int width, indent; // columns of a line; where the next lines of this paragraph begin
  int col;           // 0: at the beginning of a line
  bool code;         // between backticks
} Fill;

static int text_columns(void) { return term_columns() < 100 ? term_columns() : 100; }

static void fill_endline(Fill *o) {
  if (o->col > 0) putc('\n', o->f);
  o->col = 0;
}

// Columns of a word of the manual without the signs of Markdown.
static int word_columns(const char *p, const char *end, bool code) {
  int n = 0;
  for (; p < end; p++) {
    if (*p == '`') code = !code;
    n += *p != '`' && (*p != '*' || code) && ((unsigned char)*p & 0xC0) != 0x80;
  }
  return n;
}

static void fill_word(Fill *o, const char *p, const char *end) {
  int n = word_columns(p, end, o->code);
  if (o->col > o->indent && o->col + 1 + n > o->width) fill_endline(o);
  if (o->col == 0)
    fprintf(o->f, "%*s", o->col = o->indent, "");
  else if (o->col > o->indent)
    o->col += putc(' ', o->f) == ' ';
  o->col += n;
  for (; p < end; p++) {
    if (*p == '`') {
      o->code = !o->code;
      fputs(term_color(o->code ? COLOR_BOLD : COLOR_NONE), o->f);
    } else if (*p != '*' || o->code) {
      putc(*p, o->f);
    }
  }
}

static void fill_words(Fill *o, const char *p, const char *end) {
  while (p < end) {
    p += strspn(p, " \n");
    const char *word = p;
    p += strcspn(p, " \n");
    if (word < end) fill_word(o, word, p < end ? p : end);
  }
}

// The cells of a row, on lines of their own.
static void put_row(Fill *o, const char *p, const char *end) {
  for (int cell = 0; p < end && *p == '|'; cell++) {
    const char *from = ++p;
    for (bool code = false; p < end && *p != '\n' && (code || *p != '|'); p++)
      if (*p == '`') code = !code;
    o->indent = cell == 0 ? 0 : 4;
    fill_words(o, from, p);
    fill_endline(o);
  }
  o->indent = 0;
}

static bool is_row(const char *p) { return *p == '|'; }
static bool is_rule(const char *p) { return strncmp(p, "|-", 2) == 0; }

static void put_prose(Fill *o, const char *p, const char *end) {
  bool item = strncmp(p, "- ", 2) == 0;
  if (*p == '\n' || item) {
    fill_endline(o);
    o->indent = 0;
  }
  if (*p == '\n') putc('\n', o->f);
  if (item) {
    fputs("- ", o->f);
    o->col = o->indent = 2;
    p += 2;
  }
  fill_words(o, p, end);
}

// Whole lines of the manual. Code stays as it is; the heads of tables are left out.
static void put_text(FILE *f, const char *p, const char *end) {
  Fill o = {.f = f, .width = text_columns()};
  bool code = false;
  for (const char *next; p < end; p = next) {
    next = line_end(p);
    if (strncmp(p, "```", 3) == 0) {
      fill_endline(&o);
      code = !code;
    } else if (code) {
      fprintf(f, "%s%.*s", *p != '\n' ? "    " : "", (int)(next - p), p);
    } else if (!is_row(p)) {
      put_prose(&o, p, next);
    } else if (!is_rule(p) && !is_rule(next)) {
      put_row(&o, p, next);
    }
  }
  fill_endline(&o);
}

void help_fill(FILE *f, const char *text, int indent) {
  Fill o = {.f = f, .width = text_columns(), .indent = indent, .col = indent};
  fill_words(&o, text, text + strlen(text));
  putc('\n', f);
}

static void put_head(FILE *f, const Part *part) {
  fprintf(f, "%s%.*s%s\n", term_color(COLOR_BOLD), (int)(part->head_end - part->head), part->head,
          term_color(COLOR_NONE));
}

static void put_part(FILE *f, const Part *part) {
  put_head(f, part);
  putc('\n', f);
  put_text(f, part->text, line_end(part->text_end - 1));
}

static const char *paragraph_end(const Part *part) {
  const char *p = part->text;
  while (p < part->text_end && *p != '\n') p = line_end(p);
  return p;
}

static void put_names(Fill *o, const Part *part) {
  static const char title[] = "Entries:";
  char name[64];
  if (o->col == 0) {
    putc('\n', o->f);
    fill_words(o, title, title + strlen(title));
    o->indent = 2;
  }
  for (const char *p = part->head; (p = next_name(part, p, name)) != NULL;) fill_words(o, name, name + strlen(name));
}

// A section's own text, and which entries it has; an entry that is called like the section follows.
static int put_section(FILE *f, const char *topic) {
  Part same = {0};
  bool inside = false;
  int found = 0;
  const char *p = lungo_manual;
  Fill names = {.f = f, .width = text_columns()};
  for (Part part; next_part(&p, &part);) {
    if (part.level == 2) inside = is_section(&part, topic);
    if (!inside) continue;
    if (part.level == 2) {
      put_part(f, &part);
      found++;
    } else if (is_about(&part, topic)) {
      same = part;
    } else {
      put_names(&names, &part);
    }
  }
  fill_endline(&names);
  if (same.level > 0) putc('\n', f);
  if (same.level > 0) put_part(f, &same);
  return found;
}

// Of several entries only the first paragraphs.
static int put_entries(FILE *f, const char *topic) {
  int n = 0, shown = 0;
  const char *p = lungo_manual;
  for (Part part; next_part(&p, &part);) n += is_about(&part, topic);
  p = lungo_manual;
  for (Part part; next_part(&p, &part);) {
    if (!is_about(&part, topic)) continue;
    if (n == 1) {
      put_part(f, &part);
    } else {
      if (shown++ > 0) putc('\n', f);
      put_head(f, &part);
      put_text(f, part.text, paragraph_end(&part));
    }
  }
  return n;
}

static void put_sections(FILE *f) {
  const char *p = lungo_manual, *sep = "";
  char *text = NULL;
  size_t len;
  FILE *names = open_memstream(&text, &len);
  if (names == NULL) return;
  fputs("Topics of the manual, beside the names of all functions:", names);
  for (Part part; next_part(&p, &part);) {
    if (part.level != 2) continue;
    fprintf(names, "%s %.*s", sep, (int)(part.head_end - part.head), part.head);
    sep = ",";
  }
  fclose(names);
  putc('\n', f);
  help_fill(f, text, 0);
  free(text);
}

// ---- functions of Lua's own library are not in our manual
// -------------------------------------------------------------

static int find_global(lua_State *L) {
  char *topic = lua_touserdata(L, 1), *rest = topic, *word;
  lua_pushglobaltable(L);
  while ((word = strsep(&rest, ".:")) != NULL) {
    if (!lua_istable(L, -1)) return luaL_error(L, "not found");
    lua_pushstring(L, word);
    lua_rawget(L, -2);
  }
  if (lua_isnil(L, -1)) return luaL_error(L, "not found");
  return 0;
}

static bool is_global(lua_State *L, const char *topic) {
  char *copy = strdup(topic);
  if (copy == NULL) return false;
  lua_pushcfunction(L, find_global);
  lua_pushlightuserdata(L, copy);
  bool known = lungo_run(L, 1, 0, LUNGO_KEEP) == LUA_OK;
  lua_settop(L, 0);
  free(copy);
  return known;
}

// ---- asking --------------------------------------------------------------------------------------------------------

// A topic such as ch:send: what stands before the name is a variable of the user's.
static const char *last_word(const char *topic) {
  const char *p = topic + strlen(topic);
  while (p > topic && !is_separator(p[-1])) p--;
  return p;
}

static bool put_topic(lua_State *L, FILE *f, const char *topic) {
  if (put_section(f, topic) > 0) return true;
  if (put_entries(f, topic) > 0) return true;
  if (is_global(L, topic)) {
    fprintf(f, "%s is Lua's own: https://www.lua.org/manual/5.4/manual.html#pdf-%s\n", topic, topic);
    return true;
  }
  return last_word(topic) > topic && put_entries(f, last_word(topic)) > 0;
}

void help_show(lua_State *L, const char *topic) {
  char *text = NULL;
  size_t len;
  FILE *f = open_memstream(&text, &len);
  if (f == NULL) return;
  bool found = true;
  if (*topic == '\0')
    put_sections(f);
  else
    found = put_topic(L, f, topic);
  fclose(f);
  if (found)
    term_write(L, text, len);
  else
    fprintf(stderr, "the manual has nothing on '%s'; :help lists its topics\n", topic);
  free(text);
}

// ---- completion ----------------------------------------------------------------------------------------------------

// Adds the name if it begins with the prefix, written as the user writes it: chan.se gives chan.send.
static void add_name(Completions *out, char name[64], const char *prefix) {
  size_t len = strlen(prefix);
  if (strlen(name) < len) return;
  for (size_t i = 0; i < len; i++) {
    bool same = tolower((unsigned char)name[i]) == tolower((unsigned char)prefix[i]);
    if (!same && !(is_separator(name[i]) && is_separator(prefix[i]))) return;
    if (is_separator(prefix[i])) name[i] = prefix[i];
  }
  completions_add(out, name);
}

void help_names(Completions *out, const char *prefix) {
  const char *p = lungo_manual;
  for (Part part; next_part(&p, &part);) {
    char name[64];
    for (const char *q = part.head; (q = next_name(&part, q, name)) != NULL;) add_name(out, name, prefix);
  }
}
