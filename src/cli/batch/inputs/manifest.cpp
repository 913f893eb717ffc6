#include "cli/batch/inputs/manifest.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/job/output_file.h"
#include "core/error.h"
#include "files/file.h"
#include "tensors/npz.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

std::string utc_text(const timespec& time) {
  tm parts = {};
  gmtime_r(&time.tv_sec, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time.tv_nsec);
  return text;
}

/// Whether every later change will get a different time from `changed`. Linux stamps files with the time of its last
/// tick, at most 10 ms ago; file systems with whole seconds round to at most two (FAT). A time in the future cannot be
/// stamped again soon, unless it is so near that the clock of a file server may be ahead.
bool is_settled(const timespec& changed) {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  const double age =
      static_cast<double>(now.tv_sec - changed.tv_sec) + static_cast<double>(now.tv_nsec - changed.tv_nsec) * 1e-9;
  constexpr double kMostAhead = 3600;
  return age > (changed.tv_nsec == 0 ? 2.0 : 0.02) || age < -kMostAhead;
}

/// The size of a file. Throws nlohmann::json::exception unless it is written as a whole number, and Error for one that
/// no file has; get<std::int64_t>() would cast any number.
std::int64_t read_size(const ordered_json& value) {
  const auto size = value.get_ref<const ordered_json::number_unsigned_t&>();
  if (!std::in_range<std::int64_t>(size)) throw Error(ErrorKind::input, "", "a file of 2^63 bytes or more");
  return static_cast<std::int64_t>(size);
}

FileRecord read_record(const ordered_json& line, const std::string& what) {
  return {.path = line.at(what),
          .size = read_size(line.at(what + "_size")),
          .mtime = line.at(what + "_mtime"),
          .ctime = line.value(what + "_ctime", ""),
          .digest = line.at(what + "_digest")};
}

void put_record(ordered_json& line, const std::string& what, const FileRecord& record) {
  line[what] = record.path;
  line[what + "_size"] = record.size;
  line[what + "_mtime"] = record.settled ? record.mtime : "";
  line[what + "_ctime"] = record.settled ? record.ctime : "";
  line[what + "_digest"] = record.digest;
}

}  // namespace

std::string FileRecord::file() const { return split_array_path(path).file; }

std::optional<FileRecord> look_at_file(const std::string& path) {
  const std::string file = split_array_path(path).file;
  struct stat status;
  if (path == "-" || ::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileRecord{.path = path,
                    .size = status.st_size,
                    .mtime = utc_text(status.st_mtim),
                    .ctime = utc_text(status.st_ctim),
                    .digest = {},
                    .settled = is_settled(status.st_mtim)};
}

Manifest::Manifest(std::string path, Access access) : path_(std::move(path)), access_(access) {
  Buffer bytes;
  try {
    std::error_code ignored;
    if (std::filesystem::is_other(path_, ignored)) throw Error(ErrorKind::input, path_, "is not a regular file");
    if (access == Access::read_and_add) {
      create_folder_of(path_);
      append_to_file(path_, {});  // creates it, and shows that it can be written
    }
    if (std::filesystem::exists(path_, ignored)) bytes = read_file(path_);
  } catch (const Error& error) {
    refuse_usage("--manifest", error.what());
  }
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ends_in_line_ = text.empty() || text.ends_with('\n');
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!read_line(line))
      refuse_usage("--manifest", "'" + path_ + "' is not a convtool manifest (line " + std::to_string(number) +
                                     "); choose another file, or move this one to start over");
  }
}

bool Manifest::read_line(std::string_view line) {
  constexpr std::string_view kBegin = R"({"version":1,"input":)";
  const std::size_t zeros = std::min(line.find_first_not_of('\0'), line.size());
  const bool has_zeros = line.find('\0') != std::string_view::npos;  // a block lost in a crash
  if (has_zeros && line.ends_with("}}")) return true;
  line = line.substr(zeros, line.find_last_not_of('\0') + 1 - zeros);
  if (!line.starts_with(kBegin)) return kBegin.starts_with(line);  // incomplete
  const ordered_json object = ordered_json::parse(line, nullptr, false);
  if (object.is_discarded()) return true;  // incomplete
  try {
    ManifestEntry entry{.input = read_record(object, "input"),
                        .output = read_record(object, "output"),
                        .options = object.at("options").get<RecordedOptions>()};
    std::pair key(entry.input.path, entry.output.path);
    entries_.insert_or_assign(std::move(key), std::move(entry));
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  } catch (const Error&) {
    return false;
  }
}

const ManifestEntry* Manifest::find(const std::string& input, const std::string& output) const {
  const auto found = entries_.find({input, output});
  return found == entries_.end() ? nullptr : &found->second;
}

void Manifest::add(const ManifestEntry& entry) {
  if (access_ == Access::read) return;
  ordered_json line;
  line["version"] = 1;
  put_record(line, "input", entry.input);
  FileRecord output = entry.output;
  output.settled = true;  // just written by this run
  put_record(line, "output", output);
  line["options"] = entry.options;
  std::string text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  std::lock_guard lock(mutex_);
  if (!ends_in_line_) text.insert(0, 1, '\n');
  ends_in_line_ = false;  // in case the disk is full after a part of it
  append_to_file(path_, std::as_bytes(std::span(text)));
  ends_in_line_ = true;
}

}  // namespace convtool
