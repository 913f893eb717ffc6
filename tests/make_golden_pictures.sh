#!/usr/bin/env bash
# Regenerates tests/data/pictures/*.png with build/release/convtool, from the command lines in commands.txt there. Look at
# every picture before committing it: tests/cli/test_golden_pictures.cpp compares the program's output with them.
set -euo pipefail
cd "$(dirname "$0")/.."
while read -r name command options; do
  # shellcheck disable=SC2086
  build/release/convtool "$command" tests/data/pictures/input.png $options --quiet --png-level 9 \
    -o "tests/data/pictures/$name.png"
done < tests/data/pictures/commands.txt
