#!/usr/bin/env bash
# Whole processes, from a PNG file to a PNG file: convtool against other programs on the command line, as Markdown.
#
#   tests/bench/processes.sh CONVTOOL [DIR]
#
# CONVTOOL is the binary. Pictures, timings and tables.md stay in DIR; without it they go when all is told.
# Needs hyperfine, ImageMagick, python3 and time, and installs what is missing; of the other programs those that are there.
# From the environment, for a quick try: ROUNDS (3) in which all commands take turns; RUNS (3) of a command in a round, ten
# times that at 64x64, after WARMUP (3) untimed; FILES (200) of the batches, which run BATCH_RUNS (2) times.
set -euo pipefail
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
convtool=$(realpath -e "$1")
if [ $# -eq 2 ]; then
  mkdir -p "$2"
  dir=$(realpath "$2")
else
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
fi
rounds=${ROUNDS:-3} runs=${RUNS:-3} warmup=${WARMUP:-3} files=${FILES:-200} batch_runs=${BATCH_RUNS:-2}
cores=$(nproc)
cd "$(dirname "$0")/../.."
source samples/setup.sh
install_missing hyperfine imagemagick python3 time
project=$PWD
# Everything else is by names relative to DIR, which the commands in the tables show, and which need no quoting.
cd "$dir"
mkdir -p out
ln -sf "$convtool" convtool
printf '3 3\n0 -1 0\n-1 5 -1\n0 -1 0\n' >sharpen.mat

# By Debian's name where it has it: `convert` may be a script that starts it, and would be timed too.
magick=$(basename "$(command -v convert-im6.q16 || command -v convert)")
mogrify=$(basename "$(command -v mogrify-im6.q16 || command -v mogrify)")
peers=()
for program in gm vips ffmpeg "$magick" gmic; do
  if command -v "$program" >/dev/null; then peers+=("$program"); else echo "$program is not installed: left out" >&2; fi
done

table() { python3 "$project/tests/bench/process_table.py" "$@"; }

# line PROGRAM PNG INPUT OUTPUT: the command that sharpens INPUT. PNG is a level, with rows filtered by Sub where that can
# be told, as convtool has them; or "own": what the program does untold.
line() {
  local program=$1 png=$2 in=$3 out=$4 weights=0,-1,0,-1,5,-1,0,-1,0 plane="0 -1 0 -1 5 -1 0 -1 0" told=
  local planes=gbrp color_type=2
  [[ $in != *grey* ]] || { planes=gray color_type=0; }
  [ "$png" = own ] || case $program in
    convtool) told=" --png-level $png" ;;
    # Tens are the level, 5 lets libpng choose each row's filter; with 1, Sub, they leave rows unfiltered, no sooner done.
    gm | "$magick") told=" -quality ${png}5" ;;
    vips) told="[compression=$png,filter=sub]" ;;
    ffmpeg) told=" -compression_level $png -pred sub" ;;
  esac
  case $program in
    convtool) echo "./convtool apply $in -k sharpen -q$told -o $out" ;;
    gm) echo "gm convert $in -convolve $weights$told $out" ;;
    # Untold, ImageMagick looks through all pixels for a color type; with grey ones that takes longest of all.
    "$magick") echo "$magick $in -morphology Convolve 3x3:$weights$told" \
                    "-define png:color-type=$color_type -define png:bit-depth=8 $out" ;;
    vips) echo "vips conv $in \"$out$told\" sharpen.mat --precision integer" ;;
    ffmpeg) echo "ffmpeg -nostdin -loglevel error -y -i $in -vf \"format=$planes,convolution=$plane:$plane:$plane\"" \
                 "-frames:v 1 -update 1$told $out" ;;
    gmic) echo "gmic -v 0 $in \"(0,-1,0;-1,5,-1;0,-1,0)\" correlate[0] [1],1 keep[0] cut 0,255 output $out" ;;
  esac
}

# picture PHOTOGRAPH WIDTHxHEIGHT COLOR_TYPE OUT: the photograph enlarged, or made smaller, to cover that size.
picture() {
  [ -e "$4" ] || "$magick" "$project/samples/$1" -resize "$2^" -gravity center -extent "$2" -strip -depth 8 \
    -define png:color-type="$3" "$4"
}

# difference A B: the largest between two pictures, in levels, away from their borders: there programs differ.
difference() {
  "$magick" "$1" "$2" -shave 2x2 -compose difference -composite -separate -evaluate-sequence max \
    -format '%[fx:round(255*maxima)]' info:
}

# timed NAME ROUNDS OPTION... -n LABEL COMMAND...: hyperfine's times into NAME.ROUND.json. All commands take turns in each
# round, so that what slows the machine for a while slows all of them.
timed() {
  local name=$1 rounds=$2 round
  shift 2
  rm -f "$name".*.json
  for ((round = 1; round <= rounds; round++)); do
    hyperfine -N --style none --export-json "$name.$round.json" "$@" >hyperfine.log 2>&1 || { cat hyperfine.log >&2; exit 1; }
  done
}

# pictures SIZE COLOR: the table of one picture. Each command is run once first for its result, its size and its memory.
pictures() {
  local name=$2-$1 runs=$runs label command memory program out commands=()
  [ "$1" != 64x64 ] || runs=$((10 * runs))
  if [ "$2" = grey ]; then picture camera.png "$1" 0 "$name.png"; else picture coffee.png "$1" 2 "$name.png"; fi
  : >"$name.facts"
  for label in "convtool own" "convtool 6" "${peers[@]/%/ 1}" "${peers[@]/%/ own}"; do
    [ "$label" != "gmic 1" ] || continue  # it takes no level
    program=${label% *} out=out/$name.${label/ /.}.png
    command=$(line "$program" "${label#* }" "$name.png" "$out")
    memory=$(eval "env time -f %M $command" 2>&1) || { echo "$command: $memory" >&2; exit 1; }
    printf '%s\t' "$label" "$memory" "$(stat -c %s "$out")" "$(difference "$out" "out/$name.convtool.own.png")" >>"$name.facts"
    echo "$command" >>"$name.facts"
    commands+=(-n "$label" "$command")
  done
  timed "$name" "$rounds" --warmup "$warmup" --runs "$runs" "${commands[@]}"
  printf '\n### %s, %s\n\n' "$1" "$2"
  table pictures "$name.facts" "$name".*.json
}

# batches FASTEST: the tables of many pictures, FASTEST being a peer and its PNG settings.
batches() {
  local pictures=pictures-$files commands=() folder=0 peer number each last
  # Each is another part of the enlarged photograph, every second one upside down.
  mkdir -p "$pictures"
  picture coffee.png 2400x1600 2 large.ppm
  for ((number = 0; number < files; number++)); do
    each=$pictures/$(printf %04d "$number").png
    [ -e "$each" ] || echo "large.ppm -crop 1920x1080+$((number * 37 % 480))+$((number * 53 % 520)) +repage" \
      "-rotate $((number % 2 * 180)) -strip -define png:color-type=2 $each"
  done | xargs -r -P "$cores" -L 1 "$magick"

  # batch LABEL COMMAND: one more, with OUT for a folder of its own; a script, for hyperfine is to start it without a shell.
  batch() {
    folder=$((folder + 1))
    mkdir -p "out/$folder"
    rm -f "out/$folder"/*.png
    echo "${2//OUT/out/$folder}" >"batch$folder.sh"
    commands+=(-n "$1" "bash batch$folder.sh")
  }
  for each in "--jobs 0" "--jobs 1 --threads 0"; do
    batch "convtool $each" "./convtool apply $pictures --recursive -k sharpen -q -o OUT/{stem}.png $each"
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

  # What was timed has to have been done.
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
Whole processes on $cores cores, from a PNG file to a PNG file, sharpened by [[0,-1,0],[-1,5,-1],[0,-1,0]]; all commands take turns.

- Ratios are of medians; above 1, convtool is faster.
- "own" are the PNG settings of a program untold. convtool: level 1, the best of four filters; vips, ffmpeg: level 6,
  no filter; gmic: level 6, filters by libpng's choice; gm, $magick: level 7, libpng's choice.
- "1": level 1. vips, ffmpeg: Sub; gm, $magick: libpng's choice. gmic cannot be told a level.
- "convtool 6": \`--png-level 6\`, the best of five filters.
- The difference, in levels, is the largest from convtool's result, 2 pixels and more from the border, which all repeat but
  ffmpeg, which mirrors.
END
  for size in 64x64 1920x1080 3840x2160; do
    for color in grey rgb; do pictures "$size" "$color"; done
  done
  printf '\nThe commands, here at 3840x2160, rgb:\n\n'
  cut -f 5 "rgb-3840x2160.facts" | sed 's/^/    /'
  batches "$(table fastest rgb-1920x1080.*.json)"
}
main | tee tables.md
