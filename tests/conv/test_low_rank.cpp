// Decomposition of kernels into outer products: which are found or refused, and that every entry keeps the bound.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "conv/low_rank.h"
#include "support/random.h"

namespace convtool {
namespace {

/// The sum of the products, in double.
std::vector<double> sum_of(const std::vector<OuterProduct>& products, const Extent& size) {
  std::vector<double> sum(static_cast<std::size_t>(size.h * size.w));
  for (const OuterProduct& product : products) {
    REQUIRE(std::ssize(product.column) == size.h);
    REQUIRE(std::ssize(product.row) == size.w);
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] += product.column[i / product.row.size()] * product.row[i % product.row.size()];
  }
  return sum;
}

/// The largest error of any entry, over the promised bound for it. The error is the difference between the entry and
/// the products, plus the rounding errors of the two passes, which this function counts independently of the library.
double worst_part_of_bound(const std::vector<float>& weights, const Extent& size,
                           const std::vector<OuterProduct>& products) {
  const double unit = products.size() == 1 ? 0x1p-24 : 0x1p-53;
  const std::vector<double> sum = sum_of(products, size);
  double worst = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double magnitude = 0;
    for (const OuterProduct& product : products)
      magnitude += std::fabs(product.column[i / product.row.size()] * product.row[i % product.row.size()]);
    const double roundings = static_cast<double>(size.h + std::ssize(products) * size.w);
    const auto weight = static_cast<double>(weights[i]);
    const double error = std::fabs(weight - sum[i]) + roundings * unit * magnitude;
    const double promised = static_cast<double>(size.h * size.w + 1) * 0x1p-24 * std::fabs(weight);
    worst = std::max(worst, error == 0 ? 0 : error / promised);
  }
  return worst;
}

/// The sum of `rank` outer products of random vectors with entries in [low, 1).
std::vector<float> random_kernel(const Extent& size, int rank, double low, Random& random) {
  std::vector<double> sum(static_cast<std::size_t>(size.h * size.w));
  for (int r = 0; r < rank; ++r) {
    const auto number = [&] { return low + (1 - low) * (static_cast<double>(random.rough()) + 1) / 2; };
    std::vector<double> column, row;
    for (std::int64_t u = 0; u < size.h; ++u) column.push_back(number());
    for (std::int64_t v = 0; v < size.w; ++v) row.push_back(number());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += column[i / row.size()] * row[i % row.size()];
  }
  return {sum.begin(), sum.end()};
}

/// The largest rank that is not slower than the kernel itself. Multiply-adds of products count twice.
int largest_rank(const Extent& size) {
  return std::clamp(static_cast<int>(size.h * size.w / (2 * (size.h + size.w))), 1, 4);
}

TEST_CASE("integer kernels of rank 1 are decomposed exactly, others not at all") {
  Random random(71);
  for (int turn = 0; turn < 2000; ++turn) {
    CAPTURE(turn);
    const Extent size{random.between(1, 9), random.between(1, 9)};
    std::vector<std::int64_t> column, row;
    for (std::int64_t u = 0; u < size.h; ++u) column.push_back(random.between(-30, 30));
    for (std::int64_t v = 0; v < size.w; ++v) row.push_back(random.between(-30, 30));
    const double unit = std::ldexp(1.0, static_cast<int>(random.between(-20, 20)));
    std::vector<float> weights;
    for (const std::int64_t a : column)
      for (const std::int64_t b : row) weights.push_back(static_cast<float>(unit * static_cast<double>(a * b)));
    const std::vector<OuterProduct> products = outer_products(weights.data(), size);
    REQUIRE(products.size() == 1);
    const std::vector<double> sum = sum_of(products, size);
    CHECK(std::equal(sum.begin(), sum.end(), weights.begin(),
                     [](double a, float b) { return a == static_cast<double>(b); }));
    double column_sum = 0;
    for (const double value : products[0].column) column_sum += std::fabs(value);
    CHECK(column_sum < 0.5);
    for (const std::vector<double>* factor : {&products[0].column, &products[0].row})
      for (const double value : *factor) CHECK(value == static_cast<double>(static_cast<float>(value)));

    // Adds one unit to one entry. The rank stays 1 if all entries outside that entry's row and column are 0.
    const auto at = static_cast<std::size_t>(random.between(0, std::ssize(weights) - 1));
    const auto u = at / row.size(), v = at % row.size();
    bool others = false;
    for (std::size_t i = 0; i < weights.size(); ++i)
      others |= i / row.size() != u && i % row.size() != v && weights[i] != 0;
    weights[at] += static_cast<float>(unit);
    if (others) CHECK(outer_products(weights.data(), size).empty());
  }
}

TEST_CASE("a kernel of zeros") {
  const std::vector<float> weights(15, 0.0F);
  const std::vector<OuterProduct> products = outer_products(weights.data(), {3, 5});
  REQUIRE(products.size() == 1);
  for (const double value : sum_of(products, {3, 5})) CHECK(value == 0);
}

TEST_CASE("integer kernels of rank 2 are not decomposed, since their sums would no longer be exact") {
  const float cross[] = {0, 1, 0, 1, 1, 1, 0, 1, 0};
  CHECK(outer_products(cross, {3, 3}).empty());
  const float laplacian[] = {0, 1, 0, 1, -4, 1, 0, 1, 0};
  CHECK(outer_products(laplacian, {3, 3}).empty());
}

TEST_CASE("Gaussians that are rounded to float have rank 1") {
  for (const double sigma : {0.8, 1.0, 3.0, 8.0, 30.0}) {
    CAPTURE(sigma);
    const auto radius = static_cast<std::int64_t>(std::ceil(3 * sigma));
    const Extent size{2 * radius + 1, 2 * radius + 1};
    std::vector<float> weights;
    for (std::int64_t y = -radius; y <= radius; ++y)
      for (std::int64_t x = -radius; x <= radius; ++x)
        weights.push_back(static_cast<float>(std::exp(-static_cast<double>(x * x + y * y) / (2 * sigma * sigma)) /
                                             (2 * 3.14159265358979 * sigma * sigma)));
    const std::vector<OuterProduct> products = outer_products(weights.data(), size);
    REQUIRE(products.size() == 1);
    CHECK(worst_part_of_bound(weights, size, products) <= 1);
  }
}

TEST_CASE("sums of a few products are found with the same number of terms, and keep the bound") {
  Random random(72);
  for (const Extent size : {Extent{5, 5}, Extent{7, 4}, Extent{9, 15}, Extent{31, 31}, Extent{63, 40}})
    for (int rank = 1; rank <= largest_rank(size); ++rank)
      for (int turn = 0; turn < 20; ++turn) {
        CAPTURE(size.h);
        CAPTURE(rank);
        const std::vector<float> weights = random_kernel(size, rank, 0.1, random);  // no entry is near 0
        const std::vector<OuterProduct> products = outer_products(weights.data(), size);
        CHECK(std::ssize(products) == rank);
        CHECK(worst_part_of_bound(weights, size, products) <= 1);
      }
}

TEST_CASE("products whose signs cancel keep the bound or are refused") {
  Random random(73);
  int found = 0;
  for (int turn = 0; turn < 600; ++turn) {
    const Extent size{random.between(3, 31), random.between(3, 31)};
    const std::vector<float> weights =
        random_kernel(size, static_cast<int>(random.between(1, largest_rank(size))), -1, random);
    const std::vector<OuterProduct> products = outer_products(weights.data(), size);
    if (products.empty()) continue;
    ++found;
    CHECK(worst_part_of_bound(weights, size, products) <= 1);
  }
  CHECK(found > 400);
}

TEST_CASE("products that would be slower than the kernel are not searched for") {
  Random random(76);
  for (const Extent size : {Extent{3, 3}, Extent{5, 5}, Extent{7, 4}, Extent{9, 15}})
    CHECK(outer_products(random_kernel(size, largest_rank(size) + 1, 0.1, random).data(), size).empty());
}

TEST_CASE("one entry that differs from an outer product") {
  Random random(74);
  for (int turn = 0; turn < 200; ++turn) {
    const Extent size{random.between(9, 21), random.between(9, 21)};
    std::vector<float> weights = random_kernel(size, 1, 0.1, random);
    float& entry = weights[static_cast<std::size_t>(random.between(0, std::ssize(weights) - 1))];
    const float before = entry;
    entry = std::nextafter(before, 2.0F);  // within the rounding of the weights
    CHECK(outer_products(weights.data(), size).size() == 1);
    entry = before * 1.01F;  // needs a second product, of one entry
    const std::vector<OuterProduct> products = outer_products(weights.data(), size);
    CHECK(products.size() == 2);
    CHECK(worst_part_of_bound(weights, size, products) <= 1);
  }
}

TEST_CASE("kernels that are not sums of a few products are refused") {
  Random random(75);
  for (const std::int64_t k : {5, 9, 31, 101}) {
    const std::vector<float> weights = floats(k * k, [&] { return random.rough(); });
    CHECK(outer_products(weights.data(), {k, k}).empty());
  }
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> product = random_kernel({9, 9}, 1, 0.1, random);
    product[40] = bad;
    CHECK(outer_products(product.data(), {9, 9}).empty());
  }
}

TEST_CASE("a kernel with a weight of 0 at which products cancel is refused, since their sum is rounded") {
  Random random(76);
  int refused = 0;
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<float> weights = random_kernel({9, 9}, 2, 0.1, random);
    weights[static_cast<std::size_t>(random.between(0, 80))] = 0;
    const std::vector<OuterProduct> products = outer_products(weights.data(), {9, 9});
    refused += products.empty() ? 1 : 0;  // in the others, every product is 0 there
    if (!products.empty()) CHECK(worst_part_of_bound(weights, {9, 9}, products) <= 1);
  }
  CHECK(refused > 100);
}

}  // namespace
}  // namespace convtool
