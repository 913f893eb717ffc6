// An input, decoded: a picture or a tensor.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "pictures/image.h"
#include "pictures/image_header.h"
#include "tensors/file_format.h"
#include "tensors/tensor_io.h"

namespace convtool {

/// What becomes of a picture's alpha: set aside and attached again (network/alpha.h), left out, filtered like a colour,
/// or filtered with the colours weighed by it (network/premultiplied.h).
enum class AlphaRule { keep, drop, filter, premultiply };
inline constexpr std::string_view kAlphaRules[] = {"keep", "drop", "filter", "premultiply"};

/// Owns the pixels.
struct Source {
  std::variant<RankedTensor, Image> content;
  FileFormat format;  ///< of the file it came from
  Shape shape;        ///< as in the file, every channel counted
  std::vector<Remark> remarks = {};

  bool is_tensor() const { return format.is_tensor(); }
  const Image& image() const { return std::get<Image>(content); }
  const RankedTensor& tensor() const { return std::get<RankedTensor>(content); }
  int rank() const { return is_tensor() ? tensor().rank : 3; }
  bool has_alpha() const { return !is_tensor() && convtool::has_alpha(image().format()); }
  DType dtype() const { return is_tensor() ? tensor().tensor.dtype() : image().dtype(); }

  /// What is filtered: every channel, or the colours alone. A view into this Source.
  ConstTensorRef filtered_part(AlphaRule alpha) const;

  /// Colours become luma, alpha stays. Throws Error(shape) for a tensor.
  void make_grey();
};

/// What an input says of itself before it is decoded.
struct SourceHeader {
  FileFormat format;
  Shape shape;  ///< upright, every channel counted
  int rank = 3;
  DType dtype = DType::f32;

  bool has_alpha() const { return !format.is_tensor() && shape.c % 2 == 0; }
};

/// The header of the file `path` that `bytes` are: .npy and JSON by content or name, else a picture. The shape of JSON
/// is a bound for the number of its values, in one row. Throws Error(input); unless nothing is to be decoded
/// (no `max_pixels`), for more than these too.
SourceHeader read_source_header(std::span<const std::byte> bytes, const std::string& path,
                                std::optional<std::int64_t> max_pixels);

/// Decodes them. They end before it returns. Throws Error(input).
Source decode_source(Bytes bytes, const std::string& path, std::int64_t max_pixels);

}  // namespace convtool
