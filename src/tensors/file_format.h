// The format of a file: a picture format, or a tensor format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pictures/picture_formats.h"

namespace convtool {

struct FileFormat {
  enum class Kind { picture, npy, json };
  Kind kind = Kind::picture;
  const PictureFormat* picture = nullptr;  ///< one of picture_formats(); set if kind is picture

  bool is_tensor() const { return kind != Kind::picture; }
  bool holds_floats() const { return is_tensor() || holds(*picture, DType::f32, PixelFormat::grey); }
  /// "png", "npy", ...
  std::string_view name() const;
  /// ".png", ".npy", ...
  std::string extension() const;

  bool operator==(const FileFormat&) const = default;

  /// Whether it is the format of videos, y4m.
  bool is_video() const;
};

/// The format with this name or extension, with or without a dot, in any case; nothing if there is none. That of
/// videos, y4m, counts as one of pictures whose pixels are grey: the planes of a frame.
std::optional<FileFormat> find_file_format(std::string_view name);

/// All names, for messages: "png, jpeg, ..., npy, json".
std::string file_format_names();

/// All names and extensions, without dots, for suggestions.
std::vector<std::string_view> file_format_words();

}  // namespace convtool
