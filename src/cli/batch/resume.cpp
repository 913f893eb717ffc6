#include "cli/batch/resume.h"

#include "files/digest.h"
#include "files/file.h"

namespace convtool {
namespace {

bool was_touched(const FileRecord& then, const FileRecord& now) {
  return then.mtime != now.mtime || then.ctime != now.ctime;
}

/// Whether the file at `record`'s path still has the recorded content; `current` is the file now.
bool has_same_content(const FileRecord& record, const FileRecord& current) {
  if (current.size != record.size) return false;
  return !was_touched(record, current) || digest_of_file(record.file()) == record.digest;
}

}  // namespace

std::optional<FileRecord> digested(FileRecord before) {
  try {
    before.digest = digest_of_file(before.file());
  } catch (const Error&) {  // it is gone
    return std::nullopt;
  }
  const std::optional<FileRecord> now = look_at_file(before.path);
  if (!now || now->size != before.size || was_touched(before, *now)) return std::nullopt;
  return before;
}

const ManifestEntry* Resume::find_recorded(const std::string& input, const Destination& destination) const {
  for (const std::string& output : possible_paths(destination)) {
    const ManifestEntry* entry = manifest_.find(input, output);
    if (entry != nullptr && entry->options == options_) return entry;
  }
  return nullptr;
}

std::optional<std::string> Resume::find_done(const std::string& input, const Destination& destination) {
  const ManifestEntry* entry = find_recorded(input, destination);
  if (entry == nullptr) return std::nullopt;
  std::optional<FileRecord> now = look_at_file(input), result = look_at_file(entry->output.path);
  if (!now || !result || !has_same_content(entry->input, *now) || !has_same_content(entry->output, *result))
    return std::nullopt;
  if (was_touched(entry->input, *now) || was_touched(entry->output, *result)) {
    now->digest = entry->input.digest;
    result->digest = entry->output.digest;
    manifest_.add({.input = *now, .output = *result, .options = options_});
  }
  return entry->output.path;
}

void Resume::record(const std::optional<FileRecord>& input, const std::string& output,
                    const std::function<std::string()>& digest) {
  std::optional<FileRecord> result = look_at_file(output);
  if (!input || !result) return;
  try {
    result->digest = digest();
    manifest_.add({.input = *input, .output = *result, .options = options_});
  } catch (const Error& error) {
    throw Error(ErrorKind::output, "--manifest",
                std::string(error.what()) + "; '" + output + "' was written, and will be written again next time");
  }
}

}  // namespace convtool
