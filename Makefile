# GNU make. Every src/ROOM/pm-NAME.cpp is a program; every other .cpp below src/cli and src/libpm is part of that library.

it: all

# Not -include: make would try to build config.mak, and complain, even for clean.
include $(wildcard config.mak)
include package/info

# Each kind of build has a directory of its own: build, build-san with SAN=1, build-tsan with SAN=thread, build/fuzz with FUZZ=1.
ifeq ($(SAN),thread)
O := build-tsan
FLAGS_SAN := -O1 -g1 -fno-omit-frame-pointer -fsanitize=thread
else
ifneq ($(filter-out 0,$(SAN)),)
O := build-san
FLAGS_SAN := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifneq ($(filter-out 0,$(FUZZ)),)
O := build/fuzz
CC := clang
CXX := clang++
# The flags that configure chose are for another compiler.
CXXFLAGS :=
FLAGS_SAN := -O1 -g1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
else
O ?= build
endif
endif

# What has etcd in its name needs libcurl and libjansson, and is left out if configure did not find them.
with_etcd = $(if $(ETCD),$1,$(foreach file,$1,$(if $(findstring etcd,$(file)),,$(file))))
PROGRAM_SOURCES := $(call with_etcd,$(wildcard src/*/pm-*.cpp))
PROGRAMS := $(notdir $(PROGRAM_SOURCES:.cpp=))
PAGES := $(call with_etcd,$(wildcard doc/*.[178]))
PUBLIC_HEADERS := $(wildcard src/include/*.h src/include/pm/*.h)
LIBRARIES := $(O)/libpm.a $(if $(SHARED),$(O)/libpm.so.$(version))

# Of each program, in bash, zsh and fish.
COMPLETIONS := $(foreach program,$(PROGRAMS),bash/$(program) zsh/_$(program) fish/$(program).fish)

all: $(PROGRAMS:%=$(O)/%) $(LIBRARIES) $(O)/libpm.pc $(if $(COMPLETION),completion)

# --- Installing ---

install: install-programs install-library install-pages $(if $(COMPLETION),install-completion)

install-programs: $(PROGRAMS:%=$(O)/%)
	install -d $(DESTDIR)$(bindir)
	install -s -m 755 $^ $(DESTDIR)$(bindir)

install-library: $(LIBRARIES) $(O)/libpm.pc
	install -d $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir)/pm
	install -m 644 $(LIBRARIES) $(DESTDIR)$(libdir)
	$(if $(SHARED),for link in libpm.so.$(abi) libpm.so; do ln -sf libpm.so.$(version) $(DESTDIR)$(libdir)/$$link; done)
	install -m 644 $(O)/libpm.pc $(DESTDIR)$(libdir)/pkgconfig
	install -m 644 src/include/*.h $(DESTDIR)$(includedir)
	install -m 644 src/include/pm/*.h $(DESTDIR)$(includedir)/pm

install-pages: config.mak
	$(foreach section,1 7 8,install -d $(DESTDIR)$(mandir)/man$(section) && \
	  install -m 644 $(filter %.$(section),$(PAGES)) $(DESTDIR)$(mandir)/man$(section) &&) :

# Where each shell looks.
COMPLETION_DIRS := bash-completion/completions zsh/vendor-completions fish/vendor_completions.d
install-completion: completion
	cd $(O)/completion && for to in $(COMPLETION_DIRS); do \
	  install -d $(DESTDIR)$(datadir)/$$to && install -m 644 $${to%%[-/]*}/* $(DESTDIR)$(datadir)/$$to || exit 1; \
	done

# Removes exactly the files that install makes with this configuration.
uninstall: config.mak
	rm -f $(PROGRAMS:%=$(DESTDIR)$(bindir)/%) $(LIBRARIES:$(O)/%=$(DESTDIR)$(libdir)/%) $(if $(SHARED),$(DESTDIR)$(libdir)/libpm.so.$(abi) $(DESTDIR)$(libdir)/libpm.so) \
	  $(DESTDIR)$(libdir)/pkgconfig/libpm.pc $(PUBLIC_HEADERS:src/include/%=$(DESTDIR)$(includedir)/%) \
	  $(foreach page,$(notdir $(PAGES)),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page)))/$(page))
	cd $(DESTDIR)$(datadir) 2>/dev/null && rm -f $(PROGRAMS:%=bash-completion/completions/%) \
	  $(PROGRAMS:%=zsh/vendor-completions/_%) $(PROGRAMS:%=fish/vendor_completions.d/%.fish) || :
	rmdir $(DESTDIR)$(includedir)/pm 2>/dev/null || :

# The files that git knows, and nothing else: the tarball builds without git.
dist:
	git archive --prefix=$(package)-$(version)/ -o $(package)-$(version).tar.gz HEAD

clean:
	rm -rf build build-san build-tsan build-lint

distclean: clean
	rm -f config.mak src/libpm/util/config.h $(package)-$(version).tar.gz

# --- Building ---

CPPFLAGS_ALL := -D_GNU_SOURCE -iquote src -Isrc/include $(CPPFLAGS_DIRS) $(CPPFLAGS)
CXXFLAGS_ALL := -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections \
  -fno-asynchronous-unwind-tables -fno-plt -Wall -Wextra -Wshadow -Wconversion $(CXXFLAGS) $(FLAGS_SAN) $(FLAGS_LINT)
COMPILE = $(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL)
# The C driver links, so that no program loads libstdc++. Nothing unwinds, so no program has tables for that.
LDFLAGS_ALL := $(LDFLAGS_DIRS) $(LDFLAGS_STATIC) $(LDFLAGS_RELR) -Wl,--gc-sections -Wl,--as-needed -Wl,-z,noseparate-code -Wl,-z,now \
  -Wl,--no-ld-generated-unwind-info -Wl,--no-eh-frame-hdr -Wl,--build-id=none $(LDFLAGS) $(FLAGS_SAN)

$(O)/%.o: %.cpp config.mak
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

CLI_OBJECTS := $(patsubst %.cpp,$(O)/%.o,$(wildcard src/cli/*.cpp))
ETCD_OBJECTS := $(patsubst %.cpp,$(O)/%.o,$(call with_etcd,$(wildcard src/etcd/*.cpp)))
LIBPM_SOURCES := $(wildcard src/libpm/*/*.cpp)
LIBPM_OBJECTS := $(LIBPM_SOURCES:%.cpp=$(O)/%.o)
# The same objects are linked into libpm.so and into programs, which -fPIC makes 0.5% smaller.
$(LIBPM_OBJECTS): CXXFLAGS_ALL += -fPIC
# outdated ARCHIVE,OBJECTS: FORCE where the archive has an object whose source is gone.
outdated = $(if $(filter-out $(notdir $2),$(shell $(AR) t $1 2>/dev/null)),FORCE)
$(O)/libcli.a: $(CLI_OBJECTS) $(call outdated,$(O)/libcli.a,$(CLI_OBJECTS))
$(O)/libpm.a: $(LIBPM_OBJECTS) $(call outdated,$(O)/libpm.a,$(LIBPM_OBJECTS))
$(O)/libetcd.a: $(ETCD_OBJECTS) $(call outdated,$(O)/libetcd.a,$(ETCD_OBJECTS))
$(O)/libcli.a $(O)/libetcd.a $(O)/libpm.a:
	rm -f $@
	$(AR) rcD $@ $(filter %.o,$^)

$(O)/libpm.so.$(version): $(LIBPM_OBJECTS) package/libpm.map
	$(CC) -shared -Wl,-soname,libpm.so.$(abi) -Wl,--version-script=package/libpm.map -o $@ $(filter %.o,$^) $(filter-out -static,$(LDFLAGS_ALL)) -Wl,-z,defs -lskarnet

$(O)/libpm.pc: package/libpm.pc.in config.mak package/info
	@mkdir -p $(@D)
	sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(subst $$(prefix),$${prefix},$(libdir))|; s|@includedir@|$(subst $$(prefix),$${prefix},$(includedir))|' \
	  -e 's|@version@|$(version)|; s|@libs@|$(strip $(LDFLAGS_DIRS) $(if $(SHARED),,-l:libskarnet.a))|; s|@private@|$(strip $(LDFLAGS_DIRS) -l:libskarnet.a)|' \
	  -e 's| *$$||' $< >$@

# The object of the program, and what it needs of the libraries. Two objects stand in front of libpm and replace parts of it:
# RUNTIME what it calls after a bug, FAULT its system calls.
RUNTIME := $(O)/src/cli/runtime.o $(O)/src/cli/say.o
LINK = $(LINKER) -o $@ $(filter %.o,$^) $(RUNTIME) $(filter %/libetcd.a,$^) $(O)/libcli.a $(O)/libpm.a $(LDFLAGS_ALL) $(LDFLAGS_KIND) -l:libskarnet.a $(LIBS)
LINKER = $(CC)
# program SOURCE-WITHOUT-.cpp: what each kind of a program is linked from. The kinds in folders are for tests and benchmarks.
define program
$(O)/$(notdir $1) $(O)/fault/$(notdir $1) $(O)/static/$(notdir $1): $(O)/$1.o $(O)/libcli.a $(O)/libpm.a
ifneq ($(findstring etcd,$1),)
$(O)/$(notdir $1) $(O)/fault/$(notdir $1): $(O)/libetcd.a
$(O)/$(notdir $1) $(O)/fault/$(notdir $1): LIBS := -lcurl -ljansson
endif
endef
$(foreach source,$(PROGRAM_SOURCES),$(eval $(call program,$(source:.cpp=))))
$(PROGRAMS:%=$(O)/%):
	$(LINK)

# What shells complete, from the option tables, which --help prints. RUN: a program that runs programs for another machine.
completion: $(COMPLETIONS:%=$(O)/completion/%)
$(O)/completion/help/%: $(O)/%
	@mkdir -p $(@D)
	$(RUN) $< --help >$@
# complete SHELL,BEFORE
define complete
	@mkdir -p $(@D)
	{ $2cat src/completion/$1 && awk -v shell=$1 -f src/completion/table.awk $<; } >$@
endef
$(COMPLETIONS:%=$(O)/completion/%): src/completion/table.awk config.mak
$(O)/completion/bash/%: $(O)/completion/help/% src/completion/bash
	$(call complete,bash)
$(O)/completion/zsh/_%: $(O)/completion/help/% src/completion/zsh
	$(call complete,zsh,echo '#compdef $*' && )
$(O)/completion/fish/%.fish: $(O)/completion/help/% src/completion/fish
	$(call complete,fish)
.SECONDARY: $(PROGRAMS:%=$(O)/completion/help/%)

comma := ,
# With a sanitizer, which looks for crypt_r in shared libraries only, libcrypt is one.
$(O)/pm-crypt $(O)/fault/pm-crypt $(O)/static/pm-crypt: LIBS := $(if $(FLAGS_SAN),-Wl$(comma)--no-as-needed -lcrypt,-l:libcrypt.a)

-include $(shell test ! -d $(O) || find $(O) -name '*.d')

# --- For developers: CONTRIBUTING.md ---

TEST_SOURCES := $(call with_etcd,$(wildcard tests/lib/*.cpp tests/tools/*.cpp))
BENCH_SOURCES := $(call with_etcd,$(wildcard tests/bench/*.cpp))
FUZZ_SOURCES := $(call with_etcd,$(wildcard tests/fuzz/fuzz-*.cpp))
$(foreach source,$(TEST_SOURCES) $(BENCH_SOURCES) $(FUZZ_SOURCES),$(eval $(call program,$(source:.cpp=))))
built = $(patsubst %.cpp,$(O)/$2%,$(notdir $1))
ALL_TESTS := $(call built,$(TEST_SOURCES)) $(call built,$(PROGRAM_SOURCES),fault/)
ALL_BENCHES := $(call built,$(BENCH_SOURCES)) $(call built,$(filter-out src/cluster/pm-etcd-%,$(PROGRAM_SOURCES)) nothing.cpp,static/)
ALL_FUZZERS := $(call built,$(FUZZ_SOURCES))

tests: all $(ALL_TESTS) $(ALL_FUZZERS)
benches: all $(ALL_BENCHES)
fuzzers: $(ALL_FUZZERS)
# But for the program that tests the installed library, which has exceptions.
ALL_SOURCES := $(filter-out tests/client/%,$(call with_etcd,$(wildcard src/*/*.cpp src/libpm/*/*.cpp tests/*/*.cpp)))
objects: $(ALL_SOURCES:%.cpp=$(O)/%.o)

$(ALL_TESTS) $(ALL_BENCHES) $(ALL_FUZZERS):
	@mkdir -p $(@D)
	$(LINK)
# Some need the C++ library. libFuzzer, which is C++, has the main; without it the targets only repeat inputs.
$(ALL_FUZZERS): LINKER := $(CXX)
ifneq ($(filter-out 0,$(FUZZ)),)
$(ALL_FUZZERS): LINKER += -fsanitize=fuzzer
else
$(ALL_FUZZERS): $(O)/tests/fuzz/replay.o
endif
$(O)/static/%: LDFLAGS_KIND := -static
$(O)/nothing $(O)/static/nothing: RUNTIME :=

FAULT := $(O)/tests/fault/sys.o $(O)/tests/fault/fault.o
FAULTY_TESTS := connection crash crash-waiters failures failures-waiters message retry rows spawn
$(FAULTY_TESTS:%=$(O)/%) $(call built,$(PROGRAM_SOURCES),fault/): $(FAULT)

$(O)/tirpc $(O)/bench-peers: LIBS := -ltirpc
$(O)/bench-peers: LIBS += -ldbus-1
$(O)/tests/tools/tirpc.% $(O)/tests/bench/bench-peers.%: CPPFLAGS_ALL += -isystem /usr/include/tirpc
$(O)/tests/bench/bench-peers.%: CPPFLAGS_ALL += $(subst -I,-isystem ,$(shell pkg-config --cflags dbus-1 2>/dev/null))

# Compiles everything with clang++, for its warnings only. It reads the headers that most sources need once, which halves the time.
seen: $(ALL_SOURCES:%.cpp=$(O)/%.seen)
$(O)/headers.pch: config.mak
	@mkdir -p $(@D)
	printf '#include <%s>\n' algorithm memory optional span string_view tl/expected.hpp | $(COMPILE) -x c++-header -o $@ -
$(O)/%.seen: %.cpp config.mak $(O)/headers.pch
	@mkdir -p $(@D)
	$(COMPILE) -include-pch $(O)/headers.pch -fsyntax-only $<
	@touch $@

html-pages: $(PAGES:doc/%=$(O)/html/%.html)
$(O)/html/%.html: doc/%
	@mkdir -p $(@D)
	mandoc -T html -O 'man=%N.%S.html' $< > $@.tmp
	mv $@.tmp $@

# Each installs what is missing, configures if needed, builds on every processor, and runs.
demo check bench soak fuzz lint html demo-cluster bench-cluster soak-cluster:
	@tools/dev $@ $(O)

config.mak:
	@echo 'Please ./configure first' >&2; exit 1

.PHONY: it all completion tests benches fuzzers objects seen html-pages html demo check bench soak fuzz lint dist \
  demo-cluster bench-cluster soak-cluster \
  install install-programs install-library install-pages install-completion uninstall clean distclean FORCE
.DELETE_ON_ERROR:
