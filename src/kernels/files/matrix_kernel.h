// Internal to kernels/: what kernels in the formats of other programs come to, one matrix that filters every channel alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/layer.h"

namespace convtool {

// Reading.

/// `rows` by `columns` weights as a layer of rank 2, row-major.
Layer matrix_layer(std::int64_t rows, std::int64_t columns, std::vector<float> weights);

/// `layer` under this name, alone.
Network network_of(Layer layer, const std::string& name);

/// The padding that keeps the size of a picture when the weight at this row and column lies on the output pixel.
Padding padding_around(const Extent& origin, const KernelShape& size);

/// What is between white space and the characters of `separators`.
std::vector<std::string_view> tokens_of(std::string_view text, std::string_view separators);

/// Throws Error(kernel, source) that names `what` for anything but a number that float32 holds, rounded.
double parse_kernel_number(std::string_view token, const std::string& source, const std::string& what);

/// Sums are divided by `divisor`. Throws Error(kernel, source) for 0, and where a quotient is beyond float32.
void set_divisor(double divisor, const std::string& source, Layer& layer);

// Writing. `format` names the format in messages, such as "a vips matrix".

/// The one layer of `network`. Throws Error(kernel) that names what else there is: more layers or kernels, stride,
/// dilation, groups, an activation, a map.
const Layer& only_layer(const Network& network, const std::string& format);

/// The same, of rank 2.
const Layer& only_matrix(const Network& network, const std::string& format);

/// 1 where there is none. Of a matrix.
double divisor_of(const Layer& layer);

/// 0 where there is none. Throws Error(kernel) for one that differs between channels.
float bias_of(const Layer& layer, const std::string& format);

/// bias_of() for a format that has none: throws unless it is 0.
void refuse_bias(const Layer& layer, const std::string& format);

/// The row and column of the weight that lies on the output pixel, in a matrix whose padding keeps the size of a
/// picture; nothing for one without padding. Throws Error(kernel) for other padding.
std::optional<Extent> origin_of(const Layer& layer, const std::string& format);

/// Throws Error(kernel) unless origin_of() is nothing, or this: the only one that the format has.
void require_origin(const Layer& layer, const Extent& origin, const std::string& format);

/// Throws Error(kernel) where pixels outside the picture are asked for, but not as copies of the next one inside.
void require_replicated_border(const Layer& layer, const std::string& format);

/// Whether pixels outside the picture are asked for.
bool has_border(const Layer& layer);

/// The weight at `index`, over the divisor: the shortest text that reads back as the same float, or of a quotient as
/// the same double.
std::string quotient_text(const Layer& layer, std::size_t index);

/// Rows of weights: what stands between two of a row, and between rows.
template <class Text>
std::string join_matrix(const KernelShape& size, const Text& text, const char* between, const char* between_rows) {
  std::string all;
  for (std::int64_t i = 0; i < size.count(); ++i)
    all += (i == 0 ? "" : i % size.kw == 0 ? between_rows : between) + text(static_cast<std::size_t>(i));
  return all;
}

}  // namespace convtool
