// The name of each output: as given, filled into a pattern, or derived from the input's name. Every decision on derived
// names is made here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/job/filter_spec.h"
#include "cli/job/forecast.h"
#include "cli/job/source.h"
#include "network/layer.h"
#include "tensors/file_format.h"

namespace convtool {

struct Input {
  std::string path;    ///< "-" is standard input; "inline" where `text` is given
  std::string folder;  ///< its folder below --out-dir: where it was found in a --recursive folder or a list; or ""
  std::optional<std::string> text{};  ///< a tensor in place of a file

  /// Whether it is read from a file, whose name gives that of the output.
  bool has_file() const { return path != "-" && !text; }
};

struct Destination {
  std::string path;                   ///< "-" is standard output
  std::optional<FileFormat> format;   ///< none: standard output or a device, in the format of the input
  std::string pattern{};              ///< from fill_in() where the name has {n}, else ""
  bool derived = false;               ///< the extension is not given: the input's content may change it (final_name())
  bool as_input = false;              ///< the format is that of the input, if it can store the result
  bool follows_input = false;         ///< from final_name(): the format is that of the input, and none was asked for
  bool create_folder = false;         ///< create a missing folder before writing
  std::vector<std::string> layers{};  ///< files for the results of the layers, whose folder may be missing
  std::vector<std::string> layer_sheets{};  ///< and for their sheets; empty without --sheet
  bool is_sheet = false;                    ///< the output is the sheet of the result
  std::string sheet{};                      ///< a file for it in addition to the output, or ""; "-" is standard output
  std::string sheet_pattern{};              ///< as `pattern`, for the sheet
  bool create_sheet_folder = false;
  std::optional<FileFormat> sheet_format{};
  std::string remark{};  ///< why the format is not the one that was asked for, a warning for the user; or ""

  /// The files that are written in addition to the output.
  std::vector<std::string> other_files() const;

  /// Whether the output is standard output, a device or a pipe, to which results are written one after another.
  bool is_stream() const;

  /// Whether there is a place for the results of several pictures of one input: a stream, or numbered files.
  bool takes_several() const;

  /// The destination of the picture or page `number` of an input, from 1: a file of its own if the name has {n}.
  Destination numbered(std::int64_t number) const;
};

struct DestinationOptions {
  std::optional<std::string> output, out_dir, format;
  std::optional<std::string> label;        ///< {kernel} in names; none: the name of the network
  std::optional<std::string> dump_layers;  ///< folder for the results of the layers
  std::optional<std::string> sheet;        ///< as `output`

  /// Whether the sheet is all that is written of a result.
  bool only_sheet() const { return sheet && !output && !out_dir && !format; }
};

/// One destination for each of `inputs`, in order:
///   --output NAME            NAME; with words in braces, filled in for each input (job/name_pattern.h)
///   input without a file     standard output, unless there is an --out-dir
///   else                     STEM.KERNEL.EXT in the input's folder, or below --out-dir in Input::folder
/// KERNEL is the label. EXT is that of --format; by default it is the input's for tensors and float pictures, and png
/// for others. With --format same it is the input's for all.
/// With --dump-layers DIR, each layer of `network` has a file in addition: DIR/STEM.01-LAYER.npy and so on; with
/// --sheet also DIR/STEM.01-LAYER.png. --sheet NAME is the output itself where nothing else asks for one. Throws
/// Error(usage) for an unknown format, extension or {word}, one output for several inputs, an output that is a folder,
/// and options that exclude each other.
std::vector<Destination> name_outputs(const std::vector<Input>& inputs, const DestinationOptions& options,
                                      const Network& network);

/// Whether final_name() may return another path than that of `planned`, as far as the input's name shows.
bool may_change(const Destination& planned, const std::string& input, const FilterSpec& spec);

/// `planned` with the format, and for a derived name the extension, that the input's content asks for: a tensor keeps
/// its format, several pages of a TIFF become a TIFF, floats that the planned format cannot store become TIFF or, with
/// channels that no picture has, .npy.
/// With `as_input` the format is that of the content; a result that it cannot store becomes PNG, TIFF or .npy, with a
/// remark.
Destination final_name(const Destination& planned, const SourceHeader& header, const Forecast& forecast,
                       const FilterSpec& spec);

/// Every path that final_name() may return for `planned`.
std::vector<std::string> possible_paths(const Destination& planned);

/// Whether `path` is one of them because the input turns out to be a tensor or the result floats.
bool may_become(const Destination& planned, const std::string& path);

/// A kernel's name as a part of a file's: characters that shells, paths or other systems treat specially become '-'.
std::string file_name_part(const std::string& kernel_name);

}  // namespace convtool
