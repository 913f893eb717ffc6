// Writes kernel files in convtool's JSON (kernels/kernel.schema.json).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "network/layer.h"
#include "tensors/safetensors.h"

namespace convtool {

/// `network` as a kernel file that people can read: only options that differ from their default are written, and each
/// row of weights is a line. parse_kernel_json() reads back the same network, since every number is the shortest that
/// reads back the same. Several divisors become "normalize": they are sums of weights. Ends in a newline.
std::string format_kernel_json(const Network& network);

/// `network` as a kernel file that refers to arrays_of(network) in the safetensors file `weights_file`, a path relative
/// to the kernel file. Single numbers are written as they are. The names of its layers must differ.
std::string format_kernel_references(const Network& network, std::string_view weights_file);

/// The weights and biases of more than one number, called LAYER.weight and LAYER.bias. They are views of `network`.
std::vector<NamedArray> arrays_of(const Network& network);

/// A digest of everything in `network` that affects its results: of the text of format_kernel_json() without names and
/// descriptions, with a digest in place of the weights.
std::string digest_of_network(const Network& network);

/// A kernel file without numbers, which names the files of its weights and biases (kernels/files/weight_file.h).
/// Paths are relative to the kernel file.
struct KernelReference {
  std::string name, description;
  std::string weight;  ///< "conv1.npy" or "model.safetensors#conv1.weight"
  std::string bias;    ///< likewise, or empty
};

/// `reference` as a kernel file. Bytes that are not UTF-8 are replaced. Ends in a newline.
std::string format_kernel_reference(const KernelReference& reference);

}  // namespace convtool
