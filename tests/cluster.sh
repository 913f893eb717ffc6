#!/usr/bin/env bash
# Tests samples/cluster on this machine alone: tests/cluster.sh CONVTOOL. GNU parallel logs in to a private sshd; then a
# private Slurm has two nodes. Both listen on loopback only. Machines and pictures fail on purpose. A part whose programs
# are not installed is skipped, or fails with CONVTOOL_TESTS_NO_SKIP set; the exit code is 77 when every part was skipped.
set -euo pipefail
convtool=$(realpath "$1")
cluster=$(realpath "$(dirname "$0")/../samples/cluster")
unset CONVTOOL TRIES SLURM_CONF "${!SLURM_@}" "${!SBATCH_@}"

work=$(mktemp -d)
chmod 755 "$work"  # munged refuses a socket that other users cannot reach
started=()
clean_up() {
  local status=$?
  trap - EXIT
  trap '' INT TERM
  if [ -n "${SLURM_CONF:-}" ]; then
    timeout 10 scancel --user="$(id -un)" || true
    wait_for 10 eval '[ -z "$(squeue -h)" ]' || true
  fi
  [ ${#started[@]} -eq 0 ] || { kill "${started[@]}" || true; wait; } 2>/dev/null
  [ ! -e "$work/made_run_sshd" ] || rmdir /run/sshd
  [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || tail -n 20 "$work"/*.out >&2 || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() { echo "FAILED: $*" >&2; exit 1; }
# skip WHY: reports that a part of the test is left out.
skip() {
  echo "SKIPPED: cluster: $*"
  [ -z "${CONVTOOL_TESTS_NO_SKIP:-}" ] || fail "CONVTOOL_TESTS_NO_SKIP is set"
}
# start NAME PROGRAM ARGUMENT...: a service that clean_up stops, with its output in NAME.out.
start() { "${@:2}" >"$work/$1.out" 2>&1 </dev/null & started+=($!); }
# wait_for SECONDS COMMAND...: waits until the command succeeds; returns false if it does not in time.
wait_for() {
  local end=$((SECONDS + $1))
  until "${@:2}" >"$work/wait_for.out" 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The scripts and services keep their files here instead of in the home folder and the folder for temporary files.
mkdir "$work/tmp" "$work/parallel"
export TMPDIR=$work/tmp PARALLEL_HOME=$work/parallel

# 41 pictures, whose names a careless script would split.
mkdir -p "$work/it's here/a b"
cd "$work/it's here"
for i in {1..41}; do
  name="a b/$i.pgm"
  case $i in 7) name=$'a b/new\nline.pgm' ;; 14) name='a b/$(false) "quoted" \.pgm' ;; 30) name='a b/--ü%5.pgm' ;; esac
  printf 'P2 3 3 255 %d 0 9 0 %d 0 9 0 0\n' $i $((i * 6)) >"$name"
  printf '%s\0' "$name"
done >"the list"
filter=(apply -k sobel --map abs -q)
"$convtool" "${filter[@]}" --files-from "the list" -0 --out-dir "$work/expected"
[ "$(find "$work/expected" -type f -print0 | tr -dc '\0' | wc -c)" -eq 41 ] || fail "the undisturbed run"

# A convtool that fails as on a bad machine: the first try of shard 2 is killed after its work. Records each try and its
# machine.
cat >"$work/convtool" <<END
#!/usr/bin/env bash
for i in "\$@"; do [ "\${before:-}" != --shard ] || k=\${i%/*}; before=\$i; done
echo "\$k" >>"$work/tries"
echo "\${SLURMD_NODENAME:-\${SSH_CONNECTION:+ssh}}" >>"$work/places"
if [ "\$k" = 2 ] && mkdir "$work/killed" 2>/dev/null; then "$convtool" "\$@"; kill -9 \$\$; fi
exec "$convtool" "\$@"
END
chmod +x "$work/convtool"
export CONVTOOL=$work/convtool

# tries_are EXPECTED: checks the "SHARD:TRIES" of all shards.
tries_are() {
  local tries
  tries=$(sort -n "$work/tries" | uniq -c | awk '{print $2 ":" $1}' | paste -sd' ')
  [ "$tries" = "$1" ] || fail "tries of each shard: $tries, not $1"
}

# manifest_has COUNT: checks that the merged manifest is valid JSON and has one line for each input of the list, the last
# that a shard wrote. If COUNT is 40, the broken picture does not count.
manifest_has() {
  python3 - "the list" "$out/manifest.jsonl" "$1" <<'END' || fail "the merged manifest"
import glob, json, os, sys
names = [name.decode() for name in open(sys.argv[1], "rb").read().split(b"\0") if name]
records = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
inputs = [record["input"] for record in records]
assert len(set(inputs)) == len(inputs), "an input with two lines"
if sys.argv[3] == "40":
    names.remove("a b/21.pgm")
    inputs = [name for name in inputs if name != "a b/21.pgm"]  # a failure may be recorded, but need not be
assert sorted(inputs) == sorted(names), set(inputs) ^ set(names)
last = {record["input"]: record for shard in glob.glob(sys.argv[2].replace("manifest.jsonl", "manifests/*"))
        for record in map(json.loads, open(shard, encoding="utf-8"))}
assert all(record == last[record["input"]] for record in records), "not the last line"
assert all(os.path.samefile(os.path.dirname(record["output"]), sys.argv[2].replace("manifest.jsonl", "a b"))
           for record in records if record["input"] in names), "an output elsewhere"
END
}

# outputs_are_as_expected [DIFF OPTION...]: checks that outputs equal those of the undisturbed run, byte for byte. Ignores
# the scripts' own files.
outputs_are_as_expected() {
  diff -r -x manifest.jsonl -x manifests -x shards "$@" "$work/expected" "$out" >&2 || fail "outputs differ"
}

# check SCRIPT WHERE1 WHERE2: runs SCRIPT on WHERE1 with a picture that stays broken, then on WHERE2 with all of them intact.
check() {
  out="$work/out by $1"
  : >"$work/places"
  cp "a b/9.pgm" "a b/21.pgm" "$work"
  cp "a b/10.pgm" "a b/9.pgm"
  echo "not a picture" >"a b/21.pgm"
  rm -rf "$work/killed" "$work/tries"
  if timeout 120 "$cluster/$1" "$2" 5 "$out" "the list" "${filter[@]}" 2>"$work/run.out"; then fail "no error for the broken picture"; fi
  grep -q '^shard 3/5 failed' "$work/run.out" || fail "no error for shard 3"
  ! grep -q '^shard [^3]' "$work/run.out" || fail "an error for another shard"
  [ -e "$work/killed" ] || fail "no shard was killed"
  tries_are "1:1 2:2 3:3 4:1 5:1"
  outputs_are_as_expected -x '9.*' -x '21.*'
  [ -z "$(find "$out/a b" -name '21.*')" ] || fail "an output of the broken picture"
  manifest_has 40

  # The picture is intact again, another one has changed, and a crash has cut off a line of a manifest. With another number
  # of shards, only these two pictures are filtered.
  mv "$work/9.pgm" "$work/21.pgm" "a b"
  printf '{"version":1,"input":"a b/1.pgm","outp' >>"$out/manifests/1.jsonl"
  rm -r "$work/killed" "$work/tries"
  touch "$work/before"
  timeout 120 "$cluster/$1" "$3" 4 "$out" "the list" "${filter[@]}" 2>"$work/run.out" || fail "exit code $?"
  tries_are "1:1 2:2 3:1 4:1"
  outputs_are_as_expected
  [ "$(find "$out/a b" -type f -newer "$work/before" -printf '%f\n' | cut -d. -f1 | sort -n | paste -sd' ')" = "9 21" ] ||
    fail "other pictures than 9 and 21 were filtered again"
  manifest_has 41
  [ ! -e "$out/manifest.jsonl.partial" ] || fail "a partial manifest is left"
}

# Starts a private sshd with keys of its own; $login becomes the command that logs in to it.
start_sshd() {
  mkdir "$work/ssh"
  ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/host"
  ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/user"
  local port
  port=$(free_port)
  cat >"$work/ssh/sshd_config" <<END
ListenAddress 127.0.0.1:$port
HostKey $work/ssh/host
AuthorizedKeysFile $work/ssh/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
END
  cat >"$work/ssh/config" <<END
Host node
  HostName 127.0.0.1
  Port $port
Host dead
  ProxyCommand false
Host *
  User $(id -un)
  IdentityFile $work/ssh/user
  IdentitiesOnly yes
  IdentityAgent none
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
END
  # sshd refuses to run as root without this folder.
  if [ "$(id -u)" -eq 0 ] && [ ! -e /run/sshd ]; then mkdir /run/sshd; touch "$work/made_run_sshd"; fi
  start sshd "$(PATH=$PATH:/usr/sbin command -v sshd)" -D -e -f "$work/ssh/sshd_config"
  login="ssh -F $work/ssh/config node"
  wait_for 5 $login true
}

# Starts a Slurm of two nodes with one core each, without accounting and cgroups.
start_slurm() {
  mkdir "$work/slurm" "$work/slurm/state"
  (umask 077 && head -c 128 /dev/urandom >"$work/slurm/key")
  start munged munged --foreground --key-file "$work/slurm/key" --socket "$work/slurm/munge" --num-threads 2 \
    --pid-file "$work/slurm/munged.pid" --seed-file "$work/slurm/seed"
  local host
  host=$(hostname -s)
  # SlurmdUser lets users other than root start it. sbatch --wait asks for the state of a job every MinJobAge seconds.
  cat >"$work/slurm/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$work/slurm/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$work/slurm/state
SlurmctldPidFile=$work/slurm/slurmctld.pid
SlurmctldLogFile=$work/slurm/slurmctld.log
SlurmdPidFile=$work/slurm/%n.pid
SlurmdLogFile=$work/slurm/%n.log
SlurmdSpoolDir=$work/slurm/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
PlugStackConfig=/dev/null
MinJobAge=2
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port)
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port)
PartitionName=all Nodes=node1,node2 Default=YES
END
  # From 24.05 on, Slurm looks for cgroups even where nothing uses them, and can be told not to (cgroup.conf(5)).
  local version
  version=$(PATH=$PATH:/usr/sbin slurmd -V | awk '{print $2}')
  if printf '24.05\n%s\n' "$version" | sort -CV; then echo CgroupPlugin=disabled >"$work/slurm/cgroup.conf"; fi
  wait_for 5 test -S "$work/slurm/munge" || return 1
  export SLURM_CONF=$work/slurm/slurm.conf
  start slurmctld slurmctld -D -i
  start node1 slurmd -D -N node1
  start node2 slurmd -D -N node2
  wait_for 20 eval '[ "$(sinfo -h -t idle -o %D)" = 2 ]'
}

# missing PROGRAM...: prints those that are not installed.
missing() { for program in "$@"; do PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || printf '%s ' "$program"; done; }
tested=0

if absent=$(missing parallel) && [ -n "$absent" ]; then
  skip "needs GNU parallel"
else
  hosts=:
  if absent=$(missing ssh ssh-keygen sshd) && [ -n "$absent" ]; then
    skip "parallel over ssh needs $absent"
  elif ! start_sshd; then
    skip "parallel over ssh: $(id -un) may not log in here: $(tail -n 1 "$work/wait_for.out")"
  else
    hosts=":,$login"
    one_is_down=",ssh -F $work/ssh/config dead"
  fi
  check parallel.sh "$hosts" "$hosts${one_is_down:-}"
  [ "$hosts" = : ] || grep -q ssh "$work/places" || fail "nothing ran over ssh"
  echo "tested: parallel on $hosts"
  tested=1
fi

PATH=$PATH:/usr/sbin
if absent=$(missing munged slurmctld slurmd sbatch) && [ -n "$absent" ]; then
  skip "Slurm needs $absent"
else
  start_slurm || fail "Slurm does not start"
  check slurm.sh '' '--cpus-per-task=1 --time=1'
  [ "$(sort -u "$work/places" | paste -sd' ')" = "node1 node2" ] || fail "a node did nothing"
  echo "tested: Slurm"
  tested=1
fi
[ $tested -eq 1 ] || exit 77
