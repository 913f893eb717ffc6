// Internal to pictures/: how the pixels of a TIFF are stored.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "pictures/pixel_format.h"
#include "pictures/tiff/directory.h"

namespace convtool {

/// The tag PhotometricInterpretation (TIFF 6.0, sections 8, 16, 20, 21 and 23; ICC.1, annex B; Larson, "LogLuv encoding
/// for full-gamut, high-dynamic range images", 1998).
enum TiffPhotometric : std::uint64_t {
  kWhiteIsZero = 0,
  kBlackIsZero = 1,
  kRgbSamples = 2,
  kPalette = 3,
  kCmyk = 5,
  kYcbcr = 6,
  kCieLab = 8,
  kIccLab = 9,
  kLogL = 32844,
  kLogLuv = 32845,
};

enum class TiffSamples { unsigned_integer, signed_integer, floating };

/// The meaning of the sample after the colours. One without a meaning counts as straight alpha.
enum class TiffAlpha { none, straight, associated };

/// A layout that decode_tiff() reads.
struct TiffLayout {
  std::uint64_t photometric = 0, compression = 0;
  /// Bits per sample, 1 to 64, and samples per pixel, 1 to 5; of LogL and LogLuv those of the floats that libtiff
  /// returns.
  int bits = 1, samples = 1;
  TiffSamples format = TiffSamples::unsigned_integer;
  TiffAlpha alpha = TiffAlpha::none;
  bool planar = false;  ///< one plane per sample

  // A block is a strip or a tile. Blocks cover the picture from left to right and then from the top down, one plane
  // after another.
  bool tiled = false;
  std::uint64_t block_width = 0, block_height = 0, blocks_across = 0, blocks_down = 0;

  int planes() const { return planar ? samples : 1; }
  int samples_in_block() const { return planar ? 1 : samples; }  ///< per pixel
  std::uint64_t blocks() const { return blocks_across * blocks_down * static_cast<std::uint64_t>(planes()); }

  bool is_log() const { return photometric == kLogL || photometric == kLogLuv; }

  /// Whether pixels are decoded by libtiff's conversion to 8-bit RGB: old-style JPEG, which libtiff decodes correctly
  /// in no other way, and YCbCr, whose colours may be subsampled, except where libjpeg converts it.
  bool by_rgb_conversion() const;

  DType dtype() const;         ///< of the decoded picture
  PixelFormat pixels() const;  ///< of the decoded picture

  /// The largest value of an unsigned sample.
  std::uint64_t largest() const { return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

  /// How many threads at most can decode rows of blocks side by side, at least 1. More than one only for Deflate and
  /// LZW, whose decoders need little memory and most of the time.
  int most_threads() const;

  /// Bytes that decoding on most_threads() takes at most, in addition to the file, its tables and the decoded picture.
  double working_memory() const;

 private:
  double row_bytes() const;      ///< bytes of a row of a block, rounded up
  double block_memory() const;   ///< bytes for one block while it is decoded
  double tables_memory() const;  ///< bytes for the offsets and sizes of blocks, in libtiff
};

/// Reads the layout of a picture of this size, at least one pixel. Throws Error(input) if it cannot be decoded, and
/// names the compression if that is the reason.
TiffLayout read_tiff_layout(TiffDirectory& directory, std::uint64_t width, std::uint64_t height);

}  // namespace convtool
