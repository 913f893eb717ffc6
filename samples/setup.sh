# Sourced by the scripts here and by tests/run.sh: functions that install missing packages and build.

build_packages="g++ cmake ninja-build libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libcli11-dev libeigen3-dev libhwy-dev nlohmann-json3-dev libxxhash-dev libdeflate-dev libisal-dev libgif-dev zlib1g-dev"
# Called directly, for pictures that OpenCV misreads.
build_packages+=" libjpeg-dev libtiff-dev libwebp-dev libopenexr-dev"
# OpenCV's static archives need these, too (src/pictures/opencv/opencv.cmake). Without them the shared libraries are linked.
build_packages+=" libpng-dev libopenjp2-7-dev libtbb-dev liblapack-dev libblas-dev"
test_packages="doctest-dev jq python3 python3-jsonschema"  # for the tests, besides $build_packages

# install_missing PACKAGE...: installs the missing ones with apt-get, through sudo unless run as root.
install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || { echo "missing: ${missing[*]}; install them by hand, as apt-get is not available" >&2; exit 1; }
  local sudo=() as_root="as root, run: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "packages are missing, and sudo is not installed; $as_root" >&2; exit 1; }
    sudo=(sudo)
  fi
  echo "Installing with apt-get: ${missing[*]}"
  mkdir -p build
  if ! { "${sudo[@]}" apt-get update -qq && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
         --no-install-recommends "${missing[@]}"; } >build/install.log 2>&1; then
    tail -n 20 build/install.log >&2
    [ ${#sudo[@]} -eq 0 ] || echo "packages are missing, and sudo did not install them; $as_root" >&2
    exit 1
  fi
}

# build PRESET [CMAKE OPTION...]: configures and builds into build/PRESET, and prints the log only on failure.
build() {
  local preset=$1 log
  shift
  mkdir -p build
  log=build/$preset.log
  echo "Building ($preset) ..."
  if ! { cmake --preset "$preset" "$@" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
    tail -n 50 "$log" >&2
    exit 1
  fi
}
