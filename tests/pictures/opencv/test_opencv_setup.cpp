// The environment: variables of the picture libraries are gone before main().
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

// The child of the test below.
TEST_CASE("looks at its environment" * doctest::skip()) {
  for (const char* const gone : {"OPENCV_LOG_LEVEL", "JPEGMEM", "LIBTIFF_JPEG_MAX_ALLOWED_SCAN_NUMBER",
                                 "LIBTIFF_ALLOW_LARGE_LIBJPEG_MEM_ALLOC"}) {
    CAPTURE(gone);
    CHECK(std::getenv(gone) == nullptr);
  }
  for (const char* const kept : {"FIRST", "LIBTIFF", "JPEGMEMORY", "LAST"}) {
    CAPTURE(kept);
    CHECK(std::getenv(kept) != nullptr);
  }
}

TEST_CASE("variables of OpenCV, libjpeg and libtiff are removed at the start, and no others") {
  // The path, since the link itself would lead to an emulator that runs this program.
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command =
      "env FIRST=1 OPENCV_LOG_LEVEL=DEBUG LIBTIFF=1 JPEGMEM=1 JPEGMEMORY=1 LIBTIFF_JPEG_MAX_ALLOWED_SCAN_NUMBER=1 "
      "LIBTIFF_ALLOW_LARGE_LIBJPEG_MEM_ALLOC=1 LAST=1 '" +
      program + "' --no-skip --test-case='looks at its environment' > /dev/null";
  CHECK(std::system(command.c_str()) == 0);
}
