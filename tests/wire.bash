# Messages as hexadecimal, RFC 4506: numbers, strings, frames.
w() { printf '%08x' "$@"; }
str() {
  local hex LC_ALL=C
  hex=$(printf %s "$1" | od -An -tx1 -v | tr -d ' \n')
  printf '%08x%s' "${#1}" "$hex"
  printf '%.*s' $((2 * ((4 - ${#1} % 4) % 4))) 000000
}
# framed TYPE DESCRIPTORS [PAYLOAD]
framed() { printf '%s%s' "$(w "$1" $((${#3} / 2)) "$2")" "${3:-}"; }

# What each side of a connection says first.
HELLO=fffffffe0000000800000000706d000100010000
# The error message for what cannot be read, and for a message of no known type, as offer's step hear prints them.
BAD_MESSAGE='4294967295 0000000c 0' UNKNOWN_MESSAGE='4294967295 0000000d 0'
# What is heard on a connection that the other side has ended: what of ours it had not read makes a reset of it.
ENDED='^(closed|Connection reset by peer)$'
