#include "cli/options/run_options.h"

#include <algorithm>

#include "cli/options/isolate_option.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/options/report_option.h"

namespace convtool {
namespace {

constexpr std::string_view kInput = "Input", kOutput = "Output", kRun = "Run";

void add_input_options(Command& command, RunOptions& options) {
  InputOptions& inputs = options.inputs;
  command.add(
      kInput,
      {{.names = "INPUT",
        .target = &inputs.named,
        .brief = "pictures, tensors, folders with -r, or - (standard input)",
        .text =
            "Pictures, tensors (.npy, FILE.npz#ARRAY, nested lists in .json, printouts of NumPy and PyTorch, CSV), "
            "YUV4MPEG2 videos (.y4m), or - for standard input, which may hold any number of PNG, JPEG or PNM pictures; "
            "with --recursive also folders. One input may be a tensor as text, such as '[[1, 2], [3, 4]]', where no "
            "file has that name; its result goes to standard output.",
        .affects_result = false},
       {.names = "--files-from",
        .value = "FILE",
        .target = &inputs.files_from,
        .brief = "also read the names of inputs from FILE, one per line",
        .text = "Also read names of inputs from FILE, one per line; - is standard input. Relative names keep their "
                "folders below --out-dir.",
        .affects_result = false},
       {.names = "-0",
        .target = &inputs.nul_separated,
        .brief = "names in --files-from are NUL-terminated (find -print0)",
        .text = "Names in --files-from are NUL-terminated, as find -print0 and git ls-files -z write them.",
        .affects_result = false},
       {.names = "-r,--recursive",
        .target = &inputs.recursive,
        .brief = "filter all pictures and tensors in the given folders",
        .text = "Filter all pictures and tensors in the given folders and the folders below them, sorted by path, "
                "with .npz files of one array. "
                "Hidden files, links to folders, and this run's kernel files and manifest are skipped.",
        .affects_result = false},
       {.names = "--include",
        .value = "GLOB",
        .target = &inputs.include,
        .brief = "with -r: only files that match GLOB; may be repeated",
        .text = "With --recursive: filter only files whose name matches GLOB, such as '*.tif' in quotes. May be "
                "repeated; a "
                "file has to match one of the globs.",
        .otherwise = "every extension of a known format",
        .affects_result = false},
       {.names = "--pages",
        .value = "P",
        .target = &options.pages,
        .brief = "of a TIFF, filter: first, all, N or N-M",
        .text =
            "The pages of a TIFF that are filtered: first, all, one such as 3, or a range such as 2-5. Several pages "
            "become a TIFF of several pages, or a tensor N x C x H x W where the output is .npy, for which they must "
            "have one size and depth; or numbered files where the output's name has {n}. Each has a report. A page "
            "is a directory of the file: thumbnails and masks count, too.",
        .otherwise = "first",
        .words = {kPageWords}},
       {.names = "--planes",
        .value = "P",
        .target = &options.planes,
        .brief = "of a .y4m video, filter: {words}",
        .text = "The planes of a YUV4MPEG2 video (.y4m) that are filtered: its luma, or all. The other planes pass "
                "through as they are. Chroma is filtered around its neutral value, half of its range: without bias, "
                "and padded with neutral where the padding is constant. Chroma becomes neutral where the result is "
                "grey, with --gray or a luma edge recipe; and with all where the filter is not linear, as with "
                "activations, --combine magnitude, --threshold, edge recipes and the maps abs and normalize.",
        .otherwise = "luma",
        .words = {kPlaneRules}},
       {.names = "--shard",
        .value = "K/N",
        .target = &options.shard,
        .brief = "process slice K of N of the inputs",
        .text = "Process slice K of N of the inputs, such as 2/8: one slice for each machine of a cluster. Slices "
                "depend only on the list of inputs.",
        .affects_result = false}});
}

void add_destination_options(Command& command, RunOptions& options) {
  DestinationOptions& destination = options.destination;
  command.add(
      kOutput,
      {{.names = "-o,--output",
        .value = "PATH",
        .target = &destination.output,
        .brief = "output file, - (standard output), or {dir}/{stem}.{ext}",
        .text = "The output file; its extension decides the format. - is standard output; the report then goes to "
                "standard error. A device or pipe, such as /dev/null or >(...), takes the format of --format.\n\n"
                "For several inputs PATH is a pattern, whose words in braces are filled in for each input:\n\n"
                "  {dir}       the folder of the input\n"
                "  {stem}      its name without the extension: img of img.png\n"
                "  {name}      its whole name: img.png\n"
                "  {kernel}    the name of the kernel; for edges the operator and the kind, such as sobel-binary\n"
                "  {n}         the number of the page, or of the picture in a stream: 0001\n"
                "  {ext}       the extension of the output, which --format chooses\n"
                "  {{ }}       plain braces\n\n"
                "Outputs are written to a temporary file and renamed, so a failure does not change an existing file. "
                "An output never replaces an input, with one exception: an input that has the name, size, channels and "
                "depth of another one's output, as after an earlier run of the same command, is taken for that output. "
                "It is not filtered, and replaced; a note says so. -n keeps it.",
        .otherwise = "{dir}/{stem}.{kernel}.{ext}, where {ext} is that of --format",
        .affects_result = false},
       {.names = "--out-dir",
        .value = "DIR",
        .target = &destination.out_dir,
        .brief = "folder for the outputs, created if missing",
        .text = "The folder for the outputs, created if missing. Folders found with --recursive, and those of relative "
                "names in --files-from, are mirrored in it.",
        .affects_result = false},
       {.names = "--format",
        .value = "FMT",
        .target = &destination.format,
        .brief = "format where -o does not decide: same, png, npy, ...",
        .text =
            "The format of outputs whose name does not decide it: without --output, where its pattern ends in {ext}, "
            "and on standard output, devices and pipes. One of {words}.\n\n"
            "same is the format of each input, and keeps the spelling of its extension. A result that this format "
            "cannot store is written as png, tiff or npy, with a warning. Options of other formats, such as --quality "
            "for a png, then have no effect.",
        .otherwise =
            "the input's on standard output, and for float pictures, videos and tensors (json for text, npy for "
            ".npz); else png",
        .words = {format_words}}});
}

}  // namespace

void add_value_options(Command& command, RunOptions& options) {
  command.add(
      kOutput,
      {{.names = "--map",
        .value = "M",
        .target = &options.map,
        .brief = "pixel values: {words}",
        .text =
            "How responses, which may be negative or large, become the values of a picture.\n\n"
            "  clip        as they are; values outside the output's range are clipped\n"
            "  abs         the absolute value\n"
            "  normalize   the smallest response becomes 0, the largest the maximum\n"
            "  offset      mid-grey plus half the response\n"
            "  signed      one channel in two colours: positive orange, negative blue, 0 as --signed-zero\n"
            "  auto        abs when the weights of every kernel of the last layer sum to 0, or nearly, and nothing is "
            "combined, else clip; normalize when --input-scale, --mean, --std or the kernel's input scales the "
            "pixels\n\n"
            "Nearly means: to at most 1/64, and at most 1/64 of the sum of their absolute values, as Gabor's kernels "
            "do. "
            "Where auto chooses abs for a single layer, and no edge or corner in the picture could give more than half "
            "of its range, the result would be nearly black. The absolute values are then doubled until the largest "
            "possible response is at least 4 times the range, as for Sobel's kernels. The factor depends only on the "
            "kernel, and the report names it: abs x16.\n\n"
            "Tensors and float pictures are written as they are unless a map is given. The report names the map "
            "and counts the clipped values. If more than 1 % are clipped, a warning says how to keep them, unless clip "
            "is "
            "given here.",
        .otherwise = "the kernel's, else auto",
        .words = {kOutputMaps}},
       {.names = "--normalize-percentile",
        .value = "P,Q",
        .target = &options.percentiles,
        .brief = "normalize from percentile P to Q, such as 1,99",
        .text = "As --map normalize, but percentile P of the responses becomes 0 and percentile Q the maximum, such as "
                "1,99; responses outside are clipped. With --map signed, the percentile that is further from 0 gets "
                "the full colour, and responses beyond it change on to red and dark blue. For --angle wheel of edges, "
                "strengths from percentile P to Q become brightnesses."},
       {.names = "--signed-zero",
        .value = "C",
        .target = &options.signed_zero,
        .brief = "colour of 0 in --map signed: {words}",
        .text = "The colour of responses of 0 with --map signed: {words}.",
        .otherwise = "white",
        .words = {kSignedZeros}},
       {.names = "--threshold",
        .value = "T",
        .target = &options.threshold,
        .brief = "white where the response exceeds T, black elsewhere",
        .text = "Write white (the maximum, 1 as f32) where the response exceeds T, black elsewhere. With --map abs, "
                "the absolute value is compared with T. On integer pictures, a response that rounding may have lifted "
                "above T stays black."},
       {.names = "--depth",
        .value = "D",
        .target = &options.depth,
        .brief = "type of the output: {words}",
        .text = "The type of the output's values: {words}. Between integer types, values are rescaled by the ratio of "
                "their ranges (255 becomes 65535); to f32 they are never rescaled.",
        .words = {kDepths}},
       {.names = "--alpha",
        .value = "A",
        .target = &options.alpha,
        .brief = "transparency: {words}",
        .text = "What happens to the alpha channel of a picture.\n\n"
                "  keep         it is not filtered, and kept in the result\n"
                "  drop         it is left out\n"
                "  filter       it is filtered like a colour\n"
                "  premultiply  colours are weighted by alpha, and the results divided by the filtered alpha "
                "(normalized convolution), so transparent pixels do not bleed into others; needs kernels with a "
                "positive sum that filter each channel separately",
        .words = {kAlphaRules}}});
}

namespace {

void add_writing_options(Command& command, RunOptions& options) {
  command.add(
      kOutput,
      {{.names = "--quality",
        .value = "Q",
        .target = &options.quality,
        .brief = "JPEG and WebP: 1 to 100",
        .text = "The quality of JPEG and WebP files, 1 to 100.",
        .otherwise = "JPEG 95, WebP lossless"},
       {.names = "--png-level",
        .value = "N",
        .target = &options.png_level,
        .brief = "PNG: 0 (no compression) to 9 (smallest)",
        .text =
            "The compression of PNG files, from 0 (none) to 9 (smallest). It does not affect the pixels. Level 1 is "
            "compressed on all threads of --threads, the others on one.",
        .otherwise = "1"},
       {.names = "--png-strategy",
        .value = "S",
        .target = &options.png_strategy,
        .brief = "zlib for PNG: {words}",
        .text = "Compress PNG files with zlib and this strategy: {words}. It does not affect the pixels.",
        .otherwise = "ISA-L or libdeflate instead of zlib",
        .words = {kPngStrategies}},
       {.names = "--tiff-compression",
        .value = "C",
        .target = &options.tiff_compression,
        .brief = "TIFF: {words}",
        .text = "The compression of TIFF files: {words}. It does not affect the pixels. LZW takes several times longer "
                "than Deflate, which makes smaller files and runs on all threads of --threads.",
        .otherwise = "deflate; floats: none",
        .words = {kTiffCompressions}},
       {.names = "--strip",
        .target = &options.strip,
        .brief = "leave out ICC profile, EXIF, XMP and resolution",
        .text =
            "Write pictures without metadata. By default PNG, JPEG, WebP and TIFF files carry the ICC profile, EXIF "
            "(upright, without its thumbnail), XMP and resolution of an input in one of these formats. What the "
            "output cannot carry is named in a warning. Neither the profile nor this option affects the pixels."},
       {.names = "--pretty",
        .target = &options.pretty,
        .brief = "JSON tensors: one line per row, columns aligned",
        .text = "Write tensors in JSON with one line per row and the decimal points of each column in line. Without it "
                "they are on one line."},
       {.names = "--manifest",
        .value = "FILE",
        .target = &options.manifest,
        .brief = "record outputs in FILE; skip inputs that did not change",
        .text = "Add a line of JSON to FILE for each output written, and skip an input when it, its output, the "
                "options and the kernel are as recorded. So the same command continues after an interruption, and "
                "later filters only what is new or has changed. Files whose times differ are compared by their "
                "digest (XXH3). One manifest may serve several runs.",
        .affects_result = false},
       report_option(options.report,
                     "Also write a report: one HTML file that needs no network. It shows each input and output with a "
                     "slider between them, histograms of the input and of the responses, the kernels, the options, "
                     "warnings and timings; of several inputs also a table, failures first. The responses are computed "
                     "once more for their histogram. Beyond 200 inputs, pictures are not in the page but linked from "
                     "it; where inputs have several pictures, the page has the first ones of each. An existing page is "
                     "replaced. After an interruption between two inputs, the page shows "
                     "those that are done; with --dry-run none is written."),
       {.names = "-n,--no-clobber",
        .target = &options.no_clobber,
        .brief = "skip inputs whose output exists",
        .text = "Skip an input whose output exists. With --dump-layers, the files of all layers must exist as well.",
        .otherwise = "outputs are overwritten",
        .conflict = "--manifest",
        .affects_result = false},
       {.names = "--dry-run",
        .target = &options.dry_run,
        .brief = "print what would be written, without writing it",
        .text = "Print what would be written and its shape, without writing it.",
        .affects_result = false}});
}

}  // namespace

Option algorithm_option(RunOptions& options) {
  return {.names = "--algorithm",
          .value = "A",
          .target = &options.algorithm,
          .brief = "auto, or one such as rows, separable or fft",
          .text =
              "The algorithm: {words}. All give the same result up to rounding. auto chooses the one expected to be "
              "fastest. An algorithm that cannot compute the layer is an error.",
          .words = {algorithm_words}};
}

namespace {

void add_process_options(Command& command, RunOptions& options) {
  command.add(
      kRun,
      {{.names = "--json",
        .target = &options.json,
        .brief = "report as JSON Lines, one object per input",
        .text = "Report as JSON Lines: one object per input. The manual ('convtool manual') lists the fields.",
        .affects_result = false},
       {.names = "-q,--quiet",
        .target = &options.quiet,
        .brief = "print errors only",
        .conflict = "--json",
        .affects_result = false},
       {.names = "-v,--verbose",
        .target = &options.verbose,
        .brief = "also report the plan and the timings",
        .text = "Also report the algorithm, the instruction set, the threads and the timings; for edges also the "
                "kernels.",
        .conflict = "--quiet",
        .affects_result = false},
       algorithm_option(options),
       {.names = "--progress",
        .value = "WHEN",
        .target = &options.progress,
        .brief = "show a progress line: {words}",
        .text = "Whether a line on standard error shows the progress of several inputs: {words}. auto shows it on a "
                "terminal.",
        .words = {kProgressModes},
        .affects_result = false},
       {.names = "-j,--jobs",
        .value = "N",
        .target = &options.jobs,
        .brief = "inputs processed at the same time; 0: one per core",
        .text =
            "How many inputs are processed at the same time; 0 means one per core. With 1, the next input is read and "
            "the last output written meanwhile. This affects neither the outputs nor the reports, which are printed in "
            "the order of the inputs.",
        .affects_result = false},
       {.names = "--threads",
        .value = "N",
        .target = &options.threads,
        .brief = "threads per input; 0: all cores, shared by the jobs",
        .text = "Threads per input; 0 means all cores, shared among the jobs. Results do not depend on it.",
        .affects_result = false},
       {.names = "--max-pixels",
        .value = "N",
        .target = &options.max_pixels,
        .brief = "refuse larger inputs before they are decoded",
        .text = "Refuse inputs of more than N pixels before they are decoded.",
        .affects_result = false},
       {.names = "--memory-limit",
        .value = "SIZE",
        .target = &options.memory_limit,
        .brief = "for all jobs, such as 500M; others wait",
        .text =
            "The total memory for inputs processed at the same time, in bytes, or with K, M, G or T such as 500M. "
            "Inputs that do not fit wait. An input that would never fit is an error. Of .npy, binary PNM and PFM files "
            "that become one of these, only bands of rows are in memory.",
        .otherwise = "3/4 of RAM, or of the control group's limit",
        .affects_result = false},
       isolate_option(options.isolation),
       {.names = "--fail-fast",
        .target = &options.fail_fast,
        .brief = "stop at the first failure",
        .text = "Stop at the first input that fails. By default the others are still processed.",
        .affects_result = false}});
}

}  // namespace

void add_run_options(Command& command, RunOptions& options) {
  options.command = &command;
  add_input_options(command, options);
  add_destination_options(command, options);
  add_value_options(command, options);
  add_writing_options(command, options);
  add_process_options(command, options);
}

}  // namespace convtool
