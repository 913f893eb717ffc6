#!/usr/bin/env bash
# Builds the program and the tests for arm64 and runs them under QEMU, on an amd64 Debian as root: tests/arm64.sh [CPU].
# CPU is one that `qemu-aarch64-static -cpu help` lists. The default is that of a Raspberry Pi 4; max has SVE, too.
# What needs decoders in processes of their own is left out: QEMU adds a thread to every program, and has no CLONE_PARENT.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh

install_missing g++-aarch64-linux-gnu mmdebstrap qemu-user-static

# The headers and libraries, of the release that the cross-compiler is of. Packages are extracted without being
# configured, so the links that this would create are created here.
root=$PWD/build/arm64-root
if [ ! -e "$root/complete" ]; then
  echo "Installing packages of arm64 in build/arm64-root ..."
  rm -rf "$root"
  mkdir -p build
  packages=$(tr ' ' '\n' <<<"$build_packages doctest-dev libstdc++6" | grep -vxE 'g[+][+]|cmake|ninja-build' | paste -sd,)
  mmdebstrap --quiet --variant=extract --architectures=arm64 --include="$packages" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root"
  [ -e "$root/lib" ] || ln -s usr/lib "$root/lib"
  for name in blas lapack; do
    ln -s "$name/lib$name.so" "$name/lib$name.so.3" "$root/usr/lib/aarch64-linux-gnu/"
  done
  touch "$root/complete"
fi

# Tests start the program, so the kernel must know how to run programs of arm64.
export QEMU_LD_PREFIX=$root QEMU_CPU=${1:-cortex-a72}
if ! "$root/lib/ld-linux-aarch64.so.1" --version >/dev/null 2>&1; then
  mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
fi

exec tests/run.sh arm64
