// SPDX-License-Identifier: MIT
//
// repl_help.c: the manual, asked by name.
//
// What:       docs/manual.md is part of the binary (its pages are read from disk only when somebody asks). It is cut
//             into *entries*: a section's heading, a paragraph, a row of a table. An entry is *about* what it names in
//             `code` before a parenthesis or at its start. A topic such as chan.send, ch:send or send is looked for
//             by its last word; the words before it must occur in the entry's section or its own code.
// Invariants: none beyond the manual's Markdown: `##` headings, paragraphs, tables.
#include "repl.h"
#include <ctype.h>

__asm__(".section .rodata\n"
        ".global lungo_manual, lungo_manual_end\n"
        "lungo_manual: .incbin \"docs/manual.md\"\n"
        "lungo_manual_end: .byte 0\n"
        ".previous\n");
extern const char lungo_manual[], lungo_manual_end[];

typedef struct Entry {
  const char *text, *end;
  const char *section, *section_end; // heading, without ##
  int score;
} Entry;

// ---- cutting
// -------------------------------------------------------------------------------------------------------------

static const char *line_end(const char *p) {
  const char *e = memchr(p, '\n', (size_t)(lungo_manual_end - p));
  return e != NULL ? e + 1 : lungo_manual_end;
}

static bool is_rule(const char *p) { return p[0] == '|' && (p[1] == '-' || strncmp(p, "| |", 3) == 0); }

// The next entry at or after *p. False: the manual ends.
static bool next_entry(const char **p, Entry *e) {
  for (; *p < lungo_manual_end; *p = line_end(*p)) {
    if (strncmp(*p, "## ", 3) == 0) {
      e->section = *p + 3;
      e->section_end = line_end(*p) - 1;
    } else if (**p != '\n' && **p != '#' && !is_rule(*p)) {
      break;
    }
  }
  if (*p >= lungo_manual_end) return false;
  e->text = *p;
  bool row = **p == '|';
  const char *end = line_end(*p);
  while (!row && end < lungo_manual_end && *end != '\n' && *end != '#' && *end != '|' && strncmp(end, "**`", 3) != 0)
    end = line_end(end);
  e->end = *p = end;
  return true;
}

// ---- finding
// ---------------------------------------------------------------------------------------------------------------

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

// Whether `word` stands alone in [s, end), ignoring case; *at is where it ends.
static bool has_word(const char *s, const char *end, const char *word, size_t len, const char **at) {
  for (; s + len <= end; s++) {
    if (strncasecmp(s, word, len) != 0 || (s + len < end && is_word(s[len]))) continue;
    *at = s + len;
    return true;
  }
  return false;
}

// How well the entry's code is about `word`: 3 if it begins the entry, 2 if it is called, 1 if it occurs; 0: not.
static int rate_word(const Entry *e, const char *word, size_t len) {
  int best = 0;
  const char *p = e->text, *at;
  for (bool first = true; (p = memchr(p, '`', (size_t)(e->end - p))) != NULL; first = false) {
    p++;
    const char *close = memchr(p, '`', (size_t)(e->end - p));
    if (close == NULL) break;
    for (const char *from = p; has_word(from, close, word, len, &at); from = at) {
      bool begins = at - len == p || !is_word(at[-(ptrdiff_t)len - 1]);
      int rate = !begins ? 0 : first ? 3 : at < close && *at == '(' ? 2 : 1;
      if (rate > best) best = rate;
    }
    p = close + 1;
    if (p >= e->end) break;
  }
  return best;
}

// The words before the last one: in the section's heading, or in code of the entry. "chan" is in "Channels".
static bool has_context(const Entry *e, const char *word, size_t len) {
  size_t n = (size_t)(e->section_end - e->section);
  if (n >= len && strncasecmp(e->section, word, len) == 0) return true;
  return rate_word(e, word, len) > 0;
}

static int rate(const Entry *e, const char *topic) {
  const char *last = topic + strlen(topic);
  while (last > topic && is_word(last[-1])) last--;
  int score = rate_word(e, last, strlen(last));
  for (const char *p = topic; score > 0 && p < last;) {
    size_t len = 0;
    while (is_word(p[len])) len++;
    if (len > 0 && !has_context(e, p, len)) return 0;
    p += len + 1;
  }
  return score;
}

// ---- showing
// -----------------------------------------------------------------------------------------------------------------

// Without the signs of Markdown; the cells of a row on lines of their own.
static void put_entry(FILE *f, const Entry *e) {
  bool row = *e->text == '|', code = false, start = true;
  int cell = 0;
  for (const char *p = e->text; p < e->end; p++) {
    if (*p == '`') {
      code = !code;
      fputs(term_color(code ? COLOR_BOLD : COLOR_NONE), f);
    } else if (p[0] == '*' && p[1] == '*' && !code) {
      p++;
    } else if (row && *p == '|' && !code) {
      while (p[1] == ' ') p++;
      if (p[1] == '|' || p[1] == '\n') continue;
      if (cell++ > 0) fputs("\n    ", f);
      start = true;
    } else if (row && *p == ' ' && (p[1] == '|' || start)) {
      continue;
    } else {
      putc(*p, f);
      start = false;
    }
  }
  if (e->end[-1] != '\n') putc('\n', f);
}

static bool is_section(const Entry *e, const char *topic) {
  size_t n = (size_t)(e->section_end - e->section), len = strlen(topic);
  return e->section != NULL && n == len && strncasecmp(e->section, topic, n) == 0;
}

static void put_section(FILE *f, const char *topic) {
  const char *p = lungo_manual;
  Entry e = {0};
  bool row = false;
  fprintf(f, "%s%s%s\n", term_color(COLOR_BOLD), topic, term_color(COLOR_NONE));
  while (next_entry(&p, &e)) {
    if (!is_section(&e, topic)) continue;
    if (!row || *e.text != '|') putc('\n', f);
    row = *e.text == '|';
    put_entry(f, &e);
  }
}

static bool find_section(const char *topic) {
  const char *p = lungo_manual;
  Entry e = {0};
  while (next_entry(&p, &e))
    if (e.section != NULL && is_section(&e, topic)) return true;
  return false;
}

static int put_matches(FILE *f, const char *topic) {
  int best = 0, n = 0;
  Entry e = {0};
  for (const char *p = lungo_manual; next_entry(&p, &e);)
    if (e.section != NULL && rate(&e, topic) > best) best = rate(&e, topic);
  if (best == 0) return 0;
  e = (Entry){0};
  for (const char *p = lungo_manual; n < 6 && next_entry(&p, &e);) {
    if (e.section == NULL || rate(&e, topic) != best) continue;
    if (n++ > 0) putc('\n', f);
    put_entry(f, &e);
  }
  return n;
}

static void put_sections(FILE *f) {
  const char *p = lungo_manual, *last = NULL;
  Entry e = {0};
  fputs("\nTopics of the manual:", f);
  while (next_entry(&p, &e)) {
    if (e.section == last || e.section == NULL) continue;
    fprintf(f, "%s %.*s", last != NULL ? "," : "", (int)(e.section_end - e.section), e.section);
    last = e.section;
  }
  putc('\n', f);
}

// Functions of Lua's own library are not in our manual.
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

static void help_lua(lua_State *L, const char *topic) {
  char *copy = strdup(topic);
  if (copy == NULL) return;
  lua_pushcfunction(L, find_global);
  lua_pushlightuserdata(L, copy);
  bool known = lungo_run(L, 1, 0, LUNGO_KEEP) == LUA_OK;
  if (known)
    printf("%s is Lua's own: https://www.lua.org/manual/5.4/manual.html#pdf-%s\n", topic, topic);
  else
    fprintf(stderr, "the manual has nothing on '%s'; :help lists its topics\n", topic);
  lua_settop(L, 0);
  free(copy);
}

void help_show(lua_State *L, const char *topic) {
  char *text = NULL;
  size_t len;
  FILE *f = open_memstream(&text, &len);
  if (f == NULL) return;
  bool found = true;
  if (*topic == '\0')
    put_sections(f);
  else if (find_section(topic))
    put_section(f, topic);
  else
    found = put_matches(f, topic) > 0;
  fclose(f);
  if (found)
    term_write(L, text, len);
  else
    help_lua(L, topic);
  free(text);
}

// ---- completion
// ---------------------------------------------------------------------------------------------------------------

void help_names(Completions *out, const char *prefix) {
  const char *p = lungo_manual;
  Entry e = {0};
  while (next_entry(&p, &e)) {
    char name[64];
    if (e.section == NULL) continue;
    snprintf(name, sizeof name, "%.*s", (int)(e.section_end - e.section), e.section);
    if (strncasecmp(name, prefix, strlen(prefix)) == 0) completions_add(out, name);
    const char *code = memchr(e.text, '`', (size_t)(e.end - e.text));
    size_t len = 0;
    while (code != NULL && code - e.text < 5 &&
           (is_word(code[len + 1]) || code[len + 1] == '.' || code[len + 1] == ':'))
      len++;
    snprintf(name, sizeof name, "%.*s", (int)len, code != NULL ? code + 1 : "");
    if (len > 1 && strncmp(name, prefix, strlen(prefix)) == 0) completions_add(out, name);
  }
}
