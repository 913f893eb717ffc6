// The exceptions of codecs, and those that are not theirs.
#include <doctest/doctest.h>

#include <new>
#include <stdexcept>

#include "pictures/opencv/opencv_support.h"

using namespace convtool;

TEST_CASE("call_codec() replaces the exceptions of codecs, and no others") {
  const auto call = [](const auto& fail) { return call_codec([&]() -> int { return fail(), 1; }, 2); };
  CHECK(call([] {}) == 1);
  CHECK(call([] { throw std::runtime_error("a codec's"); }) == 2);
  CHECK(call([] { CV_Error(cv::Error::StsBadArg, "OpenCV's"); }) == 2);
  CHECK_THROWS_AS(call([] { CV_Error(cv::Error::StsNoMem, "OpenCV's"); }), std::bad_alloc);
  CHECK_THROWS_AS(call([] { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK_THROWS_WITH_AS(call([] { throw Error(ErrorKind::internal, "", "our own"); }), "our own", Error);
}
