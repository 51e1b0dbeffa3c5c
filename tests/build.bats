#!/usr/bin/env bats
# The build of a copy of the project: what it makes and installs, how the source is layered, what the library may do.
load common
setup() {
  cd "$PM_SOURCE"
  unset SAN FUZZ MAKEFLAGS MAKELEVEL
}

# A copy of the project's files, built once for all tests of this file, with every warning an error, and installed. Where make check
# was run with FLAGS_LINT=-Werror, as the gate does, its objects are used.
setup_file() {
  export TREE=$BATS_FILE_TMPDIR/tree DEST=$BATS_FILE_TMPDIR/dest
  copy_project "$TREE"
  (
    unset SAN FUZZ MAKEFLAGS MAKELEVEL
    cd "$TREE"
    ./configure --prefix=/usr --with-registry=/run/elsewhere &&
      if [ "${FLAGS_LINT:-}" = -Werror ]; then copy_objects src tests; fi &&
      make -j4 FLAGS_LINT=-Werror all objects && make install DESTDIR="$DEST"
  ) >"$BATS_FILE_TMPDIR/log" 2>&1 || { tail -n 30 "$BATS_FILE_TMPDIR/log"; return 1; }
}

# copy_built DIR: a copy of the built tree whose objects are newer than all else: make links there, and compiles nothing.
copy_built() {
  cp -a "$TREE" "$1"
  find "$1/build" -name '*.o' -exec touch {} +
}
# sources [DIR...]: the sources below src, or below these directories.
sources() {
  local directory
  for directory in "${@:-src}"; do project_files "$directory/*.cpp" "$directory/*.h"; done
}

# --- What is made ---

@test "build: every program needs the C library and no other" {
  assert_equal "$(cd "$DEST/usr/bin" && ls)" "$(ls src/*/pm-*.cpp | sed 's,.*/,,; s,\.cpp$,,' | sort)"
  for program in "$DEST"/usr/bin/pm-*; do
    # These speak HTTP and read JSON.
    if [[ $program = */pm-etcd-* ]]; then
      assert_equal "$(objdump -p "$program" | sed -n 's/^ *NEEDED *//p' | sort | xargs)" 'libc.so.6 libcurl.so.4 libjansson.so.4'
      continue
    fi
    run -0 sh -c "ldd '$program' | sed 's/ .*//' | grep -vE 'linux-vdso|libc\.so\.6|ld-linux' || echo no other"
    assert_output 'no other'
  done
}

@test "build: make install installs what is public, and no other file" {
  (
    cd "$PM_SOURCE"
    for file in src/*/pm-*.cpp; do basename "${file%.cpp}" | sed 's,^,bin/,'; done
    for file in doc/*.[178]; do echo "share/man/man${file##*.}/${file#doc/}"; done
    for file in src/*/pm-*.cpp; do
      program=$(basename "${file%.cpp}")
      printf 'share/%s\n' "bash-completion/completions/$program" "zsh/vendor-completions/_$program" "fish/vendor_completions.d/$program.fish"
    done
    for file in src/include/*.h src/include/pm/*.h; do echo "${file#src/}"; done
    printf 'lib/%s\n' libpm.a pkgconfig/libpm.pc
  ) | sort >"$BATS_TEST_TMPDIR/expected"
  (cd "$DEST/usr" && find . ! -type d -printf '%P\n') | sort | diff "$BATS_TEST_TMPDIR/expected" -
  run -111 env -u PM_REGISTRY "$DEST/usr/bin/pm-lookup" web
  assert_output --partial /run/elsewhere
}

@test "build: make uninstall removes what make install made, and no more" {
  copy_built "$BATS_TEST_TMPDIR/tree"
  cd "$BATS_TEST_TMPDIR/tree"
  root=$BATS_TEST_TMPDIR/root
  # Other packages' files, beside ours.
  mkdir -p "$root"/usr/bin "$root"/usr/lib/pkgconfig "$root"/usr/include/pm "$root"/usr/share/man/man1 \
    "$root"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  touch "$root"/usr/share/{bash-completion/completions/pm-other,zsh/vendor-completions/_pm-other,fish/vendor_completions.d/pm-other.fish}
  touch "$root"/usr/bin/pm-other "$root"/usr/lib/libpm.so.9 "$root"/usr/lib/pkgconfig/libpmother.pc "$root"/usr/include/pm/other.h \
    "$root"/usr/share/man/man1/pm-other.1
  find "$root" ! -type d | sort >"$BATS_TEST_TMPDIR/before"
  make -j4 install DESTDIR="$root" >log 2>&1 || { tail log; return 1; }
  [ "$(find "$root" ! -type d | wc -l)" -gt 70 ]
  make uninstall DESTDIR="$root" >>log
  find "$root" ! -type d | sort | diff "$BATS_TEST_TMPDIR/before" -
  rm "$root/usr/include/pm/other.h"
  make uninstall DESTDIR="$root" >>log
  assert_not_exist "$root/usr/include/pm"
}

@test "build: the tarball of make dist is whole and builds without git" {
  installed git
  copy_project "$BATS_TEST_TMPDIR/tree"
  cd "$BATS_TEST_TMPDIR/tree"
  git init -q . && git add -A && git -c user.name=x -c user.email=x commit -qm x
  touch not-added
  make dist
  name=pm-tools-$(sed -n 's/^version=//p' package/info)
  tar -xf "$name.tar.gz" -C "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR/$name"
  diff <(find . ! -type d -printf '%P\n' | sort) <(cd ../tree && git ls-files | sort)
  # Compiled here, these would be the same objects; the headers that they need must be here.
  ./configure --prefix=/usr --with-registry=/run/elsewhere >/dev/null
  cp -a "$TREE/build" .
  find build -name '*.o' -exec touch {} +
  mkdir path
  printf '#!/bin/sh\necho git is not here >&2; exit 127\n' >path/git
  chmod 755 path/git
  PATH=$PWD/path:$PATH make -j4 install DESTDIR="$PWD/dest" >log 2>&1 || { tail log; return 1; }
  run -1 grep -E 'git|-c -o' log
  diff <(cd dest && find . -printf '%P %m\n' | sort) <(cd "$DEST" && find . -printf '%P %m\n' | sort)
}

@test "build: for another machine, make makes no completion, unless RUN runs its programs" {
  # A compiler for another machine: what it links does not run here.
  cd "$BATS_TEST_TMPDIR"
  printf '#!/bin/sh\n%s "$@" && for last; do case $last in */try) sed -i "1s/^.ELF/.FLE/" "$last" ;; esac; done\n' gcc >cc
  printf '#!/bin/sh\nsed "1s/^.FLE/\\x7fELF/" "$1" >"$1.here" && chmod 755 "$1.here" && exec "$1.here"\n' >run
  chmod 755 cc run
  copy_project tree
  cd tree
  CC=$BATS_TEST_TMPDIR/cc ./configure
  run -0 make -n all install DESTDIR=/nowhere
  refute_output --partial completion
  CC=$BATS_TEST_TMPDIR/cc RUN=$BATS_TEST_TMPDIR/run ./configure
  run -0 make -n all install DESTDIR=/nowhere
  assert_output --partial "$BATS_TEST_TMPDIR/run build/pm-list --help >build/completion/help/pm-list"
  assert_output --partial /nowhere/usr/local/share
}

@test "build: --enable-static-libc makes programs that need no library" {
  copy_built "$BATS_TEST_TMPDIR/static"
  cd "$BATS_TEST_TMPDIR/static"
  rm build/pm-*
  ./configure --prefix=/usr --enable-static-libc --with-registry=/run/elsewhere >log
  find build -name '*.o' -exec touch {} +
  make -j4 >>log 2>&1 || { cat log; return 1; }
  run -1 grep -e '-c -o' log
  for program in build/pm-*; do
    run ldd "$program"
    assert_output --partial 'not a dynamic executable'
  done
  ./build/pm-mkregistry "$BATS_TEST_TMPDIR/reg"
  run -0 ./build/pm-reg -r "$BATS_TEST_TMPDIR/reg" web none ./build/pm-lookup -r "$BATS_TEST_TMPDIR/reg" web
  assert_output none
}

@test "build: make rebuilds what a change concerns, and nothing without one" {
  copy_built "$BATS_TEST_TMPDIR/tree"
  cd "$BATS_TEST_TMPDIR/tree"
  make -j4 >log 2>&1 || { tail log; return 1; }
  ./configure --prefix=/usr --with-registry=/run/elsewhere
  run -0 make -q
  touch src/libpm/fifodir/token.h
  run -0 make -n
  assert_output --partial ' src/libpm/fifodir/token.cpp'
  refute_output --partial ' src/libpm/util/text.cpp'
  touch -d '1 hour ago' src/libpm/fifodir/token.h
  run -0 make -q
  rm src/libpm/fifodir/token.cpp
  run -0 make -n
  assert_output --partial 'rm -f build/libpm.a'
  refute_output --partial 'fifodir/token.o'
}

@test "build: without config.mak, make says to configure, and no more" {
  copy_project "$BATS_TEST_TMPDIR/fresh"
  cd "$BATS_TEST_TMPDIR/fresh"
  for goal in all install install-pages uninstall tests; do
    run -2 make "$goal"
    assert_line -n 0 'Please ./configure first'
    assert_line -n 1 --partial 'config.mak] Error 1'
    assert_equal "${#lines[@]}" 2
  done
  for goal in clean distclean; do
    run -0 make "$goal"
    refute_output --partial configure
  done
}

@test "build: make distclean leaves what was there before configure" {
  copy_built "$BATS_TEST_TMPDIR/tree"
  cd "$BATS_TEST_TMPDIR/tree"
  make clean
  assert_not_exist build
  assert_file_exist config.mak
  make distclean
  diff <(find . ! -type d -printf '%P\n' | sort) <(cd "$PM_SOURCE" && project_files | sort)
}

@test "build: configure has the options of its help; make uses config.mak" {
  run -0 ./configure --help
  for option in --prefix --bindir --libdir --includedir --mandir --with-include --with-lib --with-registry --enable-static-libc --enable-shared; do
    assert_output --partial "$option"
  done
  cd "$TREE"
  run -100 ./configure --with-x
  run -100 ./configure --with-registry=relative
  for variable in $(sed -n 's/ :=.*//p' config.mak); do
    grep -q "[$]($variable)" Makefile || { echo "config.mak: $variable is not used"; return 1; }
  done
}

@test "build: make lint finds nothing" {
  cp -a "$TREE" "$BATS_TEST_TMPDIR/lint"
  cd "$BATS_TEST_TMPDIR/lint"
  # setup_file has compiled this tree with g++ as lint does.
  mkdir build-lint
  mv build build-lint/g++
  tools/lint >log 2>&1 || { cat log; return 1; }
}

# --- The source ---

@test "build: layers: an include points down, never up or sideways" {
  run -0 awk '
    BEGIN {
      below = "util os net message fifodir registry"
      may["util"] = "util"
      may["os"] = "util os"
      may["net"] = "util os net"
      may["message"] = "util os net message"
      may["fifodir"] = "util os net fifodir"
      may["notify"] = "util os net message notify"
      may["registry"] = below
      may["rpc"] = below " rpc"
      may["handover"] = below " handover"
      # pm-superd -w hands its connections over.
      may["super"] = below " handover super"
      may["client"] = below " rpc handover super client"
      may["cli"] = below " rpc handover super notify cli"
      may["etcd"] = below " cli etcd"
      may["programs"] = below " rpc handover super client cli etcd"
    }
    FNR == 1 {
      n = split(FILENAME, part, "/")
      if (FILENAME ~ /^src\/include\/(pm\/[^\/]*|pm\.h)$/) room = "public"
      else if (part[2] == "libpm" && n == 4) room = part[3]
      else if ((part[2] == "cli" || part[2] == "etcd") && n == 3) room = part[2]
      else if (FILENAME ~ /^src\/[a-z]*\/pm-[^\/]*\.cpp$/) room = "programs"
      else room = "none"
      if (room != "public" && !(room in may)) print FILENAME " is in no room that a layer is given to"
    }
    /^ *# *include/ {
      sub(/^ *# *include */, "")
      split($0, path, "/")
      # Public headers include public headers only, and every room may include them.
      if (/^</ && !/^<(libpm|cli)\// && !/^<pm\/.*\//) next
      target = $0 ~ /^"libpm\/[a-z]*\/[^\/]*"/ ? path[2] : $0 ~ /^"(cli|etcd)\// ? substr($0, 2, index($0, "/") - 2) : "unknown"
      if (!((" " may[room] " ") ~ (" " target " "))) print FILENAME " includes " $0
    }' $(sources)
  refute_output
}

@test "build: skalibs' headers are included by one file, a private one" {
  run -0 grep -lE '^ *# *include *[<"](skalibs|execline|s6)/' $(sources)
  assert_output --regexp '^src/libpm/[a-z]*/skalibs\.h$'
}

@test "build: public headers compile alone, with both compilers" {
  cd "$BATS_TEST_TMPDIR"
  (cd "$DEST/usr/include" && ls pm/*.h) | sed 's/.*/#include <&>/' >all.cpp
  for header in registry connection passing; do assert_file_contains all.cpp "<pm/$header.h>"; done
  # Each compiles in front of the others, too.
  sort -r all.cpp | cat - all.cpp >twice.cpp
  echo 'int main() { return 0; }' >>twice.cpp
  for compiler in g++ clang++; do
    for level in -O0 -O2; do
      for exceptions in -fexceptions -fno-exceptions; do
        run -0 $compiler -std=c++20 -Wall -Wextra -Wshadow -Werror $level $exceptions -I"$DEST/usr/include" -c -o all.o twice.cpp
      done
    done
    run -0 $compiler -std=c++20 -M -I"$DEST/usr/include" all.cpp
    refute_output --regexp '(skalibs|execline|s6)/'
    run -1 sh -c 'tr -s " \\\\" "\n\n" | grep /pm/ | grep -v "^$1/usr/include/pm/[a-z]*\.h$"' - "$DEST" <<<"$output"
  done
  while read -r line; do
    echo "$line" >one.cpp
    g++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$DEST/usr/include" one.cpp
  done <all.cpp
}

@test "build: system calls go through pm::sys" {
  run grep -nE '(^|[^:a-z_.>])::(open|openat|close|read|write|unlink|rename|mkdir|mkfifo|link|fork|kill|poll|flock|fcntl|pipe|socket|stat|fstat|chown|chmod|getdents)[a-z0-9]*\(' \
    $(sources | grep -vxE 'src/libpm/os/(sys|sys_sockets|lock)\.cpp')
  assert_failure
}

@test "build: libpm does not exit, print or read the command line" {
  cd "$BATS_TEST_TMPDIR"
  nm -A --undefined-only "$TREE/build/libpm.a" 2>/dev/null | sed -n 's/.*libpm\.a:\([^:]*\)\.o: *[Uw] /\1 /p' | sort -u >undefined
  nm --defined-only "$TREE/build/libcli.a" 2>/dev/null | awk 'NF == 3 && $2 ~ /[BDRT]/ { print $3 }' | sort -u >cli
  [ "$(wc -l <undefined)" -gt 1000 ] && grep -q _ZN2pm7die_sys cli
  {
    # The one _exit ends a child that was forked and has not executed a program.
    grep -E ' (exit|_exit|_Exit|quick_exit|abort|__assert.*|longjmp|_Z.*(terminate|__throw).*)$' undefined | grep -vx 'in_child _exit'
    # Printing: stdio, err(3), syslog(3), skalibs' buffers.
    grep -E ' (_*(v|f|d|vf|vd)?printf(_chk)?|_*f?put[sc](_unlocked)?|putchar(_unlocked)?|_*fwrite(_unlocked)?|fflush|perror|psignal|std(out|err)|_*v?(err|warn)x?c?|error|_*v?syslog(_chk)?|buffer_.*|strerr_.*|_ZSt4c(out|err|log))$' undefined
    (cd "$PM_SOURCE" && grep -nE 'write\((STD(OUT|ERR)_FILENO|[12]),' $(sources src/libpm))
    grep -E ' (PROG|program_invocation.*|__progname.*|__libc_argv|getopt.*|optarg|subgetopt.*)$' undefined
    # The environment is read by name where a file is about it.
    grep -E ' (environ|__environ|getenv|secure_getenv|putenv|setenv|unsetenv|clearenv|env_.*)$' undefined |
      grep -vxE '(environment|ucspi|connection_environment|handover|listend_client) (environ|env_len|env_merge)|(tree|listen_fds|receiver) getenv'
    # src/cli does all this, and the library calls none of it.
    awk 'NR == FNR { cli[$1]; next } $2 in cli && $2 != "_ZN2pm3bugEPKc"' cli undefined
  } >wrong || :
  run -0 c++filt <wrong
  refute_output
}

@test "build: libpm has no copy of a function of the C++ library" {
  run -0 sh -c 'nm --defined-only "$0" 2>/dev/null | grep -E " [VWu] _ZN?K?S[ta-z]" | grep -v 2pm | c++filt' "$TREE/build/libpm.a"
  refute_output
}

@test "build: every .cpp of libpm and of cli has its header beside it" {
  # runtime.cpp has what the compiler calls by itself, in programs without libstdc++: no source file calls it. The header of a file
  # with functions of pm.h is pm.h.
  run -0 sh -c 'for file; do [ -e "${file%.*}.h" ] || grep -q "^\(int\|void\|char\).* \*\?pm_[a-z_]*(.*{" "$file" || echo "${file%.*}"; done | sed s,^src/,, | LC_ALL=C sort' - $(sources src/libpm src/cli)
  assert_output cli/runtime
}

@test "build: no two classes share a name, whatever their namespaces" {
  run -0 sh -c 'sed -nE "s/^ *(class|struct|union) (\[\[[a-z]*\]\] )?([A-Z][A-Za-z0-9]*)( final)? *[:{].*/\3/p" "$@" | LC_ALL=C sort | uniq -d | paste -sd " " -' - $(sources)
  refute_output
}

@test "build: a program has at most 180 lines, a file of libpm and cli 300" {
  local wrong=0 lines file most
  while read -r lines file; do
    most=300
    [[ $file != src/*/pm-*.cpp ]] || most=180
    [ "$lines" -le $most ] || { echo "$file has $lines lines"; wrong=1; }
  done < <(sources | xargs wc -l | grep -v ' total$')
  return $wrong
}

@test "build: no file of the project names this machine" {
  run grep -rnF -e "$PM_SOURCE/" $(project_files)
  assert_failure
}
