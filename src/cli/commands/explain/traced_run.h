// The run that convtool explain explains: the same job as apply's, kept in memory.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/job/filter_spec.h"
#include "cli/job/source.h"
#include "pictures/isolation/picture_decoder.h"
#include "show/explain/trace.h"

namespace convtool {

/// A trace and the memory that its views refer to. May be moved: the views stay valid.
struct TracedRun {
  std::optional<Source> source;
  std::variant<std::monostate, Image, Tensor> result;
  std::vector<Tensor> responses;
  Trace trace;
};

/// The input of convtool explain: a shape without numbers, or a picture or tensor.
struct ExplainedInput {
  std::string name;
  std::optional<Source> source;
  Shape shape;  ///< without a source
  int rank = 3;
};

/// `text` is the name of a file, or -. Where no file has that name it may also be a tensor as text
/// (parse_tensor_text()), or the shape HxW, CxHxW or NxCxHxW. Throws Error.
ExplainedInput read_explained_input(const std::string& text, std::int64_t max_pixels, PictureDecoder& decoder);

/// Filters the input as apply does by default. A result that no picture can store is a tensor, as in an .npy file. An
/// input without numbers is only planned. Throws as plan_job() and run_job() do.
TracedRun trace_run(ExplainedInput input, const FilterSpec& spec);

}  // namespace convtool
