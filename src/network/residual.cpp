#include "network/residual.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "core/printable.h"
#include "network/bank_plan.h"

namespace convtool {
namespace {

/// "layer 3 adds 'a'".
std::string use_text(std::size_t bank, const char* verb, const std::string& name) {
  return "layer " + std::to_string(bank + 1) + " " + verb + " '" + printable(name) + "'";
}

/// The bank before `bank` that has this name.
std::optional<std::size_t> find_earlier(const Network& network, std::size_t bank, const char* verb,
                                        const std::string& name) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < bank; ++i) {
    if (network.banks[i].name != name) continue;
    if (found)
      refuse_kernel(network.name, use_text(bank, verb, name) + ", but layers " + std::to_string(*found + 1) + " and " +
                                      std::to_string(i + 1) + " both have that name; give one of them another");
    found = i;
  }
  return found;
}

[[noreturn]] void refuse_name(const Network& network, std::size_t bank, const char* verb, const std::string& name) {
  const auto has_name = [&](const Bank& other) { return other.name == name; };
  const auto self = network.banks.begin() + static_cast<std::ptrdiff_t>(bank);
  const std::string layer = use_text(bank, verb, name);
  if (has_name(*self)) refuse_kernel(network.name, layer + ", which is its own name; name an earlier layer");
  if (std::any_of(self, network.banks.end(), has_name))
    refuse_kernel(network.name, layer + ", which comes later; only the output of an earlier layer is there");
  std::string names;
  for (std::size_t i = 0; i < bank; ++i) names += (i == 0 ? "" : ", ") + printable(network.banks[i].name);
  refuse_kernel(network.name, layer + ", but no layer before it has that name" +
                                  (names.empty() ? "" : " (those before it are " + names + ")") +
                                  "; 'input' is the input of the network");
}

/// The earlier banks that are named by a member of layers.
std::vector<std::optional<std::size_t>> named_by(const Network& network, std::string Layer::*member, const char* verb) {
  std::vector<std::optional<std::size_t>> found(network.banks.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string& name = network.banks[i].layers.front().*member;
    if (name.empty()) continue;
    found[i] = find_earlier(network, i, verb, name);
    if (!found[i]) refuse_name(network, i, verb, name);
  }
  return found;
}

}  // namespace

Layer input_copy() {
  return {.name = std::string(kInputName), .shape = {.c_o = 1, .c_i_per_group = 1, .kh = 1, .kw = 1}, .weights = {1}};
}

bool is_input_copy(const Bank& bank) {
  return bank.layers == std::vector{input_copy()} && bank.combine == Combine::none && !bank.map;
}

Network with_named_input(Network network) {
  const auto names_input = [](const Bank& bank) {
    return bank.layers.front().add == kInputName || bank.layers.front().from == kInputName;
  };
  std::vector<Bank>& banks = network.banks;
  const auto named = std::find_if(banks.begin(), banks.end(), names_input);
  if (named == banks.end()) return network;
  for (std::size_t i = 0; i < banks.size(); ++i)
    if (banks[i].name == kInputName)
      refuse_kernel(network.name, "layer " + std::to_string(i + 1) +
                                      " is called 'input', which means the input of the network where a layer adds or "
                                      "reads it; give the layer another name");
  banks.insert(banks.begin(), Bank{.name = std::string(kInputName), .layers = {input_copy()}});
  return network;
}

std::vector<std::optional<std::size_t>> addends_of(const Network& network) {
  return named_by(network, &Layer::add, "adds");
}

std::vector<std::optional<std::size_t>> sources_of(const Network& network) {
  std::vector<std::optional<std::size_t>> sources = named_by(network, &Layer::from, "reads");
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (sources[i] && *sources[i] + 1 == i) sources[i].reset();
  return sources;
}

std::vector<std::size_t> last_uses(const std::vector<std::optional<std::size_t>>& addends,
                                   const std::vector<std::optional<std::size_t>>& sources) {
  std::vector<std::size_t> uses(addends.size());
  for (std::size_t i = 0; i < addends.size(); ++i) {
    if (addends[i]) uses[*addends[i]] = i;
    if (sources[i]) uses[*sources[i]] = i;
  }
  return uses;
}

std::vector<Shape> output_shapes(const Network& network, DType input_dtype, const Shape& input) {
  const std::vector<std::optional<std::size_t>> sources = sources_of(network);
  std::vector<Shape> outputs;
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const Shape& own = i == 0 ? input : outputs[sources[i].value_or(i - 1)];
    outputs.push_back(bank_geometry(network.banks[i], i == 0 ? input_dtype : DType::f32, own).output);
  }
  return outputs;
}

void check_sum(const std::string& name, const Shape& earlier, const Shape& input) {
  if (earlier == input) return;
  refuse_shape("", "the output of '" + printable(name) + "' cannot be added to the input (" + to_string(earlier) +
                       " and " + to_string(input) + "); both need the same shape");
}

void add(const ConstTensorRef& a, const ConstTensorRef& b, const TensorRef& sum, int threads) {
  require(a.shape == b.shape && a.shape == sum.shape, "a sum of tensors that differ in shape");
  const auto x = a.view<float>(), y = b.view<float>();
  const auto out = sum.view<float>();
  const std::int64_t channels = sum.shape.c, width = sum.shape.w;
  const bool interleaved =
      sum.strides.c == 1 && sum.strides.w == channels && a.strides == sum.strides && b.strides == sum.strides;
  // For fewer sums, waking a thread takes longer than adding (core/parallel.cpp).
  constexpr std::int64_t kWorthThreads = 1 << 16;
  const int used = sum.shape.count() < kWorthThreads ? 1 : threads;
  for_each_row(sum.shape, used, [=](std::int64_t n, std::int64_t row) {
    if (interleaved) {
      const float *from = x.row(n, 0, row), *other = y.row(n, 0, row);
      float* to = out.row(n, 0, row);
      for (std::int64_t i = 0; i < width * channels; ++i) to[i] = from[i] + other[i];
      return;
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      const float *from = x.row(n, c, row), *other = y.row(n, c, row);
      float* to = out.row(n, c, row);
      if (x.strides.w == 1 && y.strides.w == 1 && out.strides.w == 1)
        for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] + other[i];
      else
        for (std::int64_t i = 0; i < width; ++i) to[i * out.strides.w] = from[i * x.strides.w] + other[i * y.strides.w];
    }
  });
}

}  // namespace convtool
