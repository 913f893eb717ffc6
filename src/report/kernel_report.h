// What `kernels show` tells of a kernel.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "network/layer.h"

namespace convtool {

struct KernelReport {
  Network network;
  Shape typical_input;  ///< for which apply would choose the algorithms below
  DType typical_dtype = DType::u8;
  std::vector<std::string> algorithms;  ///< one for each bank, or none where the network does not fit that input
  std::string refusal;                  ///< then why
};

/// Name and description, and for each kernel its weights, options, sum, rank, factors and symmetry; then the
/// algorithms. `colours` as in weights_text().
std::string to_text(const KernelReport& report, bool colours);

/// One JSON object with all of that.
std::string to_json(const KernelReport& report);

}  // namespace convtool
