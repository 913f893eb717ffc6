# Sourced by parallel.sh and slurm.sh: functions that write a script for each shard and read the exit codes.

cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tries=${TRIES:-3}
convtool=${CONVTOOL:-convtool}
# A path becomes absolute, because the scripts of the shards may start elsewhere. A bare name is looked up in each machine's PATH.
[[ $convtool != */* ]] || convtool=$(realpath "$convtool")

# prepare SHARDS OUT LIST COMMAND ARGUMENT...: writes OUT/shards/K.sh for each K, to run convtool on the K-th slice of LIST.
prepare() {
  shards=$1
  [[ $shards =~ ^[1-9][0-9]*$ ]] || { echo "SHARDS must be a positive number, not $shards" >&2; exit 2; }
  [ -f "$3" ] || { echo "$3: no such list" >&2; exit 2; }
  mkdir -p "$2/shards" "$2/manifests"
  out=$(realpath "$2")
  local list k
  list=$(realpath "$3")
  shift 3
  python3 "$cluster/manifests.py" deal "$out" "$list" "$shards"
  for ((k = 1; k <= shards; k++)); do
    : >"$out/shards/$k.log"
    # Empty it instead of removing it: an NFS client may cache for a while that a file is missing, but rereads one it knows.
    : >"$out/shards/$k.status"
    {
      printf 'cd %q\n' "$PWD"
      printf '%q ' "$convtool" "$1" --files-from "$list" -0 --out-dir "$out" --shard "$k/$shards" \
        --manifest "$out/manifests/$k.jsonl" "${@:2}"
      printf '>>%q 2>&1\nstatus=$?\necho $status >%q\nexit $status\n' "$out/shards/$k.log" "$out/shards/$k.status"
    } >"$out/shards/$k.sh"
  done
}

# unfinished: prints the numbers of the shards that have not succeeded, one per line.
unfinished() {
  local k
  for ((k = 1; k <= shards; k++)); do
    [ "$(<"$out/shards/$k.status")" = 0 ] || echo "$k"
  done
}

# finish: merges the manifests, even after failures. When a shard has failed, prints the end of its log and returns false.
finish() {
  local k left
  python3 "$cluster/manifests.py" fold "$out"
  left=$(unfinished)
  for k in $left; do
    echo "shard $k/$shards failed; the end of $out/shards/$k.log:" >&2
    tail -n 5 "$out/shards/$k.log" | sed 's/^/  /' >&2
  done
  [ -z "$left" ]
}
