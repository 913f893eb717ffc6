#!/usr/bin/env bash
# Reads the reports as scripts do, with jq and grep: tests/reports.sh CONVTOOL.
set -euo pipefail
convtool=$(realpath "$1")
samples=$(realpath "$(dirname "$0")/../samples")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$samples/camera.png" "$samples/coffee.png" .
echo '[[1, 2, 3], [4, 5, 6]]' >x.json
echo 'no picture' >bad.png

fail() { echo "FAILED: $*" >&2; exit 1; }
# holds FILE FILTER: checks that jq's filter is true of the list of all objects in FILE.
holds() { jq -e -s "$2" "$1" >/dev/null || { cat "$1" >&2; fail "$2"; }; }
# code N COMMAND...: checks that the exit code is N.
code() { local got=0; "${@:2}" || got=$?; [ $got -eq "$1" ] || fail "exit code $got instead of $1: ${*:2}"; }

code 1 "$convtool" apply camera.png bad.png coffee.png x.json missing.png -k edge --out-dir out --json >r.jsonl 2>err
holds r.jsonl 'length == 5 and all(.version == 1)'
holds r.jsonl '[.[].input] == ["camera.png", "bad.png", "coffee.png", "x.json", "missing.png"]'
holds r.jsonl '[.[].status] == ["ok", "error", "ok", "ok", "error"]'
holds r.jsonl '.[0].input_shape == [1, 512, 512] and .[2].output_shape == [3, 400, 600]'
holds r.jsonl '.[3] | .input_dtype == "f32" and .output == "out/x.edge.json" and .map == "none"'
holds r.jsonl '.[0] | .kernel == {name: "edge", shape: [3, 3]} and .pads == [1, 1, 1, 1] and .padding_mode == "replicate"'
holds r.jsonl '.[0] | .clipped.high > 0 and .clipped.low == 0 and .min < 0 and .max > 255 and .nan_count == 0'
holds r.jsonl '.[0] | [.stride, .dilation, .groups] == [[1, 1], [1, 1], 1] and .combine == "none" and .map == "abs"'
holds r.jsonl '.[0] | [.seconds[]] | length == 3 and all(. >= 0)'
holds r.jsonl '[.[1, 4].error | .kind, (.message | length > 0)] == ["input", true, "input", true]'
[ "$(grep -c '^convtool: \(bad\|missing\).png: ' err)" = 2 ] || fail "an error line for each failure"
grep -qx 'convtool: 3 done, 0 skipped, 2 failed; [0-9.]* megapixels in [0-9.]* s, [0-9.]* MP/s' err || fail "the summary"

# The outputs in the reports are exactly those that exist.
[ "$(jq -r 'select(.status == "ok").output' r.jsonl | sort)" = "$(ls out/* | sort)" ] || fail "outputs"

code 0 "$convtool" apply camera.png coffee.png -k edge --out-dir out -n --json >r.jsonl 2>err
holds r.jsonl 'length == 2 and all(.status == "skipped" and (.output | startswith("out/")))'

code 0 "$convtool" edges camera.png --thin --hysteresis 100,200 --output-kind binary -o e.png --json >r.jsonl
holds r.jsonl '.[0].edges | .output_kind == "binary" and .thin and .thresholds.low == 100 and .edge_pixels > 1000'

# With `-o -`, standard output is the result alone, and the report goes to standard error.
code 0 "$convtool" apply camera.png -k edge -o - --json >o.png 2>r.jsonl
holds r.jsonl 'length == 1 and .[0].output == "-"'
cmp -s o.png out/camera.edge.png || fail "standard output is not the file"

code 0 "$convtool" shape 1x8x8 --kernel-size 3x5 --padding 0x1 --stride 3x4 --json >r.jsonl
holds r.jsonl '.[0] | .output_shape == [1, 2, 2] and .macs == 60 and .parameters == 15 and (.layers | length) == 1'

# explain names the value that apply stores.
code 0 "$convtool" explain camera.png -k edge --at 100,200 --json >r.jsonl
code 0 "$convtool" apply camera.png -k edge -o pixel.pgm >/dev/null
stored=$(od -An -tu1 -N1 -j $(($(wc -c <pixel.pgm) - 512 * 512 + 100 * 512 + 200)) pixel.pgm)
holds r.jsonl ".[0] | .stored == $stored and .at == [100, 200] and (.terms | length) == 9 and .map == \"abs\""
holds r.jsonl '.[0] | ([.terms[] | .input * .weight] | add) == .sum and .response == .sum'
holds r.jsonl '.[0].terms | [first, last] | map([.y, .x]) == [[99, 199], [101, 201]]'

# The text report.
code 0 "$convtool" apply coffee.png -k edge --out-dir out >r.txt
tr '\n' ' ' <r.txt | grep -qE '^coffee.png 3x400x600 u8 -> out/coffee.edge.png 3x400x600 u8;  *edge 3x3, map abs, clipped [0-9]+ [(][0-9.]+ %[)] $' ||
  fail "the text report: $(cat r.txt)"

# Except for timings and threads, reports do not depend on the number of jobs.
for jobs in 1 8; do
  code 1 "$convtool" apply camera.png bad.png coffee.png x.json -k gaussian:sigma=2 --out-dir "out$jobs" --jobs $jobs --json 2>/dev/null |
    jq -c 'del(.seconds, .threads) | .output |= (. // "" | sub("out[18]/"; ""))' >"jobs$jobs.jsonl"
done
cmp jobs1.jsonl jobs8.jsonl || fail "reports of 1 and 8 jobs"
diff -r out1 out8 || fail "files of 1 and 8 jobs"
echo "reports: passed"
