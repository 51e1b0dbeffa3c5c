# What a shell completes for a program, from the program's --help: awk -v shell=bash|zsh|fish -f table.awk HELP. The functions that
# are called here are in the shell's file in this directory, which precedes it.
#
# Each operand and each argument of an option has a kind: file dir service stored user group pid host interface rpc prog,
# words:A,B (one of these), list:A,B or list:KIND (some of these with commas between them), address:A:,B: (these prefixes, and paths),
# or none.

# kind_of(NAME, HELP, LETTER): NAME as in the usage line; LETTER: that of the option, or none.
function kind_of(name, help, letter,    word) {
  gsub(/[][.]/, "", name)
  if (name ~ /^[a-z|]+$/) { gsub(/\|/, ",", name); return "words:" name }
  if (name == "SERVICE,SERVICE") return "list:service"
  if (name == "NAME,NAME") return "list:stored"
  if (name == "NAME") return program ~ /^pm-fd(get|drop)$/ ? "stored" : "none"
  if (name == "NETID" && match(help, /transport: [a-z0-9 ]+/)) return "words:" commas(substr(help, RSTART + 11, RLENGTH - 11))
  if (name == "FIELDS" && match(help, /with commas: .*/)) return "list:" commas(substr(help, RSTART + 13))
  if (name == "ADDRESS" && letter) return letter == "s" ? "file" : "none"
  if (name == "ADDRESS") return "address:" prefixes
  return name in kinds ? kinds[name] : "none"
}
function commas(words) {
  gsub(/^ +| +$/, "", words)
  gsub(/ +/, ",", words)
  return words
}

# The names of arguments that have the same kind in every program.
BEGIN {
  split("SERVICE service USER user OWNER user GROUP group GROUPS group PID pid HOST host INTERFACE interface PROGRAM rpc PROG prog " \
    "REGISTRY dir DIR dir FIFODIR dir GUESSES dir FILE file PATH file RULES file WORKER file", pairs, " ")
  for (i = 1; i in pairs; i += 2) kinds[pairs[i]] = pairs[i + 1]
}

NR == 1 {
  program = $2
  usage = $0
}
/^  -. / {
  letter[++options] = substr($0, 4, 1)
  argument[options] = match($0, /^  -. [A-Z][A-Z=]*  /) ? $2 : ""
  takes[letter[options]] = argument[options] != ""
  help[options] = $0
  if ($0 ~ /repeated/) repeated[letter[options]]
  sub(argument[options] == "" ? "^  -. +" : "^  -. [A-Z=]+ +", "", help[options])
}
# The line of the notes that explains ADDRESS.
/^ADDRESS: / {
  for (i = 2; i <= NF; ++i) {
    word = $i
    if (sub(/:.*/, ":", word) && !(word in seen)) prefixes = prefixes (prefixes == "" ? "" : ",") word
    seen[word]
  }
}

# The operands, the groups of options that exclude each other, and the options that may be repeated.
function read_usage(    count, i, word, last) {
  count = split(usage, words, " ")
  for (i = 3; i <= count; ++i) {
    word = words[i]
    if (word == "|" && words[i + 1] == program) break
    if (word == "|") continue
    if (word ~ /^\[?-/) {
      sub(/^\[/, "", word)
      last = substr(word, 2, 1)
      group[last] = words[i - 1] == "|" ? group[before] : last
      if (takes[last]) word = words[++i]
      if (word ~ /\.\.\.$/) repeated[last]
      before = last
    } else {
      operand[++operands] = word
    }
  }
}

function quoted(text) {
  gsub(/'/, "'\\''", text)
  return "'" text "'"
}

# options: LETTER=KIND, LETTER= without an argument. operands: KIND, KIND+ for all that follow.
function bash(    i, table, name) {
  name = program
  gsub(/-/, "_", name)
  for (i = 1; i <= options; ++i)
    table = table (i > 1 ? " " : "") letter[i] "=" (argument[i] == "" ? "" : kind_of(argument[i], help[i], letter[i]))
  print "_" name "() {\n  local options=" quoted(table)
  table = ""
  for (i = 1; i <= operands; ++i)
    table = table (i > 1 ? " " : "") kind_of(operand[i]) (operand[i] ~ /^[[A-Z]*\.\.\.\]?$/ ? "+" : "")
  print "  local operands=" quoted(table) "\n  _pm_complete\n}\ncomplete -F _" name " " program
}

function action(kind,    values) {
  values = kind
  sub(/^[a-z]+:/, "", values)
  gsub(/,/, " ", values)
  gsub(/:/, "\\:", values)
  if (kind ~ /^list:(service|stored)$/) return "_sequence _pm_" values
  if (kind ~ /^list:/) return "_sequence compadd - " values
  if (kind ~ /^words:/) return "(" values ")"
  # After a blank, _arguments adds no arguments.
  if (kind ~ /^address:/) return " _pm_address " values
  if (kind ~ /^(service|stored|rpc)$/) return "_pm_" kind
  if (kind ~ /^(user|group|pid|host)$/) return "_" kind "s"
  return kind == "file" ? "_files" : kind == "dir" ? "_files -/" : kind == "interface" ? "_net_interfaces" : " "
}
function zsh(    i, j, text, excluded, kind) {
  print "_arguments -s -S -A '-*' \\"
  for (i = 1; i <= options; ++i) {
    excluded = ""
    for (j = 1; j <= options; ++j)
      if (i != j && group[letter[i]] == group[letter[j]]) excluded = excluded (excluded == "" ? "" : " ") "-" letter[j]
    text = help[i]
    gsub(/[][\\]/, "\\\\&", text)
    text = "-" letter[i] (argument[i] == "" ? "" : "+") "[" text "]"
    if (argument[i] != "") text = text ":" argument[i] ":" action(kind_of(argument[i], help[i], letter[i]))
    print "  " quoted((excluded == "" ? "" : "(" excluded ")") (letter[i] in repeated ? "*" : "") text) " \\"
  }
  for (i = 1; i <= operands; ++i) {
    kind = kind_of(operand[i])
    text = operand[i]
    gsub(/[][.]/, "", text)
    if (kind == "prog") text = "*:::" text ": _normal"
    else text = (operand[i] ~ /^[[A-Z]*\.\.\.\]?$/ ? "*" : i) (operand[i] ~ /^\[/ ? "::" : ":") text ":" action(kind)
    print "  " quoted(text) " \\"
  }
  print "  '(- : *)--help[print the options]' \\\n  '(- : *)--version[print the version]'"
}

function fish_quoted(text) {
  gsub(/[\\']/, "\\\\&", text)
  return "'" text "'"
}
# with: the letters of the options that take an argument.
function fish(    i, with, line, table, kind) {
  for (i = 1; i <= options; ++i)
    if (argument[i] != "") with = with letter[i]
  with = "'" with "'"
  print "complete -c " program " -f"
  for (i = 1; i <= options; ++i) {
    line = "complete -c " program " -n \"__pm_before_operands " with "\" -s " letter[i] " -d " fish_quoted(help[i])
    kind = argument[i] == "" ? "" : kind_of(argument[i], help[i], letter[i])
    print line (kind == "" ? "" : kind == "none" ? " -x" : " -x -a \"(__pm_values " with " " kind ")\"")
  }
  for (i = 1; i <= operands; ++i)
    table = table " " kind_of(operand[i]) (operand[i] ~ /^[[A-Z]*\.\.\.\]?$/ ? "+" : "")
  if (operands) print "complete -c " program " -a \"(__pm_operand " with table ")\""
  print "complete -c " program " -n '__pm_is_first' -l help -d 'print the options'"
  print "complete -c " program " -n '__pm_is_first' -l version -d 'print the version'"
}

END {
  read_usage()
  if (shell == "bash") bash()
  else if (shell == "zsh") zsh()
  else fish()
}
