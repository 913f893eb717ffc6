#!/bin/sh
# Prints the copyright notices of libraries whose code is in the program: notices.sh FILE... Each FILE, a header or a static
# archive, belongs to a Debian package, which has the notice of its library; others are left out.
set -eu
packages=$(dpkg-query --search "$@" 2>/dev/null | cut -d: -f1 | sort -u)
for package in $packages; do
  printf '\n==== %s\n\n' "$package"
  cat "/usr/share/doc/$package/copyright"
done
