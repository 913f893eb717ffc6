#!/usr/bin/env bash
# Runs convtool as a job array on a Slurm cluster whose nodes share a file system:
#   samples/cluster/slurm.sh OPTIONS SHARDS OUT LIST COMMAND ARGUMENT...
#   find pictures -name '*.png' -print0 | sort -z >list
#   samples/cluster/slurm.sh '--cpus-per-task=8 --time=60' 30 out list apply -k sobel --jobs 8
# OPTIONS are sbatch's, split at blanks; '' for none. Returns when all jobs have ended. See README.md in this folder.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
source "$(dirname "$0")/common.sh"

read -ra options <<<"$1"
shift
prepare "$@"
trap 'scancel "$(<"$out/shards/job")"; kill $!; exit 130' INT TERM
for ((try = 1; try <= tries; try++)); do
  left=$(unfinished | paste -sd,)
  [ -n "$left" ] || break
  # --no-requeue: if Slurm restarted a shard by itself, it could run at the same time as the one that this loop starts.
  # sbatch runs in the background, because bash runs a trap only between commands and in wait.
  sbatch --parsable --wait --no-requeue --job-name=convtool "${options[@]}" --array="$left" --chdir="$out" \
    --output=shards/%a.log --open-mode=append --wrap='exec bash "shards/$SLURM_ARRAY_TASK_ID.sh"' >"$out/shards/job" &
  wait $! || true
done
finish
