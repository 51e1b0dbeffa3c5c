#!/usr/bin/env bats
load common
setup() {
  common_setup
  mkfifo lines
  exec 7<>lines
}
teardown() { common_teardown; }

# mirror [OPTION...]: pm-mirror that reads what say() writes; its pid in $MIRROR.
mirror() {
  start pm-mirror "$@" <lines 2>>log 7>&-
  MIRROR=$PID
}
# say LINE...: \t is a tab.
say() { printf '%b\n' "$@" >&7; }
# web KEY [VERSION [ADDRESS [HOST]]]: a line for the service web.
web() { echo "up\t$1\t${4:-far}\tweb\t${2:-0}\t${3:-tcp:192.0.2.1:80}"; }
# has TEXT: it is registered, as origin, service, version and address, with a space between them.
has() { eventually '[ "$(pm-list -o origin,service,version,address | tr "\t" " " | LC_ALL=C sort)" = "$1" ]' "$1"; }
logged() { eventually 'grep -qF -e "$1" log' "$1"; }

@test "pm-mirror: --help, --version, unknown options" {
  common_options pm-mirror
}

@test "pm-mirror: wrong usage" {
  run -100 pm-mirror -N 2
  for letter in g m; do for bad in 0 -1 x '' 4294967296; do run -100 pm-mirror -$letter "$bad"; done; done
  for letter in r g m p N; do
    run -100 pm-mirror -$letter
    assert_output --partial "missing argument of -$letter"
  done
  run -127 pm-mirror ./missing
  assert_output "pm-mirror: fatal: unable to execute ./missing: $ENOENT"
  run -111 pm-mirror -r missing true
  assert_output "pm-mirror: fatal: unable to open the registry missing: $ENOENT"
}

@test "pm-mirror: only the registry's owner" {
  needs_root
  run -111 as $ALICE pm-mirror
  assert_output "pm-mirror: fatal: $PM_REGISTRY belongs to another user: only its owner can register services of other hosts"
}

@test "pm-mirror: up, another value, down" {
  mirror
  say "$(web a)"
  has 'far web 0 tcp:192.0.2.1:80'
  say "$(web a 2)"
  has 'far web 2 tcp:192.0.2.1:80'
  say "$(web b 2 tcp6:[2001:db8::1]:80 other)" "$(web c 0 udp:192.0.2.1:80)"
  has $'far web 0 udp:192.0.2.1:80\nfar web 2 tcp:192.0.2.1:80\nother web 2 tcp6:[2001:db8::1]:80'
  say 'down\ta' 'down\tc' 'down\tunknown'
  has 'other web 2 tcp6:[2001:db8::1]:80'
}

@test "pm-mirror: the same again changes nothing; a snapshot removes what it does not name" {
  mirror
  say "$(web a)" "$(web b 1)"
  has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80'
  start pm-watch -o version web >changes
  eventually 'compgen -G "reg/service/web/event/*" >/dev/null'
  say begin "$(web a)" "$(web a)" "$(web c 3)" end "$(web d 4)"
  has $'far web 0 tcp:192.0.2.1:80\nfar web 3 tcp:192.0.2.1:80\nfar web 4 tcp:192.0.2.1:80'
  eventually '[ "$(wc -l <changes)" = 3 ]'
  assert_equal "$(LC_ALL=C sort changes)" $'down\t1\nup\t3\nup\t4'
}

@test "pm-mirror: ready after the first snapshot" {
  start_ready sh -c 'exec pm-mirror -N 9 <lines 7>&-' <<<'' &
  local starting=$!
  say "$(web a)" begin "$(web b 1)"
  has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80'
  kill -0 $starting
  say end
  wait $starting
  has 'far web 1 tcp:192.0.2.1:80'
  pkill -KILL -f "pm-mirror -N 9"
}

@test "pm-mirror: SIGKILL ends all at once, and SIGTERM unlinks them" {
  local signal
  for signal in KILL TERM; do
    mirror
    say "$(web a)" "$(web b 1)"
    has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80'
    kill -$signal "$MIRROR"
    await end "$MIRROR"
    run -1 pm-lookup web
  done
  assert_not_exist reg/service/web
}

@test "pm-mirror: PROG is started again, and nothing is removed meanwhile" {
  printf '%b\n' begin "$(web a)" end >first
  printf '%b\n' begin "$(web a)" "$(web b 1)" end >second
  cat >feed <<'X'
#!/bin/sh
if test -e again; then cat second; exec sleep infinity; fi
touch again
cat first
printf 'up\thalf'
exit
X
  chmod 755 feed
  start pm-watch -i -o version >changes
  eventually 'compgen -G "reg/event/*" >/dev/null'
  start pm-mirror ./feed </dev/null 2>log
  MIRROR=$PID
  has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80'
  logged './feed ended with 0, and is started again'
  assert_equal "$(cat changes)" $'up\t0\nup\t1'
  local prog
  prog=$(pgrep -P "$MIRROR" sleep)
  kill "$MIRROR"
  await end "$MIRROR"
  await end "$prog"
}

@test "pm-mirror: PROG that is killed, or closes its output" {
  cat >feed <<'X'
#!/bin/sh
echo >>starts
case $(wc -l <starts) in
  1) kill -KILL $$ ;;
  2) exec sleep infinity >&- ;;
  *) cat first; exec sleep infinity ;;
esac
X
  chmod 755 feed
  printf '%b\n' begin "$(web a)" end >first
  start pm-mirror ./feed </dev/null 2>log
  has 'far web 0 tcp:192.0.2.1:80'
  logged './feed was killed by signal 9, and is started again'
  logged './feed was killed by signal 15, and is started again'
}

@test "pm-mirror: the end of standard input removes nothing" {
  printf '%b\n' begin "$(web a)" end >all
  start pm-mirror <all
  has 'far web 0 tcp:192.0.2.1:80'
  kill "$PID"
  ends_with "$PID" 0
  assert_not_exist reg/service/web
}

@test "pm-mirror -g: silence removes all, and the next line brings them back" {
  mirror -g 300
  say "$(web a)" "$(web b 1)"
  logged 'no line came for 300 ms: all registrations are removed'
  has ''
  say 'down\ta'
  has 'far web 1 tcp:192.0.2.1:80'
  logged 'no line came for 300 ms: all registrations are removed'
  has ''
  say ''
  has 'far web 1 tcp:192.0.2.1:80'
}

@test "pm-mirror -m: more are reported once and left out" {
  mirror -m 2
  say "$(web a)" "$(web b 1)" "$(web c 2)" "$(web d 3)"
  has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80'
  logged 'registrations are left out: there are 2'
  say 'down\ta' "$(web c 2)" "$(web d 3)"
  has $'far web 1 tcp:192.0.2.1:80\nfar web 2 tcp:192.0.2.1:80'
  eventually '[ "$(grep -c "left out" log)" = 2 ]'
}

@test "pm-mirror -p: only services whose name matches" {
  mirror -p 'w*' -p mail
  say 'up\t1\tfar\tdb\t0\ttcp:192.0.2.1:1' 'up\t2\tfar\tmail\t0\ttcp:192.0.2.1:25' "$(web a)"
  has $'far mail 0 tcp:192.0.2.1:25\nfar web 0 tcp:192.0.2.1:80'
  assert_equal "$(cat log)" ''
}

@test "pm-mirror: a bad line is reported and skipped; with the same key, only if it is different" {
  mirror
  local bad=('what' 'up' 'up\tk' 'up\tk1\tfar\tweb\t0' "$(web k2)\tx" 'up\t\tfar\tweb\t0\tnone' 'down' 'down\t' 'begin\tx'
    "$(web k3 0 tcp:127.0.0.1:80)" "$(web k4 0 local:/run/x)" "$(web k5 0 tcp:0.0.0.0:80)" "$(web k6 0 tcp6:[::1]:80)" "$(web k7 x)"
    "$(web k8 0 tcp:192.0.2.1:0)" "$(web k9 0 tcp:192.0.2.1:80 .host)" 'up\tk10\tfar\t.web\t0\tnone' "$(printf %5000s x)"
    "$(web k11 4294967296)" '\r')
  say "${bad[@]}" "$(web a)"
  has 'far web 0 tcp:192.0.2.1:80'
  assert_equal "$(grep -c '^pm-mirror: warning: a line is skipped: ' log)" "${#bad[@]}"
  say "$(web k3 0 tcp:127.0.0.1:80)" "$(web b 1)"
  has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80'
  assert_equal "$(grep -c 'k3' log)" 1
  say "$(web k3 0 tcp:127.0.0.2:80)" "$(web k4 4)"
  has $'far web 0 tcp:192.0.2.1:80\nfar web 1 tcp:192.0.2.1:80\nfar web 4 tcp:192.0.2.1:80'
  assert_equal "$(grep -c 'k3' log)" 2
}

@test "pm-mirror: 2,000 registrations in one snapshot, one changed, all gone" {
  local most
  most=$(ulimit -Hn)
  mirror
  { echo begin; for n in {1..2000}; do printf 'up\t%s\thost%s\ts%s\t0\ttcp:192.0.2.1:80\n' "$n" $((n % 3)) "$n"; done; echo end; } >&7
  eventually '[ "$(pm-list -o service | wc -l)" = 2000 ]'
  say 'down\t500'
  eventually '[ "$(pm-list -o service | wc -l)" = 1999 ]'
  say begin end
  has ''
  assert_equal "$(cat log)" ''
  eventually '[ "$(ls /proc/$1/fd | wc -l)" -le 12 ]' "$MIRROR"
}
