// The record of what has been filtered, from which a later run sees what is left to do.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace convtool {

/// A file as it was: enough to see that it has not been touched, and to find out whether its content changed.
struct FileRecord {
  std::string path;
  std::int64_t size = 0;
  std::string mtime;  ///< of the last change of its content, UTC to the nanosecond; anyone may set it
  std::string ctime;  ///< of the last change of its content, name, permissions or times; nobody sets it
  std::string digest;
  bool settled = true;  ///< a change after this look is sure to have another mtime
};

/// `path` as it is now, without a digest. Nothing when it is no regular file.
std::optional<FileRecord> look_at_file(const std::string& path);

/// Everything but the input that has a say in an output: names of options and their values.
using RecordedOptions = std::map<std::string, std::vector<std::string>>;

struct ManifestEntry {
  FileRecord input, output;
  RecordedOptions options;
};

/// JSON Lines, one object for each input that was filtered, written as it is done:
///   {"version":1,"input":...,"input_size":...,"input_mtime":...,"input_ctime":...,"input_digest":...,
///    "output":..., ... the same of it ..., "options":{...}}
/// with the times of an input that was changed a moment before left empty. Lines are only ever added, and the last one
/// of an input and an output counts; so manifests are merged by writing one behind the other. From several threads at
/// once, and from several processes where the file system appends in one piece.
class Manifest {
 public:
  enum class Access { read, read_and_add };

  /// Reads `path`, which need not exist, nor its folder. Lines cut short, of runs that were killed, and the zeros that
  /// file systems leave for them are left out. Throws Error(usage) for what is no manifest, with the line, and what
  /// cannot be read or written.
  Manifest(std::string path, Access access);

  /// What was last recorded of an input and an output by these names, or nothing. Valid as long as the Manifest, which
  /// does not change what it read.
  const ManifestEntry* find(const std::string& input, const std::string& output) const;

  /// Adds a line, or does nothing with Access::read. A name that is not UTF-8 is recorded as JSON can hold it, and so
  /// not found again. Throws Error(output).
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
