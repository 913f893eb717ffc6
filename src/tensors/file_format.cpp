#include "tensors/file_format.h"

#include "core/text.h"

namespace convtool {

namespace {

/// Not one of picture_formats(): a picture is never written as a video.
const PictureFormat kVideo = {"y4m", {".y4m"}, {DType::u8, DType::u16}, {PixelFormat::grey}};

}  // namespace

bool FileFormat::is_video() const { return picture == &kVideo; }

std::string_view FileFormat::name() const {
  return kind == Kind::npy ? "npy" : kind == Kind::json ? "json" : picture->name;
}

std::string FileFormat::extension() const {
  return is_tensor() ? "." + std::string(name()) : std::string(picture->extensions.front());
}

std::optional<FileFormat> find_file_format(std::string_view name) {
  const std::string lower = in_small_letters(name.starts_with('.') ? name.substr(1) : name);
  if (lower == kVideo.name) return FileFormat{.kind = FileFormat::Kind::picture, .picture = &kVideo};
  if (lower == "npy") return FileFormat{.kind = FileFormat::Kind::npy};
  if (lower == "json") return FileFormat{.kind = FileFormat::Kind::json};
  const PictureFormat* picture = find_picture_format(lower);
  if (picture == nullptr) return std::nullopt;
  return FileFormat{.kind = FileFormat::Kind::picture, .picture = picture};
}

std::string file_format_names() {
  std::string list;
  for (const PictureFormat& format : picture_formats()) list += std::string(format.name) + ", ";
  return list + "npy, json";
}

std::vector<std::string_view> file_format_words() {
  std::vector<std::string_view> words = {"npy", "json"};
  for (const PictureFormat& format : picture_formats()) {
    words.push_back(format.name);
    for (const std::string_view extension : format.extensions) words.push_back(extension.substr(1));
  }
  return words;
}

}  // namespace convtool
