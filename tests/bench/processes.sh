#!/usr/bin/env bash
# Compares convtool with other command-line programs, in whole runs from file to file. Prints tables in Markdown.
#
#   tests/bench/processes.sh CONVTOOL [DIR]
#
# CONVTOOL is the binary. BEFORE in the environment may name an older one, which takes its turns with the others, and
# CODECS the program bench_codecs, for the floors of PNG. Pictures, timings and tables.md are kept in DIR; without DIR they
# are deleted at the end. Installs hyperfine, ImageMagick, python3 and time if missing. Leaves out other programs that are
# not installed.
# For a quick try, set in the environment: ROUNDS (3) in which all commands take turns; RUNS (3) of a command in a round,
# ten times as many at 64x64, after WARMUP (3) untimed runs; FILES (200) in a batch, which runs BATCH_RUNS (2) times;
# LARGE (40) GB of a file that is read, a tenth of which is also written.
set -euo pipefail
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
convtool=$(realpath -e "$1")
before=${BEFORE:+$(realpath -e "$BEFORE")} codecs=${CODECS:+$(realpath -e "$CODECS")}
if [ $# -eq 2 ]; then
  mkdir -p "$2"
  dir=$(realpath "$2")
else
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
fi
large=${LARGE:-40}
rounds=${ROUNDS:-3} runs=${RUNS:-3} warmup=${WARMUP:-3} files=${FILES:-200} batch_runs=${BATCH_RUNS:-2}
cores=$(nproc)
cd "$(dirname "$0")/../.."
source samples/setup.sh
install_missing hyperfine imagemagick python3 time
project=$PWD
# All other names are relative to DIR. They need no quoting, and the tables show the commands as they ran.
cd "$dir"
mkdir -p out
ln -sf "$convtool" convtool
[ -z "$before" ] || ln -sf "$before" before
[ -z "$codecs" ] || ln -sf "$codecs" codecs
printf '3 3\n0 -1 0\n-1 5 -1\n0 -1 0\n' >sharpen.mat

# Prefer Debian's names of the binaries: `convert` may be a script that starts one, and its time would be included.
magick=$(basename "$(command -v convert-im6.q16 || command -v convert)")
mogrify=$(basename "$(command -v mogrify-im6.q16 || command -v mogrify)")
peers=()
for program in gm vips ffmpeg "$magick" gmic; do
  if command -v "$program" >/dev/null; then peers+=("$program"); else echo "$program is not installed: left out" >&2; fi
done

table() { python3 "$project/tests/bench/process_table.py" "$@"; }

# line PROGRAM PNG INPUT OUTPUT prints the command that sharpens INPUT. PNG is "own" for the program's default settings,
# or a compression level; with a level, rows are filtered by Sub, as in convtool, if the program has an option for it.
# For an OUTPUT of OUT, which is of another format, it is "own", or what the program is told about that format.
line() {
  local program=$1 png=$2 in=$3 out=$4 weights=0,-1,0,-1,5,-1,0,-1,0 plane="0 -1 0 -1 5 -1 0 -1 0" settings=
  local planes=gbrp color_type=2
  [[ $in != *grey* ]] || { planes=gray color_type=0; }
  [ "$png" = own ] || if [ "$out" = OUT ]; then settings=$png; else case $program in
    convtool) settings=" --png-level $png" ;;
    # The tens are the level; 5 lets libpng choose each row's filter. 1 means Sub, but then both programs leave rows
    # unfiltered and are no faster.
    gm | "$magick") settings=" -quality ${png}5" ;;
    vips) settings="[compression=$png,filter=sub]" ;;
    ffmpeg) settings=" -compression_level $png -pred sub" ;;
  esac; fi
  case $program in
    convtool | before) echo "./$program apply $in -k sharpen -q$settings -o $out" ;;
    gm) echo "gm convert $in -convolve $weights$settings $out" ;;
    # Without a color type, ImageMagick searches all pixels to choose one. For grey pictures that takes longer than
    # anything else.
    "$magick") echo "$magick $in -morphology Convolve 3x3:$weights$settings" \
                    "-define png:color-type=$color_type -define png:bit-depth=8 $out" ;;
    vips) echo "vips conv $in \"$out$settings\" sharpen.mat --precision integer" ;;
    ffmpeg) echo "ffmpeg -nostdin -loglevel error -y -i $in -vf \"format=$planes,convolution=$plane:$plane:$plane\"" \
                 "-frames:v 1 -update 1$settings $out" ;;
    gmic) echo "gmic -v 0 $in \"(0,-1,0;-1,5,-1;0,-1,0)\" correlate[0] [1],1 keep[0] cut 0,255 output $out" ;;
  esac
}

# picture PHOTOGRAPH WIDTHxHEIGHT COLOR_TYPE OUT writes the photograph, scaled and cropped to that size.
picture() {
  [ -e "$4" ] || "$magick" "$project/samples/$1" -resize "$2^" -gravity center -extent "$2" -strip -depth 8 \
    -define png:color-type="$3" "$4"
}

# difference A B prints the largest difference between two pictures, in levels. It ignores the borders, where programs
# differ.
difference() {
  "$magick" "$1" "$2" -shave 2x2 -compose difference -composite -separate -evaluate-sequence max \
    -format '%[fx:round(255*maxima)]' info:
}

# timed NAME ROUNDS OPTION... -n LABEL COMMAND... writes hyperfine's times to NAME.ROUND.json. All commands take turns in
# each round, so that a temporary load on the machine slows all of them.
timed() {
  local name=$1 rounds=$2 round
  shift 2
  rm -f "$name".*.json
  for ((round = 1; round <= rounds; round++)); do
    hyperfine -N --style none --export-json "$name.$round.json" "$@" >hyperfine.log 2>&1 || { cat hyperfine.log >&2; exit 1; }
  done
}

# pictures SIZE COLOR prints the table of one picture. Each command first runs once, to measure its difference, the size
# of its output and its memory.
pictures() {
  local name=$2-$1 runs=$runs label command memory program out commands=()
  [ "$1" != 64x64 ] || runs=$((10 * runs))
  if [ "$2" = grey ]; then picture camera.png "$1" 0 "$name.png"; else picture coffee.png "$1" 2 "$name.png"; fi
  : >"$name.facts"
  for label in "convtool own" "convtool 6" ${before:+"before own"} "${peers[@]/%/ 1}" "${peers[@]/%/ own}"; do
    [ "$label" != "gmic 1" ] || continue  # it takes no level
    program=${label% *} out=out/$name.${label/ /.}.png
    command=$(line "$program" "${label#* }" "$name.png" "$out")
    memory=$(eval "env time -f %M $command" 2>&1) || { echo "$command: $memory" >&2; exit 1; }
    printf '%s\t' "$label" "$memory" "$(stat -c %s "$out")" "$(difference "$out" "out/$name.convtool.own.png")" >>"$name.facts"
    echo "$command" >>"$name.facts"
    commands+=(--prepare "rm -f $out" -n "$label" "$command")
  done
  timed "$name" "$rounds" --warmup "$warmup" --runs "$runs" "${commands[@]}"
  printf '\n### %s, %s\n\n' "$1" "$2"
  table pictures "$name.facts" "$name".*.json
}

# format EXTENSION [LABEL COMMAND]... prints the table of one format, from a picture of 4K to another file of that format.
# The commands read 4k.EXTENSION and write OUT.
format() {
  local extension=$1 label out command memory commands=() own=out/4k.$1.1.$1
  local -i count=0
  shift
  : >"$extension.facts"
  while [ $# -gt 0 ]; do
    label=$1 count+=1
    out=out/4k.$extension.$count.$extension command=${2//OUT/$out}
    shift 2
    memory=$(eval "env time -f %M $command" 2>&1) || { echo "$command: $memory" >&2; exit 1; }
    printf '%s\t' "$label" "$memory" "$(stat -c %s "$out")" >>"$extension.facts"
    if [[ $label == cp* ]]; then echo ""
    elif [ "$extension" = npy ]; then cmp -s "$out" "$own" && echo 0 || echo 255
    else echo "$(difference "$out" "$own")"; fi >>"$extension.facts"
    commands+=(--prepare "rm -f $out" -n "$label" "$command")
  done
  timed "$extension" "$rounds" --warmup "$warmup" --runs "$runs" "${commands[@]}"
  printf '\n### 3840x2160, %s\n\n' "$extension"
  table format "$extension.facts" "$extension".*.json
}

# formats prints the tables of formats other than PNG. New files are written, as by most users; cp shows what the system
# needs to read and write such a file.
formats() {
  local extension peer lines
  picture coffee.png 3840x2160 2 rgb-3840x2160.png
  "$magick" rgb-3840x2160.png 4k.ppm
  ./convtool apply rgb-3840x2160.png -k identity -q -o 4k.tif
  ./convtool apply rgb-3840x2160.png -k identity -q -o 4k.jpg
  ./convtool apply rgb-3840x2160.png --gray -k identity -q -o 4k.npy
  for extension in ppm npy tif jpg; do
    lines=()
    for peer in convtool ${before:+before}; do lines+=("$peer" "$(line "$peer" own "4k.$extension" OUT)"); done
    case $extension in
      ppm | npy) lines+=(cp "cp 4k.$extension OUT") ;;
    esac
    [ "$extension" = npy ] || for peer in vips gm "$magick"; do
      [[ " ${peers[*]} " == *" $peer "* ]] || continue
      case $peer-$extension in
        vips-tif)
          lines+=("vips, LZW" "$(line vips '[compression=lzw]' 4k.tif OUT)"
                  "vips, uncompressed" "$(line vips own 4k.tif OUT)"
                  "convtool, LZW" "$(line convtool ' --tiff-compression lzw' 4k.tif OUT)"
                  "convtool, uncompressed" "$(line convtool ' --tiff-compression none' 4k.tif OUT)") ;;
        vips-jpg) lines+=("vips" "$(line vips '[Q=95,subsample-mode=on]' 4k.jpg OUT)") ;;
        *-jpg) lines+=("$peer" "$(line "$peer" ' -quality 95 -sampling-factor 2x2' 4k.jpg OUT)") ;;
        *-tif) lines+=("$peer, LZW" "$(line "$peer" ' -compress LZW' 4k.tif OUT)") ;;
        *) lines+=("$peer" "$(line "$peer" own "4k.$extension" OUT)") ;;
      esac
    done
    format "$extension" "${lines[@]}"
  done
}

# floors prints what each step of reading and writing PNG takes by itself, if CODECS is given.
floors() {
  local color
  [ -n "$codecs" ] || return 0
  for color in grey rgb; do
    printf '\n### Floors of 3840x2160, %s, on one thread\n\n' "$color"
    ./codecs "$color-3840x2160.png"
  done
}

# large_file GB OUTPUT prints a row: a sparse .npy of so many GB, sharpened to OUTPUT. Fails if that takes 200 MB or more.
large_file() {
  local seconds memory
  python3 - "$1" <<'END'
import sys
rows = int(float(sys.argv[1]) * 1e9) // 400000
text = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 100000), }" % rows
header = b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117).encode() + b"\n"
with open("large.npy", "wb") as file:
    file.write(header)
    file.truncate(len(header) + rows * 400000)
END
  set -- "$1" "$2" ./convtool apply large.npy -k sharpen -q --max-pixels 100000000000 -o "$2"
  [[ $2 == *.npy ]] || set -- "$@" --format npy
  read -r seconds memory < <(env time -f '%e %M' "${@:3}" 2>&1)
  rm -f large.npy out/large.npy
  printf '| %s GB to %s | %s | %s |\n' "$1" "$2" "$seconds" "$((memory / 1024))"
  [ "$memory" -lt $((200 * 1000 * 1000 / 1024)) ] || { echo "large.npy: takes $memory KiB" >&2; exit 1; }
}

# large_files prints the table of files that may be larger than memory.
large_files() {
  local -i written=$((large / 10))
  printf '\n### .npy of 100,000 floats a row\n\n| | seconds | peak MiB |\n| --- | ---: | ---: |\n'
  large_file "$large" /dev/null
  if [ "$written" -eq 0 ]; then
    echo "a tenth of $large GB is too little to write: left out" >&2
  elif [ "$(df --output=avail -B 1000000000 . | tail -1)" -gt $((2 * written)) ]; then
    large_file "$written" out/large.npy
  else
    echo "there is no room for a result of $written GB: left out" >&2
  fi
}

# batches FASTEST prints the tables of many pictures. FASTEST is a peer and its PNG settings, such as "vips 1".
batches() {
  local pictures=pictures-$files commands=() folder=0 peer number each last
  # Each picture is a different part of the enlarged photograph; every second one is upside down.
  mkdir -p "$pictures"
  picture coffee.png 2400x1600 2 large.ppm
  for ((number = 0; number < files; number++)); do
    each=$pictures/$(printf %04d "$number").png
    [ -e "$each" ] || echo "large.ppm -crop 1920x1080+$((number * 37 % 480))+$((number * 53 % 520)) +repage" \
      "-rotate $((number % 2 * 180)) -strip -define png:color-type=2 $each"
  done | xargs -r -P "$cores" -L 1 "$magick"

  # batch LABEL COMMAND adds a command, in which OUT stands for a folder of its own. It becomes a script, since hyperfine
  # starts it without a shell.
  batch() {
    folder=$((folder + 1))
    mkdir -p "out/$folder"
    rm -f "out/$folder"/*.png
    printf 'mkdir -p out/%s\n%s\n' "$folder" "${2//OUT/out/$folder}" >"batch$folder.sh"
    commands+=(--prepare "rm -rf out/$folder" -n "$1" "bash batch$folder.sh")
  }
  for each in "--jobs 0" "--jobs 1 --threads 0"; do
    batch "convtool $each" "./convtool apply $pictures --recursive -k sharpen -q -o OUT/{stem}.png $each"
    [ -z "$before" ] || batch "before $each" "./before apply $pictures --recursive -k sharpen -q -o OUT/{stem}.png $each"
  done
  for peer in "convtool own" "$1"; do
    batch "loop of $peer" "for f in $pictures/*.png; do $(line "${peer% *}" "${peer#* }" '$f' 'OUT/${f##*/}'); done"
    batch "xargs -P $cores of $peer" "ls $pictures | xargs -P $cores -I{} $(line "${peer% *}" "${peer#* }" "$pictures/{}" OUT/{})"
  done
  batch mogrify "$mogrify -path OUT -morphology Convolve 3x3:0,-1,0,-1,5,-1,0,-1,0 -quality 15 $pictures/*.png"
  ! command -v gm >/dev/null || batch "gm mogrify" \
    "cd $pictures && gm mogrify -output-directory ../OUT -convolve 0,-1,0,-1,5,-1,0,-1,0 -quality 15 *.png"
  timed batch "$batch_runs" --runs 1 "${commands[@]}"
  printf '\n### %s files of 1920x1080, rgb\n\n' "$files"
  table batch batch.*.json

  # Check that every command wrote all outputs, and that its last one agrees with convtool's.
  last=$(printf %04d.png $((files - 1)))
  for ((number = 1; number <= folder; number++)); do
    [ "$(ls out/$number | wc -l)" = "$files" ] && [ "$(difference "out/$number/$last" "out/1/$last")" -le 1 ] ||
      { echo "$(cat "batch$number.sh"): other results than convtool's" >&2; exit 1; }
  done

  local few=$((files < 64 ? files : 64)) apply="./convtool apply --files-from few.txt -k sharpen -q --threads 1 -o out/1/{stem}.png"
  ls -d "$pictures"/* | head -n "$few" >few.txt
  timed jobs "$rounds" --warmup 1 --runs 1 -n "convtool --jobs 1" "$apply --jobs 1" -n "convtool --jobs $cores" "$apply --jobs $cores"
  printf '\n### %s files of 1920x1080, rgb, on %s cores, each picture on one thread\n\n' "$few" "$cores"
  table jobs "$cores" jobs.*.json
}

main() {
  local size color
  cat <<END
Whole processes on $cores cores, sharpened by [[0,-1,0],[-1,5,-1],[0,-1,0]]; all commands take turns, and write new files.

- Ratios are of medians; above 1, convtool is faster.
- "own": the default PNG settings of each program. convtool: level 1, the best of five filters; vips, ffmpeg: level 6,
  no filter; gmic: level 6, filters by libpng's choice; gm, $magick: level 7, libpng's choice.
- "1": level 1. vips, ffmpeg: Sub; gm, $magick: libpng's choice. gmic has no option for the level.
- "convtool 6": \`--png-level 6\`, the best of five filters.
- The difference is the largest from convtool's result, in levels, among pixels at least 2 from the border. ffmpeg mirrors
  the border, all other programs repeat it.
END
  for size in 64x64 1920x1080 3840x2160; do
    for color in grey rgb; do pictures "$size" "$color"; done
  done
  printf '\nThe commands, here at 3840x2160, rgb:\n\n'
  cut -f 5 "rgb-3840x2160.facts" | sed 's/^/    /'
  formats
  floors
  large_files
  batches "$(table fastest rgb-1920x1080.*.json)"
}
main | tee tables.md
