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
# The error message for what cannot be read, and for a message of no known type, as offer's step hear prints them.
BAD_MESSAGE='4294967295 0000000c 0' UNKNOWN_MESSAGE='4294967295 0000000d 0'
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
