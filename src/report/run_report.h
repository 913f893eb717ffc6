// The report on each input of a run, as text or as a JSON object. Scripts rely on the JSON: add keys, never rename
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conv/output_map.h"
#include "conv/problem.h"
#include "core/error.h"
#include "edges/edge_plan.h"
#include "pictures/image_header.h"

namespace convtool {

/// One bank on its input, as it ran or, in a dry run, would run.
struct BankReport {
  std::string name;
  std::vector<std::int64_t> kernel_shape;  ///< as the user wrote it; preceded by the number of kernels if several
  bool per_channel = false;                ///< rank 2: the kernel is repeated for each channel
  std::string kind;                        ///< Layer::kind_text(): "max pool"; empty for a convolution
  Pooling pooling = Pooling::none;
  bool is_upsampling = false;  ///< `kernel_shape` is its factor
  std::string activation;      ///< activation_text(); "" for none
  std::string add, from;       ///< of a sum, the layer that it adds; the layer that it reads, if not the one before it
  bool mixed = false;          ///< the kernels differ in more than their weights
  ConvProblem problem;         ///< of the first kernel, with resolved pads
  Combine combine = Combine::none;
  std::string algorithm, instruction_set;
  int threads = 1;
};

/// Layers of a network that ran as one kernel.
struct FoldedReport {
  std::size_t first = 1, last = 1;  ///< layers, counted from 1
  BankReport bank;
};

/// An edge recipe as it ran or, in a dry run, would run.
struct EdgeReport {
  EdgeRecipe recipe;
  std::int64_t channels = 1;  ///< channels in which edges were found
  EdgeResult result;          ///< in a dry run only thresholds given as numbers
};

/// A sheet of feature maps.
struct SheetReport {
  std::string output;  ///< the path
  Shape shape;         ///< of the picture
  Shape result;        ///< of the responses that its tiles show, with n, c, h, w
  DType result_dtype = DType::f32;
  std::int64_t tiles = 0, columns = 0;
  std::int64_t reduced = 1;  ///< a pixel is the mean of this many values in width and in height
};

/// A part of an input that has several, each with a report of its own.
struct InputPart {
  std::string_view kind;    ///< "picture" of a stream, or "page"
  std::int64_t number = 1;  ///< from 1

  /// "picture 2"; nothing for the first picture of a stream, which may be its only one.
  std::string title() const;
};

/// Why an input was skipped: its output exists, or a manifest shows that it is up to date.
enum class SkipReason { exists, up_to_date };

struct RunReport {
  enum class Status { ok, skipped, error };

  std::string input;  ///< the path as given, or "-"
  std::optional<InputPart> part;
  std::string output;  ///< likewise; empty if unknown
  Status status = Status::ok;
  std::optional<SkipReason> skipped;  ///< set for Status::skipped
  bool dry_run = false;
  Shape input_shape, output_shape;
  std::optional<std::int64_t> frames;   ///< of a video, whose shapes are those of the luma
  std::optional<std::int64_t> largest;  ///< of the samples of a video, whose range need not be that of the type
  int rank = 3;  ///< of input and result; with 4 their shapes are printed with n, else as c, h, w
  DType input_dtype = DType::u8, output_dtype = DType::u8;
  std::string kernel_name;
  std::int64_t responses = 0;              ///< how many numbers the kernels compute for the output
  std::vector<std::string> layer_outputs;  ///< files of the layers' results (--dump-layers)
  std::vector<std::string> layer_sheets;   ///< and of their sheets
  std::optional<SheetReport> sheet;
  std::vector<BankReport> banks;
  std::optional<InputScaling> scaling;  ///< of the pixels, which the first of the banks computed
  std::vector<FoldedReport> folded;
  std::optional<EdgeReport> edges;
  std::optional<Mapping> mapping;      ///< none where values are written as they are
  ResponseStats stats;                 ///< not in a dry run
  std::vector<Remark> warnings;        ///< losses between input and output
  std::optional<std::int64_t> memory;  ///< upper bound in bytes, if known
  double decode_seconds = 0, convolve_seconds = 0, encode_seconds = 0;
  ErrorKind error_kind = ErrorKind::internal;  ///< for Status::error
  std::string error_message;                   ///< likewise

  /// Where the sheet is the output, that is a picture, whatever the input is.
  bool sheet_is_output() const { return sheet && sheet->output == output; }
  int output_rank() const { return sheet_is_output() ? 3 : rank; }
};

/// The name of the output map, or "none".
inline std::string_view map_name(const RunReport& report) {
  return report.mapping ? to_string(report.mapping->map) : "none";
}

/// "img.png 3x480x640 u8 -> img.edge.png 3x478x638 u8; edge 3x3, map abs, clipped 12 (0.01 %)", without a newline at
/// the end. Lines are broken at kReportColumns, and continue indented. Stride, padding, dilation and groups appear if
/// they are not the default. `verbose` adds lines with the kernels, the responses, the plan and timings. For Status::ok
/// and skipped.
std::string to_text(const RunReport& report, bool verbose);
inline constexpr std::size_t kReportColumns = 100;

/// "0.21 %", `part` of `all`, with two significant digits below 10 %.
std::string share_text(std::int64_t part, std::int64_t all);

/// One JSON object on one line, without a newline. Values that JSON cannot represent or that do not apply are null.
std::string to_json(const RunReport& report);

}  // namespace convtool
