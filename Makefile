# GNU make. What is built is listed in package/targets.mak; what it depends on, in package/deps.mak (tools/gen-deps.sh).

it: all

# Not -include: that would try to make it, and complain, even for what needs none or is about to configure.
include $(wildcard config.mak)
include package/targets.mak

# Each way of building has a directory of its own: build, build-san with SAN=1, build/fuzz with FUZZ=1.
ifneq ($(filter-out 0,$(SAN)),)
O := build-san
FLAGS_SAN := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifneq ($(filter-out 0,$(FUZZ)),)
O := build/fuzz
CC := clang
CXX := clang++
# Those of configure are for another compiler.
CXXFLAGS :=
FLAGS_SAN := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
else
O ?= build
endif

CPPFLAGS_ALL := -D_GNU_SOURCE -Isrc/include $(CPPFLAGS_DIRS) $(CPPFLAGS)
CXXFLAGS_ALL := -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections \
  -fno-asynchronous-unwind-tables -fno-plt -Wall -Wextra -Wshadow -Wconversion $(CXXFLAGS) $(FLAGS_SAN) $(FLAGS_LINT)
# With the C driver, never with libstdc++. skalibs is linked static wherever it is. Nothing unwinds, so no program has tables for that.
LDFLAGS_ALL := $(LDFLAGS_DIRS) $(LDFLAGS_STATIC) $(LDFLAGS_RELR) -Wl,--gc-sections -Wl,--as-needed -Wl,-z,noseparate-code -Wl,-z,now -Wl,--no-ld-generated-unwind-info -Wl,--no-eh-frame-hdr -Wl,--build-id=none $(LDFLAGS) $(FLAGS_SAN)
comma := ,
# libcrypt, too, but for the sanitizers, which look for crypt_r where only a shared library has it.
STATIC_SKARNET = $(patsubst -lcrypt,$(if $(FLAGS_SAN),-Wl$(comma)--no-as-needed -lcrypt,-l:libcrypt.a),$(patsubst -lskarnet,-l:libskarnet.a,$(EXTRA_LIBS)))

include package/deps.mak

ALL_BINS := $(BIN_TARGETS:%=$(O)/%)
ALL_TESTS := $(TEST_TARGETS:%=$(O)/%) $(BIN_TARGETS:%=$(O)/fault/%)
ALL_BENCHES := $(BENCH_TARGETS:%=$(O)/%)
ALL_FUZZERS := $(FUZZ_TARGETS:%=$(O)/%)
ALL_HEADERS := $(wildcard src/include/pm/*/*.h)
PAGES := $(wildcard doc/*.[178])
HTML := $(PAGES:doc/%=$(O)/html/%.html)

# What is for other programs: the static library and, with --enable-shared, the shared one.
LIBRARIES := $(O)/public/libpm.a $(if $(SHARED),$(O)/public/libpm.so.$(VERSION))

all: $(ALL_BINS) $(LIBRARIES) $(O)/public/libpm.pc
tests: all $(ALL_TESTS)
benches: all $(ALL_BENCHES)
fuzzers: $(ALL_FUZZERS)
fuzzer-objects: $(FUZZ_TARGETS:%=$(O)/tests/fuzz/%.o)

seen: $(patsubst %.cpp,$(O)/%.seen,$(wildcard src/*/*.cpp src/libpm/*/*.cpp $(addprefix tests/,bench/*.cpp fault/*.cpp fuzz/*.cpp lib/*.cpp tools/*.cpp)))

config.mak:
	@echo 'Please ./configure first' >&2; exit 1

$(O)/%.o: %.cpp config.mak
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) -c -o $@ $<

# To be complained of, and nothing else: another compiler's opinion.
$(O)/%.seen: %.cpp config.mak
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) -fsyntax-only $<
	@touch $@

# What is made of another project's library, to be compared with it.
$(O)/tests/tools/tirpc.% $(O)/tests/bench/bench-peers.%: CPPFLAGS_ALL += -isystem /usr/include/tirpc
$(O)/tests/bench/bench-peers.%: CPPFLAGS_ALL += $(subst -I,-isystem ,$(shell pkg-config --cflags dbus-1 2>/dev/null))

$(O)/libpm.a:
	rm -f $@
	$(AR) rcD $@ $^

# Our programs do without the C++ runtime, and the library brings what it needs of it. In a program that has it, and throws,
# those must not take its place: there they, and what the library has of the standard templates, get names of our own; so do
# the groups that these are in, for of two groups with one name the linker drops one.
$(O)/public/libpm.a: $(O)/libpm.a
	@mkdir -p $(@D)
	nm --defined-only $< 2>/dev/null | awk 'NF == 3 && $$3 ~ /^(_ZN?K?St|__cxa_)/ { print $$3, "pm_" $$3 }' | sort -u >$@.names
	objcopy --redefine-syms=$@.names $< $@

# The same sources once more, for any address; what is not the library's stays inside.
$(O)/pic/%.o: %.cpp config.mak $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) -fPIC -c -o $@ $<

$(O)/public/libpm.so.$(VERSION): $(addprefix $(O)/pic/src/libpm/,$(shell cat src/libpm/deps-lib/pm)) package/libpm.map
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,libpm.so.$(VERSION) -Wl,--version-script=package/libpm.map -o $@ $(filter %.o,$^) $(filter-out -static,$(LDFLAGS_ALL)) -Wl,-z,defs -lskarnet

# What our headers use of skalibs themselves is to be said with the shared library, too.
$(O)/public/libpm.pc: package/libpm.pc.in config.mak package/info
	@mkdir -p $(@D)
	sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(subst $$(prefix),$${prefix},$(libdir))|; s|@includedir@|$(subst $$(prefix),$${prefix},$(includedir))|' \
	  -e 's|@version@|$(VERSION)|; s|@libs@|$(strip $(LDFLAGS_DIRS) $(if $(SHARED),-lskarnet,-l:libskarnet.a))|; s|@private@|$(strip $(LDFLAGS_DIRS) -l:libskarnet.a)|' \
	  -e 's| *$$||' $< >$@

$(ALL_BINS) $(ALL_TESTS) $(ALL_BENCHES):
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(STATIC_SKARNET)

# libFuzzer is C++, and has the main.
$(ALL_FUZZERS):
	@mkdir -p $(@D)
	$(CXX) -o $@ $^ $(LDFLAGS_ALL) -fsanitize=fuzzer $(STATIC_SKARNET)

$(O)/html/%.html: doc/%
	@mkdir -p $(@D)
	mandoc -T html -O 'man=%N.%S.html' $< > $@.tmp
	mv $@.tmp $@

# The commands of README: each installs what is missing, configures if nobody has, builds on every processor, and only then runs.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

demo:
	@tools/setup build demo
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory $(JOBS) all
	@tools/demo $(O)

check:
	@tools/setup build demo check html
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory $(JOBS) tests
	@tools/check $(O)

bench:
	@tools/setup build check
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory $(JOBS) benches
	@tools/bench $(O)

# The pages.
html:
	@tools/setup html
	@$(MAKE) --no-print-directory $(JOBS) $(HTML)

# Super-servers at their limit, for SOAK_SECONDS.
soak:
	@tools/setup build
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory $(JOBS) $(O)/soak-super
	@$(O)/soak-super $(SOAK_SECONDS)

# Each parser of foreign bytes, for FUZZ_SECONDS.
fuzz:
	@tools/setup build check
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory $(JOBS) FUZZ=1 fuzzers
	@tools/fuzz build/fuzz

# Both compilers without a warning, the formatting, the pages.
lint:
	@tools/setup build check html
	@test -e config.mak || ./configure
	@tools/lint

install: $(ALL_BINS:$(O)/%=$(DESTDIR)$(bindir)/%) install-library install-pages

install-library: $(LIBRARIES:$(O)/public/%=$(DESTDIR)$(libdir)/%) $(DESTDIR)$(libdir)/pkgconfig/libpm.pc \
  $(ALL_HEADERS:src/include/%=$(DESTDIR)$(includedir)/%)

$(ALL_BINS:$(O)/%=$(DESTDIR)$(bindir)/%): $(DESTDIR)$(bindir)/%: $(O)/% package/modes
	@mkdir -p $(@D)
	install -m $$(awk '$$1 == "$*" { print $$2 }' package/modes) $< $@
	strip $@

$(DESTDIR)$(libdir)/libpm.a: $(O)/public/libpm.a
	@mkdir -p $(@D)
	install -m 644 $< $@

$(DESTDIR)$(libdir)/libpm.so.$(VERSION): $(O)/public/libpm.so.$(VERSION)
	@mkdir -p $(@D)
	install -m 755 $< $@
	ln -sf $(@F) $(@D)/libpm.so

$(DESTDIR)$(libdir)/pkgconfig/libpm.pc: $(O)/public/libpm.pc
	@mkdir -p $(@D)
	install -m 644 $< $@

$(DESTDIR)$(includedir)/%.h: src/include/%.h
	@mkdir -p $(@D)
	install -m 644 $< $@

install-pages:
	@for page in $(PAGES); do \
	  dir=$(DESTDIR)$(mandir)/man$${page##*.} && mkdir -p "$$dir" && install -m 644 "$$page" "$$dir/" || exit 1; \
	done

clean:
	rm -rf build build-san build-lint

distclean: clean
	rm -f config.mak src/include/pm/base/config.h

.PHONY: it all tests benches fuzzers fuzzer-objects seen html demo check bench soak fuzz lint install install-library install-pages clean distclean
.DELETE_ON_ERROR:
