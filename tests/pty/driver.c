// SPDX-License-Identifier: MIT
//
// driver.c: types at the prompt in a pseudo-terminal and looks at the screen.
// usage: driver SCRIPT LUNGO
//
// What:       runs the lines of SCRIPT one after the other. It keeps the screen as a terminal of 60 rows would show it,
//             so that tests say what a person sees, whatever sequences made it. Nothing depends on time: each look
//             waits until it finds what it wants, and fails after 60 seconds (PTY_TIMEOUT).
//
//               start ARG...   starts `LUNGO ARG...`; env NAME=VALUE before it sets its environment
//               send TEXT      types TEXT (escapes of C, and \e)
//               repeat N TEXT  types TEXT N times, with the number of the time, from 1 on, for %d in it
//               expect TEXT    waits until TEXT has been written after what the last expect found (colours left out)
//               bytes TEXT     the same, of what was written with all its sequences
//               line TEXT      waits until a line of the screen is exactly TEXT (without blanks at its end)
//               cursor TEXT    the same for the line with the cursor. After a line or a Ctrl-C was typed it must be a
//                              prompt that has come since: the old one looks like the new
//               reject TEXT    no line of the screen contains TEXT now
//               clear          forgets the screen
//               size COLUMNS   changes the window; before start: its first size
//               signal NAME    INT, TERM or CONT, to the process
//               status N       waits until the process has ended, with this status (128 + signal)
//               file PATH TEXT fails unless the file contains a line TEXT ($HOME in PATH is replaced)
//
// See also:   tests/one.sh, which calls it with a home of its own.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ROWS 60
#define COLS_MAX 300
#define CELL 5 // bytes of a character in UTF-8, and the end

static const char *script, *lungo;
static int lineno, tty = -1, columns = 80, timeout;
static pid_t pid;
static bool ended;
static int status;

static char cells[ROWS][COLS_MAX][CELL];
static char (*screen[ROWS])[CELL]; // its rows, from top to bottom, in cells
static int row, col;
static unsigned prompts;   // how many there were (not on a dumb terminal): each turns bracketed paste on
static unsigned passed_by; // and how many when a line was typed last
static bool wrap;          // the last column was written: the next character goes to the next line
// Where the last match ended, and how far this one has looked.
typedef struct Written {
  char *s;
  size_t n, cap, found, looked;
} Written;
static Written plain, all; // without escape sequences, and with them

// ---- the screen -------------------------------------------------------------------------------------------------

static void clear_cells(int r, int from, int to) {
  for (int c = from; c < to; c++) strcpy(screen[r][c], " ");
}

static void clear_screen(void) {
  for (int r = 0; r < ROWS; r++) clear_cells(r, 0, COLS_MAX);
  row = col = 0;
}

static void line_feed(void) {
  if (row < ROWS - 1) {
    row++;
    return;
  }
  char(*top)[CELL] = screen[0];
  memmove(screen, screen + 1, (ROWS - 1) * sizeof *screen);
  screen[ROWS - 1] = top;
  clear_cells(ROWS - 1, 0, COLS_MAX);
}

static void remember(Written *w, const char *s, size_t n) {
  if (w->n + n + 1 > w->cap) {
    w->s = realloc(w->s, w->cap = 2 * (w->cap + n) + 4096);
    if (w->s == NULL) abort();
  }
  memcpy(w->s + w->n, s, n);
  w->s[w->n += n] = '\0';
}

static bool is_wide(const char *s) {
  return (unsigned char)s[0] >= 0xE1 && (unsigned char)s[0] < 0xF5;
} // enough for CJK

static void put_cell(const char *s, size_t n) {
  int width = is_wide(s) ? 2 : 1;
  if (wrap || col + width > columns) {
    col = 0;
    line_feed();
  }
  memcpy(screen[row][col], s, n);
  screen[row][col][n] = '\0';
  if (width == 2) screen[row][col + 1][0] = '\0';
  col += width;
  wrap = col == columns;
  if (wrap) col--;
  remember(&plain, s, n);
}

static void shift_cells(int by) { // right if positive
  char(*line)[CELL] = screen[row];
  if (by > 0) {
    memmove(line[col + by], line[col], (size_t)(COLS_MAX - col - by) * CELL);
    clear_cells(row, col, col + by);
  } else {
    memmove(line[col], line[col - by], (size_t)(COLS_MAX - col + by) * CELL);
    clear_cells(row, COLS_MAX + by, COLS_MAX);
  }
}

static void erase_display(int how) {
  clear_cells(row, how == 0 ? col : 0, COLS_MAX);
  for (int r = how == 0 ? row + 1 : 0; r < (how == 1 ? row : ROWS); r++) clear_cells(r, 0, COLS_MAX);
}

static void control_sequence(const char *params, char final) {
  int a = atoi(params), n = a > 0 ? a : 1;
  const char *semi = strchr(params, ';');
  if (final != 'm') wrap = false;
  switch (final) {
  case 'A': row = row > n ? row - n : 0; break;
  case 'B': row = row + n < ROWS ? row + n : ROWS - 1; break;
  case 'C': col = col + n < columns ? col + n : columns - 1; break;
  case 'D': col = col > n ? col - n : 0; break;
  case 'G': col = n - 1; break;
  case 'H':
    row = n - 1 < ROWS ? n - 1 : ROWS - 1;
    col = semi != NULL && atoi(semi + 1) > 0 ? atoi(semi + 1) - 1 : 0;
    break;
  case 'J': erase_display(a); break;
  case 'K': clear_cells(row, a == 0 ? col : 0, a == 1 ? col + 1 : COLS_MAX); break;
  case 'P': shift_cells(-n); break;
  case '@': shift_cells(n); break;
  case 'h': prompts += strcmp(params, "?2004") == 0; break;
  case 'm':
  case 'l': break;
  default: fprintf(stderr, "driver: unknown sequence ESC [ %s %c\n", params, final); exit(1);
  }
}

static void put_control(char c) {
  if (c == '\r') col = 0;
  if (c == '\b' && col > 0) col--;
  if (c == '\n') line_feed();
  if (c == '\t') col = (col / 8 + 1) * 8 < columns ? (col / 8 + 1) * 8 : columns - 1;
  if (c == '\n' || c == '\t') remember(&plain, &c, 1);
  wrap = false;
}

// Bytes as they come; sequences may be cut anywhere.
static void feed(char c) {
  static char seq[64];
  static size_t n;
  seq[n++] = c;
  seq[n] = '\0';
  if (seq[0] == '\033') {
    if (n == 1 || (n == 2 && (c == '[' || c == '(')) || (seq[1] == '[' && !(c >= '@' && c <= '~') && n < 60)) return;
    if (seq[1] == '[') {
      seq[n - 1] = '\0';
      control_sequence(seq + 2, c);
    }
  } else if ((unsigned char)seq[0] < 32) {
    put_control(c);
  } else {
    unsigned char lead = (unsigned char)seq[0];
    if (n < (lead < 0xC0 ? 1u : lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u)) return;
    put_cell(seq, n);
  }
  n = 0;
}

static const char *row_text(int r) {
  static char text[COLS_MAX * CELL];
  char *p = text;
  for (int c = 0; c < columns; c++) p = stpcpy(p, screen[r][c]);
  while (p > text && p[-1] == ' ') *--p = '\0';
  return text;
}

// ---- failing ----------------------------------------------------------------------------------------------------

static void fail(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "%s:%d: ", script, lineno);
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, "\n--- the screen (cursor at %d, %d):\n", row, col);
  va_end(ap);
  int last = ROWS - 1;
  while (last > 0 && *row_text(last) == '\0') last--;
  for (int r = 0; r <= last; r++) fprintf(stderr, "|%s\n", row_text(r));
  if (pid > 0 && !ended) kill(pid, SIGKILL);
  exit(1);
}

// ---- the process ------------------------------------------------------------------------------------------------

static void spawn(char *args) {
  char *argv[32] = {(char *)lungo};
  int n = 1;
  for (char *word; n < 31 && (word = strsep(&args, " ")) != NULL;)
    if (*word != '\0') argv[n++] = word;
  struct winsize w = {.ws_row = ROWS, .ws_col = (unsigned short)columns};
  if (tty >= 0) close(tty);
  clear_screen();
  prompts = passed_by = 0;
  plain.n = plain.found = plain.looked = all.n = all.found = all.looked = 0;
  ended = false;
  pid = forkpty(&tty, NULL, NULL, &w);
  if (pid < 0) fail("forkpty: %s", strerror(errno));
  if (pid == 0) {
    struct termios t;
    tcgetattr(STDIN_FILENO, &t);
    t.c_iflag |= IUTF8; // as terminals of today do
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
    signal(SIGINT, SIG_DFL); // they are ignored in what a shell runs in the background, say, these tests
    signal(SIGQUIT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execv(lungo, argv);
    _exit(127);
  }
}

// Reads what there is, waiting at most ms. False: nothing came.
static bool pump(int ms) {
  char buf[4096];
  struct pollfd p = {.fd = tty, .events = POLLIN};
  if (tty < 0 || poll(&p, 1, ms) <= 0) return false;
  ssize_t n = read(tty, buf, sizeof buf);
  if (n <= 0) {
    usleep(1000); // the other side is closed
    return false;
  }
  remember(&all, buf, (size_t)n);
  for (ssize_t i = 0; i < n; i++) feed(buf[i]);
  return true;
}

static void type(const char *s, size_t n) {
  while (n > 0) {
    struct pollfd p = {.fd = tty, .events = POLLIN | POLLOUT};
    poll(&p, 1, -1);
    if (p.revents & POLLIN) pump(0);
    if (!(p.revents & POLLOUT)) continue;
    ssize_t k = write(tty, s, n < 256 ? n : 256);
    if (k < 0) fail("write: %s", strerror(errno));
    s += k;
    n -= (size_t)k;
  }
}

static void send(const char *s, size_t n) {
  for (int i = 0; i < 100 && pump(0); i++) continue;
  for (size_t i = 0; i < n; i++)
    if (s[i] == '\r' || s[i] == '\n' || s[i] == '\x03') passed_by = prompts;
  type(s, n);
}

static void type_repeated(char *args) {
  int times = atoi(strsep(&args, " "));
  char *mark = args == NULL ? NULL : strstr(args, "%d"), text[1024];
  if (mark == NULL) fail("no %%d");
  for (int i = 1; i <= times; i++) {
    int n = snprintf(text, sizeof text, "%.*s%d%s", (int)(mark - args), args, i, mark + 2);
    type(text, (size_t)n);
  }
}

static size_t unescape(char *s) {
  char *to = s, *start = s;
  for (; *s != '\0'; s++) {
    if (*s != '\\') {
      *to++ = *s;
      continue;
    }
    switch (*++s) {
    case 'n': *to++ = '\n'; break;
    case 'r': *to++ = '\r'; break;
    case 't': *to++ = '\t'; break;
    case 'e': *to++ = '\033'; break;
    case 'x': {
      char hex[3] = {s[1], s[2], '\0'};
      *to++ = (char)strtol(hex, NULL, 16);
      s += 2;
      break;
    }
    default: *to++ = *s; break;
    }
  }
  *to = '\0';
  return (size_t)(to - start);
}

// ---- looking ----------------------------------------------------------------------------------------------------

static bool is_in(Written *w, const char *text) {
  size_t len = strlen(text), from = w->looked > w->found + len ? w->looked - len : w->found;
  char *at = w->s == NULL ? NULL : strstr(w->s + from, text);
  if (at != NULL) w->found = (size_t)(at - w->s) + len;
  w->looked = w->n;
  return at != NULL;
}

static bool was_written(const char *text) { return is_in(&plain, text); }
static bool were_bytes(const char *text) { return is_in(&all, text); }

static bool on_screen(const char *text) {
  for (int r = 0; r < ROWS; r++)
    if (strcmp(row_text(r), text) == 0) return true;
  return false;
}

static bool at_cursor(const char *text) {
  return (prompts == 0 || prompts > passed_by) && strcmp(row_text(row), text) == 0;
}

static bool has_ended(const char *text) {
  (void)text;
  if (!ended && waitpid(pid, &status, WNOHANG) == pid) ended = true;
  return ended;
}

static void wait_for(bool (*test)(const char *), const char *what, const char *text) {
  time_t limit = time(NULL) + timeout;
  for (int i = 0; i < 100 && pump(0); i++) continue;
  while (!test(text)) {
    if (time(NULL) > limit) fail("waited in vain: %s %s", what, text);
    pump(20);
    for (int i = 0; i < 100 && pump(0); i++) continue;
  }
}

static void check_status(int want) {
  wait_for(has_ended, "status", "");
  while (pump(0)) continue;
  int got = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (got != want) fail("exit status %d, not %d", got, want);
}

static void check_file(char *args) {
  char *path = strsep(&args, " "), line[4096], full[4096];
  bool home = strncmp(path, "$HOME", 5) == 0;
  snprintf(full, sizeof full, "%s%s", home ? getenv("HOME") : "", path + (home ? 5 : 0));
  FILE *f = fopen(full, "r");
  if (f == NULL) fail("%s: %s", full, strerror(errno));
  while (fgets(line, sizeof line, f) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, args) == 0) {
      fclose(f);
      return;
    }
  }
  fail("%s has no line: %s", full, args);
}

static void resize(int n) {
  struct winsize w = {.ws_row = ROWS, .ws_col = (unsigned short)n};
  columns = n < COLS_MAX ? n : COLS_MAX;
  if (tty >= 0) ioctl(tty, TIOCSWINSZ, &w);
}

static void reject(const char *text) {
  for (int r = 0; r < ROWS; r++)
    if (strstr(row_text(r), text) != NULL) fail("on the screen is: %s", text);
}

static void run_line(char *line) {
  char *arg = line + strcspn(line, " ");
  if (*arg != '\0') *arg++ = '\0';
  size_t n = strcmp(line, "file") == 0 ? 0 : unescape(arg);
  plain.looked = plain.found;
  all.looked = all.found;
  if (strcmp(line, "start") == 0)
    spawn(arg);
  else if (strcmp(line, "env") == 0)
    putenv(strdup(arg));
  else if (strcmp(line, "send") == 0)
    send(arg, n);
  else if (strcmp(line, "repeat") == 0)
    type_repeated(arg);
  else if (strcmp(line, "expect") == 0)
    wait_for(was_written, line, arg);
  else if (strcmp(line, "bytes") == 0)
    wait_for(were_bytes, line, arg);
  else if (strcmp(line, "line") == 0)
    wait_for(on_screen, line, arg);
  else if (strcmp(line, "cursor") == 0)
    wait_for(at_cursor, line, arg);
  else if (strcmp(line, "reject") == 0)
    reject(arg);
  else if (strcmp(line, "clear") == 0)
    clear_screen();
  else if (strcmp(line, "size") == 0)
    resize(atoi(arg));
  else if (strcmp(line, "signal") == 0)
    kill(pid, strcmp(arg, "INT") == 0 ? SIGINT : strcmp(arg, "CONT") == 0 ? SIGCONT : SIGTERM);
  else if (strcmp(line, "status") == 0)
    check_status(atoi(arg));
  else if (strcmp(line, "file") == 0)
    check_file(arg);
  else
    fail("unknown: %s", line);
}

int main(int argc, char **argv) {
  char *line = NULL;
  size_t cap = 0;
  if (argc != 3) return 1;
  script = argv[1];
  lungo = argv[2];
  timeout = getenv("PTY_TIMEOUT") != NULL ? atoi(getenv("PTY_TIMEOUT")) : 60;
  signal(SIGPIPE, SIG_IGN);
  for (int r = 0; r < ROWS; r++) screen[r] = cells[r];
  clear_screen();
  FILE *f = fopen(script, "r");
  if (f == NULL) fail("%s", strerror(errno));
  while (getline(&line, &cap, f) >= 0) {
    lineno++;
    line[strcspn(line, "\n")] = '\0';
    if (line[0] != '#' && line[0] != '\0') run_line(line);
  }
  fclose(f);
  if (!ended) fail("the script ends before the process");
  return 0;
}
