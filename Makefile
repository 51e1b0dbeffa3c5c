# GNU make. What is built is listed in package/targets.mak; what it depends on, in package/deps.mak (tools/gen-deps.sh).

it: all

-include config.mak
include package/targets.mak

# Each way of building has a directory of its own: build, build-san with SAN=1, build/fuzz with FUZZ=1.
ifneq ($(filter-out 0,$(SAN)),)
O := build-san
FLAGS_SAN := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifneq ($(filter-out 0,$(FUZZ)),)
O := build/fuzz
CC := clang
CXX := clang++
FLAGS_SAN := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
else
O ?= build
endif

CPPFLAGS_ALL := -D_GNU_SOURCE -Isrc/include $(CPPFLAGS_DIRS) $(CPPFLAGS)
CXXFLAGS_ALL := -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections \
  -fno-asynchronous-unwind-tables -Wall -Wextra -Wshadow -Wconversion $(CXXFLAGS) $(FLAGS_SAN)
# With the C driver, never with libstdc++. skalibs is linked static wherever it is. Nothing unwinds, so no program has tables for that.
LDFLAGS_ALL := $(LDFLAGS_DIRS) $(LDFLAGS_STATIC) $(LDFLAGS_RELR) -Wl,--gc-sections -Wl,--as-needed -Wl,-z,noseparate-code -Wl,-z,now -Wl,--no-ld-generated-unwind-info -Wl,--no-eh-frame-hdr -Wl,--build-id=none $(LDFLAGS) $(FLAGS_SAN)
STATIC_SKARNET = $(patsubst -lskarnet,-l:libskarnet.a,$(EXTRA_LIBS))

include package/deps.mak

ALL_BINS := $(BIN_TARGETS:%=$(O)/%)
ALL_TESTS := $(TEST_TARGETS:%=$(O)/%) $(BIN_TARGETS:%=$(O)/fault/%)
ALL_BENCHES := $(BENCH_TARGETS:%=$(O)/%)
ALL_FUZZERS := $(FUZZ_TARGETS:%=$(O)/%)
ALL_HEADERS := $(wildcard src/include/pm/*/*.h)
PAGES := $(wildcard doc/*.[178])
HTML := $(PAGES:doc/%=$(O)/html/%.html)

all: $(ALL_BINS) $(O)/libpm.a
tests: all $(ALL_TESTS)
benches: all $(ALL_BENCHES)
fuzzers: $(ALL_FUZZERS)
fuzzer-objects: $(FUZZ_TARGETS:%=$(O)/tests/fuzz/%.o)
html: $(HTML)

config.mak:
	@echo 'Please ./configure first' >&2; exit 1

$(O)/%.o: %.cpp config.mak
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) -c -o $@ $<

# The one test that is made of another RPC library.
$(O)/tests/tools/tirpc.o: CPPFLAGS_ALL += -isystem /usr/include/tirpc

$(O)/libpm.a:
	rm -f $@
	$(AR) rcD $@ $^

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

# The commands of README: each installs what is missing, configures if nobody has, builds, and only then runs.

demo:
	@tools/setup build demo
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory all
	@tools/demo $(O)

check:
	@tools/setup build demo check
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory tests
	@tools/check $(O)

bench:
	@tools/setup build
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory benches
	@tools/bench $(O)

# Each parser of foreign bytes, for FUZZ_SECONDS.
fuzz:
	@tools/setup build check
	@test -e config.mak || ./configure
	@$(MAKE) --no-print-directory FUZZ=1 fuzzers
	@tools/fuzz build/fuzz

# Both compilers without a warning, the formatting, the pages.
lint:
	@tools/setup build check
	@test -e config.mak || ./configure
	@tools/lint

install: $(ALL_BINS:$(O)/%=$(DESTDIR)$(bindir)/%) $(DESTDIR)$(libdir)/libpm.a \
  $(ALL_HEADERS:src/include/%=$(DESTDIR)$(includedir)/%) install-pages

$(ALL_BINS:$(O)/%=$(DESTDIR)$(bindir)/%): $(DESTDIR)$(bindir)/%: $(O)/% package/modes
	@mkdir -p $(@D)
	install -m $$(awk '$$1 == "$*" { print $$2 }' package/modes) $< $@
	strip $@

$(DESTDIR)$(libdir)/libpm.a: $(O)/libpm.a
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

.PHONY: it all tests benches fuzzers fuzzer-objects html demo check bench fuzz lint install install-pages clean distclean
.DELETE_ON_ERROR:
