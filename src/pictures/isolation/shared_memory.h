// Memory that two processes map: anonymous files (memfd_create(2)).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "files/descriptor.h"

namespace convtool {

/// A new file of `size` zeros, whose size nobody can change, so that a mapping of it can always be read. Throws
/// std::system_error, also where the file is larger than 'ulimit -f' allows.
Descriptor memory_file(std::uint64_t size);

/// A new file with the content `bytes`.
Descriptor memory_file(std::span<const std::byte> bytes);

/// Whether the first `size` bytes of a file can be mapped, as some file systems do not allow.
bool can_be_mapped(int file, std::size_t size);

/// The first `size` bytes of a file, mapped for reading and writing; unmapped with the last copy of the pointer. Throws
/// std::system_error.
std::shared_ptr<std::byte> map_shared(const Descriptor& file, std::size_t size);

}  // namespace convtool
