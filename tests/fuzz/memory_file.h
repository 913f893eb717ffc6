// A file in memory, for functions that take a path.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <string>

#include "files/descriptor.h"

namespace convtool::fuzz {

/// An anonymous regular file (memfd_create(2)) with these bytes. It has a path while the object lives, and leaves
/// nothing behind when the process crashes.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::byte> bytes) : file_(memfd_create("fuzz input", MFD_CLOEXEC)) {
    write_all(file_.get(), bytes);
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  Descriptor file_;
};

}  // namespace convtool::fuzz
