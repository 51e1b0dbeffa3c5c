#!/usr/bin/env bats
# What shells complete, asked of the shells. Each finds the files where a package installs them.
load common
load fdstore
setup() {
  common_setup
  [ -d "$PM_BUILD/completion" ] || skip 'this machine cannot run the programs of this build, so they have not printed their help'
  mkdir -p share/bash-completion share/fish
  cp -r "$PM_BUILD/completion/bash" share/bash-completion/completions
  cp -r "$PM_BUILD/completion/fish" share/fish/vendor_completions.d
  # The files of bash-completion, zsh and fish themselves stay where they are.
  export XDG_DATA_DIRS=$PWD/share:/usr/local/share:/usr/share HOME=$PWD INPUTRC=/dev/null
  cat >bashrc <<'END'
. /usr/share/bash-completion/bash_completion
PS1='READY\n'
bind '"\t": possible-completions' '"\C-xi": complete' 2>/dev/null
bind -x '"\C-xt": echo TO""LD' 2>/dev/null
bind 'set completion-query-items 0' 'set page-completions off' 'set enable-bracketed-paste off' 2>/dev/null
END
  cat >.zshrc <<END
fpath=($PM_BUILD/completion/zsh \$fpath)
autoload -Uz compinit && compinit -u -D
PROMPT=$'READY\n' LISTMAX=10000
unset zle_bracketed_paste
told() { zle -I; print TO''LD }
zle -N told
bindkey '^I' list-choices '^Xi' complete-word '^Xt' told
END
}
teardown() { common_teardown; }

# keys SHELL KEYS END: types the keys in this shell at a terminal, and prints what it prints until END.
keys() {
  local shell
  case $1 in
    bash) shell='exec bash --rcfile bashrc -i' ;;
    zsh) shell='exec env ZDOTDIR=. zsh -d -i' ;;
  esac
  rm -f keys log
  mkfifo keys
  watch_log
  exec 7<>keys
  start env -u COLUMNS LC_ALL=C.UTF-8 TERM=xterm script -qfec "stty cols 500 rows 500; $shell" /dev/null <keys >log 5<&- 7<&-
  logged READY
  printf %s "$2" >&7
  until logged . && [[ $LINE =~ $3 ]]; do echo "$LINE"; done | sed $'s/\e\\[[0-9;?]*[a-zA-Z]//g; s/\e[=>]//g; s/[\r\a]//g'
  exec 7>&-
  end "$PID"
}
# asks SHELL LINE: what the shell offers at the end of this line.
asks() {
  local list
  case $1 in
    fish) fish -c 'complete -C $argv[1]' "$2" ;;
    *) list=$(keys "$1" "$2"$'\t\x18t' TOLD) && printf '%s\n' "${list//"${2% }"/ }" ;;
  esac
}
# offers SHELL LINE WORD...: it offers these, and no word with $NOT in it.
offers() {
  local word
  run -0 asks "$1" "$2"
  for word in "${@:3}"; do
    [[ " $(tr '\t\n' '  ' <<<"$output") " == *" $word "* ]] || { echo "$1 does not offer $word for $2: $output"; return 1; }
  done
  [ -z "${NOT:-}" ] || [[ $output != *"$NOT"* ]] || { echo "$1 offers $NOT for $2: $output"; return 1; }
}

# in_shells CODE: runs it with $shell being each shell that is installed; it needs at least one.
in_shells() {
  local shell asked=
  for shell in bash zsh fish; do
    command -v $shell >/dev/null || continue
    [ $shell != bash ] || [ -e /usr/share/bash-completion/bash_completion ] || continue
    [ $shell = fish ] || command -v script >/dev/null || continue
    asked=$shell
    eval "$1"
  done
  [ -n "$asked" ] || skip 'bash-completion, zsh and fish are not installed'
}

@test "completion: services come from pm-list, as operands and as arguments" {
  pm-mkregistry other
  hold -r "$PWD/other" elsewhere none
  hold -a w@b=none -a mail=none web.one none
  in_shells '
    NOT=mail offers $shell "pm-lookup w" w@b web.one
    NOT=web offers $shell "pm-list -s m" mail
    offers $shell "pm-watch mail " w@b web.one mail
    NOT=web offers $shell "pm-lookup -r other " elsewhere
    NOT=web offers $shell "pm-lookup -rother " elsewhere
    NOT=web offers $shell "pm-lookup -ar other -t 5 " elsewhere
  '
  # Bash lists the part of the word after the comma only.
  in_shells '
    offers $shell "pm-wait -ot 5 up mail,we"
    [[ $output == *web.one* && $output != *w@b* ]]
  '
}

@test "completion: a completed name is the one that is used, with each character that ends words for bash" {
  hold w@b tcp:127.0.0.1:80
  in_shells '
    [ $shell = fish ] || keys $shell "pm-lookup w@$(printf "\\030i\\r")" tcp:127.0.0.1:80
  '
}

@test "completion: options with their help, in zsh and fish; none after the first operand, and those of PROG after PROG" {
  in_shells '
    offers $shell "pm-list -" -r -s -o -j --help --version
    [ $shell = bash ] || [[ $output == *"print JSON: an object on each line"* ]]
    NOT=-j offers $shell "pm-list -v --"
    NOT=-V offers $shell "pm-lookup web -"
    offers $shell "pm-lookup -V 1 web pm-list -" -j -H
    NOT=-N offers $shell "pm-lookup -- -"
  '
}

@test "completion: fields, transports, words, users, directories, files and programs" {
  hold web none
  mkdir -p dir.of.mine
  touch file.of.mine
  in_shells '
    offers $shell "pm-list -o service,si"
    [[ $output == *since* ]]
    offers $shell "pm-watch -o h" holder
    offers $shell "pm-lookup -n u" udp udp6
    offers $shell "pm-wait " up down change
    offers $shell "pm-list -u roo" root
    NOT=file.of.mine offers $shell "pm-list -r d"
    [[ $output == *dir.of.mine* ]]
    offers $shell "pm-reg web " tcp: udp6: fd:
    offers $shell "pm-opend -p fil"
    [[ $output == *file.of.mine* ]]
    offers $shell "pm-lookup web pm-socketb" pm-socketbinder
  '
}

@test "completion: descriptors come from pm-fdlist" {
  store
  pm-fdstore here <.
  pm-fdstore there <.
  in_shells 'NOT=there offers $shell "pm-fdget h" here'
}

@test "completion: each option of each program" {
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    "$program" --help | sed -n 's/^  -\(.\).*/\1/p' | sort >help
    sed -n "s/^  local options='\(.*\)'/\1/p" "$PM_BUILD/completion/bash/$program" | tr ' ' '\n' | sed 's/=.*//' | grep . | sort | diff help - || [ ! -s help ]
    sed -n "s/^  '\((-[^)]*)\)\{0,1\}\*\{0,1\}-\([A-Za-z0-9]\)[+[].*/\2/p" "$PM_BUILD/completion/zsh/_$program" | sort | diff help -
    sed -n 's/^complete -c [^ ]* -n "[^"]*" -s \(.\) .*/\1/p' "$PM_BUILD/completion/fish/$program.fish" | sort | diff help -
  done
  for file in "$PM_BUILD"/completion/bash/*; do bash -n "$file"; done
  if command -v zsh >/dev/null; then for file in "$PM_BUILD"/completion/zsh/*; do zsh -n "$file"; done; fi
  if command -v fish >/dev/null; then for file in "$PM_BUILD"/completion/fish/*; do fish -n "$file"; done; fi
}
