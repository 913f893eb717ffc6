// The memory of the machine and of control groups, on made-up machines.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "cli/batch/memory/machine_memory.h"
#include "support/program.h"

using namespace convtool;

namespace {

using Limit = std::optional<std::int64_t>;

/// A machine's proc/ and sys/, in a folder.
struct Machine {
  TempFolder folder;

  void put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    folder.write(name, text);
  }
  Limit limit() const { return control_group_limit(folder.path()); }
};

const std::string kV2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kV1 =
    "31 23 0:27 / /sys/fs/cgroup/cpu rw shared:5 - cgroup cgroup rw,cpu\n"
    "32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
const std::string kOthers = "23 1 8:1 / / rw - ext4 /dev/sda1 rw\nshort\n\n";

}  // namespace

TEST_CASE("version 2: the least limit of a group and all above it") {
  const Machine machine;
  machine.put("proc/self/mountinfo", kOthers + kV2);
  machine.put("proc/self/cgroup", "0::/system.slice/job.service/step\n");
  const std::string group = "sys/fs/cgroup/system.slice/job.service/step/memory.max";
  CHECK(machine.limit() == std::nullopt);
  machine.put(group, "max\n");
  CHECK(machine.limit() == std::nullopt);
  machine.put(group, "5000\n");
  CHECK(machine.limit() == 5000);
  machine.put("sys/fs/cgroup/system.slice/job.service/memory.max", "4000\n");
  CHECK(machine.limit() == 4000);
  machine.put("sys/fs/cgroup/system.slice/memory.max", "6000\n");
  CHECK(machine.limit() == 4000);
  machine.put("sys/fs/cgroup/system.slice/memory.max", "3000\n");
  CHECK(machine.limit() == 3000);
  machine.put("sys/fs/cgroup/memory.max", "2000\n");  // in a namespace, the top has one too
  CHECK(machine.limit() == 2000);
  machine.put("sys/fs/cgroup/other.slice/memory.max", "1\n");  // not above this process
  CHECK(machine.limit() == 2000);
}

TEST_CASE("version 1: the memory controller's groups") {
  const Machine machine;
  machine.put("proc/self/mountinfo", kOthers + kV1);
  machine.put("proc/self/cgroup", "5:cpu,cpuacct:/wrong\n4:memory:/a/b\n0::/\n");
  machine.put("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");  // its "max"
  CHECK(machine.limit() == 9223372036854771712);
  machine.put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "7000\n");
  CHECK(machine.limit() == 7000);
  machine.put("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "6000\n");
  CHECK(machine.limit() == 6000);
  machine.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n");
  CHECK(machine.limit() == 5000);
  machine.put("sys/fs/cgroup/cpu/wrong/memory.limit_in_bytes", "1\n");
  CHECK(machine.limit() == 5000);
}

TEST_CASE("both versions at once: the least of both") {
  const Machine machine;
  machine.put("proc/self/mountinfo", kV1 + "33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  machine.put("proc/self/cgroup", "4:memory:/a\n0::/b\n");
  machine.put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "7000\n");
  machine.put("sys/fs/cgroup/unified/b/memory.max", "8000\n");
  CHECK(machine.limit() == 7000);
  machine.put("sys/fs/cgroup/unified/b/memory.max", "6000\n");
  CHECK(machine.limit() == 6000);
}

TEST_CASE("a container's mount begins at its own group, at any place") {
  const Machine machine;
  machine.put("proc/self/mountinfo", "30 23 0:26 /pod/box /my\\040groups\\134 rw - cgroup2 cgroup2 rw\n");
  machine.put("my groups\\/memory.max", "9000\n");
  machine.put("my groups\\/inner/memory.max", "8000\n");
  machine.put("proc/self/cgroup", "0::/pod/box/inner\n");
  CHECK(machine.limit() == 8000);
  machine.put("proc/self/cgroup", "0::/pod/box\n");
  CHECK(machine.limit() == 9000);
  for (const char* elsewhere : {"0::/../sibling\n", "0::/pod/boxes/inner\n", "0::/\n", ""}) {  // not shown
    machine.put("proc/self/cgroup", elsewhere);
    CHECK(machine.limit() == 9000);
  }
}

TEST_CASE("without /proc, the usual places") {
  const Machine machine;
  CHECK(machine.limit() == std::nullopt);
  machine.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n");
  CHECK(machine.limit() == 6000);
  machine.put("sys/fs/cgroup/memory.max", "5000\n");
  CHECK(machine.limit() == 5000);
}

TEST_CASE("files that are no limits are none") {
  const Machine machine;
  machine.put("proc/self/mountinfo", kV2);
  machine.put("proc/self/cgroup", "0::/\n");
  for (const char* text : {"", "\n", "0\n", "-1\n", "much\n", "99999999999999999999\n"}) {
    machine.put("sys/fs/cgroup/memory.max", text);
    CHECK(machine.limit() == std::nullopt);
  }
}

TEST_CASE("physical memory, unless the system does not know it") {
  CHECK(physical_memory(1000, 4096) == 4096000);
  CHECK(physical_memory(-1, 4096) == std::nullopt);
  CHECK(physical_memory(1000, -1) == std::nullopt);
  CHECK(physical_memory(-1, -1) == std::nullopt);
  const Limit machine = physical_memory(sysconf(_SC_PHYS_PAGES), sysconf(_SC_PAGESIZE));
  REQUIRE(machine.has_value());
  CHECK(default_memory_limit() > 0);
  CHECK(default_memory_limit() <= *machine / 4 * 3);
}
