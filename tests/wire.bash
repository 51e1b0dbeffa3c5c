# Messages as hexadecimal, RFC 4506: numbers, strings, frames.
w() { printf '%08x' "$@"; }
hex() { od -An -v -tx1 | tr -d ' \n'; } # standard input
str() {
  local LC_ALL=C
  printf '%08x%s' "${#1}" "$(printf %s "$1" | hex)"
  printf '%.*s' $((2 * ((4 - ${#1} % 4) % 4))) 000000
}
# framed TYPE DESCRIPTORS [PAYLOAD]
framed() { printf '%s%s' "$(w "$1" $((${#3} / 2)) "$2")" "${3:-}"; }

# What each side of a connection says first.
HELLO=fffffffe0000000800000000706d000100010000
# The answers that all protocols share, as offer's step hear prints them. refusal [CODE]: for that reason of the protocol.
FINISHED='4294967293 00000000 0'
refused_as() { echo "4294967295 $(w "$1" "${2:-0}" 0 0 0) 0"; }
refusal() { refused_as 8 "$1"; }
# For what cannot be read, and for a message of no known type.
BAD_MESSAGE=$(refused_as 12) UNKNOWN_MESSAGE=$(refused_as 13)
# What is heard on a connection that the other side has ended: what of ours it had not read makes a reset of it.
ENDED='^(closed|'"$ECONNRESET"')$'

# says HEX COMMAND...: a client at ./s that says these bytes; then COMMAND, with the connection as descriptor 6.
says() {
  pm-client s bash -c 'printf "$(sed "s/../\\\\x&/g" <<<"$0")" >&7; exec "$@"' "$@"
}
# alice_at PATH STEP...: Alice's messages to the server there, and its answers: tests/tools/offer.cpp.
# alice STEP...: the same at ./s, after the hello of both.
alice_at() { run -0 as $ALICE timeout 20 offer stream "$@" </dev/null; }
alice() { alice_at s hex $HELLO send 0 hear "$@"; }
# hoards QUESTION COMMAND...: 253 descriptors with an unfinished frame of this question, in ways that keep them if the server waits for
# the rest: in its header, after it, and announced. COMMAND: as `alice`. The server ends each connection.
hoards() {
  local steps all=${1:0:16}000000fd${1:24}
  for steps in "hex $1 part 5 253" "hex $1 part 12 253" "hex $all part 12 253" "hex $all part 14 253"; do
    # shellcheck disable=SC2086 # each is a word
    "${@:2}" $steps hear hear
    assert_line -n -1 --regexp "$ENDED"
  done
}
