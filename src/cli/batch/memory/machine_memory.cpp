// A control group's limit holds for the groups below it as well, whose own limits may be larger, or none: in a
// container, a service or a batch job, the limit is often that of a group further up.
#include "cli/batch/memory/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

/// A hierarchy of groups: version 2, or the memory controller's of version 1.
struct Hierarchy {
  bool is_v2 = false;
  fs::path root;   ///< the group that the mount shows as its top
  fs::path mount;  ///< where it is mounted

  const char* limit_file() const { return is_v2 ? "memory.max" : "memory.limit_in_bytes"; }
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// A path in mountinfo, where blanks, line ends and backslashes are \ and three octal digits.
std::string unescaped(const std::string& text) {
  std::string path;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_escape = text[at] == '\\' && at + 3 < text.size();
    path += is_escape ? static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'))
                      : text[at];
    if (is_escape) at += 3;
  }
  return path;
}

/// The hierarchies that limit memory, from proc/self/mountinfo (proc_pid_mountinfo(5)); where that cannot be read,
/// those at their usual places.
std::vector<Hierarchy> mounted_hierarchies(const fs::path& root) {
  std::ifstream mounts(root / "proc/self/mountinfo");
  if (!mounts)
    return {{.is_v2 = true, .root = "/", .mount = "/sys/fs/cgroup"},
            {.is_v2 = false, .root = "/", .mount = "/sys/fs/cgroup/memory"}};
  std::vector<Hierarchy> found;
  for (std::string line; std::getline(mounts, line);) {
    const std::vector<std::string> fields = split(line, ' ');
    // ID PARENT DEVICE ROOT MOUNT OPTIONS [TAG...] - TYPE SOURCE OPTIONS
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.end() - dash < 4 || dash - fields.begin() < 6) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (is_v2 || (dash[1] == "cgroup" && contains(split(dash[3], ','), "memory")))
      found.push_back({.is_v2 = is_v2, .root = unescaped(fields[3]), .mount = unescaped(fields[4])});
  }
  return found;
}

/// The group of this process in a hierarchy, from proc/self/cgroup; "/" where that cannot be read.
fs::path group_in(const Hierarchy& hierarchy, const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // ID:CONTROLLERS:GROUP, without controllers in version 2
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (hierarchy.is_v2 ? controllers.empty() : contains(split(controllers, ','), "memory"))
      return line.substr(second + 1);
  }
  return "/";
}

/// The group of this process, relative to the top of the mount; "." for a group that the mount does not show.
fs::path group_below(const Hierarchy& hierarchy, const fs::path& group) {
  const fs::path below = group.lexically_relative(hierarchy.root).lexically_normal();
  return below.empty() || *below.begin() == ".." ? "." : below;
}

std::optional<std::int64_t> limit_in(const fs::path& file) {
  std::ifstream text(file);
  std::string word;
  if (!std::getline(text, word)) return std::nullopt;
  const std::optional<std::int64_t> bytes = parse_number<std::int64_t>(word);  // not a number: "max"
  return bytes && *bytes > 0 ? bytes : std::nullopt;
}

void lower(std::optional<std::int64_t>& least, const std::optional<std::int64_t>& other) {
  if (other && (!least || *other < *least)) least = other;
}

}  // namespace

std::optional<std::int64_t> physical_memory(long pages, long page_size) {
  if (pages <= 0 || page_size <= 0) return std::nullopt;
  return static_cast<std::int64_t>(pages) * page_size;
}

std::optional<std::int64_t> control_group_limit(const fs::path& root) {
  std::optional<std::int64_t> least;
  for (const Hierarchy& hierarchy : mounted_hierarchies(root)) {
    fs::path folder = root / hierarchy.mount.relative_path();
    lower(least, limit_in(folder / hierarchy.limit_file()));
    for (const fs::path& name : group_below(hierarchy, group_in(hierarchy, root))) {
      folder /= name;
      lower(least, limit_in(folder / hierarchy.limit_file()));
    }
  }
  return least;
}

std::int64_t default_memory_limit() {
  constexpr std::int64_t kUnknown = std::int64_t{4} << 30;  // a small machine's
  std::optional<std::int64_t> memory = physical_memory(sysconf(_SC_PHYS_PAGES), sysconf(_SC_PAGESIZE));
  lower(memory, control_group_limit("/"));
  return memory.value_or(kUnknown) / 4 * 3;
}

}  // namespace convtool
