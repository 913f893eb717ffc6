// The record of the inputs that have been filtered, with which a later run finds those that are left.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace convtool {

/// The state of a file: enough to see that it was not touched, and to find out whether its content changed.
struct FileRecord {
  std::string path;  ///< perhaps of an array in a file (tensors/npz.h)
  std::int64_t size = 0;
  std::string mtime;  ///< time of the last change of content, UTC to the nanosecond; anyone may set it
  std::string ctime;  ///< time of the last change of content, name, permissions or times; nobody can set it
  std::string digest;
  bool settled = true;  ///< any later change will have another mtime

  /// The file that `path` names, whose size, times and digest these are.
  std::string file() const;
};

/// The state of `path` now, without a digest. Nothing if it is not a regular file.
std::optional<FileRecord> look_at_file(const std::string& path);

/// Everything but the input that affects an output: names of options and their values.
using RecordedOptions = std::map<std::string, std::vector<std::string>>;

struct ManifestEntry {
  FileRecord input, output;
  RecordedOptions options;
};

/// JSON Lines, one object for each input that was filtered, written as soon as its output is:
///   {"version":1,"input":...,"input_size":...,"input_mtime":...,"input_ctime":...,"input_digest":...,
///    "output":..., ... the same for the output ..., "options":{...}}
/// The times of an input that was changed a moment before are empty. Lines are only added, and the last one for an
/// input and an output counts, so manifests are merged by concatenating them. Thread-safe; several processes may share
/// a manifest on a file system that appends atomically.
class Manifest {
 public:
  enum class Access { read, read_and_add };

  /// Reads `path`; neither it nor its folder need exist. Incomplete lines of runs that were killed, and the zeros that
  /// file systems leave in their place, are ignored. Throws Error(usage) with the line for a file that is not a
  /// manifest, and for one that cannot be read or written.
  Manifest(std::string path, Access access);

  /// The last entry for this input and output when the manifest was opened, or null. Valid as long as the Manifest.
  const ManifestEntry* find(const std::string& input, const std::string& output) const;

  /// Adds a line, or does nothing with Access::read. A name that is not UTF-8 is recorded with replacement characters,
  /// and so is not found again. Throws Error(output).
  void add(const ManifestEntry& entry);

 private:
  bool read_line(std::string_view line);

  std::string path_;
  Access access_;
  std::map<std::pair<std::string, std::string>, ManifestEntry> entries_;  ///< by input and output
  std::mutex mutex_;
  bool ends_in_line_ = true;
};

}  // namespace convtool
