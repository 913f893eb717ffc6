// Weights and biases that a kernel file refers to: an .npy file, or an array of a safetensors file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace convtool {

/// The most weights that one kernel file may ask for by names of files and sizes of pools: 1 GiB in f32.
inline constexpr std::int64_t kMostReferredWeights = std::int64_t{1} << 28;

/// Whether the layers of a kernel file need weights. Without them they have sizes alone: "kernel_size" in place of
/// "weight" (network/outline.h).
enum class Weights { required, optional };

/// A block of finite numbers, row-major, and the file they come from.
struct WeightFile {
  std::string path;
  std::vector<std::int64_t> dimensions;
  std::vector<float> values;
};

/// Throws Error(kernel, where) if `path` is a PyTorch checkpoint by its name (.pt, .pth, .ckpt, .pkl). It contains a
/// pickle, which is a program; the message has the Python that writes its weights as safetensors.
void refuse_checkpoint(const std::string& where, const std::string& path);

/// Returns the at most `most` weights that a reference in a kernel file stands for, or throws Error.
using WeightReader = std::function<WeightFile(const std::string& reference, std::int64_t most)>;

/// Reads the file "conv1.npy", or only the array "conv1.weight" for "model.safetensors#conv1.weight" and
/// "model.npz#conv1.weight". Relative paths start in `folder`; "" is the current one. The last file with several
/// arrays stays open as long as the reader lives. Throws Error that names the file if the reference is neither, the
/// file cannot be read or is not a regular file, the array does not exist (the nearest is suggested), or the block is
/// empty, has more than `most` numbers, or contains NaN or infinity. Not thread-safe.
WeightReader weight_files_in(const std::string& folder);

}  // namespace convtool
