// Internal to pictures/: libtiff on files in memory, with its messages kept apart for each file.
#pragma once

#include <tiffio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "files/file.h"

namespace convtool {

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};

/// A file that libtiff reads. Does not own the bytes. libtiff prints nothing: it reports problems to this object.
class TiffInput {
 public:
  /// Opens the page whose directory begins at `page_at`; 0: the first. libtiff refuses to allocate more than
  /// `most_memory` bytes at a time. Throws Error(input) if libtiff cannot read the directory.
  TiffInput(std::span<const std::byte> bytes, std::uint64_t most_memory, std::uint64_t page_at = 0);
  TiffInput(const TiffInput&) = delete;
  TiffInput& operator=(const TiffInput&) = delete;

  TIFF* get() const { return tiff_.get(); }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// The stored bytes of a strip or tile; empty if they are not all in the file.
  std::span<const std::byte> stored_block(std::uint32_t number) const;

  /// Whether libtiff has reported, since the file was opened, an error or a warning that may concern pixels. Every
  /// message counts, in any wording of any version, except for a few that are known to be harmless.
  bool has_complaints() const { return has_complaints_; }
  void forget_complaints() { has_complaints_ = false; }

 private:
  static int complain(TIFF* tiff, void* input, const char* module, const char* format, va_list values);
  static tmsize_t read(thandle_t input, void* to, tmsize_t size);
  static toff_t seek(thandle_t input, toff_t offset, int whence);
  static toff_t size(thandle_t input);
  static int map(thandle_t input, void** base, toff_t* size);

  std::span<const std::byte> bytes_;
  std::array<std::byte, 16> header_ = {};  ///< as libtiff is to see it, with the page's directory as the first
  std::uint64_t position_ = 0;
  bool has_complaints_ = false;
  std::unique_ptr<TIFF, CloseTiff> tiff_;
};

/// A file that libtiff writes.
class TiffOutput {
 public:
  /// Starts an empty file: a TIFF, or a BigTIFF, which has no limit of 4 GiB. Up to `expected` bytes, it grows without
  /// being copied. Throws std::bad_alloc.
  TiffOutput(bool big, std::size_t expected);
  TiffOutput(const TiffOutput&) = delete;
  TiffOutput& operator=(const TiffOutput&) = delete;

  TIFF* get() const { return tiff_.get(); }

  /// Ends the file and returns it; empty if libtiff has reported an error. Throws std::bad_alloc if the file did not
  /// fit into memory.
  Bytes finish();

 private:
  static int complain(TIFF* tiff, void* output, const char* module, const char* format, va_list values);
  static tmsize_t read(thandle_t output, void* to, tmsize_t size);
  static tmsize_t write(thandle_t output, void* from, tmsize_t size);
  static toff_t seek(thandle_t output, toff_t offset, int whence);
  static toff_t size(thandle_t output);

  Bytes bytes_;
  std::uint64_t position_ = 0;
  bool has_failed_ = false, lacks_memory_ = false;
  std::unique_ptr<TIFF, CloseTiff> tiff_;
};

}  // namespace convtool
