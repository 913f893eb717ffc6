#include "pictures/decoder_messages.h"

#include <algorithm>
#include <iterator>

namespace convtool {
namespace {

// Messages of libtiff 4.5's decoders about invalid data, errors and warnings alike: OpenCV prints both as "OpenCV TIFF:
// ...: Warning, ...". Messages about tags, padding and missing end markers are left out.
constexpr const char* kTiffDamage[] = {
    // reading, and most decoders
    "Read error", "Seek error", "Not enough data",
    // LZW
    "Using code not yet in table", "Wrong length of decoded string", "due to previous error",
    // PackBits
    "bytes to avoid buffer overrun", "due to lack of data",
    // Deflate, LZMA and PixarLog; Zstandard, WebP and LERC
    "Decoding error at scanline", "Error in ZSTD_decompress", "Unable to decode WebP data", "lerc_",
    // fax
    "Bad code word", "Uncompressed data (not supported)", "Premature EO", "Line length mismatch", "Buffer over",
    // JPEG, in addition to libjpeg's messages
    "Improper JPEG"};

}  // namespace

bool reports_damage(std::string_view printed) {
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(std::min(printed.size(), line.size() + 1));
    // Anywhere in a line: OpenCV prints a line in pieces, and another thread's text may come between them.
    const auto contains = [line](std::string_view words) { return line.find(words) != std::string_view::npos; };
    // From libjpeg's jerror.h; "JPEGLib" is its prefix inside a TIFF.
    const bool from_jpeg = contains("Corrupt") || contains("Premature end of JPEG") || contains("JPEGLib: ");
    if (from_jpeg && !contains("extraneous bytes before marker")) return true;
    if (std::any_of(std::begin(kTiffDamage), std::end(kTiffDamage), contains)) return true;
  }
  return false;
}

}  // namespace convtool
