// How much memory there is: the machine's, and what control groups leave of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace convtool {

/// Three quarters of the memory of the machine or, if that is less, of the control groups that this process is in.
std::int64_t default_memory_limit();

/// The bytes of `pages` pages; nothing where sysconf(3) does not know one of the numbers, which are then -1.
std::optional<std::int64_t> physical_memory(long pages, long page_size);

/// The least limit on memory, in bytes, of the control groups of this process and of all groups above them, in both
/// versions of cgroups(7); nothing where there is none. `root` is the folder that has proc/ and sys/, "/" except in
/// tests.
std::optional<std::int64_t> control_group_limit(const std::filesystem::path& root);

}  // namespace convtool
