// The tester itself: the bounds that it allows hold for every parameter of a convolution.
#include <doctest/doctest.h>

#include "support/conv_cases.h"
#include "support/params.h"

namespace convtool {
namespace {

/// Convolves pictures of integers with weights that are rounded, by algorithms whose bounds depend on sum|x||w|, and on
/// the largest |x|.
void check(DType dtype, const Params& params, const std::vector<double>& divisor) {
  constexpr std::uint64_t kSeed = 3;
  ConvTester tester("tester", kSeed, {{"rows", 1}, {"fft", 1}});
  Random random(kSeed);
  ConvCase c = make_case({dtype, {1, 2, 20, 40}, {2, 1, 9, 9}, params, Numbers::rough}, random);
  c.kernel.divisor = divisor;
  tester.check(c);
}

}  // namespace

TEST_CASE("a padding value beyond the type of the picture") {
  for (const DType dtype : {DType::u8, DType::u16})
    for (const float value : {256.3F, -4349.3F, 65536.3F}) {
      CAPTURE(value);
      check(dtype, {.padding = kSame, .padding_mode = PaddingMode::constant, .padding_value = value, .groups = 2}, {});
    }
}

TEST_CASE("negative divisors") {
  check(DType::u8, {.padding = kSame, .groups = 2}, {-3, 7.3});
  check(DType::u16, {.padding = kSame, .groups = 2}, {-0.3, -0.7});
}

TEST_CASE("failures go to the function of the caller") {
  std::vector<std::string> reports;
  {
    ConvTester tester("floor", 5, {{"rows", 1}, {"box", 2}}, Sets::all,
                      [&](const std::string& report) { reports.push_back(report); });
    Random random(5);
    tester.check(make_case({DType::u8, {1, 1, 9, 9}, {1, 1, 3, 3}, {.padding = kSame}, Numbers::rough}, random));
  }
  CHECK(reports == std::vector<std::string>{"floor, seed 5: box solved 0 of 1 cases, expected at least 2"});
}

}  // namespace convtool
