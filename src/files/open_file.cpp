#include "files/open_file.h"

#include <sys/stat.h>

#include <utility>

namespace convtool {

OpenFile::OpenFile(Descriptor file) : file_(std::move(file)), before_(look()) {}

OpenFile::State OpenFile::look() const {
  struct stat status;
  if (fstat(file_.get(), &status) != 0) throw_errno();
  return {.is_regular = S_ISREG(status.st_mode),
          .is_folder = S_ISDIR(status.st_mode),
          .size = static_cast<std::uint64_t>(status.st_size),
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

bool OpenFile::has_changed() const { return look() != before_; }

void refuse_changed(const std::string& path, ErrorKind kind) {
  throw Error(kind, path, "changed while it was being read; run again when it is complete");
}

}  // namespace convtool
