#!/usr/bin/env bash
# Makes tests/data/pictures/*.png anew with build/release/convtool, from the command lines in commands.txt there. Look at
# every one of them before you keep it: tests/cli/test_golden_pictures.cpp holds the program to them.
set -euo pipefail
cd "$(dirname "$0")/.."
while read -r name command options; do
  # shellcheck disable=SC2086
  build/release/convtool "$command" tests/data/pictures/input.png $options --quiet --png-level 9 \
    -o "tests/data/pictures/$name.png"
done < tests/data/pictures/commands.txt
