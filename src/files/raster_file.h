// Rasters in files, read and written in bands of rows, so that memory does not grow with the picture. Thread-safe: each
// thread reads, filters and writes bands of its own. Nothing is mapped, because a mapped file that another program
// shortens ends the process (SIGBUS).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/tensor.h"
#include "files/file_writer.h"
#include "files/raster_layout.h"
#include "files/regular_file.h"

namespace convtool {

/// The most bytes that a read or write of rows takes beside them, where these are in the order of the stored ones:
/// interleaved or planar.
std::int64_t buffer_bytes(const RasterLayout& layout);

/// A raster in a regular file.
class RasterReader {
 public:
  RasterReader(RandomAccessFile file, const RasterLayout& layout);

  const RasterLayout& layout() const { return layout_; }
  const RandomAccessFile& file() const { return file_; }

  /// Fills `values`, of one item and the type of the layout, with a band, in any strides. Rows that have no gaps, and
  /// the type and order of the stored ones, are read in place; others through a buffer of at least one row. Throws
  /// Error(input) with the path on failure, where the file ends too early, and as load_values() does.
  void read(const Band& band, const TensorRef& values) const;

  /// How many values that were read are rounded (count_rounded()), each counted once.
  std::int64_t rounded_values() const;

  /// The bytes that it takes to count each of them once; reads take buffer_bytes() in addition.
  std::int64_t memory() const;

  /// Throws Error(input) if the file has changed since it was opened. Call it after the last band.
  void check_unchanged() const { file_.check_unchanged(); }

 private:
  /// Rounded values, and the stored rows in which they have been counted, one bit each.
  struct Rounding {
    std::unique_ptr<std::atomic<std::uint8_t>[]> counted;
    std::atomic<std::int64_t> values = 0;
  };

  void count_rounded_values(std::uint64_t offset, std::span<const std::byte> rows) const;

  RandomAccessFile file_;
  RasterLayout layout_;
  std::unique_ptr<Rounding> rounding_;  ///< null where no value can be rounded
};

/// Writes a raster, all or nothing, as FileWriter does.
class RasterWriter {
 public:
  /// Opens the output and writes the header. Errors: as FileWriter.
  RasterWriter(const std::string& path, const RasterFormat& format, const WriteOptions& options = {});

  const RasterLayout& layout() const { return layout_; }

  /// Whether bands must be written in the order of their bytes in the file: a pipe, a device, standard output. Then
  /// bands are whole rows (of all channels, if interleaved), from the first row to the last; with `bottom_up` from the
  /// last to the first.
  bool is_sequential() const { return file_.is_sequential(); }

  /// Writes a band, of one item and the type of the layout. If channels are interleaved, it has all of them.
  void write(const Band& band, const ConstTensorRef& values);

  /// Gives the file its name. Returns false where it was to be kept (WriteOptions). Call it once, after the last band.
  [[nodiscard]] bool commit() { return file_.commit(); }

 private:
  RasterLayout layout_;
  FileWriter file_;
};

}  // namespace convtool
