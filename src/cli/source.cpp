#include "cli/source.h"

namespace convtool {
namespace {

Source tensor_source(RankedTensor tensor, std::string_view format) {
  const Shape shape = tensor.tensor.shape();
  return {.content = std::move(tensor), .format = *find_file_format(format), .shape = shape};
}

Source decode(const Bytes& bytes, const std::string& path, std::int64_t max_pixels) {
  if (bytes.empty()) throw Error(ErrorKind::input, "", "the file is empty");
  if (looks_like_npy(bytes) || path.ends_with(".npy")) return tensor_source(parse_npy(bytes), "npy");
  if (looks_like_json(bytes) || path.ends_with(".json")) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return tensor_source(parse_tensor_json(text, ""), "json");
  }
  const PictureFormat* format = sniff_picture_format(bytes);
  if (format == nullptr) {
    throw Error(
        ErrorKind::input, "",
        "neither a picture that can be read (PNG, JPEG, TIFF, BMP, WebP, PNM, PFM, OpenEXR) nor a tensor (.npy, "
        "or nested lists in JSON)");
  }
  Image image = decode_image(bytes, max_pixels);
  const Shape shape = image.all().shape;
  return {.content = std::move(image),
          .format = {.kind = FileFormat::Kind::picture, .picture = format},
          .shape = shape,
          .remarks = remarks_on(bytes)};
}

}  // namespace

ConstTensorRef Source::filtered_part(AlphaRule alpha) const {
  if (is_tensor()) return tensor().tensor.ref();
  return alpha == AlphaRule::filter || alpha == AlphaRule::premultiply ? image().all() : image().colour();
}

void Source::make_grey() {
  if (is_tensor())
    throw Error(ErrorKind::shape, "", "--gray is for pictures: the channels of a tensor are not colours; use -k luma");
  content = image().to_luma();
}

Source load_source(const std::string& path, std::int64_t max_pixels) {
  return decode(read_file(path), path, max_pixels);
}

}  // namespace convtool
