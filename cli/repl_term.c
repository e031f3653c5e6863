// SPDX-License-Identifier: MIT
//
// repl_term.c: the terminal of the prompt: who writes to it when, keys and signals as events, colours.
//
// What:       while a line is edited (*grabbed*), file descriptors 1 and 2 lead into a pipe: prints of goroutines,
//             reports of the runtime and output of child processes arrive there, whoever made them, and the editor
//             shows them above its line. While a line runs (*released*) the descriptors are the terminal itself, so
//             that programs find what they expect.
//             A writer may still be inside a write to the pipe when it is released: the drainer thread copies what
//             comes then, or that writer would wait for the next prompt.
//             Ctrl-C while a line runs is a signal: the handler interrupts goroutine 1, if a run has begun, and else
//             leaves the signal `pending` for the run or prompt that comes next. At the prompt it is a key.
//             Signal handlers write a byte to the self-pipe, which ends the wait for input.
// Invariants: `lock` guards `grabbed`, `buf` and every read of the output pipe. It is held while writing to the
// terminal, so
//             it is taken in blocking regions only.
//             Signal handlers run on the host's thread only, which is goroutine 1's: all others block them. So a
//             handler never runs beside term_running and its neighbours.
//             However the process ends, at_exit gives the terminal back as it was, with what is left in the
//             pipe and in buf: nothing printed is lost, though at worst it is shown twice.
// Locking:    the drainer touches no Lua state; all signals are blocked in it.
#include "repl.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define PARTIAL_MS 100 // how long a line without end may wait for its end before it is shown
#define OUTPUT_MAX 65536

static struct {
  TermKind kind;
  int fd;          // the terminal
  FILE *file;      // the same, for the editor
  bool own_stderr; // stderr is the terminal too
  int out[2];      // pipe of grabbed output
  int wake[2];     // self-pipe of signals
  bool colors;
  struct termios saved;
  pthread_mutex_t lock;
  pthread_cond_t released;
  bool grabbed;
  char buf[OUTPUT_MAX]; // output read by term_wait, until it is on the screen
  size_t len, given;    // bytes in buf; how many of them the last term_wait gave out
} term = {.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

// ---- kinds and colours -------------------------------------------------------------------------------------------

static bool is_dumb(void) {
  const char *name = getenv("TERM");
  return name == NULL || *name == '\0' || strcmp(name, "dumb") == 0;
}

TermKind term_kind(void) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return TERM_NONE;
  return is_dumb() ? TERM_PLAIN : TERM_EDIT;
}

const char *term_color(Color c) {
  static const char *const sequences[] = {"\033[0m",  "\033[31m", "\033[32m", "\033[36m",
                                          "\033[35m", "\033[34m", "\033[2m",  "\033[1m"};
  return term.colors ? sequences[c] : "";
}

int term_columns(void) {
  struct winsize w;
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col < 20) return 80;
  return w.ws_col;
}

int term_fd(void) { return term.fd; }
FILE *term_file(void) { return term.file; }

// ---- signals -----------------------------------------------------------------------------------------------------

static lua_State *_Atomic signal_L;
static _Atomic bool running;   // a run has begun, and has not returned
static _Atomic int interrupts; // Ctrl-C since it began
static _Atomic bool pending;   // Ctrl-C while nothing ran
static _Atomic bool cut_short; // Ctrl-C that no wait of repl_typed.c has seen yet
static _Atomic bool got_resize, got_stop;

static void wake_up(void) {
  ssize_t n = write(term.wake[1], "", 1);
  (void)n; // full: it will wake up anyway
}

static void leave_now(void) {
  static const char msg[] = "\nlungo: interrupted; the line does not react, so the session ends\n";
  tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
  ssize_t n = write(STDERR_FILENO, msg, sizeof msg - 1);
  (void)n;
  _exit(128 + SIGINT);
}

// The first asks politely; the second cannot be caught by pcall; the third finds a line stuck in foreign code.
static void on_interrupt(int sig) {
  int saved = errno;
  (void)sig;
  atomic_store(&cut_short, true);
  typed_forget();
  if (!atomic_load(&running)) {
    term_interrupt();
  } else {
    int n = atomic_fetch_add(&interrupts, 1);
    if (n >= 2) leave_now();
    lungo_interrupt(atomic_load(&signal_L), 1, n == 0 ? LUNGO_RAISE : LUNGO_END);
  }
  errno = saved;
}

static void on_resize(int sig) {
  int saved = errno;
  (void)sig;
  atomic_store(&got_resize, true);
  wake_up();
  errno = saved;
}

static void on_stop(int sig) {
  int saved = errno;
  (void)sig;
  atomic_store(&got_stop, true);
  wake_up();
  errno = saved;
}

static void on_end(int sig) {
  tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
  signal(sig, SIG_DFL);
  raise(sig);
}

static void handle(int sig, void (*handler)(int)) {
  struct sigaction act = {.sa_handler = handler};
  sigemptyset(&act.sa_mask);
  sigaction(sig, &act, NULL);
}

bool term_begin(void) {
  atomic_store(&interrupts, 0);
  atomic_store(&cut_short, false);
  atomic_store(&running, true);
  return atomic_load(&pending);
}

bool term_end(void) {
  atomic_store(&running, false);
  return atomic_load(&interrupts) > 0;
}

void term_interrupt(void) {
  atomic_store(&pending, true);
  wake_up();
}

bool term_interrupted(void) { return atomic_exchange(&pending, false); }

bool term_cut_short(void) { return atomic_exchange(&cut_short, false); }

// To all of the process group, as the terminal does: the shell may be waiting for another one of it.
void term_stop(void) {
  handle(SIGTSTP, SIG_DFL);
  kill(0, SIGTSTP);
  handle(SIGTSTP, on_stop);
}

// ---- output of others --------------------------------------------------------------------------------------------

static void write_all(int fd, const char *s, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, s, len);
    if (n < 0 && errno != EINTR) return;
    if (n > 0) {
      s += n;
      len -= (size_t)n;
    }
  }
}

static void point_output(int fd) {
  dup2(fd, STDOUT_FILENO);
  if (term.own_stderr) dup2(fd, STDERR_FILENO);
}

// What was read but not shown, and what is in the pipe, to the terminal. The pipe is not blocking on this side.
static void drain_locked(void) {
  char buf[4096];
  ssize_t n;
  write_all(term.fd, term.buf, term.len);
  term.len = term.given = 0;
  while ((n = read(term.out[0], buf, sizeof buf)) > 0) write_all(term.fd, buf, (size_t)n);
}

static void *drainer(void *arg) {
  (void)arg;
  for (;;) {
    struct pollfd p = {.fd = term.out[0], .events = POLLIN};
    poll(&p, 1, -1);
    pthread_mutex_lock(&term.lock);
    while (term.grabbed) pthread_cond_wait(&term.released, &term.lock);
    drain_locked();
    pthread_mutex_unlock(&term.lock);
  }
  return NULL;
}

static void grab(void *arg) {
  (void)arg;
  fflush(stdout);
  pthread_mutex_lock(&term.lock);
  drain_locked();
  term.grabbed = true;
  point_output(term.out[1]);
  pthread_mutex_unlock(&term.lock);
}

// Standard output is flushed last: a writer in a full pipe may hold its lock until the drainer runs.
static void release(void *arg) {
  (void)arg;
  pthread_mutex_lock(&term.lock);
  point_output(term.fd);
  drain_locked();
  term.grabbed = false;
  pthread_cond_signal(&term.released);
  pthread_mutex_unlock(&term.lock);
  fflush(stdout);
}

void term_grab(lua_State *L) {
  handle(SIGTSTP, on_stop);
  lungo_blocking(L, grab, NULL);
}

void term_release(lua_State *L) {
  lungo_blocking(L, release, NULL);
  handle(SIGTSTP, SIG_DFL);
}

typedef struct Text {
  const char *s;
  size_t len;
} Text;

static void write_text(void *arg) {
  const Text *t = arg;
  fwrite(t->s, 1, t->len, stdout);
  fflush(stdout);
}

void term_write(lua_State *L, const char *text, size_t len) {
  Text t = {text, len};
  lungo_blocking(L, write_text, &t);
}

// ---- events ------------------------------------------------------------------------------------------------------

static void read_key(TermEvent *e) {
  TypedKey k = typed_next(&e->byte);
  e->key = k == TYPED_KEY;
  e->eof = k == TYPED_END;
  e->interrupt |= k == TYPED_INTERRUPT;
  e->stopped |= k == TYPED_STOP;
  e->quit = k == TYPED_QUIT;
}

// Whole lines are shown at once; an unfinished one waits a little for its end (`late`: it has waited).
// Returns whether one waits.
static bool read_output(TermEvent *e, bool late) {
  size_t given = 0;
  pthread_mutex_lock(&term.lock);
  ssize_t n = read(term.out[0], term.buf + term.len, sizeof term.buf - term.len);
  if (n > 0) term.len += (size_t)n;
  const char *end = memrchr(term.buf, '\n', term.len);
  if (end != NULL) given = (size_t)(end - term.buf) + 1;
  if (given == 0 && (late || term.len == sizeof term.buf)) given = term.len;
  if (given > 0) e->output = term.buf;
  e->outputlen = term.given = given;
  bool unfinished = given < term.len;
  pthread_mutex_unlock(&term.lock);
  return unfinished;
}

void term_shown(void) {
  pthread_mutex_lock(&term.lock);
  term.len -= term.given;
  memmove(term.buf, term.buf + term.given, term.len);
  term.given = 0;
  pthread_mutex_unlock(&term.lock);
}

static void take_signals(TermEvent *e) {
  char junk[64];
  while (read(term.wake[0], junk, sizeof junk) > 0) continue;
  e->interrupt = term_interrupted();
  e->resized = atomic_exchange(&got_resize, false);
  e->stopped = atomic_exchange(&got_stop, false);
}

static bool has_event(const TermEvent *e) {
  return e->key || e->eof || e->interrupt || e->resized || e->stopped || e->quit || e->output != NULL;
}

// Keys are looked for even if there is always output, or a goroutine that prints without end would lock the user out.
static void wait_event(void *arg) {
  TermEvent *e = arg;
  memset(e, 0, sizeof *e);
  bool unfinished = read_output(e, false);
  do {
    struct pollfd p[3] = {{.fd = term.wake[0], .events = POLLIN},
                          {.fd = typed_fd(), .events = POLLIN},
                          {.fd = e->output == NULL ? term.out[0] : -1, .events = POLLIN}};
    bool ahead = typed_ahead();
    int n = poll(p, 3, e->output != NULL || ahead ? 0 : unfinished ? PARTIAL_MS : -1);
    take_signals(e);
    if (!e->interrupt && (ahead || (n > 0 && p[1].revents != 0))) read_key(e);
    bool late = n == 0 && !ahead;
    if (e->output == NULL && (late || (n > 0 && p[2].revents != 0))) unfinished = read_output(e, late);
  } while (!has_event(e));
}

void term_wait(lua_State *L, TermEvent *e) { lungo_blocking(L, wait_event, e); }

// ---- beginning and end -------------------------------------------------------------------------------------------

static void at_exit(void) {
  if (term.kind == TERM_NONE) return;
  tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
  pthread_mutex_lock(&term.lock);
  if (term.grabbed) {
    point_output(term.fd);
    write_all(term.fd, "\n", 1);
    drain_locked();
  }
  pthread_mutex_unlock(&term.lock);
}

static bool make_pipes(void) {
  if (pipe2(term.out, O_CLOEXEC) != 0) return false;
  fcntl(term.out[0], F_SETFL, O_NONBLOCK);
  fcntl(term.out[1], F_SETPIPE_SZ, 1 << 20); // more is better: a writer need not wait for the editor
  term.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (term.fd < 0 || fd < 0) return false;
  term.file = fdopen(fd, "w");
  return term.file != NULL;
}

static bool start_drainer(void) {
  sigset_t all, old;
  pthread_t t;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int r = pthread_create(&t, NULL, drainer, NULL);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (r == 0) pthread_detach(t);
  return r == 0;
}

static void block_interrupt(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(how, &set, NULL);
}

void term_ready(void) { block_interrupt(SIG_UNBLOCK); }

void term_open(lua_State *L, TermKind kind) {
  const char *no = getenv("NO_COLOR");
  atomic_store(&signal_L, L);
  block_interrupt(SIG_BLOCK);
  if (pipe2(term.wake, O_CLOEXEC | O_NONBLOCK) != 0) return;
  handle(SIGINT, on_interrupt);
  if (kind == TERM_NONE) return;
  term.kind = kind;
  term.colors = kind == TERM_EDIT && (no == NULL || *no == '\0');
  term.own_stderr = isatty(STDERR_FILENO);
  tcgetattr(STDIN_FILENO, &term.saved);
  atexit(at_exit);
  handle(SIGTERM, on_end);
  handle(SIGHUP, on_end);
  if (kind != TERM_EDIT) return;
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ); // as on a terminal, though it is a pipe now and then
  if (!make_pipes() || !start_drainer()) {
    term.kind = TERM_PLAIN;
    return;
  }
  handle(SIGWINCH, on_resize);
}

void term_close(void) {
  static const int mine[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};
  for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) handle(mine[i], SIG_DFL);
}
