// Internal to kernels/: the numbers of the layers of a kernel file, written there or in files that it names.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/files/kernel_values.h"
#include "kernels/files/weight_file.h"
#include "network/layer.h"

namespace convtool {

/// Reads the weights of one kernel file. It counts those that need little text, given by the name of a file or the size
/// of a window, to limit the memory that a small file can ask for. Functions throw Error(kernel) as KernelObject does.
class KernelWeights {
 public:
  /// `read_file` reads the files of weights.
  explicit KernelWeights(WeightReader read_file) : read_file_(std::move(read_file)) {}

  /// Sets rank, shape, weights, divisor, groups and bias of `layer`, whose `enlarging` is set. Errors in the weights
  /// are reported at `weight_key`: "weight", or "" where they are the whole value.
  void read(const KernelObject& object, const std::string& weight_key, Layer& layer);

  /// The numbers of a list, or of a file, under `key`; nothing if it is missing.
  std::vector<float> read_list(const KernelObject& object, const std::string& key);

  /// Adds `count` weights that the value of `key` asks for. Throws beyond kMostReferredWeights in all.
  void add_count(std::int64_t count, const KernelObject& object, const std::string& key);

  /// The files that were read.
  std::vector<std::string> take_files() { return std::move(files_); }

 private:
  WeightFile read_block(const nlohmann::json& value, const KernelObject& object, const std::string& key);
  void read_bias(const KernelObject& object, Layer& layer);

  WeightReader read_file_;
  std::vector<std::string> files_;
  std::int64_t count_ = 0;
};

}  // namespace convtool
