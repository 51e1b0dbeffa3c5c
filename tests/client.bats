#!/usr/bin/env bats
# The installed library, as an ordinary program sees it: g++ with exceptions and the C++ library, what pkg-config says, static and shared.
load common
setup() { common_setup; }
teardown() { common_teardown; }

# Installed once for all tests of this file, from what is committed or about to be; the test's program, linked both ways.
setup_file() {
  export INSTALLED=$BATS_FILE_TMPDIR/installed CLIENTS=$BATS_FILE_TMPDIR
  chmod 755 "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
  copy_project "$BATS_FILE_TMPDIR/tree"
  (
    unset SAN MAKEFLAGS MAKELEVEL
    cd "$BATS_FILE_TMPDIR/tree"
    set -e
    ./configure --enable-shared --prefix="$INSTALLED/shared"
    # What make check has compiled is not compiled anew.
    if [ -d "$PM_SOURCE/build/src/libpm" ]; then
      mkdir -p build/src
      cp -a "$PM_SOURCE/build/src/libpm" build/src/
      find build -name '*.o' -exec touch {} +
    fi
    make -j4 install-library
    # As it is without --enable-shared; nothing is compiled anew.
    rm build/libpm.pc
    make SHARED= prefix="$INSTALLED/static" install-library
    for way in shared static; do
      build "$way" tests/client/client.cpp "$BATS_FILE_TMPDIR/client-$way" -Wall -Wextra -Werror
    done
  ) >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log"; return 1; }
}
# build static|shared SOURCE PROGRAM [OPTION...]: as a user of the library would.
build() {
  local flags && flags=$(PKG_CONFIG_PATH=$INSTALLED/$1/lib/pkgconfig pkg-config --cflags --libs libpm)
  # shellcheck disable=SC2086
  g++ -std=c++20 "${@:4}" "$2" $flags -Wl,-rpath,"$INSTALLED/$1/lib" -o "$3"
}
# each SCENARIO...: both programs, as the registry's owner.
each() {
  for way in static shared; do run -0 timeout 60 "$CLIENTS/client-$way" "$@"; done
}
# each_by_service SCENARIO...: as another user, through the registry's service.
each_by_service() {
  needs_root
  rm -rf served && pm-mkregistry -u $BOB served
  export PM_REGISTRY=$PWD/served
  # A batch of all that one call may have, and some more.
  PM_LIMIT_PROCESS=256 front served
  chmod 1777 .
  for way in static shared; do run -0 as $ALICE timeout 60 "$CLIENTS/client-$way" "$@"; done
}

@test "client: the headers, the library and the pkg-config file are there; the shared library needs no C++ library" {
  assert_file_exist "$INSTALLED/static/lib/libpm.a"
  assert_not_exist "$INSTALLED/static/lib/libpm.so"
  assert_file_exist "$INSTALLED/shared/lib/libpm.so"
  run -0 ldd "$INSTALLED/shared/lib/libpm.so"
  refute_output --partial stdc++
  run -0 ldd "$CLIENTS/client-shared"
  assert_output --partial "$INSTALLED/shared/lib/libpm.so."
  run -0 ldd "$CLIENTS/client-static"
  refute_output --partial libpm
  run -0 env PKG_CONFIG_PATH="$INSTALLED/static/lib/pkgconfig" pkg-config --modversion libpm
  assert_output --regexp '^[0-9]+\.[0-9]+\.[0-9]+$'
}

@test "client: make uninstall removes the shared library and its link" {
  cp -a "$INSTALLED/shared" installed
  touch installed/lib/libpm.so.9
  (unset SAN MAKEFLAGS MAKELEVEL && cd "$BATS_FILE_TMPDIR/tree" && make uninstall prefix="$BATS_TEST_TMPDIR/installed")
  run -0 find installed ! -type d
  assert_output installed/lib/libpm.so.9
}

@test "client: the program's own exceptions are its own" { each throws; }
@test "client: two exclusive addresses in a batch; a second batch is refused, and the first intact" { each exclusive-batches; }
@test "client: through the service: exclusive batches" { each_by_service exclusive-batches; }
@test "client: duplicates that are not exclusive" { each duplicates; }
@test "client: dereg, then exclusive again; absent is a result of its own" { each dereg-then-exclusive; }
@test "client: through the service: dereg, then exclusive again" { each_by_service dereg-then-exclusive; }
@test "client: pid2exe of oneself names the inode of one's executable" { each own-executable; }
@test "client: through the service: pid2exe of oneself" { each_by_service own-executable; }
@test "client: a deleted executable is known by its path, and a flag" {
  for way in static shared; do
    cp "$CLIENTS/client-$way" gone
    run -0 ./gone deleted-executable
  done
}
@test "client: two handles, one destroyed; registrations, one ended" { each two-handles; }
@test "client: through the service: two handles" { each_by_service two-handles; }
@test "client: addresses by text, port, descriptor and descriptors; each result its own" { each addresses; }
@test "client: through the service: addresses" { each_by_service addresses; }
@test "client: find, once and again" { each finds; }
@test "client: through the service: find" { each_by_service finds; }
@test "client: list, by each set" { each lists; }
@test "client: through the service: list" { each_by_service lists; }
@test "client: the stop descriptor, everywhere: cancelled, the handle closed, all it registered ended" { each stopped; }
@test "client: through the service: the stop descriptor" { each_by_service stopped; }
@test "client: forked: the child refuses to act, and the parent's registrations outlive it" { each forks; }
@test "client: through the service: forked" { each_by_service forks; }
@test "client: connect, in all its forms" { each connects; }
@test "client: through the service: connect" { each_by_service connects; }

@test "client: what waits for the lock is stopped, and gives up in its time" {
  touch reg/lock && chmod 600 reg/lock
  start_ready flock -x reg/lock sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null
  each waiting
}

@test "client: what waits for the service is stopped, and gives up in its time" {
  needs_root
  pm-mkregistry -u $BOB served
  export PM_REGISTRY=$PWD/served
  # It listens and does not accept.
  start_ready as $BOB s6-ipcserver-socketbinder -a 0777 "$PWD/served/socket" sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null
  for way in static shared; do run -0 as $ALICE timeout 60 "$CLIENTS/client-$way" waiting; done
}

@test "client: the limits, whose and which and its value; the rules" {
  needs_root
  pm-mkregistry -u $BOB served
  export PM_REGISTRY=$PWD/served
  PM_LIMIT_PROCESS=2 PM_LIMIT_USER=3 PM_NAMES='web*' front served
  for way in static shared; do
    run -0 as $ALICE timeout 60 "$CLIENTS/client-$way" limits
    pm-mkregistry -c served
  done
}

@test "client: registrations outlive a restart of the service, and the same handle registers with the new one" {
  needs_root
  pm-mkregistry -u $BOB served
  export PM_REGISTRY=$PWD/served
  for way in static shared; do
    front served
    mkfifo in.$way out.$way
    exec 6<>in.$way 7<>out.$way
    start as $ALICE "$CLIENTS/client-$way" stay web <in.$way >out.$way 6>&- 7>&-
    read -r -t 20 _ <&7
    end "${FRONTS[0]}"
    run -0 pm-lookup -a web
    front served
    echo >&6
    read -r -t 20 line <&7
    assert_equal "$line" both
    run -0 pm-lookup -a more
    end "$PID"
    exec 6>&- 7<&-
    await down served web
    end "${FRONTS[0]}"
  done
}

@test "client: one that is killed is down, though a child of its lives on" {
  for way in static shared; do
    "$CLIENTS/client-$way" killed >child || :
    read -r child <child
    STARTED+=("$child")
    kill -0 "$child"
    run -1 pm-lookup web
    kill -KILL "$child"
  done
}

@test "client: another user's server is refused with both uids, root's is trusted" {
  needs_root
  start_ready as $BOB "$PM_BUILD/greet" tcp:127.0.0.1:0 stolen </dev/null
  hold_as $ALICE web "$READY"
  each deceived web $ALICE $BOB
  start_ready "$PM_BUILD/greet" tcp:127.0.0.1:0 activated </dev/null
  hold_as $ALICE activated "$READY"
  each activated activated $ALICE
}

@test "client: the example, as its first lines say, and what it does" {
  build static "$PM_SOURCE/doc/examples/greeter.cpp" greeter -Wall -Wextra -Werror
  mkfifo out
  exec 6<>out
  start ./greeter serve </dev/null >out 6>&-
  read -r -t 20 line <&6
  assert_equal "$line" ready
  run -0 ./greeter
  assert_output "$PID says hello"
  run -1 ./greeter serve
  assert_output './greeter: another registration exists, and one of the two is exclusive'
  end "$PID"
  run -1 ./greeter
  assert_output './greeter: not registered'
}

@test "client: the datetime pair of 1988: one accepts and passes on, the other, which was running before, answers" {
  local program
  for program in datetime datetime-server; do build static "$PM_SOURCE/doc/examples/$program.cpp" $program -Wall -Wextra -Werror; done
  mkfifo out
  exec 6<>out
  start ./datetime test.dt </dev/null >out 6>&-
  local datetime=$PID
  read -r -t 20 line <&6
  assert_equal "$line" ready
  start ./datetime-server test.serv test.dt </dev/null >out 6>&-
  read -r -t 20 line <&6
  assert_equal "$line" accepting
  before=$(date -u +%F)
  for i in 1 2 3; do
    run -0 s6-ipcclient test.serv "${HEAR[@]}"
    assert_output --regexp "^($before|$(date -u +%F)) [0-2][0-9]:[0-5][0-9]:[0-6][0-9]$"
  done
  # Neither has more open than at first.
  assert_equal "$(count_open "$datetime")" "$(count_open "$PID")"
  # Without the other half no client gets an answer, and the server goes on.
  end "$datetime"
  run -0 s6-ipcclient test.serv "${HEAR[@]}"
  assert_output ''
}

@test "client: a connection's example, against both libraries: a descriptor is read at the other end; another user is refused" {
  local way
  mkfifo out
  exec 6<>out
  printf 'one\ntwo\nthree\n' >three
  for way in static shared; do
    build $way "$PM_SOURCE/doc/examples/lines.cpp" lines -Wall -Wextra -Werror
    start ./lines serve test.lines </dev/null >out 2>log 6>&-
    local server=$PID n
    read -r -t 20 line <&6
    assert_equal "$line" accepting
    for n in 1 2 3; do
      run -0 ./lines test.lines <three
      assert_output 3
    done
    # No server, no such path.
    run -111 ./lines no.lines <three
    assert_output 'lines: unable to have it counted: no process listens there'
    if [ "$(id -u)" = 0 ]; then
      chmod 777 test.lines
      run -1 as $ALICE ./lines test.lines <three
      assert_output 'lines: unable to have it counted: refused'
    fi
    run -0 ./lines test.lines </dev/null
    assert_output 0
    end "$server"
    rm test.lines
  done
}

@test "client: the statuses of a connection are those on its page, in their order" {
  sed -n '/^enum class Status/,/^}/s/^  \([a-z_]*\)\(,\|  *\|$\).*/\1/p' "$PM_SOURCE/src/include/pm/connection.h" >statuses
  assert_file_contains statuses '^bad_frame$'
  run -0 diff statuses <(sed -n '/^\.Ss Statuses/,/^\.El/s/^\.It Li \(.*\)$/\1/p' "$PM_SOURCE/doc/pm-connection.7")
}

@test "client: a program may have all of the library's headers at once: no two of them call different things by one name" {
  (cd "$INSTALLED/static/include" && find pm -name '*.h' -printf '#include <%p>\n') >all.cpp
  assert_equal "$(grep -c . all.cpp)" "$(find "$PM_SOURCE/src/include/pm" -name '*.h' | wc -l)"
  run -0 g++ -std=c++20 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I "$INSTALLED/static/include" all.cpp
}
