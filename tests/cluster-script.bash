# For scripts beside the tests, with BUILD in $1: the hosts a, b and c in network namespaces, each with a member of etcd and the registry
# reg-HOST in the current directory, which is new. All of it ends with the script.

set -u
tests=$PWD/tests
PATH=$(cd "$1" && pwd):$PATH
export PATH
skip() {
  echo "${0##*/}: fatal: $*" >&2
  exit 111
}
fail() {
  echo "${0##*/}: fatal: $*" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || skip 'needs root, for network namespaces'
STARTED=() FRONTS=()
BATS_TEST_TMPDIR=$(mktemp -d /dev/shm/pm-script.XXXXXX) && cd "$BATS_TEST_TMPDIR" && chmod 755 . || exit 111
finish() {
  local code=$?
  trap - EXIT
  # The shell reports each of its processes that is killed.
  exec 2>/dev/null
  cluster_stop
  cd / && end-rest "$BATS_TEST_TMPDIR" && rm -rf "$BATS_TEST_TMPDIR"
  exit "$code"
}
trap 'exit 1' HUP INT TERM
# shellcheck source=tests/processes.bash
. "$tests/processes.bash"
# shellcheck source=tests/cluster.bash
. "$tests/cluster.bash"
trap finish EXIT
cluster_start 3 3
for host in a b c; do pm-mkregistry "reg-$host"; done
PREFIX=/pm/
