// SPDX-License-Identifier: MIT
//
// repl_typed.c: what is typed: the queue of it, and who takes from it when.
//
// What:       the terminal is in one of two states.
//             - Edited: the editor reads. Raw, and without signals of the terminal: Ctrl-C, Ctrl-D, Ctrl-Z and
//             Ctrl-\ are
//               bytes like all others, so they keep their place among them.
//             - Run: a line runs. The terminal edits lines itself, for io.read and child processes, and makes signals
//             of
//               Ctrl-C, Ctrl-Z and Ctrl-\ at once. (Where there is no editor, all the time is of this kind.)
//             People type ahead, in either state, and a change of the state catches bytes half way. So there is a queue
//             between the system's and all readers: what came under the old state is moved to it at the change, and
//             translated to what it would have been under the new one (typed_edit, typed_run).
// Invariants: nothing typed is lost: a byte is in the queue or in the system's, older ones in the queue; it leaves the
//             queue only to a reader that uses it, and no change of modes discards input (TCSAFLUSH).
//             The exception is Ctrl-C. At the prompt it discards the line that it ends, no more and no less. While a
//             line runs it interrupts that, and what was typed ahead before it is thrown away: by the terminal in the
//             system's queue (which alone knows the order), by typed_forget in ours.
//             The system's queue is read without waiting, through a file description of our own.
//             Only the editor reads while a line is edited; readers of io.stdin wait until it has ended.
// Locking:    `lock` guards the queue and `edited`; held for moments only, never while waiting.
// See also:   repl_line.c, where libedit changes the modes; repl_term.c (signals). Tests: tests/pty/type_ahead.pty.
#include "repl.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

static struct {
  int fd; // the terminal; not blocking if it can be had so, in case a child process is faster
  struct termios saved;
  pthread_mutex_t lock;
  pthread_cond_t run; // edited became false
  bool edited;
  char *bytes; // bytes[pos..n) is the queue
  size_t pos, n, cap;
  _Atomic bool forget; // what is in the queue
} typed = {.fd = STDIN_FILENO, .lock = PTHREAD_MUTEX_INITIALIZER, .run = PTHREAD_COND_INITIALIZER};

static char key_of(int which) { return (char)typed.saved.c_cc[which]; }

// ---- the queue ---------------------------------------------------------------------------------------------------

void typed_forget(void) { atomic_store(&typed.forget, true); }

static bool is_empty_locked(void) {
  if (atomic_exchange(&typed.forget, false)) typed.pos = typed.n;
  return typed.pos == typed.n;
}

static bool make_room_locked(size_t room) {
  if (is_empty_locked()) typed.pos = typed.n = 0;
  if (typed.cap - typed.n >= room) return true;
  char *more = realloc(typed.bytes, typed.n + room);
  if (more == NULL) return false; // it stays in the system's queue
  typed.bytes = more;
  typed.cap = typed.n + room;
  return true;
}

#define CHUNK 4096

// Reads what is there, if anything. 0: the end of input.
static ssize_t fetch_locked(void) {
  struct pollfd p = {.fd = typed.fd, .events = POLLIN};
  errno = EAGAIN;
  if (poll(&p, 1, 0) <= 0 || !make_room_locked(CHUNK)) return -1;
  ssize_t n = read(typed.fd, typed.bytes + typed.n, CHUNK);
  if (n > 0) typed.n += (size_t)n;
  return n;
}

static bool is_readable(void) {
  struct pollfd p = {.fd = typed.fd, .events = POLLIN};
  return poll(&p, 1, 0) > 0 && p.revents == POLLIN; // not if it has hung up: an end without end
}

// All that the system has, to the queue. An end of input (only a terminal that edits lines itself has them) is the key.
static void absorb_locked(void) {
  while (is_readable()) {
    ssize_t n = fetch_locked();
    if (n < 0) return;
    if (n == 0) typed.bytes[typed.n++] = key_of(VEOF);
  }
}

// ---- the two states ----------------------------------------------------------------------------------------------

void typed_edit(void (*raw)(void)) {
  pthread_mutex_lock(&typed.lock);
  typed.edited = true;
  absorb_locked();
  raw();
  // What is left are the beginning of a line, and what was typed since: there the end of input has become a zero.
  size_t old = is_empty_locked() ? 0 : typed.n - typed.pos;
  absorb_locked();
  for (size_t i = typed.pos + old; i < typed.n; i++)
    if (typed.bytes[i] == '\0') typed.bytes[i] = key_of(VEOF);
  pthread_mutex_unlock(&typed.lock);
}

static int signal_of(char c) {
  if (c == _POSIX_VDISABLE) return 0;
  return c == key_of(VINTR) ? SIGINT : c == key_of(VQUIT) ? SIGQUIT : c == key_of(VSUSP) ? SIGTSTP : 0;
}

// Signals that were typed as bytes after Enter: they are for the line that runs now, the terminal had only not been
// told yet.
static void obey_locked(void) {
  size_t kept = typed.pos;
  for (size_t i = typed.pos; i < typed.n; i++) {
    char c = typed.bytes[i];
    int sig = signal_of(c);
    if (sig == 0) {
      typed.bytes[kept++] = c;
    } else if (sig == SIGINT) {
      kept = typed.pos;
      term_interrupt();
    } else {
      kill(0, sig);
    }
  }
  typed.n = kept;
}

void typed_run(void) {
  pthread_mutex_lock(&typed.lock);
  absorb_locked();
  obey_locked();
  typed.edited = false;
  pthread_cond_broadcast(&typed.run);
  pthread_mutex_unlock(&typed.lock);
}

// ---- the editor's side -------------------------------------------------------------------------------------------

bool typed_ahead(void) {
  pthread_mutex_lock(&typed.lock);
  bool any = !is_empty_locked();
  pthread_mutex_unlock(&typed.lock);
  return any || is_readable();
}

int typed_fd(void) { return typed.fd; }

TypedKey typed_next(unsigned char *byte) {
  TypedKey r = TYPED_KEY;
  pthread_mutex_lock(&typed.lock);
  if (is_empty_locked()) {
    ssize_t n = fetch_locked();
    if (n <= 0) r = n == 0 || (errno != EINTR && errno != EAGAIN) ? TYPED_END : TYPED_NOTHING;
  }
  if (r == TYPED_KEY) *byte = (unsigned char)typed.bytes[typed.pos++];
  pthread_mutex_unlock(&typed.lock);
  if (r != TYPED_KEY) return r;
  switch (signal_of((char)*byte)) {
  case SIGINT: return TYPED_INTERRUPT;
  case SIGTSTP: return TYPED_STOP;
  case SIGQUIT: return TYPED_QUIT;
  default: return TYPED_KEY;
  }
}

// ---- the side of io.stdin ----------------------------------------------------------------------------------------

// A Ctrl-C has come; old is the signal mask without our blocking it. Threads of other goroutines block it anyway.
static bool is_interrupted(const sigset_t *old) {
  sigset_t waiting;
  if (sigismember(old, SIGINT)) return false;
  sigpending(&waiting);
  return sigismember(&waiting, SIGINT) || term_cut_short();
}

// One line at most: what remains in a reader's buffer is what remains of its line. -1: nothing is there (EAGAIN), or a
// Ctrl-C has come (EINTR). If that is seen after reading, it came before what was read, which stays in the queue: else
// the terminal would have thrown it away.
static ssize_t take_line_locked(char *buf, size_t size, const sigset_t *old) {
  size_t n = 0;
  if (is_empty_locked()) {
    ssize_t got = fetch_locked();
    if (got <= 0) return got;
    if (is_interrupted(old)) {
      errno = EINTR;
      return -1;
    }
  }
  if (typed.bytes[typed.pos] == key_of(VEOF)) {
    typed.pos++;
    return 0;
  }
  while (n < size && !is_empty_locked() && typed.bytes[typed.pos] != key_of(VEOF)) {
    char c = typed.bytes[typed.pos++];
    buf[n++] = c == '\r' ? '\n' : c;
    if (buf[n - 1] == '\n') break;
  }
  return (ssize_t)n;
}

static ssize_t take_line(char *buf, size_t size, const sigset_t *old) {
  pthread_mutex_lock(&typed.lock);
  while (typed.edited) pthread_cond_wait(&typed.run, &typed.lock);
  ssize_t n = -1;
  errno = EINTR;
  if (is_interrupted(old))
    typed.pos = typed.n;
  else
    n = take_line_locked(buf, size, old);
  int err = errno;
  pthread_mutex_unlock(&typed.lock);
  errno = err;
  return n;
}

// Ctrl-C is blocked but for the wait, so that none can come between the look for it and the wait.
static ssize_t read_typed(void *cookie, char *buf, size_t size) {
  struct pollfd p = {.fd = typed.fd, .events = POLLIN};
  sigset_t interrupt, old;
  ssize_t n;
  (void)cookie;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &old);
  while ((n = take_line(buf, size, &old)) < 0 && errno == EAGAIN) ppoll(&p, 1, NULL, &old);
  int err = errno;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (n < 0 && err == EINTR) { // the handler has just run; what it asks for is done
    term_cut_short();
    atomic_store(&typed.forget, false);
  }
  errno = err;
  return n;
}

static int give_to_stdin(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_IOLIBNAME) != LUA_TTABLE || lua_getfield(L, -1, "stdin") != LUA_TUSERDATA) return 0;
  luaL_Stream *s = luaL_testudata(L, -1, LUA_FILEHANDLE);
  if (s != NULL && s->closef != NULL) s->f = lua_touserdata(L, 1);
  return 0;
}

FILE *typed_open(lua_State *L) {
  static const cookie_io_functions_t functions = {.read = read_typed};
  char name[256];
  FILE *f = fopencookie(NULL, "r", functions);
  if (f == NULL) return stdin;
  tcgetattr(STDIN_FILENO, &typed.saved);
  int fd =
      ttyname_r(STDIN_FILENO, name, sizeof name) == 0 ? open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
  if (fd >= 0) typed.fd = fd;
  repl_call(L, give_to_stdin, f);
  return f;
}
