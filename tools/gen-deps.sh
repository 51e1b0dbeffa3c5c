#!/bin/sh -e
# Writes package/deps.mak on standard output: which object needs which headers, from the includes themselves; which
# library and program needs which objects, from the files in deps-lib/ and deps-exe/.

cd "$(dirname "$0")/.."
export LC_ALL=C

echo '# Written by tools/gen-deps.sh'
echo

# An include of <pm/...> is below src/include, one in quotes beside the file; others are not ours.
sources=$(find src tests -name '*.cpp' | sort)
headers=$(find src tests -name '*.h' ! -path src/include/pm/base/config.h | sort)
# shellcheck disable=SC2086
grep -H '^#include [<"]' $sources $headers | awk -F ':' -v sources="$sources" '
  function directory(file) { sub(/[^\/]*$/, "", file); return file }
  function normal(path) { while (sub(/[^\/.][^\/]*\/\.\.\//, "", path)) { } return path }
  function visit(file,   n, i, list) {
    n = split(includes[file], list, " ")
    for (i = 1; i <= n; ++i) if (!(list[i] in seen)) {
      seen[list[i]] = 1
      visit(list[i])
    }
  }
  {
    name = $2
    sub(/^#include ./, "", name)
    sub(/[>"].*$/, "", name)
    if ($2 ~ /^#include <pm\//) includes[$1] = includes[$1] " src/include/" name
    else if ($2 ~ /^#include "/) includes[$1] = includes[$1] " " normal(directory($1) name)
  }
  END {
    n = split(sources, all, "\n")
    for (i = 1; i <= n; ++i) {
      delete seen
      visit(all[i])
      line = ""
      for (file in seen) line = line " " file
      object = all[i]
      sub(/\.cpp$/, ".o", object)
      # An order that does not depend on awk.
      count = split(line, needs, " ")
      for (a = 2; a <= count; ++a) {
        for (b = a; b > 1 && needs[b] < needs[b - 1]; --b) { swap = needs[b]; needs[b] = needs[b - 1]; needs[b - 1] = swap }
      }
      line = ""
      for (a = 1; a <= count; ++a) line = line " " needs[a]
      print "$(O)/" object ": " all[i] line
    }
  }'
echo

for file in $(find src tests -path '*/deps-lib/*' -type f | sort); do
  dir=${file%/deps-lib/*}
  echo "\$(O)/lib${file##*/}.a:$(sed "s|^| \$(O)/$dir/|" "$file" | tr -d '\n')"
done
echo

for file in $(find src tests -path '*/deps-exe/*' -type f | sort); do
  dir=${file%/deps-exe/*} name=${file##*/} objects= libs=
  while read -r need; do
    case $need in
      -l*) libs="$libs $need" ;;
      *.a) objects="$objects \$(O)/$need" ;;
      */*) objects="$objects \$(O)/$need" ;;
      *) objects="$objects \$(O)/$dir/$need" ;;
    esac
  done < "$file"
  echo "\$(O)/$name: EXTRA_LIBS :=$libs"
  echo "\$(O)/$name: \$(O)/$dir/$name.o$objects"
  case $dir in
    src/*)
      echo "\$(O)/fault/$name: EXTRA_LIBS :=$libs"
      echo "\$(O)/fault/$name: \$(O)/$dir/$name.o \$(O)/tests/fault/sys.o \$(O)/tests/fault/fault.o$objects"
      ;;
  esac
done
