// Options of the encoders of pictures.
#pragma once

#include <optional>
#include <string_view>

namespace convtool {

/// The strategies of zlib for compressing a PNG (zlib manual, deflateInit2). Without a strategy, ISA-L and
/// libdeflate compress.
enum class PngStrategy { standard, filtered, huffman, rle, fixed };
inline constexpr std::string_view kPngStrategies[] = {"default", "filtered", "huffman", "rle", "fixed"};

enum class TiffCompression { none, lzw, deflate };
inline constexpr std::string_view kTiffCompressions[] = {"none", "lzw", "deflate"};

/// A format ignores the options that do not apply to it.
struct EncodeOptions {
  std::optional<int> quality;    ///< 1 to 100; by default JPEG is written at 95, WebP lossless
  std::optional<int> png_level;  ///< 0, stored, to 9, smallest; by default 1
  std::optional<PngStrategy> png_strategy;
  std::optional<TiffCompression> tiff_compression;  ///< by default deflate for integers, none for floats
  bool big_tiff = false;  ///< write BigTIFF, for pages that join_tiff_pages() makes a file of more than 4 GiB
  int threads = 1;        ///< 0: one per core
};

}  // namespace convtool
