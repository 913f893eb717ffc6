#include "cli/job/source.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "core/text.h"
#include "pictures/raw_pictures.h"
#include "pictures/stream/y4m.h"
#include "tensors/npz.h"
#include "tensors/tensor_text.h"

namespace convtool {
namespace {

Source tensor_source(RankedTensor tensor, const FileFormat& format) {
  Source source{.format = format, .shape = tensor.tensor.shape()};
  if (tensor.rounded > 0) source.remarks.push_back(rounding_remark(tensor.rounded, source.shape, tensor.stored));
  source.content = std::move(tensor);
  return source;
}

/// Whether the name promises a tensor in text, so that other content is an error that says what is wrong with it.
bool has_text_extension(const std::string& path) {
  return has_extension(path, ".json") || has_extension(path, ".csv") || has_extension(path, ".tsv");
}

FileFormat find_format(std::span<const std::byte> bytes, const std::string& path) {
  if (bytes.empty()) throw Error(ErrorKind::input, "", "the file is empty");
  if (looks_like_npy(bytes) || has_extension(path, ".npy")) return *find_file_format("npy");
  if (looks_like_tensor_text(bytes) || has_text_extension(path)) return *find_file_format("json");
  const PictureFormat* format = sniff_picture_format(bytes);
  if (looks_like_y4m(bytes))
    throw Error(ErrorKind::input, "",
                "a YUV4MPEG2 video is read by apply and edges only, from a file named .y4m or from standard input");
  if (format == nullptr) {
    throw Error(
        ErrorKind::input, "",
        "neither a picture that can be read (PNG, JPEG, TIFF, BMP, WebP, PNM, PFM, OpenEXR) nor a tensor (.npy, "
        ".npz, nested lists in JSON, a printout of NumPy or PyTorch, or CSV)");
  }
  return {.kind = FileFormat::Kind::picture, .picture = format};
}

void check_pixels(const Shape& shape, std::int64_t max_pixels) {
  if (shape.h <= max_pixels / shape.w) return;
  throw Error(ErrorKind::input, "",
              std::to_string(shape.w) + "x" + std::to_string(shape.h) + " is more than " + std::to_string(max_pixels) +
                  " pixels; raise --max-pixels");
}

SourceHeader picture_header(const PictureHeader& header, const FileFormat& format) {
  Shape shape{.n = 1, .c = header.channels, .h = header.height, .w = header.width};
  if (header.is_transposed()) std::swap(shape.h, shape.w);
  return {.format = format, .shape = shape, .dtype = header.dtype, .picture = header};
}

}  // namespace

Remark rounding_remark(std::int64_t rounded, const Shape& shape, std::string_view stored) {
  return {std::to_string(rounded) + " of " + counted(shape.count(), "value") + " lost digits: stored as " +
          std::string(stored) + ", they are read as f32"};
}

bool is_inline_tensor(const std::string& input) {
  std::error_code ignored;
  return looks_like_lists(input) && !std::filesystem::exists(input, ignored);
}

bool names_array(const FileContent& content, const std::string& input) {
  return looks_like_npz(content.bytes) || !split_array_path(input).array.empty();
}

FileContent extract_array(const FileContent& content, const std::string& input, std::size_t limit) {
  return {.bytes = extract_npy(content.bytes, split_array_path(input).array, limit), .file = {}};
}

FileContent read_input(const std::string& input, const SizeLimits& limits) {
  FileContent content = read_and_keep_file(split_array_path(input).file, limits);
  return names_array(content, input) ? extract_array(content, input, limits.bytes) : std::move(content);
}

Source text_source(const std::string& text) {
  return tensor_source(parse_tensor_text(text, "INPUT"), *find_file_format("json"));
}

SourceHeader read_source_header(std::span<const std::byte> bytes, const std::string& path,
                                std::optional<std::int64_t> max_pixels, std::uint64_t page_at) {
  const FileFormat format = find_format(bytes, path);
  if (format.kind == FileFormat::Kind::npy) {
    const RankedShape npy = read_npy_shape(bytes);
    if (max_pixels) check_pixels(npy.shape, *max_pixels);
    return {.format = format, .shape = npy.shape, .rank = npy.rank};
  }
  if (format.kind == FileFormat::Kind::json) {
    // Text that is not a tensor takes no more memory than one number for each byte. Empty objects take most: three
    // bytes each, with the comma.
    const std::int64_t most = std::ssize(bytes);
    const RankedShape json =
        scan_text_shape(bytes).value_or(RankedShape{.shape = {.n = 1, .c = 1, .h = 1, .w = most}, .rank = 2});
    return {.format = format, .shape = json.shape, .rank = json.rank};
  }
  const PictureHeader header =
      max_pixels ? read_small_header(bytes, *max_pixels, page_at) : read_picture_header(bytes, page_at);
  if (header.width == 0 || header.height == 0) throw Error(ErrorKind::input, "", "a picture without pixels");
  SourceHeader result = picture_header(header, format);
  if (max_pixels) result.metadata = read_metadata(bytes, header);
  return result;
}

std::optional<RasterSource> open_raster_source(const std::string& path, std::int64_t max_pixels) {
  std::error_code ignored;
  if (path == "-" || !std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  RandomAccessFile file(path, ErrorKind::input);
  std::array<std::byte, 64> start;
  if (file.size() < start.size()) return std::nullopt;  // too small to gain from bands
  file.read(0, start);
  const auto source = [&](const SourceHeader& header, const RasterLayout& layout) {
    return RasterSource{.header = header, .reader = RasterReader(std::move(file), layout)};
  };
  if (looks_like_npy(start)) {
    if (const std::optional<RankedLayout> npy = read_npy_layout(file)) {
      check_pixels(npy->layout.shape, max_pixels);
      return source({.format = *find_file_format("npy"), .shape = npy->layout.shape, .rank = npy->rank}, npy->layout);
    }
  } else if (!has_extension(path, ".npy") && !has_text_extension(path)) {
    if (const std::optional<RawPicture> picture = read_raw_picture(file)) {
      check_pixels(picture->header, max_pixels);
      const FileFormat format{.kind = FileFormat::Kind::picture, .picture = sniff_picture_format(start)};
      return source(picture_header(picture->header, format), picture->layout);
    }
  }
  return std::nullopt;
}

Source decode_source(const FileContent& file, const SourceHeader& header, PictureDecoder& decoder, int threads) {
  const Buffer& bytes = file.bytes;
  if (header.format.kind == FileFormat::Kind::npy) return tensor_source(parse_npy(bytes), header.format);
  if (header.format.kind == FileFormat::Kind::json) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return tensor_source(parse_tensor_text(text, ""), header.format);
  }
  Image image = decoder.decode(file, *header.picture, threads);
  const Shape shape = image.all().shape;
  std::vector<Remark> remarks = remarks_on(*header.picture);
  if (std::optional<Remark> remark = decoder.remark_on(header.picture->type)) remarks.push_back(std::move(*remark));
  return {.content = std::move(image),
          .format = header.format,
          .shape = shape,
          .remarks = std::move(remarks),
          .metadata = header.metadata};
}

Source read_source(FileContent file, const std::string& path, std::int64_t max_pixels, PictureDecoder& decoder) {
  const SourceHeader header = read_source_header(file.bytes, path, max_pixels);
  return decode_source(file, header, decoder);
}

ConstTensorRef Source::filtered_part(AlphaRule alpha) const {
  if (is_tensor()) return tensor().tensor.ref();
  return alpha == AlphaRule::filter || alpha == AlphaRule::premultiply ? image().all() : image().colour();
}

void refuse_grey_tensor() {
  refuse_shape("", "--gray needs a picture: the channels of a tensor are not colours; use -k luma");
}

SourceTraits Source::traits(AlphaRule alpha) const {
  const ConstTensorRef filtered = filtered_part(alpha);
  return {.format = format,
          .shape = shape,
          .rank = rank(),
          .dtype = dtype(),
          .has_alpha = has_alpha(),
          .filtered = filtered.shape,
          .channels_last = filtered.shape.c > 1 && std::abs(filtered.strides.c) == 1};
}

SourceTraits SourceHeader::traits(AlphaRule alpha, bool makes_grey) const {
  Shape filtered = shape;
  if (makes_grey && !format.is_tensor() && shape.c > 2) filtered.c -= 2;
  if (has_alpha() && (alpha == AlphaRule::keep || alpha == AlphaRule::drop)) --filtered.c;
  return {.format = format,
          .shape = shape,
          .rank = rank,
          .dtype = dtype,
          .has_alpha = has_alpha(),
          .filtered = filtered,
          .channels_last = !format.is_tensor() && filtered.c > 1};
}

void Source::make_grey() {
  if (is_tensor()) refuse_grey_tensor();
  content = image().to_luma();
}

}  // namespace convtool
