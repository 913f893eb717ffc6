// What a run tells: one line of text or one JSON object for each input. Scripts rely on the JSON: add, never rename.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conv/output_map.h"
#include "conv/problem.h"
#include "core/error.h"
#include "edges/edge_plan.h"
#include "pictures/image_header.h"

namespace convtool {

/// One bank on its input, as it ran or would run.
struct BankReport {
  std::string name;
  std::vector<std::int64_t>
      kernel_shape;          ///< as the user wrote it; the number of kernels in front when there are several
  bool per_channel = false;  ///< rank 2: the kernel is repeated for each channel, groups goes without saying
  Pooling pooling = Pooling::none;
  bool mixed = false;   ///< kernels side by side that differ in more than their weights
  ConvProblem problem;  ///< of the first kernel, with the pads resolved
  Combine combine = Combine::none;
  std::string algorithm, instruction_set;
  int threads = 1;
};

/// An edge recipe as it ran or would run.
struct EdgeReport {
  EdgeRecipe recipe;
  std::int64_t channels = 1;  ///< in which edges were found
  EdgeResult result;          ///< means nothing in a dry run, but for thresholds given as numbers
};

struct RunReport {
  enum class Status { ok, skipped, error };

  std::string input;   ///< the path as given, or "-"
  std::string output;  ///< likewise; empty when it did not come to one
  Status status = Status::ok;
  bool up_to_date = false;  ///< skipped because nothing has changed, not because there is an output
  bool dry_run = false;
  Shape input_shape, output_shape;
  int input_rank = 3, output_rank = 3;  ///< with 4, n stands in the shape
  DType input_dtype = DType::u8, output_dtype = DType::u8;
  std::string kernel_name;
  std::vector<std::string> layer_outputs;  ///< files of what each bank makes, where they are asked for
  std::vector<BankReport> banks;
  std::optional<EdgeReport> edges;
  std::optional<Mapping> mapping;      ///< none: no map has a say, as with floats that are written as they are
  ResponseStats stats;                 ///< means nothing in a dry run
  std::vector<Remark> warnings;        ///< what of the input does not come through
  std::optional<std::int64_t> memory;  ///< bytes that it takes at most; none: it did not come to be known
  double decode_seconds = 0, convolve_seconds = 0, encode_seconds = 0;
  ErrorKind error_kind = ErrorKind::internal;  ///< for Status::error, as is the message
  std::string error_message;
};

/// "img.png 3x480x640 u8 -> img.edge.png 3x478x638 u8; kernel edge 3x3, stride 1, ..." without a newline. `verbose`
/// adds a line for each bank and one of timings. For Status::ok and skipped.
std::string to_text(const RunReport& report, bool verbose);

/// One JSON object on one line, without a newline. What JSON cannot hold, and what did not happen, is null.
std::string to_json(const RunReport& report);

}  // namespace convtool
