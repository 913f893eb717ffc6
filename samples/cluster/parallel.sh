#!/usr/bin/env bash
# Runs convtool on many machines, which see the same file system, by GNU parallel over ssh:
#   samples/cluster/parallel.sh HOSTS SHARDS OUT LIST COMMAND ARGUMENT...
#   find pictures -name '*.png' -print0 | sort -z >list
#   samples/cluster/parallel.sh :,user@a,user@b 30 out list apply -k sobel --jobs 0
# HOSTS is what parallel takes as --sshlogin; ":" is this machine. See README.md beside this file.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
source "$(dirname "$0")/common.sh"

hosts=$1
shift
case $(realpath -m "$2") in *[{}]*) echo "$2: parallel would fill in its braces; choose another folder" >&2; exit 2 ;; esac
prepare "$@"
# One shard at a time on each machine: convtool itself uses all cores. What fails is tried on another machine first.
# Exit codes are in the shards' status files, where finish reads them; parallel.log says where and when each ran.
parallel --plain --sshlogin "$hosts" --jobs 1 --retries "$tries" --workdir "$out" \
  --joblog "$out/shards/parallel.log" bash shards/{}.sh ::: $(seq "$shards") || true
finish
