#!/usr/bin/env bats
# The pages: lint, agreement with the programs, and every example on them, run word for word.
load common
setup() { common_setup; }
teardown() { common_teardown; }

pages() { ls "$PM_SOURCE"/doc/*.[178]; }

# The text of a page's section, markup and all.
section() { awk -v name="$2" '/^\.Sh / { on = ($0 == ".Sh " name) } on' "$1"; }

@test "pages: mandoc finds nothing to complain of" {
  for page in $(pages); do mandoc -T lint -W warning "$page"; done
}

@test "pages: one for every program, and HTML of each" {
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    run -0 sh -c 'ls "$1"/doc/"$2".[178]' - "$PM_SOURCE" "$program"
    mandoc -T html "$PM_SOURCE"/doc/"$program".[178] >page.html
    assert_file_not_empty page.html
  done
}

@test "pages: the options are those of --help, with their arguments" {
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    page=$(echo "$PM_SOURCE"/doc/"$program".[178])
    "$program" --help | sed -n 's/^  \(-.\)\( [A-Z=]*\)\{0,1\}  *[^ ].*/\1\2/p' | sed 's/ *$//' | sort >help
    section "$page" OPTIONS | sed -n 's/^\.It Fl \(.\) Ar \(.*\)/-\1 \2/p; s/^\.It Fl \(.\)$/-\1/p' | sed 's/ Ns = Ns Ar /=/' | sort >page
    diff help page || { echo "$program: --help (<) and $page (>) differ"; return 1; }
    [[ $program =~ ^pm-(notify|crypt)$ ]] || assert_file_not_empty help
  done
}

@test "pages: the usage line of --help is the page's SYNOPSIS" {
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    page=$(echo "$PM_SOURCE"/doc/"$program".[178])
    "$program" --help | sed -n '1s/^usage: //p' | tr -s ' \n' '\n\n' | tr -d '[].|' | grep . | sort -u >help
    mandoc -T ascii -O width=1000 "$page" | sed 's/.\x08//g' | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | sed 's/…/.../g' |
      tr -s ' \n' '\n\n' | tr -d '[].|' | grep . | sort -u >page
    diff help page || { echo "$program: --help (<) and the SYNOPSIS of $page (>) differ"; return 1; }
  done
}

@test "pages: the exit codes are those of --help" {
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    page=$(echo "$PM_SOURCE"/doc/"$program".[178])
    section "$page" 'EXIT STATUS' | sed -n 's/^\.It \([0-9]*\).*/\1/p' >codes
    run -1 grep -vxE '0|1|99|100|101|111|126|127' codes
    assert_equal "$("$program" --help | sed -n 's/^exit codes: //p')" "$(paste -sd ' ' codes)"
    for code in 0 100 111; do grep -qx $code codes || { echo "$page does not tell of $code"; return 1; }; done
    run -100 "$program" -?
  done
}

@test "pages: the examples do in each shell what the page says" {
  for page in $(pages); do as_written "${page##*/}" EXAMPLES DESCRIPTION; done
}

@test "pages: the first commands of README" {
  needs_unshare -n
  sed -n '/^In an empty directory:/,/^## /s/^    //p' "$PM_SOURCE/README.md" >script
  mkdir empty && cd empty
  run -0 unshare -n bash -c 'ip link set lo up && exec timeout 60 bash ../script'
  assert_line 'http://127.0.0.1:8080/'
  assert_line gone
}
