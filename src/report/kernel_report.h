// The report of `kernels show`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "network/layer.h"

namespace convtool {

struct KernelReport {
  Network network;
  Shape typical_input;  ///< the input for which apply would choose the algorithms below
  DType typical_dtype = DType::u8;
  std::vector<std::string> algorithms;  ///< one per bank; empty where the network does not fit that input
  std::vector<std::size_t> folded;      ///< how many banks run as one kernel (Folding::counts); empty: each alone
  std::string refusal;                  ///< why it does not fit
};

/// Lines with the name and description, for each kernel its weights, options, sum, rank, factors and symmetry, and then
/// the algorithms. `colours` and `columns` as in weights_text().
std::string to_text(const KernelReport& report, bool colours, std::optional<std::size_t> columns = {});

/// The name and description, and a line for each layer with its number, name, sizes and options; no weights.
std::string to_short_text(const KernelReport& report);

/// The same as to_text() as one JSON object.
std::string to_json(const KernelReport& report);

}  // namespace convtool
