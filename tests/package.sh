#!/usr/bin/env bash
# Checks the Debian package of a finished build: tests/package.sh [BUILD [CHROOT]]. BUILD is build/release by default.
#
# The package is built twice, under umask 077 and 022, the second time as a later version. lintian reports on both.
# With CHROOT, the root of a clean installation of the same Debian (debootstrap makes one) with its apt set up, the
# package is installed, upgraded and removed there. That needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build/release}")
chroot=${2:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# fail MESSAGE: ends the script.
fail() { echo "FAILED: $*" >&2; exit 1; }

# package UMASK RELEASE: builds the package of this Debian revision, and prints its path.
package() {
  (umask "$1" && cpack --config "$build/CPackConfig.cmake" -B "$folder/$1" -D CPACK_DEBIAN_PACKAGE_RELEASE="$2") \
    >"$folder/cpack.log" 2>&1 || { cat "$folder/cpack.log" >&2; fail "cpack under umask $1"; }
  ls "$folder/$1"/*.deb
}

old=$(package 077 1)
new=$(package 022 2)
for deb in "$old" "$new"; do
  wrong=$(dpkg-deb --contents "$deb" | grep -Ev '^(drwxr-xr-x|-rw-r--r--) root/root |^-rwxr-xr-x root/root .* \./usr/bin/convtool$') &&
    fail "$deb: owner or mode of: $wrong"
  lintian --fail-on error,warning "$deb"
done
diff <(dpkg-deb --contents "$old" | awk '{print $1, $2, $6}') <(dpkg-deb --contents "$new" | awk '{print $1, $2, $6}') ||
  fail "the umask changes the package"
echo "built: $(basename "$old"), $(basename "$new")"
[ -n "$chroot" ] || exit 0

# in_chroot COMMAND...: runs it in the chroot; its output is shown if it fails.
in_chroot() {
  chroot "$chroot" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@" >"$folder/chroot.log" 2>&1 ||
    { cat "$folder/chroot.log" >&2; fail "in $chroot: $*"; }
}

# installed: prints the version that is installed in the chroot.
installed() { dpkg-query --root="$chroot" --show --showformat='${Version}' convtool; }

cp "$old" "$new" "$chroot/tmp/"
cp samples/camera.png "$chroot/tmp/"
in_chroot apt-get update
for deb in "$old" "$new"; do
  in_chroot apt-get install --yes --no-install-recommends "/tmp/$(basename "$deb")"
  [ "convtool_$(installed)_$(dpkg --print-architecture).deb" = "$(basename "$deb")" ] || fail "$(installed) is installed"
  in_chroot convtool apply /tmp/camera.png --kernel sobel --output /tmp/edges.png
  [ -s "$chroot/tmp/edges.png" ] || fail "the installed program wrote nothing"
done
in_chroot apt-get remove --purge --yes convtool
left=$(cd "$chroot" && dpkg-deb --contents "$old" | awk '$6 !~ /\/$/ {print $6}' | xargs ls -d 2>/dev/null || true)
[ -z "$left" ] || fail "left after removal: $left"
rm -f "$chroot/tmp/"{convtool_*.deb,camera.png,edges.png}
echo "installed, upgraded and removed in $chroot"
