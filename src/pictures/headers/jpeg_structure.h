// Internal to pictures/: the chain of segments of a JPEG, and the parts of it that libjpeg takes on trust.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace convtool {

/// The frame of a JPEG and what its scans contain (ITU T.81, annex B).
struct JpegStructure {
  std::uint32_t frame = 0;  ///< the marker of the frame, 0xc0 to 0xcf (SOF0 to SOF15); 0 if there is none
  std::uint32_t bits = 0;   ///< per sample
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint32_t> components;  ///< their identifiers, in the order of the frame
  std::vector<bool> scanned;              ///< for each, whether a scan has all its blocks, if only coarsely
  int scans = 0;
  bool has_end = false;  ///< the end-of-image marker

  bool is_progressive() const;

  /// Throws Error(input) unless every component has a scan: libjpeg decodes the others as 0 and says nothing. Also
  /// throws for more than 500 scans: each may be a few bytes long, and all take the time of a whole picture.
  void check_scans() const;

  /// Throws Error(input) for a frame that decode_jpeg() does not decode, and names its kind.
  void check_frame() const;
};

/// Follows the chain up to the end-of-image marker or the end of `bytes`, which begin with the start of an image. Calls
/// `see` for each segment with its marker and data. Throws Error(input) for a chain that libjpeg does not follow.
JpegStructure read_jpeg_structure(
    std::span<const std::byte> bytes,
    const std::function<void(std::uint32_t marker, std::span<const std::byte> data)>& see = nullptr);

}  // namespace convtool
