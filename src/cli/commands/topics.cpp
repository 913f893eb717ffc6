#include "cli/commands/topics.h"

#include "pictures/picture_formats.h"

namespace convtool {

const std::string_view kKernelFormatText =
    R"(A kernel file is JSON: a matrix, or an object whose only required key is weight:

  [[1, -1]]

  { "name": "sobel-x",             default: the file's name without .json
    "description": "horizontal gradient",
    "weight": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "bias": 0,                     a number, or one per output channel
    "divisor": 1,                  every weight is divided by it
    "normalize": false,            divide by the sum of the weights
    "stride": 1, "dilation": 1,    a number, or [h, w]
    "padding": 0,                  a number, [h, w] per side,
                                   "valid", "same", "same_lower"
                                   or "full"
    "pads": [1, 1, 1, 1],          instead of padding: top, left,
                                   bottom, right
    "padding_mode": "zeros",       as --padding-mode
    "padding_value": 0,            for "constant"
    "groups": 1,
    "activation": "none",          "relu", "abs", "sigmoid", "tanh",
                                   "silu", "hardswish", "relu6",
                                   "leaky_relu",
                                   {"leaky_relu": {"slope": 0.2}} or
                                   {"clip": {"min": 0, "max": 6}}
    "map": "auto",                 as --map
    "input": {"scale": "1/255",    as --input-scale, --mean, --std and
      "mean": 0, "std": 1,         --channel-order; numbers, or lists
      "order": "rgb"} }            with one number per channel

The rank of weight decides how channels are combined:

  [kh][kw]                     each channel is filtered separately
  [c_i][kh][kw]                the input channels are summed into one
  [c_o][c_i/groups][kh][kw]    nn.Conv2d

Channels are in the order R, G, B(, A).

The kernel is not flipped (cross-correlation). ONNX's strides, dilations, group and auto_pad are read as well. NumPy's .npy weights are accepted wherever a kernel file is.

A bank applies several kernels to the same input, and combines or stacks their outputs:

  { "bank": [ {...}, {...} ], "combine": "magnitude" }

A network runs kernels, banks and pools one after another, in floats. A string in place of weight or bias names a file, relative to the kernel file: an .npy file, FILE.npz#ARRAY, or FILE.safetensors#ARRAY. Pools are "max" or "mean", with size (or "global"), stride (default: size), padding or pads, ceil_mode, dilation (max) and count_include_pad (mean):

  { "layers": [
      { "weight": "model.safetensors#conv1.weight",
        "bias": "model.safetensors#conv1.bias", "activation": "relu" },
      { "pool": "max", "size": 2 },
      { "bank": [ [[1, 0, -1]], [[1, 0, 1]] ], "combine": "magnitude" } ] }

Other layers, which have an activation as well:

  { "batch_norm": { "weight": [...], "bias": [...],
      "running_mean": [...], "running_var": [...], "eps": 1e-5 } }
  { "upsample": "bilinear", "scale": 2 }     or "nearest"
  { "weight": [c_i][c_o/groups][kh][kw], "transposed": true,
    "stride": 2, "output_padding": 1 }       nn.ConvTranspose2d
  { "add": "NAME" }                          the output of an earlier
                                             layer plus the input
  { "activation": "relu" }                   an activation alone
  "relu", "maxpool 3 s2 p1"                  in the words of --layers

"from": "NAME" makes a layer read the output of an earlier layer than the one before it. Only one earlier layer may have the name. "input" is the input of the network.

In banks and networks, a kernel's name stands in place of a kernel, with its parameters if it is generated:

  { "layers": [ "gaussian:sigma=2", "sobel" ] }

On the command line, -k gaussian:sigma=2 --then sobel is the same. Only the outermost object may have map and input.

Layers without weights are for shape and explain: kernel_size and out_channels stand in place of weight, and "bias": false leaves the bias out. Strings are layers in the words of --layers.

  [ { "kernel_size": 3, "out_channels": 64, "stride": 2 },
    { "batch_norm": {} }, "relu", { "pool": "max", "size": 2 },
    { "kernel_size": 2, "out_channels": 8, "transposed": true },
    { "linear": 10 } ]

Errors give the line and column, or the JSON pointer of the mistake, such as /weight/2/1.)";

const std::string_view kReportText =
    R"(With --json, every object has version 1. Fields that do not apply are null. Later versions may add fields, but do not rename any. Shapes are lists [C, H, W] or [N, C, H, W].

apply and edges print one object per input: input, output, status (ok, skipped or error), input_shape, output_shape, input_dtype, output_dtype, kernel {name, shape}, stride, pads [top, left, bottom, right], padding_mode, dilation, groups, map, combine, clipped {low, high, share (of all values)}, min, max and mean of the response, nan_count, warnings, algorithm, instruction_set, threads, seconds {decode, convolve, encode} (where a raw file is filtered in bands, convolve includes reading and writing it), and memory_needed (an upper bound in bytes, which --memory-limit counts). A failure has error {kind, message}. normalize_percentile, threshold and dry_run are there when the options of these names are given, signed_zero with map signed, and map_gain where map auto multiplies absolute values.

A network has layers, a list with the description of each layer, in which a pool has pool, and a layer has activation, add (the layer that a sum adds) and from where these apply. Layers that run as one kernel have the algorithm folded, and the list folded describes that kernel, with layers [first, last], counted from 1. Where the input is scaled, input_scaling {scale, mean, std, order} says how, and the first of the layers is input. With --dump-layers it has layer_outputs, and with --sheet also layer_sheets. --sheet adds sheet {output, shape, result_shape and result_dtype (of the responses that the tiles show), tiles, columns, reduced (1, or how many values in width and height a pixel is the mean of)}; where the sheet is all that is written, output, output_shape and output_dtype are its own. edges adds edges {output_kind, color, thin, angle, thresholds {low, high, source}, edge_pixels, canny}.

shape prints status, input_shape, output_shape, macs, parameters, receptive_field {size, stride, offset, centre}, activation_bytes, fully_connected_weights, and layers, a list with the same fields for each layer, and its name and kernel, such as 3x3 or max 2x2; a layer also has reads, the number of the layer that it reads, where that is not the one before it, and adds, that of the layer that it adds. --time adds seconds, gmac_per_second, threads, instruction_set, and the algorithm of each layer. If a layer cannot run, status is error, error has kind and message, and the other fields describe the layers before it.

explain prints one object: input, kernel (its name), input_shape (the filtered channels), output_shape, input_dtype, output_dtype, at [y, x], channel, stride, pads, padding_mode, dilation, groups, window {y, x} (first and last row and column), terms, sum, divisor, bias, activation, response, map (none where responses are stored as they are), mapped (before rounding and clipping), stored (as apply stores it) and clipped (no, low or high). Each term has channel, y, x (they may lie outside the input), inside, source [y, x] (the pixel whose value is read; null where padding has a constant value), input, weight and product. A bank has parts, the same for each kernel, and combine. A network has layers instead, from the last to the first, each with layer, name, at, channel and receptive_field {y, x}. A max pool has no weights and products, and a shape no numbers: these are null.

learn prints one object for each reported epoch, and at the end one with method, loss, mean_squared_error, r_squared, values, unknowns, held_out (the same for the rows held out), kernel (the content of the kernel file), and for lstsq columns (the number of unknowns of an output channel) and rank (the number of these that the input determines).

bench prints instruction_set, cores, roofs (per number of threads: gmac_per_second, copy_bytes_per_second) and results (id, name, algorithm, and timings: threads, seconds, least_seconds, lower_quartile_seconds, upper_quartile_seconds, ns_per_pixel, gmac_per_second, share_of_roof).)";

const std::string_view kStreamsText =
    R"(The report goes to standard output. With -o -, the picture or tensor goes to standard output, and the report to standard error. Errors, warnings, progress and the summary of several inputs always go to standard error. Picture bytes are not written to a terminal.

An error is one line: convtool: FILE: what is wrong (expected ..., got ...); what to do.

Ctrl-C ends a run of several inputs after the current ones; a second Ctrl-C ends it at once. Outputs are written to temporary files and renamed, so an incomplete output is never left behind.)";

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
         "lists [h][w], [c][h][w] or [n][c][h][w].\n\n"
         "Pictures are turned upright as their EXIF or TIFF orientation says. Palettes become RGB or RGBA, CMYK "
         "becomes RGB, and grey of 1, 2 or 4 bits is scaled to the full range. If a TIFF has several pages, the first "
         "is read, with a warning. ICC profiles are not applied. PNG, JPEG, WebP and TIFF files keep the profile, "
         "EXIF, "
         "XMP and resolution of such an input; --strip leaves them out. A truncated file is an error in every format. "
         "A result that the format cannot store (5 channels, or "
         "floats as PNG) is an error, which lists the formats that can.";
}

}  // namespace convtool
