#!/usr/bin/env bats
# The words of messages and help: every text that a program can print.
load common
setup() { cd "$PM_SOURCE"; }

# texts: the string literals of src that have a blank, adjacent ones joined, a line each; those of several lines on as many.
texts() {
  project_files 'src/*.cpp' 'src/*.h' | xargs cat | grep -vE '^ *#' | g++ -fpreprocessed -x c++ -E -P - | tr '\n' ' ' | sed 's/" *"//g' |
    grep -oE '"([^"\\]|\\.)*"' | grep ' ' | sed 's/\\[n0]/\n/g'
}
# without REGEX: no text has it, whatever the case of its letters.
without() {
  run -1 grep -niE "$1" <(texts)
}

@test "words: the texts of all programs are looked at" {
  run -0 texts
  [ "${#lines[@]}" -gt 500 ]
  # A message, a help line in several literals, and no comment.
  assert_line --regexp 'unable to '
  assert_line --partial 'exit codes: '
  assert_line --partial "the registry's directory"
  refute_output --partial '/*'
}

@test "words: no text has nobody, somebody, whoever, whom" { without '\b(nobody|somebody|whoever|whom)\b'; }

@test "words: no text has besides, for ever, once more, another's, yet" {
  without "\\b(besides|for ever|once more|another's|yet)\\b"
}

@test "words: no text has processes that live, hear, let go, are told" {
  without '\b(lives?|hears?|heard|is told|was told|(lets?|letting) go)\b'
}

@test "words: no text has a thing that is none, or no thing" {
  run -1 grep -niE "\\b(is|are|was) (none|no)\\b|\\bwhat is no\\b" <(texts | sed -E 's/\b[Tt]here (is|are) no\b//g')
}

@test "words: no text has unable to be, unable to have" { without 'unable to (be|have)\b|"(be|have) [a-z]'; }

@test "words: no text has who or what as its subject or object" {
  without '(^|[";:(,] *|\b(for|of|from|by|with|refused|tell|replace) )(who|what) (is|are|was|were|has|had|asks?|comes?|connects?|may|it|they|the|-)'
}

@test "words: the tests name errors, whose texts are the C library's" {
  errors | sed "s/^[^=]*='//; s/'$//" >"$BATS_TEST_TMPDIR/texts"
  run -1 sh -c 'grep -nvE "^@test|^ *#" "$@" | grep -F -f "$0"' "$BATS_TEST_TMPDIR/texts" $(project_files 'tests/*.bats' 'tests/*.bash')
}

@test "words: the map in CONTRIBUTING has every room, and real files only" {
  sed -n '/^## The rooms/,/^## Design/p' CONTRIBUTING.md >"$BATS_TEST_TMPDIR/map"
  for room in src/libpm/*/ src/cli/ src/include/pm/; do grep -q "^    ${room%/} " "$BATS_TEST_TMPDIR/map" || { echo "$room is not on the map"; return 1; }; done
  for file in $(grep -oE '\b[a-z]+/[a-z_-]+\.(cpp|h)\b' "$BATS_TEST_TMPDIR/map" | sort -u); do
    [ -n "$(ls src/libpm/"$file" src/"$file" src/include/"$file" 2>/dev/null)" ] || { echo "$file is not there"; return 1; }
  done
}

@test "words: README names each package that is needed, with its reason" {
  local package
  for package in $(awk -F '\t' '!/^#/ && NF { print $2 }' package/needs | sort -u); do
    grep -q "^|.*${package%-dev}.*|.*|" README.md || { echo "$package is not in README"; return 1; }
  done
}
