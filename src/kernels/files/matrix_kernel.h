// Internal to kernels/: functions shared by the formats of other programs, whose kernels are one matrix that filters
// each channel separately.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/layer.h"

namespace convtool {

// Reading.

/// `rows` by `columns` weights, row-major, as a layer of rank 2.
Layer matrix_layer(std::int64_t rows, std::int64_t columns, std::vector<float> weights);

/// A network of this layer alone; both are called `name`.
Network network_of(Layer layer, const std::string& name);

/// The padding that keeps the size of a picture when the weight at row and column `origin` lies on the output pixel.
Padding padding_around(const Extent& origin, const KernelShape& size);

/// The parts of `text` between white space and the characters of `separators`.
std::vector<std::string_view> tokens_of(std::string_view text, std::string_view separators);

/// Throws Error(kernel, source), with `what` as the subject, unless the token is a number that float32 can hold,
/// rounded.
double parse_kernel_number(std::string_view token, const std::string& source, const std::string& what);

/// Sets the divisor of the sums. Throws Error(kernel, source) for 0, and where a quotient is beyond float32.
void set_divisor(double divisor, const std::string& source, Layer& layer);

// Writing. `format` names the format in messages, such as "a vips matrix".

/// Throws Error(kernel, where): "FORMAT cannot store WHAT; REMEDY".
[[noreturn]] void refuse_to_store(const std::string& where, std::string_view format, const std::string& what,
                                  const std::string& remedy);

/// The one layer of `network`. Throws Error(kernel) for several layers or kernels, a pool, a stride, a dilation,
/// groups, an activation, a combination that takes magnitudes and a map, each with a remedy.
const Layer& only_layer(const Network& network, std::string_view format);

/// The same, of rank 2.
const Layer& only_matrix(const Network& network, std::string_view format);

/// The divisor of a matrix, 1 by default.
double divisor_of(const Layer& layer);

/// The bias, 0 by default. Throws Error(kernel) where it differs between channels.
float bias_of(const Layer& layer, std::string_view format);

/// Throws Error(kernel) unless the bias is 0, for a format that has none.
void refuse_bias(const Layer& layer, std::string_view format);

/// The row and column of the weight that lies on the output pixel, for a matrix whose padding keeps the size of a
/// picture; nothing for a matrix without padding. Throws Error(kernel) for other padding.
std::optional<Extent> origin_of(const Layer& layer, std::string_view format);

/// Throws Error(kernel) unless origin_of() is nothing or `origin`, the only one that the format has.
void require_origin(const Layer& layer, const Extent& origin, std::string_view format);

/// Whether the layer reads pixels outside the picture.
bool has_border(const Layer& layer);

/// Throws Error(kernel) where the layer reads pixels outside the picture and does not take the nearest pixel inside.
void require_replicated_border(const Layer& layer, std::string_view format);

/// The weight at `index` over the divisor: the shortest text that reads back as the same float, or for a quotient as
/// the same double.
std::string quotient_text(const Layer& layer, std::size_t index);

/// The weights as rows of text, with `between` between two of a row and `between_rows` between rows.
template <class Text>
std::string join_matrix(const KernelShape& size, const Text& text, const char* between, const char* between_rows) {
  std::string all;
  for (std::int64_t i = 0; i < size.count(); ++i)
    all += (i == 0 ? "" : i % size.kw == 0 ? between_rows : between) + text(static_cast<std::size_t>(i));
  return all;
}

}  // namespace convtool
