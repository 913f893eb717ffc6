#!/usr/bin/env bash
# Builds the preset `fuzz` and runs a target under libFuzzer: tests/fuzz/run.sh TARGET [ARGUMENT OF LIBFUZZER...]
#
# Without a file among the arguments, inputs that reach new code are collected in build/fuzz/corpus/TARGET, from which the
# next run continues. Inputs that fail are written to build/fuzz/failures/TARGET.
set -euo pipefail
folder=$(dirname "$(realpath "$0")")
cd "$folder/../.."
source samples/setup.sh
target=${1:?usage: tests/fuzz/run.sh TARGET [ARGUMENT OF LIBFUZZER...]}
shift

install_missing $build_packages doctest-dev clang libclang-rt-dev
build fuzz
corpus=build/fuzz/corpus/$target failures=build/fuzz/failures/$target
mkdir -p "$corpus" "$failures"
build/fuzz/tests/fuzz/test_fuzz --seeds build/fuzz/seeds

case $target in
  header | decode_*) dictionary=pictures ;;
  kernel) dictionary=kernel ;;
  npy | safetensors | manifest | tensor_text) dictionary=tensors ;;
  *) dictionary= ;;
esac
inputs=("$corpus" "build/fuzz/seeds/$target")
[ -d "$folder/crashes/$target" ] && inputs+=("$folder/crashes/$target")
for argument in "$@"; do
  [ -f "$argument" ] && inputs=()
done
# close_fd_mask: libFuzzer keeps a copy of standard error, which is captured while a codec runs.
# malloc_limit_mb: a small file must not ask for more.
# len_control: inputs grow slowly, which is not the default where a target mutates them itself.
export CONVTOOL_FUZZ_TARGET=$target
exec build/fuzz/tests/fuzz/fuzz -close_fd_mask=2 -malloc_limit_mb=512 -timeout=60 -len_control=100 -artifact_prefix="$failures/" \
  ${dictionary:+-dict="$folder/$dictionary.dict"} "$@" "${inputs[@]}"
