#include "kernels/onnx/constant_folding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace convtool {
namespace {

using Folded = std::optional<Constant>;
using Inputs = std::vector<Constant>;
using Sizes = std::vector<std::int64_t>;

/// The whole numbers of a list; nothing if one is not whole.
std::optional<Sizes> whole_numbers(const Constant& list) {
  constexpr double kLargest = 0x1p62;  // exporters write the ends of integers for "to the end"
  Sizes numbers;
  for (const double value : list.values) {
    if (std::trunc(value) != value) return std::nullopt;  // NaN as well
    numbers.push_back(static_cast<std::int64_t>(std::clamp(value, -kLargest, kLargest)));
  }
  return numbers;
}

/// The number of elements of a shape, if it is a possible one.
std::optional<std::int64_t> count_of(const Sizes& dims) {
  std::int64_t count = 1;
  for (const std::int64_t size : dims) {
    if (size < 0 || size > kMostFolded) return std::nullopt;
    count *= size;
    if (count > kMostFolded) return std::nullopt;
  }
  return count;
}

Constant list_of(std::vector<double> values) { return {{std::ssize(values)}, std::move(values)}; }

std::int64_t integer_attribute(const OnnxNode& node, std::string_view name) {
  const OnnxAttribute* const found = find_attribute(node, name);
  return found == nullptr ? 0 : found->integer.value_or(0);
}

Folded fold_cast(const OnnxNode& node, const Inputs& in) {
  Constant cast = in.front();
  if (!casts_to_floats(node))
    for (double& value : cast.values) value = std::trunc(value);
  return cast;
}

Folded fold_concat(const OnnxNode& node, const Inputs& in) {
  std::vector<double> values;
  for (const Constant& list : in) {
    if (list.dims.size() != 1) return std::nullopt;
    values.insert(values.end(), list.values.begin(), list.values.end());
  }
  const std::int64_t axis = integer_attribute(node, "axis");
  if (axis != 0 && axis != -1) return std::nullopt;
  return list_of(std::move(values));
}

/// Of zeros: what exporters fill lists with.
Folded fold_constant_of_shape(const OnnxNode& node, const Inputs& in) {
  const OnnxAttribute* const value = find_attribute(node, "value");
  const auto dims = whole_numbers(in.front());
  const auto count = dims ? count_of(*dims) : std::nullopt;
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  if (!count || (value != nullptr && (!value->tensor || !value->tensor->raw ||
                                      !std::all_of(value->tensor->raw->begin(), value->tensor->raw->end(), is_zero))))
    return std::nullopt;
  return Constant{*dims, std::vector<double>(static_cast<std::size_t>(*count))};
}

Folded fold_gather(const OnnxNode& node, const Inputs& in) {
  if (in.size() != 2 || in[0].dims.size() != 1 || in[1].dims.size() > 1 || integer_attribute(node, "axis") != 0)
    return std::nullopt;
  const auto places = whole_numbers(in[1]);
  if (!places) return std::nullopt;
  Constant gathered{in[1].dims, {}};
  for (const std::int64_t place : *places) {
    const std::int64_t at = place < 0 ? place + in[0].dims[0] : place;
    if (at < 0 || at >= in[0].dims[0]) return std::nullopt;
    gathered.values.push_back(in[0].values[static_cast<std::size_t>(at)]);
  }
  return gathered;
}

/// A size of 0 is that of the input, and -1 what remains.
Folded fold_reshape(const OnnxNode&, const Inputs& in) {
  if (in.size() != 2) return std::nullopt;
  auto dims = whole_numbers(in[1]);
  if (!dims) return std::nullopt;
  std::int64_t known = 1, *open = nullptr;
  for (std::size_t i = 0; i < dims->size(); ++i) {
    std::int64_t& size = (*dims)[i];
    if (size == 0) size = i < in[0].dims.size() ? in[0].dims[i] : 0;
    if (size == -1 && open == nullptr) {
      open = &size;
      continue;
    }
    if (size < 1 || size > kMostFolded || known > kMostFolded) return std::nullopt;
    known *= size;
  }
  const std::int64_t count = std::ssize(in[0].values);
  if (open != nullptr) *open = count / known;
  if (open == nullptr ? known != count : *open * known != count) return std::nullopt;
  return Constant{*dims, in[0].values};
}

/// Without the start and end of opset 15.
Folded fold_shape(const OnnxNode& node, const Inputs& in) {
  if (!node.attributes.empty()) return std::nullopt;
  return list_of({in.front().dims.begin(), in.front().dims.end()});
}

/// Of one axis, as data[..., start:end:step, ...] in Python.
Folded fold_slice(const OnnxNode&, const Inputs& in) {
  if (in.size() < 3) return std::nullopt;
  std::int64_t options[4] = {0, 0, 0, 1};  // start, end, axis, step
  for (std::size_t i = 1; i < in.size() && i <= 4; ++i) {
    const auto number = whole_numbers(in[i]);
    if (!number || number->size() != 1) return std::nullopt;
    options[i - 1] = number->front();
  }
  auto [start, end, axis, step] = options;
  Sizes dims = in[0].dims;
  axis += axis < 0 ? std::ssize(dims) : 0;
  if (axis < 0 || axis >= std::ssize(dims) || step == 0) return std::nullopt;
  const std::int64_t size = dims[static_cast<std::size_t>(axis)];
  const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  start = std::clamp(start < 0 ? start + size : start, low, high);
  end = std::clamp(end < 0 ? end + size : end, low, high);
  std::int64_t inner = 1, outer = 1;
  for (std::int64_t i = 0; i < std::ssize(dims); ++i)
    (i < axis ? outer : inner) *= i == axis ? 1 : dims[static_cast<std::size_t>(i)];
  Sizes places;
  for (std::int64_t i = start; step > 0 ? i < end : i > end; i += step) places.push_back(i);
  Constant slice;
  for (std::int64_t o = 0; o < outer; ++o)
    for (const std::int64_t place : places) {
      const auto row = in[0].values.begin() + (o * size + place) * inner;
      slice.values.insert(slice.values.end(), row, row + inner);
    }
  dims[static_cast<std::size_t>(axis)] = std::ssize(places);
  slice.dims = std::move(dims);
  return slice;
}

Folded fold_transpose(const OnnxNode& node, const Inputs& in) {
  const OnnxAttribute* const order = find_attribute(node, "perm");
  const Sizes& dims = in.front().dims;
  const std::vector<double>& values = in.front().values;
  if (dims.size() != 2 || (order != nullptr && order->integers != Sizes{1, 0})) return std::nullopt;
  Constant transposed{{dims[1], dims[0]}, {}};
  for (std::int64_t x = 0; x < dims[1]; ++x)
    for (std::int64_t y = 0; y < dims[0]; ++y)
      transposed.values.push_back(values[static_cast<std::size_t>(y * dims[1] + x)]);
  return transposed;
}

/// A single number as a list of one, or the reverse.
Folded fold_unsqueeze(const OnnxNode&, const Inputs& in) {
  return in.front().dims.empty() ? Folded(list_of(in.front().values)) : std::nullopt;
}
Folded fold_squeeze(const OnnxNode&, const Inputs& in) {
  return in.front().dims == Sizes{1} ? Folded(Constant{{}, in.front().values}) : std::nullopt;
}

/// Of equal shapes, or with a single number.
template <double (*combine)(double a, double b)>
Folded fold_arithmetic(const OnnxNode&, const Inputs& in) {
  if (in.size() != 2) return std::nullopt;
  const Constant &a = in[0], &b = in[1];
  if (a.dims != b.dims && a.values.size() != 1 && b.values.size() != 1) return std::nullopt;
  Constant result = a.values.size() == 1 ? b : a;
  for (std::size_t i = 0; i < result.values.size(); ++i)
    result.values[i] = combine(a.values[a.values.size() == 1 ? 0 : i], b.values[b.values.size() == 1 ? 0 : i]);
  return result;
}

double add(double a, double b) { return a + b; }
double subtract(double a, double b) { return a - b; }
double multiply(double a, double b) { return a * b; }
double divide(double a, double b) { return a / b; }

Folded fold_quotient(const OnnxNode& node, const Inputs& in) {
  Folded quotient = fold_arithmetic<divide>(node, in);
  if (quotient && in.front().is_integer)
    for (double& value : quotient->values) value = std::trunc(value);
  return quotient;
}

struct Fold {
  std::string_view type;
  Folded (*fold)(const OnnxNode& node, const Inputs& in);
};

constexpr Fold kFolds[] = {
    {"Add", fold_arithmetic<add>},
    {"Cast", fold_cast},
    {"Concat", fold_concat},
    {"ConstantOfShape", fold_constant_of_shape},
    {"Div", fold_quotient},
    {"Gather", fold_gather},
    {"Mul", fold_arithmetic<multiply>},
    {"Reshape", fold_reshape},
    {"Shape", fold_shape},
    {"Slice", fold_slice},
    {"Squeeze", fold_squeeze},
    {"Sub", fold_arithmetic<subtract>},
    {"Transpose", fold_transpose},
    {"Unsqueeze", fold_unsqueeze},
};

}  // namespace

std::optional<Constant> fold_constants(const OnnxNode& node, const ConstantSource& source) {
  const auto fold =
      std::find_if(std::begin(kFolds), std::end(kFolds), [&](const Fold& row) { return is_operator(node, row.type); });
  if (fold == std::end(kFolds) || node.inputs.empty()) return std::nullopt;
  Inputs inputs;
  for (const std::string_view input : node.inputs) {
    Folded constant = source(input);
    if (!constant || std::ssize(constant->values) > kMostFolded) return std::nullopt;
    inputs.push_back(*std::move(constant));
  }
  Folded folded = fold->fold(node, inputs);
  if (folded)
    folded->is_integer =
        is_operator(node, "Shape") || (is_operator(node, "Cast") ? !casts_to_floats(node) : inputs.front().is_integer);
  return folded && std::ssize(folded->values) <= kMostFolded ? std::move(folded) : std::nullopt;
}

}  // namespace convtool
