// SPDX-License-Identifier: MIT
//
// main.c: the `lungo` command: options and scripts.
//
// What:       parses the options of `lua` and lungo's own, then runs everything as goroutine 1 through lungo_run, so
//             that an uncaught error or a deadlock ends the process as in Go (status 2).
// Callers:    the shell. Uses public headers only.
// See also:   repl.c for the prompt; docs/manual.md "Command line". Tests: tests/cli.
#include "repl.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define EXIT_USAGE 1

static const char *progname = "lungo";

typedef struct Options {
  char **argv;
  int argc;
  int script;        // index of the script's name in argv, argc if none
  bool interactive;  // -i
  bool version;      // -v
  bool noenv;        // -E
  bool has_e;        // some -e was given
  bool leaks;        // --leaks
  bool race;         // --race
  const char *trace; // --trace: the file, or NULL
  long maxprocs;     // 0: not given
  bool seeded;
  unsigned long long seed;
} Options;

static const char usage_text[] = "usage: lungo [options] [script [args]]\n"
                                 "Available options are:\n"
                                 "  -e stat          execute string 'stat'\n"
                                 "  -i               enter interactive mode after executing 'script'\n"
                                 "  -l mod           require library 'mod' into global 'mod'\n"
                                 "  -l g=mod         require library 'mod' into global 'g'\n"
                                 "  -v, --version    show version information\n"
                                 "  -E               ignore environment variables\n"
                                 "  -W               turn warnings on\n"
                                 "  --maxprocs N     run on at most N processors (default: all; also LUNGOMAXPROCS)\n"
                                 "  --seed N         reproducible scheduling, with one processor\n"
                                 "  --race           report data races; status 66 at exit if there were any\n"
                                 "  --leaks          at exit, report goroutines that nothing can ever wake\n"
                                 "  --trace FILE     write to FILE what every goroutine did when, for a browser\n"
                                 "  --help           show this text\n"
                                 "  --               stop handling options\n"
                                 "  -                stop handling options and execute stdin\n";

static void complain(const char *msg) { fprintf(stderr, "%s: %s\n", progname, msg); }

static int usage_error(const char *fmt, const char *arg) {
  fprintf(stderr, "%s: ", progname);
  fprintf(stderr, fmt, arg);
  fprintf(stderr, "\n%s", usage_text);
  return EXIT_USAGE;
}

static void print_version(void) { puts("lungo " LUNGO_VERSION ", libraries of " LUA_COPYRIGHT); }

// ---- options --------------------------------------------------------------------------------------

static bool number_option(const char *text, unsigned long long *out) {
  char *end;
  errno = 0;
  *out = strtoull(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

// A long option at argv[*i]; returns 0 to go on, or an exit status + 1.
static int long_option(Options *o, int *i) {
  const char *name = o->argv[*i];
  unsigned long long n;
  if (strcmp(name, "--help") == 0) {
    fputs(usage_text, stdout);
    return EXIT_SUCCESS + 1;
  }
  if (strcmp(name, "--version") == 0) {
    print_version();
    return EXIT_SUCCESS + 1;
  }
  if (strcmp(name, "--leaks") == 0 || strcmp(name, "--race") == 0) {
    *(name[2] == 'l' ? &o->leaks : &o->race) = true;
    return 0;
  }
  if (strcmp(name, "--trace") == 0) {
    if (++*i >= o->argc || o->argv[*i][0] == '-') return usage_error("'%s' needs a file", name) + 1;
    o->trace = o->argv[*i];
    return 0;
  }
  if (strcmp(name, "--maxprocs") != 0 && strcmp(name, "--seed") != 0)
    return usage_error("unrecognized option '%s'", name) + 1;
  if (++*i >= o->argc) return usage_error("'%s' needs a number", name) + 1;
  if (!number_option(o->argv[*i], &n) || (name[2] == 'm' && (n < 1 || n > 1024)))
    return usage_error(name[2] == 'm' ? "'--maxprocs' needs a number from 1 to 1024, not '%s'"
                                      : "'--seed' needs a number, not '%s'",
                       o->argv[*i]) +
           1;
  if (name[2] == 'm') {
    o->maxprocs = (long)n;
  } else {
    o->seeded = true;
    o->seed = n;
    if (o->maxprocs == 0) o->maxprocs = 1;
  }
  return 0;
}

// Options that need no Lua state are settled here; -e, -l and -W are run later, in order, by run_options.
static int parse_options(Options *o) {
  int i;
  for (i = 1; i < o->argc && o->argv[i][0] == '-'; i++) {
    const char *a = o->argv[i];
    if (strcmp(a, "--") == 0) {
      i++;
      break;
    }
    if (strcmp(a, "-") == 0) break;
    if (a[1] == '-') {
      int r = long_option(o, &i);
      if (r) return r;
      continue;
    }
    if (strchr("iEvW", a[1]) && a[2] != '\0') return usage_error("unrecognized option '%s'", a) + 1;
    switch (a[1]) {
    case 'i': o->interactive = o->version = true; break;
    case 'v': o->version = true; break;
    case 'E': o->noenv = true; break;
    case 'W': break;
    case 'e': o->has_e = true; // fall through
    case 'l':
      if (a[2] == '\0' && (++i >= o->argc || o->argv[i][0] == '-')) return usage_error("'%s' needs argument", a) + 1;
      break;
    default: return usage_error("unrecognized option '%s'", a) + 1;
    }
  }
  o->script = i;
  return 0;
}

// ---- running chunks -------------------------------------------------------------------------------

// What runs a part of the command line says whether the next one should run. A chunk that cannot be loaded is the
// user's input error, not a panic: message and status 1.

static bool refuse(lua_State *L) {
  complain(lua_tostring(L, -1));
  lua_pop(L, 1);
  return false;
}

static int run_flags = LUNGO_PANIC;

// Ctrl-C while a chunk runs raises `interrupted!` in goroutine 1, whether it runs or waits; a second one ends the
// process.
static lua_State *volatile interruptible;
static void (*end_by_signal)(int) = SIG_DFL; // what a signal does that ends the process

static void on_interrupt(int sig) {
  int saved = errno;
  signal(sig, end_by_signal);
  lungo_interrupt(interruptible, 1, LUNGO_RAISE);
  errno = saved;
}

static void run_chunk(lua_State *L, int nargs, int flags) {
  interruptible = L;
  signal(SIGINT, on_interrupt);
  lungo_run(L, nargs, 0, flags);
  signal(SIGINT, end_by_signal);
}

static void run_loaded(lua_State *L, int nargs) { run_chunk(L, nargs, run_flags); }
static void run_last(lua_State *L, int nargs) { run_chunk(L, nargs, run_flags | LUNGO_LAST); }

static bool run_string(lua_State *L, const char *s, const char *name) {
  if (luaL_loadbuffer(L, s, strlen(s), name) != LUA_OK) return refuse(L);
  run_loaded(L, 0);
  return true;
}

static bool run_file(lua_State *L, const char *name) {
  if (luaL_loadfile(L, name) != LUA_OK) return refuse(L);
  run_loaded(L, 0);
  return true;
}

static int require_library(lua_State *L) {
  const char *global = lua_tostring(L, 1), *module = lua_tostring(L, 2);
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  lua_call(L, 1, 1);
  lua_setglobal(L, global);
  return 0;
}

static void run_library(lua_State *L, const char *spec) {
  const char *eq = strchr(spec, '=');
  lua_pushcfunction(L, require_library);
  if (eq) {
    lua_pushlstring(L, spec, (size_t)(eq - spec));
    lua_pushstring(L, eq + 1);
  } else {
    lua_pushstring(L, spec);
    lua_pushstring(L, spec);
  }
  run_loaded(L, 2);
}

static bool run_options(lua_State *L, const Options *o) {
  for (int i = 1; i < o->script; i++) {
    const char *a = o->argv[i];
    if (strcmp(a, "--maxprocs") == 0 || strcmp(a, "--seed") == 0 || strcmp(a, "--trace") == 0) {
      i++;
    } else if (strcmp(a, "-W") == 0) {
      lua_warning(L, "@on", 0);
    } else if (a[0] == '-' && (a[1] == 'e' || a[1] == 'l')) {
      const char *arg = a[2] ? a + 2 : o->argv[++i];
      if (a[1] == 'l')
        run_library(L, arg);
      else if (!run_string(L, arg, "=(command line)"))
        return false;
    }
  }
  return true;
}

static bool run_init(lua_State *L) {
  const char *name = "=LUA_INIT_5_4", *init = getenv("LUA_INIT_5_4");
  if (init == NULL) {
    name = "=LUA_INIT";
    init = getenv("LUA_INIT");
  }
  if (init == NULL) return true;
  return init[0] == '@' ? run_file(L, init + 1) : run_string(L, init, name);
}

static void set_arg_table(lua_State *L, const Options *o) {
  int script = o->script < o->argc ? o->script : 0;
  lua_createtable(L, o->argc - script, script + 1);
  for (int i = 0; i < o->argc; i++) {
    lua_pushstring(L, o->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

// The arguments are those in the global `arg`: what ran before the script may have changed it.
static int push_args(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int n = (int)luaL_len(L, 1);
  luaL_checkstack(L, n + 3, "too many arguments to script");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, 1, i);
  return n;
}

static bool run_script(lua_State *L, const Options *o) {
  const char *name = o->argv[o->script];
  bool is_stdin = strcmp(name, "-") == 0 && strcmp(o->argv[o->script - 1], "--") != 0;
  if (luaL_loadfile(L, is_stdin ? NULL : name) != LUA_OK) return refuse(L);
  int base = lua_gettop(L);
  lua_pushcfunction(L, push_args);
  if (lua_pcall(L, 0, LUA_MULTRET, 0) != LUA_OK) return refuse(L);
  int nargs = lua_gettop(L) - base;
  if (o->interactive) {
    run_loaded(L, nargs);
  } else {
    run_last(L, nargs);
  }
  return true;
}

// ---- main -----------------------------------------------------------------------------------------

// A signal that would end the process lets the trace be completed first. Ignored ones (nohup) remain so.
static void trace_signals(void) {
  static const int signals[] = {SIGTERM, SIGHUP, SIGPIPE, SIGINT};
  end_by_signal = lungo_tracekill;
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (signal(signals[i], lungo_tracekill) == SIG_IGN) signal(signals[i], SIG_IGN);
}

static bool start_trace(lua_State *L, const char *file) {
  int r = lungo_trace(L, file);
  if (r == 0)
    trace_signals();
  else
    fprintf(stderr, "%s: cannot write %s: %s\n", progname, file, strerror(-r));
  return r == 0;
}

static void configure(lua_State *L, const Options *o) {
  if (o->maxprocs > 0) lungo_maxprocs(L, (int)o->maxprocs);
  if (o->leaks) run_flags |= LUNGO_LEAKS;
  if (o->noenv) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
}

static bool run_all(lua_State *L, const Options *o) {
  bool has_script = o->script < o->argc;
  set_arg_table(L, o);
  if (!o->noenv && !run_init(L)) return false;
  if (!run_options(L, o)) return false;
  if (has_script && !run_script(L, o)) return false;
  bool idle = !has_script && !o->has_e && !o->version;
  if (o->interactive || (idle && isatty(STDIN_FILENO))) {
    if (!o->version) print_version();
    repl_run(L);
  } else if (idle) {
    if (luaL_loadfile(L, NULL) != LUA_OK) return refuse(L);
    run_last(L, 0);
  }
  return true;
}

int main(int argc, char **argv) {
  Options o = {.argv = argv, .argc = argc};
  if (argc > 0 && argv[0][0] != '\0') progname = argv[0];
  int r = parse_options(&o);
  if (r) return r - 1;
  if (o.race) lungo_detectraces();
  if (o.seeded) lungo_setseed(NULL, o.seed);
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    complain("cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  if (o.version) print_version();
  configure(L, &o);
  lungo_openlibs(L);
  bool ok = (o.trace == NULL || start_trace(L, o.trace)) && run_all(L, &o);
  if (o.leaks) lungo_leaks(L);
  lua_close(L);
  return lungo_racestatus(ok ? EXIT_SUCCESS : EXIT_FAILURE);
}
