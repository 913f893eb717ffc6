#include "cli/source.h"

namespace convtool {
namespace {

Source decode(const Bytes& bytes, const std::string& path, std::int64_t max_pixels) {
  if (bytes.empty()) throw Error(ErrorKind::input, "", "the file is empty");
  if (looks_like_npy(bytes) || path.ends_with(".npy")) return {parse_npy(bytes), *find_file_format("npy")};
  if (looks_like_json(bytes) || path.ends_with(".json")) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {parse_tensor_json(text, ""), *find_file_format("json")};
  }
  Image image = decode_image(bytes, max_pixels);
  return {std::move(image), {.kind = FileFormat::Kind::picture, .picture = sniff_picture_format(bytes)}};
}

}  // namespace

ConstTensorRef Source::filtered_part(AlphaRule alpha) const {
  if (is_tensor()) return tensor().tensor.ref();
  return alpha == AlphaRule::filter ? image().all() : image().colour();
}

Source load_source(const std::string& path, bool grey, std::int64_t max_pixels) {
  Source source = decode(read_file(path), path, max_pixels);
  if (grey && source.is_tensor()) {
    throw Error(ErrorKind::shape, "", "--gray is for pictures: the channels of a tensor are not colours; use -k luma");
  }
  if (grey) source.content = source.image().to_luma();
  return source;
}

}  // namespace convtool
