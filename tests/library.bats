#!/usr/bin/env bats
# The library's own tests: C++ programs, each of which says what failed and where.
load common
setup() { common_setup; }
teardown() { common_teardown; }

@test "library: names, addresses, records and numbers are read or refused" { run -0 "$PM_BUILD/text"; }
@test "library: accepting connections: without descriptors, with a spare one, and from what listens no more" {
  run -0 "$PM_BUILD/accept" </dev/null
}
@test "library: waiting for a path, and when a failed operation is tried again" { run -0 "$PM_BUILD/retry"; }
@test "library: starting programs: descriptors, signals, environment, PATH, errors" { run -0 "$PM_BUILD/spawn" </dev/null; }
@test "library: the registry core, rule by rule" { run -0 "$PM_BUILD/registry"; }
@test "library: the tables of a super-server, and what it says of names; what a worker has answered" { run -0 "$PM_BUILD/super"; }
@test "library: the encoding, and messages with descriptors" { run -0 "$PM_BUILD/message"; }
@test "library: connections: LWMsg's cases, what a peer can say, fragments, descriptors, without blocking, untyped" {
  run -0 "$PM_BUILD/connection"
}
@test "library: asking a port mapper: old ones, and such as answer nonsense, late or never" { run -0 "$PM_BUILD/rpc"; }
@test "library: SIGKILL at every system call of every change" { run -0 "$PM_BUILD/crash"; }
@test "library: a failure at every system call of every change" { run -0 "$PM_BUILD/failures"; }
@test "library: the port mapper's rows: SIGKILL and a failure at every system call of SET and UNSET" { run -0 "$PM_BUILD/rows"; }
@test "library: events: requests, netstrings, notify, waiting and watching, one and any, through a child and a service" {
  run -0 "$PM_BUILD/events"
}
@test "library: SIGKILL of a writer at every system call, while others wait" { run -0 "$PM_BUILD/crash-waiters"; }
@test "library: a failure at every system call of waiting" { run -0 "$PM_BUILD/failures-waiters"; }

@test "library: each parser of foreign bytes reads the inputs that once showed a fault" {
  local seeds target
  for seeds in "$PM_SOURCE"/tests/fuzz/seeds/*; do
    target=$PM_BUILD/${seeds##*/}
    # Without libcurl or libjansson some are not built.
    [[ -x $target || $target = */fuzz-etcd-* ]]
    [ ! -x "$target" ] || run -0 "$target" "$seeds"/*
  done
}

@test "pm.h: two threads with a handle each, under the thread sanitizer" {
  # Compiling the library once more takes a minute.
  [ -z "$PM_MEASURES_MEMORY" ] || skip 'only make check SAN=1 runs this test, because it compiles libpm once more'
  (unset SAN MAKEFLAGS MAKELEVEL && make -C "$PM_SOURCE" -j2 SAN=thread O="$PWD/tsan" "$PWD/tsan/libpm.a") >log 2>&1 || { cat log; return 1; }
  gcc -fsanitize=thread -I"$PM_SOURCE/src/include" "$PM_SOURCE/tests/client/c-client.c" tsan/libpm.a -l:libskarnet.a -o c-client
  export TSAN_OPTIONS=halt_on_error=1
  for scenario in nonblocking waits; do run -0 timeout 120 ./c-client $scenario; done
  # Each has a registry, too: to wait for a lock, libpm forks with clone(2), which the sanitizer does not know.
  pm-mkregistry second
  run -0 timeout 120 ./c-client threads second
}
