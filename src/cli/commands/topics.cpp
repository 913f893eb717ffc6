#include "cli/commands/topics.h"

#include "pictures/picture_formats.h"

namespace convtool {

const std::string_view kKernelFormatText =
    R"(A kernel file is JSON. A matrix is a kernel, and so is an object; every key but weight may be left out:

  [[1, -1]]

  { "name": "sobel-x",             default: the file's name without .json
    "description": "horizontal gradient",
    "weight": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "bias": 0,                     a number, or one per output channel
    "divisor": 1,                  every weight is divided by it
    "normalize": false,            divide by the sum of the weights
    "stride": 1, "dilation": 1,    a number, or [h, w]
    "padding": 0,                  a number, [h, w] per side, "valid",
                                   "same", "same_lower" or "full"
    "pads": [1, 1, 1, 1],          instead of padding: top, left,
                                   bottom, right
    "padding_mode": "zeros",       as --padding-mode
    "padding_value": 0,            for "constant"
    "groups": 1,
    "activation": "none",          "none", "relu", "abs"
    "map": "auto" }                as --map

The rank of weight decides which channels are combined:

  2  [kh][kw]                      each channel is filtered alone; as many
                                   channels out as in
  3  [c_i][kh][kw]                 all input channels are summed into one
  4  [c_o][c_i/groups][kh][kw]     nn.Conv2d; channels are R, G, B(, A)

The kernel is not flipped (cross-correlation). ONNX's strides, dilations, group and auto_pad are read as well. NumPy's .npy weights are accepted wherever a kernel file is.

A bank applies several kernels to the same input, and combines or stacks their outputs:

  { "bank": [ {...}, {...} ], "combine": "magnitude" }

A network runs kernels, banks and pools one after another, in floats. A string in place of weight or bias names a file, relative to the kernel file: conv1.npy, or an array of a safetensors file after a #. Pools are "max" or "mean", with size, stride (default: size) and padding:

  { "layers": [
      { "weight": "model.safetensors#conv1.weight",
        "bias": "model.safetensors#conv1.bias", "activation": "relu" },
      { "pool": "max", "size": 2 },
      { "bank": [ [[1, -1]], [[1], [-1]] ], "combine": "magnitude" } ] }

Errors name the line and column, or the place as a JSON pointer such as /weight/2/1.)";

const std::string_view kReportText =
    R"(With --json, each object has version 1. What does not apply is null; new fields may be added, none are renamed. Shapes are lists [C, H, W] or [N, C, H, W].

apply and edges print one object per input: input, output, status (ok, skipped or error), input_shape, output_shape, input_dtype, output_dtype, kernel {name, shape}, stride, pads [top, left, bottom, right], padding_mode, dilation, groups, map, combine, clipped {low, high}, min, max and mean of the response, nan_count, warnings, algorithm, instruction_set, threads, seconds {decode, convolve, encode}, and memory_needed (at most, in bytes, which --memory-limit counts). After a failure, error {kind, message}. With the options of the same name, normalize_percentile, threshold and dry_run.

A network has layers, a list of such descriptions, in which a pool has pool; with --dump-layers, layer_outputs. edges adds edges {output_kind, color, thin, angle, thresholds {low, high, source}, edge_pixels, canny}.

shape prints status, output_shape, macs, parameters, receptive_field {size, stride, offset, centre}, activation_bytes, fully_connected_weights, and layers, a list of the same; with --time also seconds, gmac_per_second, threads, instruction_set, and algorithm of each layer. Where a layer cannot run, status is error, error has kind and message, and the rest describes the layers before it.

learn prints an object per epoch reported, and at the end method, loss, mean_squared_error, r_squared, values, unknowns, held_out (the same for the rows held out), rank and columns (of lstsq: how many unknowns the input determines, of how many), and kernel, as the kernel file has it.

bench prints instruction_set, cores, roofs (per number of threads: gmac_per_second, copy_bytes_per_second) and results (id, name, algorithm, and timings: threads, seconds, least_seconds, lower_quartile_seconds, upper_quartile_seconds, ns_per_pixel, gmac_per_second, share_of_roof).)";

const std::string_view kStreamsText =
    R"(Standard output carries the report, or the picture or tensor with -o -; then the report goes to standard error. Errors, warnings, progress and the summary of several inputs always go to standard error. Picture bytes are not written to a terminal.

An error is one line: convtool: FILE: what is wrong (expected ..., got ...); what to do.

Ctrl-C ends a run of several inputs between two of them; a second one ends it at once. Outputs are written to temporary files and renamed, so that no half-written file is left.)";

std::string formats_text() {
  constexpr std::string_view kPixels[] = {"grey", "grey + alpha", "RGB", "RGBA"};
  std::string text = "Pictures are read and written as follows:\n\n";
  for (const PictureFormat& format : picture_formats()) {
    std::string line;
    for (const std::string_view extension : format.extensions)
      line += (line.empty() ? "" : ", ") + std::string(extension);
    line.resize(14, ' ');
    std::string dtypes;
    for (const DType dtype : format.dtypes) dtypes += (dtypes.empty() ? "" : ", ") + std::string(to_string(dtype));
    line += dtypes;
    line.resize(28, ' ');
    std::string pixels;
    for (const PixelFormat pixel : format.pixels)
      pixels += (pixels.empty() ? "" : ", ") + std::string(kPixels[static_cast<int>(pixel)]);
    text += "  " + line + pixels + "\n";
  }
  return text +
         "\nTensors have any number of channels: .npy (read: f32, f64 and integers; written: f32) and .json, nested "
         "lists "
         "[h][w], [c][h][w] or [n][c][h][w].\n\n"
         "Pictures come upright, as EXIF or TIFF says. Palettes become RGB or RGBA, CMYK becomes RGB, and 1, 2 or 4 "
         "bits "
         "of grey become the full range. Of a TIFF with several pages the first is read, with a warning. ICC profiles "
         "are "
         "neither applied nor kept; a warning says so unless the profile is sRGB. A truncated file is an error in "
         "every "
         "format. A result that the format cannot store (5 channels, or floats as PNG) is refused, with the formats "
         "that "
         "can.";
}

}  // namespace convtool
