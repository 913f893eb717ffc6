// The Fourier transform on every instruction set, compared with the sums that define it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "conv/algorithms/fft/fourier.h"
#include "conv/engine/instruction_set.h"
#include "support/random.h"
#include "support/values.h"

namespace convtool {
namespace {

using Exact = std::complex<long double>;

/// The error of one rounding, which is half an ulp of 1.
template <class Real>
constexpr double kRounding = static_cast<double>(std::numeric_limits<Real>::epsilon()) / 2;

/// The bound on the relative error of a transform of length n >= 16, in the 2-norm: 3 log2(n) roundings. Each level
/// errs by 2.62 roundings, and a pass of radix 8 by 1.4 more (src/conv/algorithms/fft/fft_tiling.cpp).
template <class Real>
double relative_bound(std::int64_t n) {
  return 3 * std::log2(static_cast<double>(n)) * kRounding<Real>;
}

template <class Check>
void on_each_set_and_type(const Check& check) {
  for (const std::string_view set : instruction_sets()) {
    CAPTURE(std::string(set));
    use_instruction_set(set);
    check(float{});
    check(double{});
  }
  use_instruction_set("");
}

template <class Real>
Bundles<Real> random_bundles(std::int64_t count, std::int64_t rows, Random& random) {
  Bundles<Real> bundles(count, rows);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t at = 0; at < rows * Bundles<Real>::kRow; ++at)
      bundles.bundle(i)[at] = static_cast<Real>(random.rough());
  return bundles;
}

template <class Real>
std::vector<Exact> column_of(const Real* bundle, std::int64_t rows, std::int64_t column) {
  std::vector<Exact> values;
  for (std::int64_t row = 0; row < rows; ++row) {
    const Real* re = bundle + row * Bundles<Real>::kRow + column;
    values.emplace_back(static_cast<long double>(re[0]), static_cast<long double>(re[kBundleWidth<Real>]));
  }
  return values;
}

/// |a - b| / |b| in the 2-norm.
double distance(const std::vector<Exact>& a, const std::vector<Exact>& b) {
  long double squares = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += std::norm(a[i] - b[i]);
    all += std::norm(b[i]);
  }
  return static_cast<double>(std::sqrt(squares / all));
}

/// For each row of a transform, the m of its root e^(2 pi i (m + quarters / 4) / n). The transform of the polynomial x
/// has the roots as its values.
template <class Real>
std::vector<std::int64_t> order_of(const Fourier<Real>& fourier, int quarters) {
  const std::int64_t n = fourier.size();
  Bundles<Real> bundle(1, n);
  std::fill_n(bundle.bundle(0), n * Bundles<Real>::kRow, Real{0});
  bundle.bundle(0)[Bundles<Real>::kRow] = 1;
  fourier.forward(rows_of(bundle.bundle(0)), bundle.bundle(0));
  std::vector<std::int64_t> order;
  for (const Exact& value : column_of(bundle.bundle(0), n, 0)) {
    const long double turn = std::arg(value) / (2 * std::numbers::pi_v<long double>);
    const auto m = static_cast<std::int64_t>(
        std::llround(turn * static_cast<long double>(n) - static_cast<long double>(quarters) / 4));
    order.push_back((m + n) % n);
  }
  return order;
}

TEST_CASE("the rows are the values at all roots, each root once") {
  on_each_set_and_type([]<class Real>(Real) {
    for (const std::int64_t n : {16, 32, 64, 128, 256, 512, 1024}) {
      for (const int quarters : {0, 1, 2, 3}) {
        CAPTURE(n);
        CAPTURE(quarters);
        std::vector<std::int64_t> order = order_of(Fourier<Real>(n, quarters), quarters);
        std::sort(order.begin(), order.end());
        std::int64_t wrong = 0;
        for (std::int64_t m = 0; m < n; ++m) wrong += order[static_cast<std::size_t>(m)] != m;
        CHECK(wrong == 0);
      }
    }
  });
}

TEST_CASE("forward gives the sums of the definition, inverse gives the coefficients back") {
  on_each_set_and_type([]<class Real>(Real) {
    Random random(71);
    for (const std::int64_t n : {16, 32, 64, 128, 256}) {
      for (const int quarters : {0, 1}) {
        CAPTURE(n);
        CAPTURE(quarters);
        const Fourier<Real> fourier(n, quarters);
        const std::vector<std::int64_t> order = order_of(fourier, quarters);
        std::vector<Exact> roots;  // e^(2 pi i j / (4 n)); the root of m has j = 4 m + quarters
        for (std::int64_t i = 0; i < 4 * n; ++i)
          roots.push_back(std::polar(1.0L, 2 * std::numbers::pi_v<long double> * static_cast<long double>(i) /
                                               static_cast<long double>(4 * n)));

        const Bundles<Real> input = random_bundles<Real>(1, n, random);
        Bundles<Real> bundle(1, n);
        std::copy_n(input.bundle(0), n * Bundles<Real>::kRow, bundle.bundle(0));
        fourier.forward(rows_of(bundle.bundle(0)), bundle.bundle(0));
        double worst = 0, worst_back = 0;
        for (std::int64_t column = 0; column < kBundleWidth<Real>; ++column) {
          const std::vector<Exact> coefficients = column_of(input.bundle(0), n, column);
          std::vector<Exact> expected;
          for (const std::int64_t m : order) {
            Exact sum = 0;
            for (std::int64_t k = 0; k < n; ++k)
              sum += coefficients[static_cast<std::size_t>(k)] *
                     roots[static_cast<std::size_t>((4 * m + quarters) * k % (4 * n))];
            expected.push_back(sum);
          }
          worst = std::max(worst, distance(column_of(bundle.bundle(0), n, column), expected));
        }
        // The expected sums are of n products in long double, and have an error too.
        const double of_sums =
            static_cast<double>(n + 4) * static_cast<double>(std::numeric_limits<long double>::epsilon());
        CHECK(worst <= relative_bound<Real>(n) + of_sums);

        fourier.inverse(bundle.bundle(0), rows_of(bundle.bundle(0)));
        for (std::int64_t at = 0; at < n * Bundles<Real>::kRow; ++at) bundle.bundle(0)[at] /= static_cast<Real>(n);
        for (std::int64_t column = 0; column < kBundleWidth<Real>; ++column)
          worst_back = std::max(
              worst_back, distance(column_of(bundle.bundle(0), n, column), column_of(input.bundle(0), n, column)));
        CHECK(worst_back <= 2 * relative_bound<Real>(n));
      }
    }
  });
}

TEST_CASE("coefficients may be elsewhere in memory, and nothing around them is touched") {
  on_each_set_and_type([]<class Real>(Real) {
    Random random(72);
    constexpr std::int64_t kRow = Bundles<Real>::kRow, kWidth = kBundleWidth<Real>;
    const std::int64_t n = 32, pitch = 3 * kWidth;
    const Fourier<Real> fourier(n, 1);
    AlignedReals<Real> plane(2 * n * pitch);
    for (std::int64_t at = 0; at < 2 * n * pitch; ++at) plane.data()[at] = static_cast<Real>(random.rough());
    const std::vector<Real> before(plane.data(), plane.data() + 2 * n * pitch);
    const ComplexRows<Real> rows{plane.data() + kWidth, plane.data() + n * pitch + kWidth, pitch};
    const auto is_there = [&](std::int64_t at) { return at % pitch / kWidth == 1; };  // the middle of three columns

    Bundles<Real> bundle(1, n), same(1, n);
    for (std::int64_t row = 0; row < n; ++row) {
      std::copy_n(rows.re + row * pitch, kWidth, same.bundle(0) + row * kRow);
      std::copy_n(rows.im + row * pitch, kWidth, same.bundle(0) + row * kRow + kWidth);
    }
    fourier.forward(rows, bundle.bundle(0));
    fourier.forward(rows_of(same.bundle(0)), same.bundle(0));
    CHECK(std::equal(bundle.bundle(0), bundle.bundle(0) + n * kRow, same.bundle(0)));
    CHECK(std::equal(before.begin(), before.end(), plane.data()));

    fourier.inverse(bundle.bundle(0), rows);
    fourier.inverse(same.bundle(0), rows_of(same.bundle(0)));
    std::int64_t wrong = 0;
    for (std::int64_t at = 0; at < 2 * n * pitch; ++at) {
      const std::int64_t row = at / pitch % n, x = at % kWidth, part = at / (n * pitch);
      const Real expected =
          is_there(at) ? same.bundle(0)[row * kRow + part * kWidth + x] : before[static_cast<std::size_t>(at)];
      wrong += plane.data()[at] != expected;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("blocks are transposed") {
  on_each_set_and_type([]<class Real>(Real) {
    Random random(73);
    constexpr std::int64_t kWidth = kBundleWidth<Real>;
    const Bundles<Real> from = random_bundles<Real>(1, kWidth, random);
    Bundles<Real> to = random_bundles<Real>(1, kWidth, random);
    transpose_block(from.bundle(0), to.bundle(0));
    for (std::int64_t column = 0; column < kWidth; ++column) {
      const std::vector<Exact> column_values = column_of(from.bundle(0), kWidth, column);
      for (std::int64_t row = 0; row < kWidth; ++row)
        CHECK(column_of(to.bundle(0), kWidth, row)[static_cast<std::size_t>(column)] ==
              column_values[static_cast<std::size_t>(row)]);
    }
  });
}

TEST_CASE("bundles are multiplied, in place or added to others") {
  on_each_set_and_type([]<class Real>(Real) {
    Random random(74);
    const std::int64_t rows = 5;
    Bundles<Real> a(1, rows), b(1, rows), sums(1, rows);
    for (Bundles<Real>* bundles : {&a, &b, &sums})  // integers are exact
      for (std::int64_t at = 0; at < rows * Bundles<Real>::kRow; ++at)
        bundles->bundle(0)[at] = static_cast<Real>(random.between(-99, 99));
    for (std::int64_t column = 0; column < kBundleWidth<Real>; ++column) {
      const auto as = column_of(a.bundle(0), rows, column), bs = column_of(b.bundle(0), rows, column);
      const auto before = column_of(sums.bundle(0), rows, column);
      Bundles<Real> added(1, rows), product(1, rows);
      std::copy_n(sums.bundle(0), rows * Bundles<Real>::kRow, added.bundle(0));
      std::copy_n(a.bundle(0), rows * Bundles<Real>::kRow, product.bundle(0));
      multiply_bundles(a.bundle(0), b.bundle(0), rows, true, added.bundle(0));
      multiply_bundles(product.bundle(0), b.bundle(0), rows, false, product.bundle(0));
      for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        CHECK(column_of(product.bundle(0), rows, column)[row] == as[row] * bs[row]);
        CHECK(column_of(added.bundle(0), rows, column)[row] == before[row] + as[row] * bs[row]);
      }
    }
  });
}

TEST_CASE("the largest magnitude is found at any place, and NaN counts as the largest") {
  on_each_set_and_type([]<class Real>(Real) {
    AlignedReals<float> floats(48);
    for (std::int64_t at = 0; at < 48; ++at) {
      for (const float value : {2.0F, -2.0F, 1e38F, kInf, -kInf}) {
        std::fill_n(floats.data(), 48, -1.0F);
        floats.data()[at] = value;
        CHECK(largest_magnitude(floats.data(), 48) == std::fabs(value));
        for (const float nan : {kNan, -kNan}) {
          floats.data()[47 - at] = nan;
          CHECK(std::isnan(largest_magnitude(floats.data(), 48)));
        }
      }
    }
    std::fill_n(floats.data(), 48, -0.0F);
    CHECK(largest_magnitude(floats.data(), 48) == 0);
  });
}

}  // namespace
}  // namespace convtool
