// TIFF: size and sample layout, and whether every strip or tile lies in the file.
#include <algorithm>
#include <limits>

#include "files/byte_reader.h"
#include "pictures/headers/formats.h"
#include "pictures/tiff/compressions.h"
#include "pictures/tiff/directory.h"
#include "pictures/tiff/layout.h"
#include "pictures/tiff/samples.h"

namespace convtool {
namespace {

/// Throws Error(input) unless all strips or tiles of the picture lie inside the file and, if they are uncompressed, are
/// long enough; and for compressed ones that share data which would take hours to decode.
void check_blocks(TiffDirectory& directory, const TiffLayout& layout, std::uint64_t height) {
  TiffDirectory::Table offsets = directory.table(layout.tiled ? kTileOffsets : kStripOffsets);
  TiffDirectory::Table counts = directory.table(layout.tiled ? kTileByteCounts : kStripByteCounts);
  const std::uint64_t blocks_in_plane = layout.blocks_across * layout.blocks_down;
  const std::uint64_t row_bytes =
      size_of_row(layout, layout.block_width * static_cast<std::uint64_t>(layout.samples_in_block()));
  // YCbCr may be subsampled.
  const bool length_is_known = layout.compression == kUncompressed && layout.photometric != kYcbcr;
  // TIFF 5 allowed to leave out the size of a single strip, which libtiff then computes.
  const bool lacks_size = counts.count() == 0 && layout.blocks() == 1 && length_is_known && !layout.tiled;
  const std::uint64_t listed = lacks_size ? offsets.count() : std::min(offsets.count(), counts.count());
  if (listed / static_cast<std::uint64_t>(layout.planes()) < blocks_in_plane)
    throw_damaged("TIFF", "some of its strips or tiles are missing");

  // Honest files may share tiles without content, or give sizes that are too large: libtiff stops at the last pixel.
  constexpr std::uint64_t kMostShared = std::uint64_t{1} << 30;
  std::uint64_t compressed = 0;
  for (std::uint64_t i = 0; i < layout.blocks(); ++i) {
    const std::uint64_t first_row = i % blocks_in_plane / layout.blocks_across * layout.block_height;
    const std::uint64_t rows = layout.tiled ? layout.block_height : std::min(layout.block_height, height - first_row);
    const std::uint64_t offset = offsets[i], count = lacks_size ? row_bytes * rows : counts[i];
    if (offset == 0 || count == 0 || offset > directory.file_size() || count > directory.file_size() - offset)
      throw_damaged("TIFF", "pixels that the file does not contain");
    if (length_is_known && count / row_bytes < rows) throw_damaged("TIFF", "strips or tiles that are too short");
    if (layout.compression != kUncompressed) compressed += count;
    if (compressed > directory.file_size() + kMostShared)
      throw_damaged("TIFF", "strips or tiles that share too much data");
  }
}

}  // namespace

PictureHeader read_tiff_header(std::span<const std::byte> bytes, std::uint64_t page_at) {
  TiffDirectory directory(bytes, page_at);
  PictureHeader header{.type = PictureType::tiff, .page_at = page_at};
  const auto side = [&](TiffTag tag, const char* name) {
    const std::uint64_t value = directory.required(tag, name);
    if (value > std::numeric_limits<std::uint32_t>::max()) throw_damaged("TIFF", std::string("impossible ") + name);
    return value;
  };
  const std::uint64_t width = side(kImageWidth, "width"), height = side(kImageLength, "height");
  header.width = static_cast<std::int64_t>(width);
  header.height = static_cast<std::int64_t>(height);
  if (width == 0 || height == 0) return header;

  const TiffLayout layout = read_tiff_layout(directory, width, height);
  check_blocks(directory, layout, height);
  header.channels = channel_count(layout.pixels());
  header.dtype = layout.dtype();
  header.most_threads = layout.most_threads();
  // libtiff copies the values of tags twice, and a strip or tile whose bits are in reversed order, as do we.
  const bool is_reversed = directory.value_if_sound(kFillOrder, 1) == 2;
  const double copies = 2 * directory.bytes_of_values() + (is_reversed ? 2 * static_cast<double>(bytes.size()) : 0);
  // Four inks become three colours, in a picture of their own.
  const double inks = layout.photometric == kCmyk ? static_cast<double>(width) * static_cast<double>(height) *
                                                        static_cast<double>(size_of(layout.dtype()))
                                                  : 0;
  header.working_memory = static_cast<std::int64_t>(std::min(0x1p62, layout.working_memory() + copies + inks));

  const std::uint64_t orientation = directory.value_if_sound(kOrientation, 1);
  if (orientation >= 1 && orientation <= 8) header.orientation = static_cast<Orientation>(orientation);
  if (page_at == 0) header.pages = directory.count_pages();
  return header;
}

}  // namespace convtool
