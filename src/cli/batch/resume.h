// Runs with --manifest: what is done already, by this run's options, and the record of what gets done.
#pragma once

#include <span>
#include <string>

#include "cli/batch/manifest.h"
#include "cli/job/destination.h"
#include "cli/options/command_line.h"
#include "network/layer.h"

namespace convtool {

/// The given options of `command` that affect what is written, with the program's version, the command's name and a
/// digest of its kernels' content.
RecordedOptions recorded_options(const Command& command, const Network& network);

/// From several threads at once.
class Resume {
 public:
  /// Throws Error(usage) as Manifest does.
  Resume(const std::string& manifest, Manifest::Access access, RecordedOptions options)
      : manifest_(manifest, access), options_(std::move(options)) {}

  /// The output of `input`, when it is there, made with these options from content that it still has; else nothing.
  /// Content is compared where times of change differ from those recorded, and then recorded with the new ones. Throws
  /// Error(input) when it cannot be read, Error(output) when it cannot be recorded.
  std::optional<std::string> find_done(const std::string& input, const Destination& destination);

  /// Records that `input`, as it was before it was read, has become the file `output`; `content` is what was written.
  /// Does nothing where one of them is no regular file. Throws Error(output), which says that the output stays.
  void record(const std::optional<FileRecord>& input, const std::string& output, std::span<const std::byte> content);

 private:
  const ManifestEntry* find_recorded(const std::string& input, const Destination& destination) const;

  Manifest manifest_;
  RecordedOptions options_;
};

}  // namespace convtool
