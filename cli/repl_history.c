// SPDX-License-Identifier: MIT
//
// repl_history.c: what was typed at the prompt, kept in a file for the next session.
//
// What:       $XDG_STATE_HOME/lungo/history, or ~/.local/state/lungo/history. One entry a line; an entry of several
//             lines has them joined by \n, and a backslash is written twice.
// Invariants: each entry is appended by one write as soon as it was typed, so sessions at the same time do not lose
//             each other's, and a session that is killed has lost nothing. A file of twice HISTORY_MAX entries is cut
//             to HISTORY_MAX at the next start, by way of a new file.
#include "repl.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_MAX 2000

// Makes all directories on the way to path.
static void make_dirs(char *path) {
  for (char *p = path + 1; *p != '\0'; p++) {
    if (*p != '/') continue;
    *p = '\0';
    mkdir(path, 0700);
    *p = '/';
  }
}

// malloc'ed; NULL if there is nowhere to keep it. A relative XDG_STATE_HOME is to be ignored, says its specification.
static char *history_path(void) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  char *path;
  int n;
  if (state != NULL && *state == '/')
    n = asprintf(&path, "%s/lungo/history", state);
  else if (home != NULL && *home == '/')
    n = asprintf(&path, "%s/.local/state/lungo/history", home);
  else
    return NULL;
  if (n < 0) return NULL;
  make_dirs(path);
  return path;
}

// In place.
static void unescape(char *s) {
  char *to = s;
  for (; *s != '\0'; s++) {
    if (*s == '\\' && s[1] != '\0')
      *to++ = *++s == 'n' ? '\n' : *s;
    else
      *to++ = *s;
  }
  *to = '\0';
}

static void put_escaped(FILE *f, const char *s) {
  for (; *s != '\0'; s++) {
    if (*s == '\n')
      fputs("\\n", f);
    else if (*s == '\\')
      fputs("\\\\", f);
    else
      putc(*s, f);
  }
  putc('\n', f);
}

static void rewrite(const char *path, char *const *lines, size_t n) {
  char *tmp;
  if (asprintf(&tmp, "%s.%ld", path, (long)getpid()) < 0) return;
  int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
  if (f != NULL) {
    for (size_t i = 0; i < n; i++) fprintf(f, "%s\n", lines[i]);
    if (fclose(f) == 0)
      rename(tmp, path);
    else
      unlink(tmp);
  }
  free(tmp);
}

static size_t read_lines(FILE *f, char ***lines) {
  size_t n = 0, cap = 0, room = 0;
  char *line = NULL;
  ssize_t len;
  while ((len = getline(&line, &room, f)) >= 0) {
    if (len > 0 && line[len - 1] == '\n') line[len - 1] = '\0';
    if (*line == '\0') continue;
    if (n == cap) {
      char **more = realloc(*lines, (cap = 2 * cap + 64) * sizeof **lines);
      if (more == NULL) break;
      *lines = more;
    }
    if (((*lines)[n] = strdup(line)) == NULL) break;
    n++;
  }
  free(line);
  return n;
}

void history_file_load(void (*add)(const char *entry, void *arg), void *arg) {
  char *path = history_path(), **lines = NULL;
  FILE *f = path == NULL ? NULL : fopen(path, "re");
  if (f != NULL) {
    size_t n = read_lines(f, &lines), first = n > HISTORY_MAX ? n - HISTORY_MAX : 0;
    fclose(f);
    if (n > 2 * HISTORY_MAX) rewrite(path, lines + first, n - first);
    for (size_t i = 0; i < n; i++) {
      unescape(lines[i]);
      if (i >= first) add(lines[i], arg);
      free(lines[i]);
    }
    free(lines);
  }
  free(path);
}

void history_file_add(const char *entry) {
  char *path = history_path(), *text = NULL;
  size_t len;
  FILE *f = path == NULL ? NULL : open_memstream(&text, &len);
  if (f != NULL) {
    put_escaped(f, entry);
    fclose(f);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
      ssize_t n = write(fd, text, len);
      (void)n; // a full disk: the entry is lost
      close(fd);
    }
    free(text);
  }
  free(path);
}
