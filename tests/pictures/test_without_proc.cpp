// Systems without /proc, as in a bare chroot.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "pictures/decode_image.h"
#include "pictures/sample_pictures.h"
#include "support/error_text.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

bool is_proc_missing = false;

}  // namespace

/// access(2) as the C library has it, except that /proc can be hidden.
extern "C" int access(const char* path, int mode) noexcept {
  if (is_proc_missing && std::string_view(path).starts_with("/proc/")) {
    errno = ENOENT;
    return -1;
  }
  return static_cast<int>(syscall(SYS_faccessat, AT_FDCWD, path, mode));
}

TEST_CASE("without /proc, kinds that need it say so, and are not called damaged") {
  const auto complaint = [](const Bytes& file) {
    is_proc_missing = true;
    const std::string text = error_text(ErrorKind::input, [&] { decode_image(file, 1000); });
    is_proc_missing = false;
    return text;
  };
  const Bytes pfm = opencv_file(".pfm", random_mat(2, 3, CV_32F));
  CHECK(complaint(pfm) ==
        "OpenEXR and PFM are read through /proc, which is missing here; mount it, or convert the "
        "picture to PNG");
  CHECK(decode_image(pfm, 1000).all().shape.count() == 6);
  for (const char* extension : {".tiff", ".png"}) {
    CAPTURE(std::string(extension));
    CHECK(complaint(opencv_file(extension, random_mat(2, 3, CV_8U))) == "none");
  }
}
