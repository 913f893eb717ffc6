#include "pictures/tiff/compressions.h"

#include <tiffio.h>

#include <algorithm>
#include <iterator>
#include <limits>

namespace convtool {
namespace {

struct NamedCompression {
  std::uint64_t number;
  const char* name;
  std::uint64_t only_bits = 0;
  int copies = 0;
};

// TIFF 6.0, section 3 and its technical notes; libtiff's tiff.h; the registered private numbers of Aperio, Leica,
// Hamamatsu, camera makers and GDAL.
constexpr NamedCompression kCompressions[] = {
    {1, "no compression"},
    {2, "CCITT run lengths", 1},
    {3, "CCITT Group 3", 1},
    {4, "CCITT Group 4", 1},
    {5, "LZW"},
    {6, "old-style JPEG", 8, 3},
    {7, "JPEG", 8, 3},
    {8, "Deflate", 0, 1},
    {9, "JBIG (T.85)"},
    {10, "JBIG (T.43)"},
    {22610, "JPEG XR"},
    {32766, "NeXT run lengths"},
    {32767, "Sony ARW"},
    {32769, "packed raw"},
    {32770, "Samsung SRW"},
    {32771, "CCITT run lengths, word-aligned", 1},
    {32773, "PackBits"},
    {32809, "ThunderScan", 4},
    {32895, "IT8 CT padding"},
    {32896, "IT8 linework run lengths"},
    {32897, "IT8 monochrome"},
    {32898, "IT8 binary line art"},
    {32908, "PixarFilm"},
    {32909, "PixarLog", 0, 3},
    {32946, "Deflate", 0, 1},
    {32947, "Kodak DCS"},
    {33003, "JPEG 2000"},
    {33004, "JPEG 2000"},
    {33005, "JPEG 2000"},
    {34661, "JBIG", 1, 3},
    {34676, "SGI LogLuv", 0, 3},
    {34677, "SGI LogLuv of 24 bits", 0, 3},
    {34712, "JPEG 2000"},
    {34713, "Nikon NEF"},
    {34715, "JBIG2"},
    {34887, "LERC", 0, 3},
    {34892, "lossy JPEG of DNG"},
    {34925, "LZMA"},
    {34926, "Zstandard"},
    {34927, "WebP"},
    {34933, "PNG"},
    {34934, "JPEG XR"},
    {50000, "Zstandard"},
    {50001, "WebP", 8, 3},
    {50002, "JPEG XL"},
    {52546, "JPEG XL"},
    {65000, "Kodak DCR"},
    {65535, "Pentax PEF"},
};

const NamedCompression* find_compression(std::uint64_t number) {
  const auto* const found = std::find_if(std::begin(kCompressions), std::end(kCompressions),
                                         [number](const NamedCompression& row) { return row.number == number; });
  return found == std::end(kCompressions) ? nullptr : found;
}

}  // namespace

std::string name_of_compression(std::uint64_t compression) {
  const NamedCompression* const row = find_compression(compression);
  return row != nullptr ? row->name : "compression " + std::to_string(compression);
}

bool is_decodable(std::uint64_t compression) {
  // libtiff returns white rows where its data ends too early, without a word.
  if (compression == COMPRESSION_NEXT) return false;
  return compression <= std::numeric_limits<std::uint16_t>::max() &&
         TIFFIsCODECConfigured(static_cast<std::uint16_t>(compression)) != 0;
}

std::uint64_t only_bits_of(std::uint64_t compression) {
  const NamedCompression* const row = find_compression(compression);
  return row != nullptr ? row->only_bits : 0;
}

int copies_of_block(std::uint64_t compression) {
  const NamedCompression* const row = find_compression(compression);
  return row != nullptr ? row->copies : 0;
}

}  // namespace convtool
