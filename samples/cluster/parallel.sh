#!/usr/bin/env bash
# Runs convtool with GNU parallel over ssh, on many machines that share a file system:
#   samples/cluster/parallel.sh HOSTS SHARDS OUT LIST COMMAND ARGUMENT...
#   find pictures -name '*.png' -print0 | sort -z >list
#   samples/cluster/parallel.sh :,user@a,user@b 30 out list apply -k sobel --jobs 0
# HOSTS is what parallel takes as --sshlogin; ":" is this machine. See README.md in this folder.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
source "$(dirname "$0")/common.sh"

hosts=$1
shift
case $(realpath -m "$2") in *[{}]*) echo "$2: parallel would replace its braces; choose another folder" >&2; exit 2 ;; esac
prepare "$@"
# One shard at a time on each machine, because convtool itself uses all cores. A failed shard is tried on another machine first.
# finish reads the exit codes from the shards' status files. parallel.log records where and when each shard ran.
parallel --plain --sshlogin "$hosts" --jobs 1 --retries "$tries" --workdir "$out" \
  --joblog "$out/shards/parallel.log" bash shards/{}.sh ::: $(seq "$shards") || true
finish
