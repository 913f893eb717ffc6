#include <doctest/doctest.h>

#include <algorithm>

#include "bench/roof.h"

using namespace convtool;

TEST_CASE("figures follow from the definition") {
  Roof roof;
  for (const char* line : {"I5 u8x4 320x240 3x3", "C1 f32 NHWC ResNet-50 64->64"}) {
    const Workload workload = workloads(line).front();
    const Shape shape = workload.output_shape();
    const double pixels = static_cast<double>(shape.h * shape.w), macs = mac_count(workload.problem);
    const Figures slow = roof.figures(workload, 1, 0.5), fast = roof.figures(workload, 1, 0.25);
    CHECK(slow.ns_per_pixel == doctest::Approx(0.5e9 / pixels));
    CHECK(slow.gmac_per_second == doctest::Approx(macs / 0.5e9));
    CHECK(fast.share_of_roof == doctest::Approx(2 * slow.share_of_roof));
    const double least = std::max(macs / roof.multiply_adds(1), workload.bytes() / roof.copy_rate(workload.bytes(), 1));
    CHECK(roof.figures(workload, 1, least).share_of_roof == doctest::Approx(1));
  }
}

TEST_CASE("a roof is measured once") {
  Roof roof;
  CHECK(roof.multiply_adds(1) == roof.multiply_adds(1));
  CHECK(roof.copy_rate(1 << 20, 1) == roof.copy_rate((1 << 20) + 1, 1));
  // Any machine that runs this test does at least 10^8 multiply-adds and copies 10^8 bytes per second, a loaded one
  // under an emulator still a thousandth of that; but none does a million times as many.
  for (const double rate : {roof.multiply_adds(1), roof.copy_rate(1 << 20, 1)}) {
    CHECK(rate > 1e5);
    CHECK(rate < 1e14);
  }
  const std::string text = roof_text(roof, {1});
  CHECK(text.find("1 thread: ") != std::string::npos);
  CHECK(text.find("GMAC/s, copy ") != std::string::npos);
}
