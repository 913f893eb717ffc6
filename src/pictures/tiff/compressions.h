// Internal to pictures/: the compressions of TIFF.
#pragma once

#include <cstdint>
#include <string>

namespace convtool {

/// Values of the tag Compression that are treated in a way of their own.
enum CompressionTag : std::uint64_t {
  kUncompressed = 1,
  kLzw = 5,
  kOldJpeg = 6,
  kJpegInTiff = 7,
  kDeflate = 8,
  kOldDeflate = 32946,
  kJbig = 34661,
  kSgiLog = 34676,
  kSgiLog24 = 34677,
  kWebpInTiff = 50001,
};

/// "JPEG 2000"; "compression 12345" where the number has no name here.
std::string name_of_compression(std::uint64_t compression);

/// Whether the libtiff of this build decodes it, and notices missing data.
bool is_decodable(std::uint64_t compression);

/// The one number of bits per sample that libtiff decodes in this compression; 0 if there are several.
std::uint64_t only_bits_of(std::uint64_t compression);

/// The most copies of a decoded strip or tile that decoding keeps in addition to the result.
int copies_of_block(std::uint64_t compression);

inline bool is_deflate(std::uint64_t compression) { return compression == kDeflate || compression == kOldDeflate; }

}  // namespace convtool
