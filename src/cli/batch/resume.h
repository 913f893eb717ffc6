// Runs with --manifest: which inputs are up to date, and the record of each that is filtered.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/batch/inputs/manifest.h"
#include "cli/job/output_name.h"

namespace convtool {

/// `before`, made before its file was read, with the digest of the file; none if the file has changed since.
std::optional<FileRecord> digested(FileRecord before);

/// Thread-safe.
class Resume {
 public:
  /// Throws Error(usage) as Manifest does.
  Resume(const std::string& manifest, Manifest::Access access, RecordedOptions options)
      : manifest_(manifest, access), options_(std::move(options)) {}

  /// The path of the output of `input` if it is up to date: both files have the content that was recorded with these
  /// options. Contents are compared only if a file's times differ from the recorded ones, and then recorded with the
  /// new times. Throws Error(input) if a file cannot be read, Error(output) if the manifest cannot be written.
  std::optional<std::string> find_done(const std::string& input, const Destination& destination);

  /// Records that `input`, as it was before it was read, was filtered into the file `output`, whose content has the
  /// digest that `digest()` returns. Does nothing unless both are regular files. Throws Error(output), saying that the
  /// output was written, also where digest() throws an Error.
  void record(const std::optional<FileRecord>& input, const std::string& output,
              const std::function<std::string()>& digest);

 private:
  const ManifestEntry* find_recorded(const std::string& input, const Destination& destination) const;

  Manifest manifest_;
  RecordedOptions options_;
};

}  // namespace convtool
