// An input, decoded: a picture or a tensor.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "files/file.h"
#include "files/raster_file.h"
#include "pictures/image.h"
#include "pictures/image_header.h"
#include "pictures/isolation/picture_decoder.h"
#include "pictures/metadata/metadata.h"
#include "tensors/file_format.h"
#include "tensors/tensor_io.h"

namespace convtool {

/// The treatment of a picture's alpha: set aside and resampled (network/alpha.h), left out, filtered like a colour, or
/// filtered with the colours weighted by it (network/premultiplied.h).
enum class AlphaRule { keep, drop, filter, premultiply };
inline constexpr std::string_view kAlphaRules[] = {"keep", "drop", "filter", "premultiply"};

/// Everything about an input but its pixels: what a plan depends on.
struct SourceTraits {
  FileFormat format;
  Shape shape;  ///< every channel counted, before make_grey()
  int rank = 3;
  DType dtype = DType::f32;
  bool has_alpha = false;
  Shape filtered;              ///< the channels to filter
  bool channels_last = false;  ///< whether these are interleaved in memory

  bool is_tensor() const { return format.is_tensor(); }
  bool operator==(const SourceTraits&) const = default;
};

/// Throws Error(shape): a tensor has no colours to convert to luma.
[[noreturn]] void refuse_grey_tensor();

/// Owns the pixels.
struct Source {
  std::variant<RankedTensor, Image> content;
  FileFormat format;  ///< of the file
  Shape shape;        ///< every channel counted, before make_grey()
  std::vector<Remark> remarks = {};
  PictureMetadata metadata = {};

  bool is_tensor() const { return format.is_tensor(); }
  const Image& image() const { return std::get<Image>(content); }
  const RankedTensor& tensor() const { return std::get<RankedTensor>(content); }
  int rank() const { return is_tensor() ? tensor().rank : 3; }
  bool has_alpha() const { return !is_tensor() && convtool::has_alpha(image().format()); }
  DType dtype() const { return is_tensor() ? tensor().tensor.dtype() : image().dtype(); }

  /// The channels to filter, all or only the colours, as a view into this Source.
  ConstTensorRef filtered_part(AlphaRule alpha) const;

  SourceTraits traits(AlphaRule alpha) const;

  /// Converts colours to luma and keeps alpha. Throws Error(shape) for a tensor.
  void make_grey();
};

/// Whether `input` is a tensor as text in place of the name of a file: nested lists in JSON or a printout, and no file
/// has that name.
bool is_inline_tensor(const std::string& input);

/// The tensor in `text`, which a command takes in place of a file. Throws Error(input, "INPUT").
Source text_source(const std::string& text);

/// Whether the content of the file that `input` names is an .npz file, or should be, since an array of it is named.
bool names_array(const FileContent& content, const std::string& input);

/// The .npy file of the array that `input` names, or of the only one. Throws Error(input) as extract_npy() does.
FileContent extract_array(const FileContent& content, const std::string& input, std::size_t limit);

/// Reads the file that `input` names; of an .npz file, which may be followed by #ARRAY, the .npy file of the array
/// (tensors/npz.h). Throws Error(input) as read_and_keep_file() and extract_npy() do.
FileContent read_input(const std::string& input, const SizeLimits& limits = {});

/// A warning that `rounded` values of a tensor, whose type in the file is `stored`, are not those of the file.
Remark rounding_remark(std::int64_t rounded, const Shape& shape, std::string_view stored);

/// The properties of an input that are known before it is decoded.
struct SourceHeader {
  FileFormat format;
  Shape shape;  ///< upright, every channel counted
  int rank = 3;
  DType dtype = DType::f32;
  std::optional<PictureHeader> picture = std::nullopt;
  PictureMetadata metadata = {};  ///< of a picture that is to be decoded

  bool has_alpha() const { return !format.is_tensor() && shape.c % 2 == 0; }

  /// Those of the decoded source. `makes_grey`: colours are converted to luma.
  SourceTraits traits(AlphaRule alpha, bool makes_grey) const;
};

/// Reads the header of `bytes`, the file `path`: .npy and JSON are recognised by content or name, pictures by content.
/// Throws Error(input) for a file that is neither, is damaged, or exceeds `max_pixels`. Without `max_pixels` the size
/// is not checked, and metadata are not read, for callers that do not decode the file. `page_at` is one of
/// find_pages(); 0: the first page.
SourceHeader read_source_header(std::span<const std::byte> bytes, const std::string& path,
                                std::optional<std::int64_t> max_pixels, std::uint64_t page_at = 0);

/// An input that can be read in bands of rows.
struct RasterSource {
  SourceHeader header;
  RasterReader reader;
};

/// Opens a file whose values lie in it as plain numbers (.npy in C order, binary PNM, PFM), and reads its header.
/// Returns nothing for other files and streams, and for damaged files: reading these as a whole says what is wrong. The
/// limit of 2^30 pixels of decode_source() does not apply. Throws Error(input) for a picture that exceeds `max_pixels`,
/// and with the path for a file that cannot be read.
std::optional<RasterSource> open_raster_source(const std::string& path, std::int64_t max_pixels);

/// Decodes a file whose header was read with a limit; a picture with `decoder`, on at most `threads`
/// threads. Throws Error(input).
Source decode_source(const FileContent& file, const SourceHeader& header, PictureDecoder& decoder, int threads = 1);

/// Reads the header of the file `path`, then decodes it.
Source read_source(FileContent file, const std::string& path, std::int64_t max_pixels, PictureDecoder& decoder);

}  // namespace convtool
