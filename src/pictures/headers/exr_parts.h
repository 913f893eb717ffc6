// Internal to pictures/: the headers of an OpenEXR file, a list of attributes for each part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convtool {

/// The attributes of one part, as far as they decide what OpenEXR reads, how much memory it takes, and where the file
/// ends.
struct ExrPart {
  enum class Levels { one, mipmap, ripmap };

  bool is_empty = true, is_deep = false, has_window = false;
  bool has_tiles = false;  ///< the attribute is there
  bool is_tiled = false;   ///< its pixels are stored in tiles
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
  std::int64_t tile_width = 0, tile_height = 0;
  Levels levels = Levels::one;
  bool rounds_up = false;   ///< the sizes of levels
  std::int64_t chunks = 0;  ///< as the part says; 0 if it does not
  unsigned compression = 0;
  double pixel_bytes = 0;  ///< of all channels
  bool has_colours = false, has_luminance = false, has_chroma = false, has_alpha = false;

  std::int64_t width() const { return right - left + 1; }
  std::int64_t height() const { return bottom - top + 1; }
  /// Bytes of the rows, or of the tile, that are compressed together; of the larger ones if the part has both.
  double block_bytes() const;
  /// Bytes of the table of blocks, at least.
  double table_bytes() const;
  std::int64_t rows_per_block() const;
};

struct ExrParts {
  std::vector<ExrPart> parts;  ///< at least one
  bool is_multi_part = false;  ///< blocks begin with the number of their part
  std::uint64_t end = 0;       ///< of the headers
  std::int64_t entries = 0;    ///< attributes and channels of all parts
};

/// Reads the headers of all parts. Throws Error(input) for damage, for more than 65,536 attributes and channels, and
/// for a compression that is not known.
ExrParts read_exr_parts(std::span<const std::byte> bytes);

}  // namespace convtool
