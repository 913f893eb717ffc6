#include "pictures/isolation/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace convtool {

Descriptor memory_file(std::uint64_t size) {
  Descriptor file(memfd_create("convtool", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (ftruncate(file.get(), static_cast<off_t>(size)) != 0) throw_errno();
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) throw_errno();
  return file;
}

Descriptor memory_file(std::span<const std::byte> bytes) {
  Descriptor file = memory_file(bytes.size());
  write_all(file.get(), bytes);
  return file;
}

bool can_be_mapped(int file, std::size_t size) {
  void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  return memory != MAP_FAILED && munmap(memory, size) == 0;
}

std::shared_ptr<std::byte> map_shared(const Descriptor& file, std::size_t size) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) throw_errno();
  return {static_cast<std::byte*>(memory), [size](std::byte* first) { munmap(first, size); }};
}

}  // namespace convtool
