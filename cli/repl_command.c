// SPDX-License-Identifier: MIT
//
// repl_command.c: the commands of the prompt, lines that begin with a colon.
//
// What:       a table of names, usage texts and functions. Examples are found beside the command: in a checkout
//             (build/lungo: ../examples) or where `make install` puts them (bin/lungo: ../share/lungo/examples).
// See also:   repl_help.c for :help; docs/manual.md "The prompt".
#include "repl.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef struct Command {
  const char *name, *args, *text;
  bool (*run)(lua_State *L, const char *arg); // false: the session ends
} Command;
static const Command commands[];

__attribute__((format(printf, 1, 2))) static void complainf(const char *fmt, ...) {
  char *msg;
  va_list ap;
  va_start(ap, fmt);
  int n = vasprintf(&msg, fmt, ap);
  va_end(ap);
  if (n < 0) return;
  repl_complain(msg);
  free(msg);
}

// ---- files and expressions --------------------------------------------------------------------------------------

static int load_file(lua_State *L) {
  if (luaL_loadfile(L, *(const char **)lua_touserdata(L, 1)) != LUA_OK) lua_error(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "lungo.repl.chunk");
  return 0;
}

static bool cmd_load(lua_State *L, const char *arg) {
  if (!repl_call(L, load_file, &arg)) return true;
  lua_getfield(L, LUA_REGISTRYINDEX, "lungo.repl.chunk");
  if (repl_eval(L) == EVAL_OK) repl_print(L, 0);
  return true;
}

// The values of an expression are on the stack. False: what was wrong is reported.
static bool evaluate(lua_State *L, const char *text) {
  return repl_compile(L, text, "=stdin", NULL) && repl_eval(L) == EVAL_OK;
}

static double seconds(const struct timespec *t) { return (double)t->tv_sec + (double)t->tv_nsec / 1e9; }
static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return seconds(&t);
}
static double wall_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return seconds(&t);
}

static bool cmd_time(lua_State *L, const char *arg) {
  if (!repl_compile(L, arg, "=stdin", NULL)) return true;
  double wall = wall_seconds(), cpu = cpu_seconds();
  EvalResult r = repl_eval(L);
  wall = wall_seconds() - wall;
  cpu = cpu_seconds() - cpu;
  if (r == EVAL_OK) repl_print(L, 0);
  printf("%s%.6f s, on processors %.6f s%s\n", term_color(COLOR_DIM), wall, cpu, term_color(COLOR_NONE));
  return true;
}

static int disassemble(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "lungo.repl.value");
  if (!lungo_disassemble(L, -1)) {
    bool c = lua_iscfunction(L, -1);
    return luaL_error(L, c ? "a C function has no bytecode" : "a function is needed, not a %s value",
                      luaL_typename(L, -1));
  }
  size_t len;
  const char *text = lua_tolstring(L, -1, &len);
  term_write(L, text, len);
  return 0;
}

static bool cmd_dis(lua_State *L, const char *arg) {
  if (!evaluate(L, arg)) return true;
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "lungo.repl.value");
  repl_call(L, disassemble, NULL);
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "lungo.repl.value");
  return true;
}

// ---- examples ---------------------------------------------------------------------------------------------------

// The folder of the examples, ending in /. malloc'ed; NULL: there is none.
static char *examples_dir(void) {
  static const char *const places[] = {"/../examples/", "/../../examples/", "/../share/lungo/examples/"};
  char self[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return NULL;
  self[n] = '\0';
  *strrchr(self, '/') = '\0';
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    char *dir;
    struct stat st;
    if (asprintf(&dir, "%s%s", self, places[i]) < 0) return NULL;
    if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode)) return dir;
    free(dir);
  }
  return NULL;
}

// All .lua files below dir/sub, as "sub/name" without the ending.
static void add_examples(Completions *out, const char *dir, const char *sub, const char *prefix) {
  char *path;
  if (asprintf(&path, "%s%s", dir, sub) < 0) return;
  DIR *d = opendir(path);
  free(path);
  for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
    char name[PATH_MAX];
    size_t len = strlen(e->d_name);
    if (e->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s%s%s", sub, *sub != '\0' ? "/" : "", e->d_name);
    if (len > 4 && strcmp(e->d_name + len - 4, ".lua") == 0) {
      name[strlen(name) - 4] = '\0';
      if (strncmp(name, prefix, strlen(prefix)) == 0) completions_add(out, name);
    } else if (strchr(sub, '/') == NULL && strchr(e->d_name, '.') == NULL) {
      add_examples(out, dir, name, prefix);
    }
  }
  if (d != NULL) closedir(d);
}

void example_names(Completions *out, const char *prefix) {
  char *dir = examples_dir();
  if (dir != NULL) add_examples(out, dir, "", prefix);
  free(dir);
}

static char *sentence_end(char *s) {
  for (char *p = s; (p = strpbrk(p, ".!?")) != NULL; p++)
    if (p[1] == ' ' || p[1] == '\0') return p + 1;
  return NULL;
}

// The first sentence of the comment at the beginning of f.
static void read_headline(FILE *f, char *text, size_t size) {
  char line[256];
  size_t len = 0;
  text[0] = '\0';
  while (len < size - 1 && fgets(line, sizeof line, f) != NULL && strncmp(line, "--", 2) == 0) {
    line[strcspn(line, "\n")] = '\0';
    len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? " " : "", line + 2 + strspn(line + 2, " "));
    char *end = sentence_end(text);
    if (end != NULL) *end = '\0';
    if (end != NULL) return;
  }
}

static void print_headline(FILE *out, const char *dir, const char *name) {
  char *path, text[512] = "";
  if (asprintf(&path, "%s%s.lua", dir, name) < 0) return;
  FILE *f = fopen(path, "re");
  free(path);
  if (f != NULL) {
    read_headline(f, text, sizeof text);
    fclose(f);
  }
  fprintf(out, "  %-32s ", name);
  help_fill(out, text, 35);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void show_examples(lua_State *L, const char *dir, const Completions *names) {
  char *text = NULL;
  size_t len;
  FILE *f = open_memstream(&text, &len);
  if (f == NULL) return;
  for (size_t i = 0; i < names->n; i++) print_headline(f, dir, names->v[i]);
  fclose(f);
  term_write(L, text, len);
  free(text);
}

static bool cmd_examples(lua_State *L, const char *arg) {
  Completions names = {0};
  char *dir = examples_dir();
  if (dir != NULL) add_examples(&names, dir, "", arg);
  if (names.n == 0) {
    if (dir == NULL)
      repl_complain("no examples found beside the lungo command");
    else
      complainf("no example '%s'; :examples lists them", arg);
  } else {
    qsort(names.v, names.n, sizeof *names.v, by_name);
    show_examples(L, dir, &names);
  }
  completions_free(&names);
  free(dir);
  return true;
}

typedef struct Child {
  pid_t pid;
  int status;
} Child;

static void wait_child(void *arg) {
  Child *c = arg;
  while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR) continue;
}

// argv[0] is this command itself. Ctrl-C goes to the child: it shares our terminal.
static void run_child(lua_State *L, char *const *argv) {
  Child c = {0};
  fflush(stdout);
  int r = posix_spawn(&c.pid, "/proc/self/exe", NULL, NULL, argv, environ);
  if (r != 0) {
    complainf("cannot run %s: %s", argv[1], strerror(r));
    return;
  }
  lungo_blocking(L, wait_child, &c);
  term_interrupted();
  if (WIFSIGNALED(c.status))
    complainf("ended by signal %d (%s)", WTERMSIG(c.status), strsignal(WTERMSIG(c.status)));
  else if (WEXITSTATUS(c.status) != 0)
    complainf("exit status %d", WEXITSTATUS(c.status));
}

// The path of the example that is called name, with or without its group; malloc'ed, NULL: reported.
static char *find_example(const char *dir, const char *name) {
  Completions all = {0};
  char *path = NULL;
  size_t found = 0;
  add_examples(&all, dir, "", "");
  for (size_t i = 0; i < all.n; i++) {
    const char *slash = strrchr(all.v[i], '/');
    bool exact = strcmp(all.v[i], name) == 0;
    if (!exact && (slash == NULL || strcmp(slash + 1, name) != 0)) continue;
    found++;
    free(path);
    if (asprintf(&path, "%s%s.lua", dir, all.v[i]) < 0) path = NULL;
    if (exact) break;
  }
  if (found == 0) complainf("no example '%s'; :examples lists them", name);
  completions_free(&all);
  return path;
}

#define MAX_ARGS 32

static bool cmd_run(lua_State *L, const char *arg) {
  static char self[] = "lungo";
  char *words = strdup(arg), *rest = words, *argv[MAX_ARGS + 3] = {self}, *word, *dir = examples_dir();
  int n = 2;
  char *name = words == NULL ? NULL : strsep(&rest, " ");
  while (rest != NULL && n < MAX_ARGS && (word = strsep(&rest, " ")) != NULL)
    if (*word != '\0') argv[n++] = word;
  if (dir == NULL)
    repl_complain("no examples found beside the lungo command");
  else if (name != NULL && (argv[1] = find_example(dir, name)) != NULL)
    run_child(L, argv);
  free(argv[1]);
  free(words);
  free(dir);
  return true;
}

// ---- the running program ----------------------------------------------------------------------------------------

static void print_duration(double s) {
  if (s < 1)
    printf("%7.0f ms", s * 1e3);
  else if (s < 60)
    printf("%8.1f s", s);
  else if (s < 3600)
    printf("%4d m %2d s", (int)s / 60, (int)s % 60);
  else
    printf("%4d h %2d m", (int)(s / 3600), (int)(s / 60) % 60);
}

static void print_goroutine(const lungo_Goroutine *g) {
  if (g->id == 1) return;
  printf("%8lld  %-24s ", g->id, g->state);
  if (g->waiting > 0)
    print_duration(g->waiting);
  else
    printf("%10s", "");
  printf("  %-28s", g->where);
  if (g->created_by != 0)
    printf("  %lld%s%s", g->created_by, *g->created_where != '\0' ? " at " : "", g->created_where);
  putchar('\n');
}

static bool cmd_goroutines(lua_State *L, const char *arg) {
  size_t room = lungo_goroutines(L, NULL, 0);
  lungo_Goroutine *list = calloc(room + 1, sizeof *list);
  (void)arg;
  if (list == NULL) return true;
  size_t n = lungo_goroutines(L, list, room);
  if (n > room) n = room;
  if (n > 1) printf("%8s  %-24s %10s  %-28s  %s\n", "id", "state", "since", "at", "started by");
  for (size_t i = 0; i < n; i++) print_goroutine(&list[i]);
  printf("%zu goroutine%s beside the prompt\n", n - 1, n == 2 ? "" : "s");
  free(list);
  return true;
}

static int collect(lua_State *L) {
  double before = lua_gc(L, LUA_GCCOUNT);
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCCOLLECT); // what the finalizers of the first left behind
  double now = lua_gc(L, LUA_GCCOUNT);
  bool small = before < 10240;
  double unit = small ? 1 : 1024;
  printf("%.*f %s before, %.*f %s now\n", !small, before / unit, small ? "KB" : "MB", !small, now / unit,
         small ? "KB" : "MB");
  return 0;
}

static bool cmd_gc(lua_State *L, const char *arg) {
  (void)arg;
  repl_call(L, collect, NULL);
  return true;
}

static bool cmd_set(lua_State *L, const char *arg) {
  static const char name[] = "maxprocs";
  size_t len = sizeof name - 1;
  if (*arg == '\0') {
    printf("maxprocs %d\n", lungo_maxprocs(L, 0));
    return true;
  }
  char *end = NULL;
  long n = 0;
  bool known = strncmp(arg, name, len) == 0 && (arg[len] == ' ' || arg[len] == '\0');
  if (known) n = strtol(arg + len, &end, 10);
  if (!known)
    complainf("no setting '%s'; there is: maxprocs N", arg);
  else if (end == arg + len || *end != '\0' || n < 1 || n > 1024)
    repl_complain("maxprocs needs a number from 1 to 1024");
  else
    lungo_maxprocs(L, (int)n);
  return true;
}

static bool cmd_quit(lua_State *L, const char *arg) {
  (void)L;
  (void)arg;
  return false;
}

static bool cmd_help(lua_State *L, const char *arg) {
  if (*arg != '\0') {
    help_show(L, arg);
    return true;
  }
  for (const Command *c = commands; c->name != NULL; c++) {
    char head[64];
    snprintf(head, sizeof head, "%s %s", c->name, c->args);
    printf("  %s%-18s%s %s\n", term_color(COLOR_BOLD), head, term_color(COLOR_NONE), c->text);
  }
  help_show(L, "");
  return true;
}

// ---- the table --------------------------------------------------------------------------------------------------

// An argument in brackets may be left out.
static const Command commands[] = {
    {":help", "[TOPIC]", "this list, or what the manual says: :help chan.send, :help select, :help sync", cmd_help},
    {":load", "FILE", "run a Lua file in this session", cmd_load},
    {":run", "EXAMPLE", "run an example as a script of its own; arguments may follow", cmd_run},
    {":examples", "[GROUP]", "list the examples", cmd_examples},
    {":goroutines", "", "what every goroutine does, since when and where", cmd_goroutines},
    {":time", "EXPR", "run, and say how long it took", cmd_time},
    {":dis", "FUNCTION", "show the bytecode of a Lua function", cmd_dis},
    {":gc", "", "collect garbage", cmd_gc},
    {":set", "[maxprocs N]", "show or change the number of processors", cmd_set},
    {":quit", "", "end the session (Ctrl-D does too)", cmd_quit},
    {NULL, NULL, NULL, NULL}};

void command_names(Completions *out, const char *prefix) {
  for (const Command *c = commands; c->name != NULL; c++)
    if (strncmp(c->name, prefix, strlen(prefix)) == 0) completions_add(out, c->name);
}

static const Command *find_command(const char *name, size_t len) {
  const Command *found = NULL;
  int n = 0;
  for (const Command *c = commands; c->name != NULL; c++) {
    if (strncmp(c->name, name, len) != 0) continue;
    if (c->name[len] == '\0') return c;
    found = c;
    n++;
  }
  return n == 1 && len > 1 ? found : NULL; // as much of it as is unique
}

static void complain_unknown(const char *name, size_t len) {
  char list[256] = "";
  for (const Command *c = commands; c->name != NULL; c++) {
    strcat(list, " ");
    strcat(list, c->name);
  }
  complainf("unknown command '%.*s'; there are:%s", (int)len, name, list);
}

bool command_run(lua_State *L, const char *line) {
  size_t len = strcspn(line, " \t");
  const Command *c = find_command(line, len);
  if (c == NULL) {
    complain_unknown(line, len);
    return true;
  }
  char *arg = strdup(line + len + strspn(line + len, " \t"));
  if (arg == NULL) return true;
  for (size_t n = strlen(arg); n > 0 && (arg[n - 1] == ' ' || arg[n - 1] == '\t' || arg[n - 1] == '\r'); n--)
    arg[n - 1] = '\0';
  bool go_on = true;
  if (*arg == '\0' && *c->args != '\0' && *c->args != '[')
    complainf("usage: %s %s", c->name, c->args);
  else if (*arg != '\0' && *c->args == '\0')
    complainf("%s takes no argument", c->name);
  else
    go_on = c->run(L, arg);
  free(arg);
  return go_on;
}
