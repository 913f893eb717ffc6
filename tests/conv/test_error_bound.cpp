// The bound on what rounding does to a response: by hand, and against every algorithm.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "conv/error_bound.h"
#include "support/convolve.h"

namespace convtool {
namespace {

double bound_of(DType dtype, const Kernel& kernel, const ConvParams& params = {}, const Epilogue& epilogue = {}) {
  const KernelShape& shape = kernel.shape;
  return error_bound(make_problem(dtype, {1, shape.c_i_per_group, 20, 20}, shape, params), kernel, epilogue, 2, 7);
}

const ConvParams kHalfAround{
    .padding = {.rule = Padding::Rule::same, .pads = {}}, .padding_mode = PaddingMode::constant, .padding_value = 0.5F};

TEST_CASE("sums that are exact have no error") {
  const Kernel sobel = kernel_of({1, 1, 3, 3}, {-1, 0, 1, -2, 0, 2, -1, 0, 1});
  const Kernel sixteenths = kernel_of({1, 1, 1, 3}, {0.25F, 0.5F, 0.0625F});
  for (const DType dtype : {DType::u8, DType::u16}) {
    CHECK(bound_of(dtype, sobel) == 0);
    CHECK(bound_of(dtype, sixteenths) == 0);
    CHECK(bound_of(dtype, sobel, kHalfAround) > 0);
    CHECK(bound_of(dtype, kernel_of({1, 1, 1, 1}, {0.1F})) > 0);
  }
  CHECK(bound_of(DType::f32, sobel) > 0);
  // In units of 2^-9, these are 2^14 and 1: sums of u16 need more than 24 bits, sums of u8 do not.
  CHECK(bound_of(DType::u8, kernel_of({1, 1, 1, 2}, {32, 0x1p-9F})) == 0);
  CHECK(bound_of(DType::u16, kernel_of({1, 1, 1, 2}, {32, 0x1p-9F})) > 0);
  // Whole weights, but of sums beyond the 53 bits of a double.
  CHECK(bound_of(DType::u8, kernel_of({1, 1, 1, 2}, {0x1p44F, 1})) == 0);
  CHECK(bound_of(DType::u8, kernel_of({1, 1, 1, 2}, {0x1p50F, 1})) > 0);
}

TEST_CASE("the bound, by hand") {
  Kernel kernel = kernel_of({2, 1, 1, 2}, {0.1F, -0.2F, 0.4F, 0.4F});
  const double first = static_cast<double>(0.1F) + static_cast<double>(0.2F), second = 2 * static_cast<double>(0.4F);
  CHECK(bound_of(DType::u8, kernel) == doctest::Approx(0x1p-24 * 10 * 7 * second).epsilon(1e-12));
  kernel.divisor = {-4, 1e9};
  kernel.bias = {3, 0};
  const double biased = 0x1p-24 * (10 * 7 * first / 4 + 4 * 3);
  CHECK(bound_of(DType::f32, kernel) == doctest::Approx(biased).epsilon(1e-12));
  kernel.divisor = {4, 1};
  const auto joined = [&](Combine combine) {
    return bound_of(DType::f32, kernel, {}, {.combine = combine, .combine_count = 2});
  };
  const double one = 0x1p-24 * (11 * 7 * first / 4 + 4 * 3), other = 0x1p-24 * 11 * 7 * second;
  CHECK(joined(Combine::magnitude) == doctest::Approx(std::hypot(one, other)).epsilon(1e-12));
  CHECK(joined(Combine::l1) == doctest::Approx(one + other).epsilon(1e-12));
  CHECK(joined(Combine::sum) == doctest::Approx(one + other).epsilon(1e-12));
  CHECK(joined(Combine::mean) == doctest::Approx((one + other) / 2).epsilon(1e-12));
  CHECK(joined(Combine::max) == doctest::Approx(std::max(one, other)).epsilon(1e-12));
  // Where there is nothing but 0, products may still underflow.
  const Kernel halves = kernel_of({1, 1, 1, 2}, {0.5F, 0.5F});
  const ConvProblem problem = make_problem(DType::f32, {1, 1, 20, 20}, halves.shape, {});
  CHECK(error_bound(problem, halves, {}, 2, 0) == 2 * 0x1p-149);
}

TEST_CASE("a plan's bound on a picture: its largest finite value, or the padding value") {
  const Kernel kernel = kernel_of({1, 1, 1, 1}, {1});
  ConvParams params = kHalfAround;
  params.padding_value = -70;
  Tensor picture = filled(DType::f32, {1, 1, 5, 5}, [] { return 1.0; });
  const auto bound = [&] {
    const ConvPlan plan(make_problem(DType::f32, picture.shape(), kernel.shape, params), kernel, {},
                        {.algorithm = "direct", .direct_error = true});
    return plan.error_bound(picture.ref());
  };
  CHECK(bound() == doctest::Approx(0x1p-24 * 9 * 70).epsilon(1e-12));
  picture.data<float>()[3] = -200;
  picture.data<float>()[4] = std::numeric_limits<float>::infinity();
  CHECK(bound() == doctest::Approx(0x1p-24 * 9 * 200).epsilon(1e-12));
}

/// The response at (y, x), without padding, in long double.
double by_definition(const Tensor& picture, const Kernel& kernel, std::int64_t y, std::int64_t x) {
  long double sum = 0;
  visit_dtype(picture.dtype(), [&]<class T>(T) {
    const auto view = picture.ref().view<T>();
    for (std::int64_t u = 0; u < kernel.shape.kh; ++u)
      for (std::int64_t v = 0; v < kernel.shape.kw; ++v)
        sum += static_cast<long double>(kernel.weights[static_cast<std::size_t>(u * kernel.shape.kw + v)]) *
               static_cast<long double>(view.at(0, 0, y + u, x + v));
  });
  return static_cast<double>(sum);
}

TEST_CASE("with direct_error, every algorithm stays within the bound") {
  Random random(3);
  std::int64_t checked = 0, in_double = 0;
  for (const std::string_view algorithm : algorithm_names())
    for (const std::int64_t side : {3, 9, 21})
      for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
        const double full = dtype == DType::f32 ? 1 : full_range(dtype);
        const Tensor picture = filled(dtype, {1, 1, 50, 90}, [&] {
          const double value = full * static_cast<double>(random.between(0, 4096)) / 4096;
          return dtype == DType::f32 ? value : std::floor(value);
        });
        Kernel kernel = kernel_of({1, 1, side, side}, {});
        if (algorithm == "separable") {
          std::vector<float> column, row;
          for (std::int64_t t = 0; t < side; ++t) column.push_back(random.rough()), row.push_back(random.rough());
          for (std::int64_t t = 0; t < side * side; ++t)
            kernel.weights.push_back(column[static_cast<std::size_t>(t / side)] *
                                     row[static_cast<std::size_t>(t % side)]);
        } else {
          for (std::int64_t t = 0; t < side * side; ++t) kernel.weights.push_back(random.rough());
        }
        const ConvProblem problem = make_problem(dtype, picture.shape(), kernel.shape, {});
        if (!applies(algorithm, problem, kernel)) continue;
        if ((algorithm == "fft" || algorithm == "winograd") && dtype == DType::f32) {
          const PlanOptions options{.algorithm = std::string(algorithm), .direct_error = true};
          CHECK_THROWS_AS(ConvPlan(problem, kernel, {}, options), Error);
          continue;
        }
        const ConvPlan plan(problem, kernel, {}, {.algorithm = std::string(algorithm), .direct_error = true});
        Tensor output(DType::f32, plan.output_shape());
        plan.run(picture.ref(), output.ref());
        const double bound = plan.error_bound(full);
        CAPTURE(std::string(algorithm));
        CAPTURE(side);
        for (std::int64_t y = 0; y < output.shape().h; ++y)
          for (std::int64_t x = 0; x < output.shape().w; ++x) {
            const auto got = static_cast<double>(output.ref().view<float>().at(0, 0, y, x));
            CHECK(std::fabs(got - by_definition(picture, kernel, y, x)) <= bound);
          }
        ++checked;
        in_double += algorithm == "fft";
      }
  CHECK(checked >= 20);
  CHECK(in_double == 6);
}

TEST_CASE("large weights that cancel: a constant of 40000 is 20000 everywhere, on every algorithm") {
  const float a = 1000.1F;
  const Kernel square = kernel_of({1, 1, 3, 3}, {a, -a, a, -a, a, -a, a, -a, 0.5F});
  const Kernel row = kernel_of({1, 1, 1, 8}, {a, -a, a, -a, a, -a, 0.25F, 0.25F});
  for (const Kernel& kernel : {square, row}) {
    const Tensor picture = filled(DType::u16, {1, 1, 70, 90}, [] { return 40000.0; });
    const ConvProblem problem = make_problem(DType::u16, picture.shape(), kernel.shape, {});
    for (const char* const name : {"auto", "reference", "direct", "fft"}) {
      const std::string algorithm = name;
      CAPTURE(algorithm);
      const ConvPlan plan(problem, kernel, {}, {.algorithm = algorithm});
      Tensor output(DType::u16, plan.output_shape());
      plan.run(picture.ref(), output.ref());
      const std::vector<double> values = values_of(output.ref());
      CHECK(std::count(values.begin(), values.end(), 20000.0) == std::ssize(values));
    }
  }
}

}  // namespace
}  // namespace convtool
