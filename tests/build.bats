#!/usr/bin/env bats
# The build, from what a clone holds: what it makes, how it is layered, that its lists are true.
load common
setup() { cd "$PM_SOURCE"; }

# A copy of what is committed or about to be, built once for all tests of this file, with a warning for an error.
setup_file() {
  export TREE=$BATS_FILE_TMPDIR/tree DEST=$BATS_FILE_TMPDIR/dest
  mkdir "$TREE"
  (cd "$PM_SOURCE" && git ls-files -co --exclude-standard -z | tar --null -T - -cf -) | tar -xf - -C "$TREE"
  (cd "$TREE" && unset SAN MAKEFLAGS MAKELEVEL && ./configure --prefix=/usr --with-registry=/run/elsewhere && make -j4 FLAGS_LINT=-Werror all tests benches fuzzer-objects && make install DESTDIR="$DEST") \
    >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log"; return 1; }
}

@test "build: every program needs the C library and nothing else, and is under 60 KB, but for two" {
  for program in "$DEST"/usr/bin/pm-*; do
    run -0 sh -c "ldd '$program' | sed 's/ .*//' | grep -vE 'linux-vdso|libc\.so\.6|ld-linux' || echo nothing else"
    assert_output 'nothing else'
    most=60000
    # It is started once, and no stage of a chain: CONTRIBUTING says what it is made of.
    [[ $program != */pm-rpcbindd ]] || most=96500
    # Every way to hash a password that crypt(3) knows is in it; it is started for a password and for nothing else.
    [[ $program != */pm-crypt ]] || most=240000
    [ "$(stat -c %s "$program")" -lt $most ] || { ls -l "$program"; return 1; }
  done
  assert_equal "$(cd "$DEST/usr/bin" && ls)" "$(awk '{ print $1 }' "$PM_SOURCE/package/modes")"
}

@test "build: what is installed is whole: pages, library, headers; the default registry is the one configured" {
  assert_equal "$(ls "$DEST"/usr/share/man/man*/ | grep -c '\.[178]$')" "$(ls "$PM_SOURCE"/doc/*.[178] | wc -l)"
  run -111 env -u PM_REGISTRY "$DEST/usr/bin/pm-lookup" web
  assert_output --partial /run/elsewhere
  cat >"$BATS_TEST_TMPDIR/x.cpp" <<'EOT'
#include <pm/registry/lookup.h>
int main(int argc, char **argv) {
  auto const registry = pm::registry::Registry::open(argv[argc - 1]);
  return registry ? 0 : registry.error().code;
}
EOT
  cd "$BATS_TEST_TMPDIR"
  include=-I/usr/include/$(gcc -print-multiarch)
  g++ -std=c++20 -fno-exceptions -I"$DEST/usr/include" "$include" -c x.cpp
  gcc x.o "$DEST/usr/lib/libpm.a" -l:libskarnet.a -o x
  run -2 ./x ./missing
}

@test "build: --enable-static-libc makes programs that need nothing" {
  cp -a "$TREE" "$BATS_TEST_TMPDIR/static"
  cd "$BATS_TEST_TMPDIR/static"
  # The objects are the same: only linking differs.
  rm build/pm-*
  ./configure --enable-static-libc --with-registry=/run/elsewhere >log
  find build -name '*.o' -exec touch {} +
  (unset SAN MAKEFLAGS MAKELEVEL; make -j4) >>log 2>&1 || { cat log; return 1; }
  run -1 grep 'g++' log
  for program in build/pm-*; do
    run ldd "$program"
    assert_output --partial 'not a dynamic executable'
  done
  ./build/pm-mkregistry "$BATS_TEST_TMPDIR/reg"
  run -0 ./build/pm-reg -r "$BATS_TEST_TMPDIR/reg" web none ./build/pm-lookup -r "$BATS_TEST_TMPDIR/reg" web
  assert_output none
}

@test "build: a changed header rebuilds what includes it, nothing changed rebuilds nothing" {
  cd "$TREE"
  unset SAN MAKEFLAGS MAKELEVEL
  run -0 make -q
  touch src/include/pm/registry/keep.h
  run -0 make -n
  assert_output --partial 'src/libpm/registry/keep.cpp'
  assert_output --partial 'src/registry/pm-reg.cpp'
  refute_output --partial 'lookup.cpp'
  ./configure --prefix=/usr --with-registry=/run/elsewhere >/dev/null
  touch -d '1 hour ago' src/include/pm/registry/keep.h
}

@test "build: package/deps.mak is what tools/gen-deps.sh writes" {
  tools/gen-deps.sh | diff package/deps.mak -
}

@test "build: layers: an include points down, never up or sideways" {
  # Who may include what, besides itself: README's folders.
  allowed() {
    case $1 in
      base) echo base ;;
      xdr) echo 'base xdr' ;;
      message) echo 'base xdr message' ;;
      fifodir) echo 'base fifodir' ;;
      registry) echo 'base fifodir xdr message registry' ;;
      rpc) echo 'base fifodir xdr registry rpc' ;;
      events) echo 'base fifodir registry events' ;;
      client) echo 'base registry client' ;;
      super) echo 'base fifodir message fdpass super' ;;
      fdpass) echo 'base fifodir xdr message fdpass' ;;
      opener) echo 'base xdr message opener' ;;
      fdstore) echo 'base xdr message fdpass super fdstore' ;;
      programs) echo 'base fifodir message registry events super fdpass fdstore opener rpc' ;;
      *) echo "a folder that no layer is given: $1" >&2; return 1 ;;
    esac
  }
  for file in $(git ls-files -co --exclude-standard 'src/*.cpp' 'src/*.h'); do
    case $file in
      src/include/pm/*) layer=${file#src/include/pm/} ;;
      src/libpm/*) layer=${file#src/libpm/} ;;
      src/registry/* | src/events/* | src/super/* | src/fdpass/* | src/rpc/*) layer=programs/ ;;
      *) echo "outside of every layer: $file"; return 1 ;;
    esac
    may=$(allowed "${layer%%/*}")
    for target in $(sed -n 's/^#include <pm\/\([a-z]*\)\/.*/\1/p' "$file"); do
      [[ " $may " == *" $target "* ]] || { echo "$file includes pm/$target/"; return 1; }
    done
    if grep -n '^#include "' "$file"; then echo "$file includes by a relative path"; return 1; fi
    [ "$file" = src/include/pm/base/skalibs.h ] || ! grep -n '#include <\(skalibs\|execline\)/' "$file" || return 1
  done
}

@test "build: system calls go through pm::sys" {
  # What is left is said: a child between fork and exit, questions that cannot fail.
  run grep -nE '(^|[^:a-z_.>])::(open|openat|close|read|write|unlink|rename|mkdir|mkfifo|link|fork|kill|poll|flock|fcntl|pipe|socket|stat|fstat|chown|chmod|getdents)[a-z0-9]*\(' \
    $(git ls-files -co --exclude-standard 'src/*.cpp' 'src/*.h' | grep -v '^src/libpm/base/sys\.cpp$\|^src/libpm/base/lock\.cpp$')
  assert_failure
}

@test "build: where nobody has configured, make says that to who builds, and to nobody else" {
  mkdir "$BATS_TEST_TMPDIR/fresh"
  (cd "$TREE" && tar --exclude=./build -cf - .) | tar -xf - -C "$BATS_TEST_TMPDIR/fresh"
  cd "$BATS_TEST_TMPDIR/fresh"
  rm config.mak src/include/pm/base/config.h
  unset SAN MAKEFLAGS MAKELEVEL
  for goal in all install; do
    run -2 make "$goal"
    assert_line -n 0 'Please ./configure first'
    assert_line -n 1 --partial 'config.mak] Error 1'
    assert_equal "${#lines[@]}" 2
  done
  run -0 make clean
  refute_output --partial configure
}

@test "build: configure says what it takes, and refuses the rest" {
  run -0 ./configure --help
  for option in --prefix --bindir --libdir --includedir --mandir --with-include --with-lib --with-registry --enable-static-libc --enable-shared; do
    assert_output --partial "$option"
  done
  cd "$TREE"
  run -100 ./configure --with-x
  run -100 ./configure --with-registry=relative
}

@test "build: both compilers have nothing to say of anything, nor has clang-format; lists and scripts are right" {
  cp -a "$TREE" "$BATS_TEST_TMPDIR/lint"
  cd "$BATS_TEST_TMPDIR/lint"
  # What g++ has to say it has said already: to build this tree is what lint does with it.
  mkdir build-lint
  mv build build-lint/g++
  git init -q . && git add -A
  (unset SAN MAKEFLAGS MAKELEVEL; tools/lint) >log 2>&1 || { cat log; return 1; }
}

@test "build: no file of the project names this machine" {
  run grep -rnF -e "$PM_SOURCE/" $(git ls-files -co --exclude-standard)
  assert_failure
}
