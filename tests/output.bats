#!/usr/bin/env bats
# Text that another user chose, in what programs print: pm-output(7).
load common
load fdstore
setup() {
  common_setup
  # A clear screen of a terminal in UTF-8, a text from right to left, a byte that is not UTF-8, a backslash, and a letter.
  HOSTILE=$'x\xc2\x9bc\xe2\x80\xaey\xff\\z\xc3\xa9'
  ESCAPED='x\0302\0233c\0342\0200\0256y\0377\\zé'
}
teardown() { common_teardown; }

# says COMMAND...: its output has $ESCAPED, and no raw byte of what is escaped.
says() {
  run -0 "$@"
  assert_output --partial "$ESCAPED"
  refute_output --partial "$HOSTILE"
}

@test "output: addresses: pm-lookup, pm-list, pm-watch, pm-wait" {
  hold web "local:$PWD/$HOSTILE"
  says pm-lookup web
  assert_equal "$(printf %b "$output")" "local:$PWD/$HOSTILE"
  says pm-list
  says pm-list -0 -o address
  says pm-wait up web
  assert_line "address=local:$PWD/$ESCAPED"
  assert_line service=web
  mkfifo out
  exec 5<>out
  start pm-watch -i -o address </dev/null >out
  read -r -t 20 line <&5
  assert_equal "$line" "$(printf 'up\tlocal:%s/%s' "$PWD" "$ESCAPED")"
  run -0 pm-lookup web printenv PM_PATH
  assert_output "$PWD/$HOSTILE"
}

@test "output: executables: pm-list, pm-wait, pm-watch, pm-pid2exe" {
  cp "$(command -v bash)" "$HOSTILE"
  mkfifo go
  start_ready pm-reg -p -N 9 web none "./$HOSTILE" -c 'echo >&9; exec 9>&-; read -r line <go' </dev/null >/dev/null
  says pm-list -o exe
  assert_equal "$(printf %b "$output")" "$PWD/$HOSTILE"
  says pm-wait up web
  says pm-lookup web pm-list
  start_ready pm-announce -N 9 "./$HOSTILE" -c 'echo >&9; exec 9>&-; read -r line <go' </dev/null >/dev/null
  says pm-pid2exe "$PID"
  assert_output "$PWD/$ESCAPED"
}

@test "output: an event: pm-wait -f" {
  mkdir -m 700 fifodir
  start_ready pm-wait -f fifodir '.*' sh -c 'echo >&9' </dev/null >answer
  run -0 pm-notify fifodir "$HOSTILE"
  ends_with "$PID" 0
  assert_equal "$(cat answer)" "$ESCAPED"
}

@test "output: addresses in the store: pm-fdlist" {
  store
  pm-socketbinder "$PWD/$HOSTILE" pm-fdstore web
  says pm-fdlist
}

@test "output: names in the store have the grammar of services" {
  store
  for name in "${BAD_NAMES[@]}" -x --; do
    run -100 pm-fdstore -- "$name" </dev/null
    assert_output --partial 'not starting with a dot or a dash'
    for program in pm-fdget pm-fddrop; do run -100 "$program" -- "$name" true; done
  done
  assert_equal "$(names)" ''
}

@test "output: messages of every program" {
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    run -100 "$program" $'-\xff'
    assert_output "$program: fatal: unknown option: -\\0377"
  done
  run -111 pm-lookup -r "$HOSTILE" web
  assert_output "pm-lookup: fatal: unable to open the registry $ESCAPED: $ENOENT"
  hold web "local:$PWD/$HOSTILE"
  run -111 pm-connect web true
  refute_output --partial "$HOSTILE"
}

@test "output: JSON: text in UTF-8 is a string, which says the same; other text is an array of bytes; no line moves a cursor" {
  installed jq
  # Quotation marks, a backslash, a clear screen in UTF-8, a text from right to left, letters.
  text=$'"\\b"\xc2\x9bc\xe2\x80\xaey\xc3\xa9\xf0\x9f\x98\x80'
  cp "$(command -v bash)" "$text"
  mkfifo go
  hold web "local:$PWD/ä"
  start_ready pm-reg -p -N 9 exe none "./$text" -c 'echo >&9; exec 9>&-; read -r line <go' </dev/null >/dev/null
  run -0 pm-list -j -s exe -o exe
  assert_output "{\"exe\":\"$PWD"'/\"\\b\"\u009bc\u202eyé😀"}'
  assert_equal "$(jq -r .exe <<<"$output")" "$PWD/$text"
  run -0 pm-list -j -s web -o address
  assert_equal "$(jq -r .address <<<"$output")" "local:$PWD/ä"
  hold hostile "local:$PWD/$HOSTILE"
  run -0 pm-list -j -s hostile -o address
  assert_equal "$(jq -r '.address | @tsv' <<<"$output")" "$(printf %s "local:$PWD/$HOSTILE" | od -An -v -tu1 | tr -s ' \n' '\t\t' | sed 's/^\t//; s/\t$//')"
}
