// Kernel files that hold no numbers, but say where they are.
#pragma once

#include <string>

namespace convtool {

/// What kernels/files/weight_file.h reads: paths relative to the kernel file.
struct KernelReference {
  std::string name, description;
  std::string weight;  ///< "conv1.npy" or "model.safetensors#conv1.weight"
  std::string bias;    ///< likewise, or empty
};

/// The kernel file in JSON, with a newline at its end. What is not UTF-8 is replaced.
std::string format_kernel_reference(const KernelReference& reference);

}  // namespace convtool
