# lungo: Lua 5.4 with goroutines. `make help` lists the targets.

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^.define LUNGO_VERSION "\(.*\)"/\1/p' include/lungo.h)

LUA_INC ?= /usr/include/lua5.4
LUA_LIB ?= $(firstword $(wildcard /usr/lib/*/liblua5.4.a))

OPT ?= -O2
CPPFLAGS += -D_GNU_SOURCE -I$(LUA_INC) -Iinclude
CFLAGS += -std=gnu11 $(OPT) -g -fno-strict-aliasing -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -pthread $(SAN)
LDFLAGS += -pthread $(SAN)
LDLIBS += -lm -ldl

# Each folder sees only what it may use: cli -> stdlib -> runtime -> vm. (-iquote: our sched.h must not hide the system's.)
INC_vm := -iquote vm
INC_runtime := -iquote runtime -iquote vm
INC_stdlib := -iquote stdlib -iquote runtime -iquote vm
INC_cli := -iquote cli

SRC_vm := $(wildcard vm/*.c)
SRC_runtime := $(wildcard runtime/*.c)
SRC_stdlib := $(wildcard stdlib/*.c)
SRC_cli := $(wildcard cli/*.c)
LIB_SRC := $(SRC_vm) $(SRC_runtime) $(SRC_stdlib)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/obj/%.o)
CLI_OBJ := $(SRC_cli:%.c=$(BUILD)/obj/%.o)
PIC_OBJ := $(LIB_SRC:%.c=$(BUILD)/pic/%.o)

# Members of the package's archive that we link: auxiliary and standard library, no core. Their calls of blocking C
# functions are renamed to the wrappers of stdlib/iolib.c.
LUA_MEMBERS := lauxlib.o lbaselib.o lstrlib.o ltablib.o lmathlib.o lutf8lib.o loslib.o liolib.o ldblib.o loadlib.o
LUA_OBJ := $(addprefix $(BUILD)/lua/,$(LUA_MEMBERS))

.PHONY: all help deps run test asan tsan ubsan stress verify fuzz fuzz-targets bench format format-check install libs clean unit modules

all: $(BUILD)/lungo

help:
	@echo "make            build build/lungo"
	@echo "make run        install what is missing, build, and run a tour of the examples"
	@echo "make test       install what is missing, build, and run all tests (T=path runs those below it)"
	@echo "make asan|ubsan|tsan   the same tests under a sanitizer"
	@echo "make stress     the long tests: collect at every allocation, random yields, random programs (SAN=-fsanitize=thread)"
	@echo "make verify     models of channels, locks and scheduler, all interleavings (spin)"
	@echo "make fuzz       libFuzzer on load, strings and numbers, FUZZ_SECONDS (60) for each target (T=target runs one)"
	@echo "make bench      speed tables against lua5.4 and Go"
	@echo "make libs       liblungo.a, liblungo.so, lungo.pc"
	@echo "make install    into PREFIX (/usr/local), DESTDIR respected"
	@echo "make format     clang-format all sources (format-check: only report)"

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(INC_$(firstword $(subst /, ,$*))) $(CFLAGS) -MMD -MP -c $< -o $@

# Merging the tails of the instructions would make them share their indirect jumps (bench/lang/objects.lua: 20 %).
INTERP_FLAGS := $(if $(findstring clang,$(CC)),,-fno-gcse -fno-crossjumping)
$(BUILD)/obj/vm/interp.o $(BUILD)/pic/vm/interp.o: CFLAGS += $(INTERP_FLAGS)

$(BUILD)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(INC_$(firstword $(subst /, ,$*))) $(CFLAGS) -fPIC -ftls-model=initial-exec -MMD -MP -c $< -o $@

$(BUILD)/obj/cli/repl_help.o: docs/manual.md # is part of it (.incbin)
$(BUILD)/obj/runtime/trace.o $(BUILD)/pic/runtime/trace.o: runtime/trace_view.html # likewise

$(LUA_OBJ): $(BUILD)/lua/.stamp ;
$(BUILD)/lua/.stamp: $(LUA_LIB) scripts/blocking.syms
	@test -n "$(LUA_LIB)" || { echo "liblua5.4.a not found: run scripts/deps.sh"; exit 1; }
	@mkdir -p $(@D)
	cd $(@D) && ar x $(LUA_LIB) $(LUA_MEMBERS)
	for o in $(LUA_OBJ); do objcopy --redefine-syms=scripts/blocking.syms $$o || exit 1; done
	@touch $@

$(BUILD)/lungo: $(CLI_OBJ) $(LIB_OBJ) $(LUA_OBJ)
	$(CC) $(LDFLAGS) -Wl,-E -o $@ $(CLI_OBJ) $(LIB_OBJ) $(LUA_OBJ) $(LDLIBS)

# Only the names of lua.h, lauxlib.h, lualib.h and lungo.h are public: others (g_free!) may be the host's own.
PUBLIC := lua_* luaL_* luaopen_* lungo_*
$(BUILD)/liblungo.a: $(LIB_OBJ) $(LUA_OBJ)
	rm -f $@
	ld -r -o $(BUILD)/liblungo.o $(LIB_OBJ) $(LUA_OBJ)
	objcopy -w $(foreach s,$(PUBLIC),-G '$(s)') $(BUILD)/liblungo.o
	ar rcs $@ $(BUILD)/liblungo.o

# The package's objects are compiled for executables (-fPIE): in a shared library their calls must be bound inside it
# (-Bsymbolic), and the standard streams are variables of ours (scripts/blocking.syms).
$(BUILD)/liblungo.so: $(PIC_OBJ) $(LUA_OBJ) scripts/lungo.map
	$(CC) $(LDFLAGS) -shared -Wl,-Bsymbolic -Wl,--version-script=scripts/lungo.map -Wl,-soname,liblungo.so.0 -o $@ $(PIC_OBJ) $(LUA_OBJ) $(LDLIBS)

$(BUILD)/lungo-config-version.cmake: scripts/lungo-config-version.cmake.in include/lungo.h
	@mkdir -p $(@D)
	sed -e 's|@VERSION@|$(VERSION)|' $< > $@

$(BUILD)/lungo.pc: scripts/lungo.pc.in include/lungo.h
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LUA_INC@|$(LUA_INC)|' $< > $@

libs: $(BUILD)/liblungo.a $(BUILD)/liblungo.so $(BUILD)/lungo.pc $(BUILD)/lungo-config-version.cmake

deps:
	@scripts/deps.sh build

run:
	@scripts/deps.sh build
	@$(MAKE) --no-print-directory -s all
	@scripts/tour.sh $(BUILD)/lungo

# ---- tests ----
UNIT_SRC := $(wildcard tests/unit/*_test.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)

$(BUILD)/unit/%: tests/unit/%.c $(LIB_OBJ) $(LUA_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(INC_stdlib) $(CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $< $(LIB_OBJ) $(LUA_OBJ) $(LDLIBS)

# vm/ links alone, with a runtime that knows one goroutine; so it gets all of the package's library.
VM_OBJ := $(SRC_vm:%.c=$(BUILD)/obj/%.o)
$(BUILD)/unit/vm_alone_test: tests/unit/vm_alone.c tests/unit/seam_stub.c $(VM_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(INC_vm) $(CFLAGS) $(LDFLAGS) -o $@ tests/unit/vm_alone.c tests/unit/seam_stub.c $(VM_OBJ) \
	  $(LUA_LIB) $(LDLIBS)

$(BUILD)/pty/driver: tests/pty/driver.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lutil

unit: $(UNIT_BIN) $(BUILD)/unit/vm_alone_test $(BUILD)/pty/driver

# C modules for tests/modules/*.lua. They find lua_* in the program, as every module does.
MODULES := $(patsubst tests/modules/%.c,$(BUILD)/modules/%.so,$(wildcard tests/modules/*.c))
$(BUILD)/modules/%.so: tests/modules/%.c $(wildcard tests/modules/*.h) include/lungo.h Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -shared -fPIC -o $@ $<

modules: $(MODULES)

test:
	@scripts/deps.sh test
	@$(MAKE) --no-print-directory -s -j$$(nproc) all unit modules
	@tests/run.sh $(BUILD) $(T)

TSAN_OPT := -O1 -DLUNGO_DEBUG
asan:
	@$(MAKE) --no-print-directory test BUILD=build/asan OPT="-O1 -DLUNGO_DEBUG" SAN="-fsanitize=address"
ubsan:
	@$(MAKE) --no-print-directory test BUILD=build/ubsan OPT="-O1 -DLUNGO_DEBUG" \
	  SAN="-fsanitize=undefined -fno-sanitize-recover=undefined"
tsan:
	@$(MAKE) --no-print-directory test BUILD=build/tsan OPT="$(TSAN_OPT)" SAN="-fsanitize=thread"

# SAN=-fsanitize=thread: under a sanitizer, built in build/stress-thread.
STRESS_BUILD = build/stress$(patsubst -fsanitize=%,-%,$(firstword $(SAN)))
stress:
	@scripts/deps.sh test
	@$(MAKE) --no-print-directory -s -j$$(nproc) all unit modules BUILD=$(STRESS_BUILD) OPT="-O2 -DLUNGO_DEBUG -DLUNGO_STRESS"
	@tests/stress.sh $(STRESS_BUILD) $(T)

verify:
	@scripts/deps.sh verify
	@tests/verify/run.sh $(CURDIR)/$(BUILD)/verify

# ---- fuzzing (tests/fuzz) ----
# Each target links two Luas: lungo, and a copy of the package's archive whose names have the prefix stock_, with a second
# engine.o of the same names (tests/fuzz/engine.h).
FUZZ := text tokens binary strings numbers
FUZZ_BIN := $(FUZZ:%=$(BUILD)/fuzz/%)
FUZZ_COMMON := $(addprefix $(BUILD)/fuzz/,engine.o stock_engine.o same.o roundtrip.o stock_lua.o)

$(BUILD)/fuzz/stock.syms: $(LUA_LIB) tests/fuzz/engine.h Makefile
	@mkdir -p $(@D)
	nm -g --defined-only $(LUA_LIB) | awk 'NF == 3 { print $$3, "stock_" $$3 }' | sort -u >$@
	grep -oE '\bengine_[a-z]+' tests/fuzz/engine.h | sort -u | sed 's/.*/& stock_&/' >>$@
	echo lungo_openlibs stock_openlibs >>$@
$(BUILD)/fuzz/stock_lua.o: $(BUILD)/fuzz/stock.syms
	ld -r -o $@ --whole-archive $(LUA_LIB)
	objcopy --redefine-syms=$< $@
$(BUILD)/fuzz/stock_engine.o: $(BUILD)/fuzz/engine.o $(BUILD)/fuzz/stock.syms
	objcopy --redefine-syms=$(BUILD)/fuzz/stock.syms $< $@
$(BUILD)/fuzz/tokens.inc: tests/fuzz/tokens.dict
	@mkdir -p $(@D)
	sed -n 's/^".*"$$/&,/p' $< >$@
$(BUILD)/fuzz/%.o: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(BUILD)/fuzz/tokens.inc Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -I$(BUILD)/fuzz $(INC_vm) $(CFLAGS) -c -o $@ $<
$(FUZZ_BIN): $(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(FUZZ_COMMON) $(LIB_OBJ) $(LUA_OBJ)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
fuzz-targets: $(FUZZ_BIN) all

fuzz:
	@scripts/deps.sh dev
	@$(MAKE) --no-print-directory -s -j$$(nproc) fuzz-targets BUILD=build/fuzz CC=clang OPT="-O1 -DLUNGO_DEBUG" \
	  SAN="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined"
	@tests/fuzz/run.sh build/fuzz $(T)

bench:
	@scripts/deps.sh bench
	@$(MAKE) --no-print-directory -s all $(BUILD)/liblungo.a
	@bench/run.sh $(BUILD)/lungo

FORMAT_SRC := $(wildcard vm/*.[ch] runtime/*.[ch] stdlib/*.[ch] cli/*.[ch] include/*.h tests/unit/*.[ch] tests/modules/*.[ch] tests/pty/*.c \
  tests/fuzz/*.[ch])
format:
	clang-format -i $(FORMAT_SRC)
format-check:
	clang-format --dry-run -Werror $(FORMAT_SRC)

install: all libs
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/lungo \
	  $(DESTDIR)$(PREFIX)/share/lungo/examples $(DESTDIR)$(PREFIX)/share/lungo/library $(DESTDIR)$(PREFIX)/share/lungo/editor
	install -m 755 $(BUILD)/lungo $(DESTDIR)$(PREFIX)/bin/lungo
	install -m 644 $(BUILD)/liblungo.a $(DESTDIR)$(PREFIX)/lib/liblungo.a
	install -m 755 $(BUILD)/liblungo.so $(DESTDIR)$(PREFIX)/lib/liblungo.so.0
	ln -sf liblungo.so.0 $(DESTDIR)$(PREFIX)/lib/liblungo.so
	install -m 644 include/lungo.h $(LUA_INC)/lua.h $(LUA_INC)/luaconf.h $(LUA_INC)/lualib.h $(LUA_INC)/lauxlib.h \
	  $(LUA_INC)/lua.hpp $(DESTDIR)$(PREFIX)/include/lungo/
	install -m 644 $(BUILD)/lungo.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/lungo.pc
	install -d $(DESTDIR)$(PREFIX)/lib/cmake/lungo
	install -m 644 scripts/lungo-config.cmake $(BUILD)/lungo-config-version.cmake $(DESTDIR)$(PREFIX)/lib/cmake/lungo/
	cp -R examples/. $(DESTDIR)$(PREFIX)/share/lungo/examples/
	install -D -m 644 docs/lungo.1 $(DESTDIR)$(PREFIX)/share/man/man1/lungo.1
	install -D -m 644 scripts/completion/lungo.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lungo
	install -D -m 644 scripts/completion/_lungo $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_lungo
	install -D -m 644 scripts/completion/lungo.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/lungo.fish
	install -m 644 docs/library/*.lua $(DESTDIR)$(PREFIX)/share/lungo/library/
	install -m 644 docs/editor/*.json $(DESTDIR)$(PREFIX)/share/lungo/editor/

clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(PIC_OBJ:.o=.d)
