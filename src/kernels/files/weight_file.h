// Weights and biases that a kernel file does not hold but names: an .npy file, or an array of a safetensors file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convtool {

/// The most weights that one kernel file may ask for by names of files and sizes of pools: 1 GiB of f32.
inline constexpr std::int64_t kMostReferredWeights = std::int64_t{1} << 28;

/// A block of finite numbers, row-major, and where they come from.
struct WeightFile {
  std::string path;
  std::vector<std::int64_t> dimensions;
  std::vector<float> values;
};

/// Reads what `reference` names: "conv1.npy", or "model.safetensors#conv1.weight", of which only that array is read.
/// Relative paths start in `folder`; "" is the current one. Throws Error, naming the file: what is neither, cannot be
/// read, is no regular file, holds no array of that name (the nearest is suggested), more than `most` numbers, none, or
/// NaN or infinity.
WeightFile read_weight_file(const std::string& reference, const std::string& folder,
                            std::int64_t most = kMostReferredWeights);

}  // namespace convtool
