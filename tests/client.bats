#!/usr/bin/env bats
# The installed library, as ordinary programs see it: C, C++ with exceptions and the C++ library, Python; pkg-config's flags, static and
# shared.
load common
load super
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
    copy_objects src/libpm
    make -j4 install-library
    # As it is without --enable-shared; nothing is compiled anew.
    rm build/libpm.pc
    make SHARED= prefix="$INSTALLED/static" install-library
    for way in shared static; do
      build "$way" tests/client/client.cpp "$BATS_FILE_TMPDIR/client-$way" -Wall -Wextra -Werror
      build "$way" tests/client/c-client.c "$BATS_FILE_TMPDIR/c-client-$way" -std=c99 -pedantic -Wall -Wextra -Werror
    done
  ) >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log"; return 1; }
}
# build static|shared SOURCE PROGRAM [OPTION...]: as a user of the library would. CC, CXX: the compilers.
build() {
  local flags compiler="${CXX:-g++} -std=c++20"
  [ "${2%.c}" = "$2" ] || compiler=${CC:-gcc}
  flags=$(PKG_CONFIG_PATH=$INSTALLED/$1/lib/pkgconfig pkg-config --cflags --libs libpm)
  # shellcheck disable=SC2086
  $compiler "${@:4}" "$2" $flags -Wl,-rpath,"$INSTALLED/$1/lib" -o "$3"
}
# each SCENARIO...: both programs, as the registry's owner.
each() {
  for way in static shared; do run -0 timeout 60 "$CLIENTS/client-$way" "$@"; done
}
# each_by_service SCENARIO...: as another user, through the registry's service.
each_by_service() {
  serve_registry
  for way in static shared; do run -0 as $ALICE timeout 60 "$CLIENTS/client-$way" "$@"; done
}
serve_registry() {
  needs_root
  rm -rf served && pm-mkregistry -u $BOB served
  export PM_REGISTRY=$PWD/served
  # A batch of all that one call may have, and some more.
  PM_LIMIT_PROCESS=256 front served
  chmod 1777 .
}
has_listeners() { [ "$(listeners reg)" = "$1" ]; }
# in_c SCENARIO...: the C program, linked both ways, each in a directory of its own; as the registry's owner, and through the service.
in_c() {
  local way run
  for way in static shared; do
    mkdir "owner.$way" && cd "owner.$way" && run -0 timeout 60 "$CLIENTS/c-client-$way" "$@" && cd ..
  done
  [ "$(id -u)" = 0 ] || return 0
  serve_registry
  for way in static shared; do
    mkdir -m 777 "other.$way" && cd "other.$way" && run -0 as $ALICE timeout 60 "$CLIENTS/c-client-$way" "$@" && cd ..
  done
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

@test "pm.h: register and release: several, exclusive, public, a descriptor's address; refusals with index and reason" {
  in_c registers
}
@test "pm.h: find and list, by service, version, netid and users" { in_c queries; }
@test "pm.h: announce, withdraw and ask an executable" { in_c announces; }
@test "pm.h: connect" { in_c connects; }
@test "pm.h: wait for up, down, one and several, with a limit and a stop descriptor" { in_c waits; }
@test "pm.h: a watch of services and a fifodir: events in their order, and nothing to do between them" { in_c watches; }
@test "pm.h: PM_NONBLOCK: no call waits, and pm_finish() has its result" { in_c nonblocking; }
@test "pm.h: hand a descriptor over, and take one" { in_c passes; }
@test "pm.h: a release that fails leaves the registration to the handle" {
  for way in static shared; do run -0 timeout 60 "$CLIENTS/c-client-$way" release-fails; done
}
@test "pm.h: a worker without descriptors fails once, and goes on after its pause" {
  for way in static shared; do mkdir $way && cd $way && run -0 timeout 60 "$CLIENTS/c-client-$way" no-descriptors && cd ..; done
}
@test "pm.h: a flooded fifodir keeps no event of another source away" {
  for way in static shared; do mkdir $way && cd $way && run -0 timeout 60 "$CLIENTS/c-client-$way" is-fair && cd ..; done
}
@test "pm.h: a forked child can use no handle, and keeps no listener alive" { in_c forks; }
@test "pm.h: threads with a handle each: the umask, the signals, the directory and the environment stay as they are" { in_c threads; }

@test "pm.h: with the umask 077 other users find the registration" {
  needs_root
  pm-mkregistry -u $BOB served && chmod 1777 .
  mkfifo -m 666 in
  exec 6<>in
  # The registry has no directory of this service yet.
  PM_REGISTRY=$PWD/served start_ready as $BOB sh -c 'exec "$1" masked web <in >&9 6>&-' - "$CLIENTS/c-client-static" </dev/null
  run -0 as $ALICE env PM_REGISTRY="$PWD/served" pm-lookup -u $BOB web
  run -0 as $ALICE env PM_REGISTRY="$PWD/served" pm-list
  assert_output --partial web
  exec 6>&-
  await end "$PID"
}

@test "pm.h: a worker takes connections from pm-superd -w, and descriptors from pm-fdpass" {
  local i
  start_ready sh -c 'exec "$1" works worker >&9' - "$CLIENTS/c-client-static" </dev/null
  mkfifo came
  exec 6<>came
  pm-fdpass worker <&6
  read -r -t 20 line <&6
  assert_equal "$line" 'served without variables'
  super -w worker local:sock
  for i in 1 2 3; do
    run -0 s6-ipcclient sock "${HEAR[@]}"
    assert_output 'served PROTO=IPC'
  done
}

@test "pm.h: sockets by name, as pm-socketbinder gives them; none, and those of another process" {
  local sockets=$CLIENTS/c-client-shared
  run -0 pm-socketbinder -n a=local:one -n b=local:two -n a=local:three "$sockets" sockets a
  assert_equal "${lines[0]} ${lines[1]} ${#lines[@]}" '3 5 3'
  run -0 pm-socketbinder -n a=local:four -n b=local:five "$sockets" sockets
  assert_equal "${lines[*]:0:2}" '3 4'
  run -0 "$sockets" sockets
  assert_output 'this process was given no sockets'
  run -0 env LISTEN_FDS=1 LISTEN_PID=1 "$sockets" sockets
  assert_output --regexp '^LISTEN_PID is 1, this process is [0-9]+$'
}

@test "client: C99 and C++20, with and without optimization, by gcc and clang" {
  local way level
  for way in static shared; do
    for level in -O0 -O2; do
      CC=gcc build $way "$PM_SOURCE/doc/examples/webget.c" webget -std=c99 -pedantic -Wall -Wextra -Werror $level
      CC=clang build $way "$PM_SOURCE/doc/examples/webget.c" webget -std=c99 -pedantic -Wall -Wextra -Werror $level
      CXX=g++ build $way "$PM_SOURCE/doc/examples/greeter.cpp" greeter -Wall -Wextra -Werror $level
      CXX=clang++ build $way "$PM_SOURCE/doc/examples/greeter.cpp" greeter -Wall -Wextra -Werror $level
      run -111 env PM_REGISTRY=/nonexistent ./webget
      assert_output "webget: unable to open the registry: $ENOENT"
      run -1 ./greeter
      assert_output './greeter: not registered'
    done
  done
}

@test "client: the shared library exports the committed names, and no others" {
  nm -DC --defined-only "$INSTALLED/shared/lib/libpm.so" | cut -d' ' -f3- | sed 's/@@.*//; s/(.*//' | grep -v '^LIBPM_' |
    LC_ALL=C sort -u >exported
  run -0 diff "$PM_SOURCE/package/libpm.symbols" exported
  # Each of them has the version, and the soname does not change with the release.
  run -0 nm -D --defined-only --with-symbol-versions "$INSTALLED/shared/lib/libpm.so"
  refute_line --regexp ' [B-Z] [^@]*$'
  run -0 sh -c 'objdump -p "$1" | grep SONAME' - "$INSTALLED/shared/lib/libpm.so"
  assert_output --regexp 'libpm\.so\.[0-9]+$'
  # Each function of pm.h is there, and each name of pm_ is in pm.h.
  run -0 diff <(grep '^pm_' exported) <(sed -n 's/^[a-z].*[ *]\(pm_[a-z_]*\)(.*/\1/p' "$PM_SOURCE/src/include/pm.h" | LC_ALL=C sort)
}

@test "client: the page has the functions and the members of the structs of pm.h" {
  # Each declaration as a line, with single blanks; the header without its comments.
  declarations() { tr '\n' ' ' | tr -s ' ' | grep -oE '(int|void|const struct pm_[a-z]+) \*?pm_[a-z_]+\([^;]*;'; }
  sed -n '/^\.Ss Functions/,/^\.Ed/p' "$PM_SOURCE/doc/pm-library.7" | grep -v '^\.' | declarations >page
  gcc -fpreprocessed -E -P "$PM_SOURCE/src/include/pm.h" | declarations >header
  assert_equal "$(wc -l <header)" 24
  run -0 diff header page
  gcc -fpreprocessed -E -P "$PM_SOURCE/src/include/pm.h" | sed -n '/^struct pm_[a-z]* {/,/^};/p' | grep -oE '[a-z_]+(\[256\])?[;,]' | tr -d ',;' |
    sort -u >members
  assert_equal "$(wc -l <members)" 26
  while read -r member; do grep -qF -e " $member;" -e "*$member;" "$PM_SOURCE/doc/pm-library.7" || { echo "$member"; return 1; }; done <members
}

@test "client: the examples webd and webget: a server whose port the kernel chooses, and a client that waits for it" {
  build static "$PM_SOURCE/doc/examples/webd.c" webd -Wall -Wextra -Werror
  build static "$PM_SOURCE/doc/examples/webget.c" webget -Wall -Wextra -Werror
  start ./webget >page
  local client=$PID
  eventually 'has_listeners 1'
  start ./webd </dev/null
  await end "$client"
  run -0 tail -1 page
  assert_output hello
  run -0 ./webget
  assert_line hello
}

@test "client: the examples follow.c and follow.py: changes of three services, and of one" {
  build shared "$PM_SOURCE/doc/examples/follow.c" follow -Wall -Wextra -Werror
  mkfifo in out
  exec 6<>in 7<>out
  start ./follow www mail time <in >out 6>&- 7>&-
  local follow=$PID web
  eventually 'has_listeners 3'
  hold www tcp:127.0.0.1:80 && web=$PID
  read -r -t 20 line <&7
  assert_equal "$line" 'up www tcp:127.0.0.1:80'
  hold mail none
  read -r -t 20 line <&7
  assert_equal "$line" 'up mail none'
  echo status >&6
  for name in 'www: 1' 'mail: 1' 'time: 0'; do
    read -r -t 20 line <&7
    assert_equal "$line" "$name"
  done
  end "$web"
  read -r -t 20 line <&7
  assert_equal "$line" 'down www tcp:127.0.0.1:80'
  end "$follow"
  LD_LIBRARY_PATH=$INSTALLED/shared/lib start python3 "$PM_SOURCE/doc/examples/follow.py" mail </dev/null >out 6>&- 7>&-
  read -r -t 20 line <&7
  assert_equal "$line" 'up mail none'
  hold mail tcp:127.0.0.1:25
  read -r -t 20 line <&7
  assert_equal "$line" 'up mail tcp:127.0.0.1:25'
  run -1 env LD_LIBRARY_PATH="$INSTALLED/shared/lib" python3 "$PM_SOURCE/doc/examples/follow.py" a/b
  assert_output 'follow.py: not a valid name of a service'
}

@test "client: the example services.sh reads the tree and finds what pm-lookup finds" {
  hold -a web=tcp:127.0.0.1:80 web local:/run/web
  hold other none && local other=$PID
  run -0 "$PM_SOURCE/doc/examples/services.sh" web
  assert_output --partial tcp:127.0.0.1:80
  assert_output --partial local:/run/web
  run -0 "$PM_SOURCE/doc/examples/services.sh" other
  assert_output none
  kill -KILL "$other"
  await down reg other
  run -1 "$PM_SOURCE/doc/examples/services.sh" other
  assert_output ''
  run -1 "$PM_SOURCE/doc/examples/services.sh" nothing
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
  sed -n '/^enum class Status/,/^  system,/s/^  \([a-z_]*\)\(,\|  *\|$\).*/\1/p' "$PM_SOURCE/src/include/pm/status.h" >statuses
  assert_file_contains statuses '^bad_frame$'
  run -0 diff statuses <(sed -n '/^\.Ss Statuses/,/^\.El/s/^\.It Li \(.*\)$/\1/p' "$PM_SOURCE/doc/pm-connection.7")
}

@test "client: a program may have all of the library's headers at once: no two of them call different things by one name" {
  (cd "$INSTALLED/static/include" && find pm -name '*.h' -printf '#include <%p>\n') >all.cpp
  assert_equal "$(grep -c . all.cpp)" "$(find "$PM_SOURCE/src/include/pm" -name '*.h' | wc -l)"
  run -0 g++ -std=c++20 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I "$INSTALLED/static/include" all.cpp
}
