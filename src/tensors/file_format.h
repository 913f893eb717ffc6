// What a file is written as: a picture in some format, or a tensor.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pictures/image_io.h"

namespace convtool {

struct FileFormat {
  enum class Kind { picture, npy, json };
  Kind kind = Kind::picture;
  const PictureFormat* picture = nullptr;  ///< of the table in image_io.h; set when kind is picture

  bool is_tensor() const { return kind != Kind::picture; }
  bool holds_floats() const { return is_tensor() || holds(*picture, DType::f32, PixelFormat::grey); }
  /// "png", "npy", ...
  std::string_view name() const;
  /// ".png", ".npy", ...
  std::string extension() const;
};

/// By name or extension, with or without its dot, in any case; nothing when there is no such format.
std::optional<FileFormat> find_file_format(std::string_view name);

/// "png, jpeg, ..., npy, json": every name, for messages.
std::string file_format_names();

/// Every name and extension, without dots, for suggestions.
std::vector<std::string_view> file_format_words();

}  // namespace convtool
