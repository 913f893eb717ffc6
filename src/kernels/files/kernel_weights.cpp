#include "kernels/files/kernel_weights.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/float_range.h"
#include "core/text.h"
#include "files/json_text.h"
#include "network/bias.h"

namespace convtool {
namespace {

using nlohmann::json;

/// The divisors of a layer. With "normalize" they are the sums of the weights, and "divisor" is ignored. Otherwise it
/// is the divisor, or nothing for 1.
std::vector<double> read_divisor(const KernelObject& object, const std::string& weight_key, const Layer& layer) {
  const double divisor = object.number("divisor", 1);
  if (divisor == 0) object.fail("divisor", "every weight is divided by it, so it cannot be 0");
  if (!object.flag("normalize")) return divisor == 1 ? std::vector<double>{} : std::vector{divisor};
  const std::vector<double> sums = sums_of_weights(layer);
  if (std::find(sums.begin(), sums.end(), 0.0) != sums.end())
    object.fail(weight_key,
                "normalize divides by the sum of the weights, which is 0; remove normalize, or use divisor");
  const auto too_large = std::find_if_not(sums.begin(), sums.end(), fits_float);  // such a divisor could not be read
  if (too_large != sums.end())
    object.fail(weight_key, "normalize divides by the sum of the weights, which is beyond float32 (" +
                                to_text(*too_large) + "); remove normalize, or use smaller weights");
  return sums;
}

std::int64_t read_groups(const KernelObject& object, const Layer& layer) {
  const std::int64_t groups = object.integer("groups", 1);
  if (groups > 1 && layer.rank != 4) {
    object.fail("groups", "groups need weights of rank 4, [c_o][c_i/groups][kh][kw] (got rank " +
                              std::to_string(layer.rank) +
                              (layer.rank == 2 ? ", which already filters each channel separately)" : ")"));
  }
  if (layer.shape.c_o % groups != 0) {
    object.fail("groups", std::to_string(groups) + " groups do not divide the " + std::to_string(layer.shape.c_o) +
                              (layer.enlarging == Enlarging::transposed ? " input channels" : " output channels"));
  }
  return groups;
}

}  // namespace

void KernelWeights::read(const KernelObject& object, const std::string& weight_key, Layer& layer) {
  const json& weight = object.at("weight");
  if (!weight.is_array() && !weight.is_string())
    object.fail(weight_key,
                describe_json(weight) +
                    " is not a matrix of weights (expected nested lists of rank 2, 3 or 4, or the name of a file)");
  WeightFile block = read_block(weight, object, weight_key);
  const auto& d = block.dimensions;
  layer.rank = static_cast<int>(d.size());
  if (layer.rank < 2 || layer.rank > 4) {
    object.fail(weight_key, "weights of rank " + std::to_string(d.size()) +
                                (d.size() == 1 ? "; for a single row write [[...]]" : "") +
                                " (expected 2: [kh][kw], 3: [c_i][kh][kw] or 4: [c_o][c_i/groups][kh][kw])");
  }
  if (layer.enlarging == Enlarging::transposed && layer.rank != 4)
    object.fail(weight_key, "weights of rank " + std::to_string(layer.rank) +
                                " (a transposed convolution has rank 4: [c_i][c_o/groups][kh][kw])");
  if (layer.enlarging == Enlarging::transposed && object.flag("normalize"))
    object.fail("normalize",
                "divides by the sums of output channels, which a transposed convolution's weights do not "
                "have; use divisor");
  layer.shape = {.c_o = layer.rank == 4 ? d[0] : 1,
                 .c_i_per_group = layer.rank == 2 ? 1 : d[d.size() - 3],
                 .kh = d[d.size() - 2],
                 .kw = d[d.size() - 1]};
  layer.weights = std::move(block.values);
  layer.divisor = read_divisor(object, weight_key, layer);
  if (!fits_float_divided(layer)) object.fail(weight_key, "a weight beyond float32 after the division");
  layer.params.groups = read_groups(object, layer);
  read_bias(object, layer);
}

std::vector<float> KernelWeights::read_list(const KernelObject& object, const std::string& key) {
  if (!object.has(key)) return {};
  WeightFile block = read_block(object.at(key), object, key);
  if (block.dimensions.size() != 1)
    object.fail(key, "rank " + std::to_string(block.dimensions.size()) + " (expected a list, one number per channel)");
  return std::move(block.values);
}

void KernelWeights::read_bias(const KernelObject& object, Layer& layer) {
  if (!object.has("bias")) return;
  WeightFile block = read_block(object.at("bias"), object, "bias");
  if (block.dimensions.size() > 1)
    object.fail("bias", "rank " + std::to_string(block.dimensions.size()) +
                            " (expected a number, or a list with one per output channel)");
  const auto given = static_cast<std::int64_t>(block.values.size());
  if (layer.rank != 2 && given != 1 && given != layer.output_channels()) {
    const std::int64_t c_o = layer.output_channels();
    object.fail("bias", counted(given, "number") + " (expected " + bias_sizes(c_o) + bias_remedy(c_o) + ")");
  }
  layer.bias = std::move(block.values);
}

WeightFile KernelWeights::read_block(const json& value, const KernelObject& object, const std::string& key) {
  if (!value.is_string()) {
    const NumberBlock block = read_numbers(value, object.pointer(key), ErrorKind::kernel, object.source());
    return {.path = "", .dimensions = block.dimensions, .values = {block.values.begin(), block.values.end()}};
  }
  WeightFile block;
  try {
    block = read_file_(value.get<std::string>(), kMostReferredWeights - count_);
  } catch (const Error& error) {
    object.fail(key, error.what());
  }
  add_count(std::ssize(block.values), object, key);
  files_.push_back(block.path);
  return block;
}

void KernelWeights::add_count(std::int64_t count, const KernelObject& object, const std::string& key) {
  count_ += count;
  if (count_ > kMostReferredWeights)
    object.fail(key, "adds up to more than " + std::to_string(kMostReferredWeights) +
                         " weights with those before it; split the network");
}

}  // namespace convtool
