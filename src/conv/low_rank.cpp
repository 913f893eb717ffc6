// A kernel K of rank r is a sum of r outer products a_t b_t, so filtering takes r * (kh + kw) multiply-adds per pixel
// instead of kh * kw:
//
//   sum over u, v of K[u][v] x[y+u][z+v] = sum over t of sum over v of b_t[v] * (sum over u of a_t[u] x[y+u][z+v])
//
// How exact do the products have to be? Let e = 2^-24 (2^-53 for sums in double). A sum of n products, fused or not,
// carries no product through more than n roundings, so the column pass returns sum a_t[u] x (1 + d) with |d| <= g(kh),
// where g(n) = n e / (1 - n e), and the row pass, of r * kw terms, makes it |d| <= g(kh + r * kw) (Higham, Accuracy and
// Stability of Numerical Algorithms, 2nd ed., section 3.1; underflow is left out there and here). With M = sum a_t b_t
// and A = sum |a_t||b_t|, entry by entry,
//
//   |computed - sum K x| <= sum over u, v of (|K - M| + g(kh + r * kw) A)[u][v] * |x[y+u][z+v]|.
//
// Pixels are arbitrary, so this stays below the promised part of sum|x||K| only if it does so in every entry:
//
//   |K - M| + g(kh + r * kw) A <= (kh * kw + 1) * 2^-24 * |K|
//
// keeps_promise() tests this. (The rest of the engine's promise, 3 * 2^-24, is for the epilogue and the store.) A
// single product has A = |M|, which leaves about (kh - 1) * (kw - 1) * 2^-24 for the rounding of weights and factors.
// Where several products cancel, A is many times |K|: hence the sums in double.
//
// An entry of 0 must be a product with a 0, or the bound does not hold. So a single product has its zeros and its signs
// where the kernel has them. Hence infinities and NaN in a picture give the same results as by the definition: an
// infinity meets the same signs, and a NaN the same zeros.
//
// Weights that are small multiples of a power of two give exact sums of integer pictures, and of floats that are such
// multiples. To keep that, products must be exact. An integer matrix of rank 1 is the product of integer vectors, one
// of which is a row divided by the greatest common divisor of its entries, so it is enough to try that row.
//
// Other products are found by cross approximation with full pivoting (Bebendorf, "Approximation of boundary element
// matrices", 2000): each step subtracts the product of the column and row that meet in the largest entry, and a matrix
// of rank r is 0 after r steps. This takes r * kh * kw operations, a fraction of a row of output.

#include "conv/low_rank.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace convtool {
namespace {

/// A kernel in units of a power of two.
struct WholeKernel {
  std::vector<std::int64_t> multiples;  // [kh][kw]
  int exponent = 0;                     // of the unit
};

/// The kernel in the largest unit in which all weights are integers. Empty unless their absolute values add up to less
/// than 2^24, so that they and their sums are exact in float.
std::optional<WholeKernel> in_whole_units(const float* weights, const Extent& size) {
  const std::int64_t count = size.h * size.w;
  WholeKernel whole{.multiples = {}, .exponent = std::numeric_limits<float>::max_exponent};
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (weights[i] == 0) continue;
    if (!std::isfinite(weights[i])) return std::nullopt;
    sum += std::fabs(static_cast<double>(weights[i]));
    int exponent = 0;
    const auto digits = static_cast<std::int32_t>(0x1p24F * std::frexp(weights[i], &exponent));
    whole.exponent = std::min(whole.exponent, exponent - 24 + std::countr_zero(static_cast<std::uint32_t>(digits)));
    if (!(sum < std::ldexp(0x1p24, whole.exponent))) return std::nullopt;
  }
  const double units = std::ldexp(1.0, -whole.exponent);
  for (std::int64_t i = 0; i < count; ++i)
    whole.multiples.push_back(static_cast<std::int64_t>(static_cast<double>(weights[i]) * units));
  return whole;
}

/// Scales column and row by powers of two so that the column sums to less than 1/2; the product stays the same.
OuterProduct balanced(OuterProduct product) {
  double sum = 0;
  for (const double value : product.column) sum += std::fabs(value);
  int exponent = 0;
  std::frexp(sum, &exponent);
  for (double& value : product.column) value = std::ldexp(value, -exponent - 1);
  for (double& value : product.row) value = std::ldexp(value, exponent + 1);
  return product;
}

/// The product that equals the kernel, if it is one; else empty.
std::vector<OuterProduct> exact_product(const WholeKernel& whole, const Extent& size) {
  const std::vector<std::int64_t>& k = whole.multiples;
  OuterProduct product{std::vector<double>(static_cast<std::size_t>(size.h)),
                       std::vector<double>(static_cast<std::size_t>(size.w))};
  const auto nonzero = std::find_if(k.begin(), k.end(), [](std::int64_t value) { return value != 0; });
  if (nonzero == k.end()) return {product};

  const std::int64_t pivot_row = (nonzero - k.begin()) / size.w, pivot_column = (nonzero - k.begin()) % size.w;
  std::vector<std::int64_t> row(k.begin() + pivot_row * size.w, k.begin() + (pivot_row + 1) * size.w);
  const std::int64_t divisor =
      std::accumulate(row.begin(), row.end(), std::int64_t{0}, std::gcd<std::int64_t, std::int64_t>);
  for (std::int64_t& value : row) value /= divisor;
  std::copy(row.begin(), row.end(), product.row.begin());
  for (std::int64_t u = 0; u < size.h; ++u) {
    const std::int64_t* entries = k.data() + u * size.w;
    const std::int64_t factor = entries[pivot_column] / row[static_cast<std::size_t>(pivot_column)];
    for (std::int64_t v = 0; v < size.w; ++v)
      if (factor * row[static_cast<std::size_t>(v)] != entries[v]) return {};
    product.column[static_cast<std::size_t>(u)] = std::ldexp(static_cast<double>(factor), whole.exponent);
  }
  return {balanced(std::move(product))};
}

/// The remainder of a kernel, from which one cross after the other is subtracted.
class CrossApproximation {
 public:
  CrossApproximation(const float* weights, const Extent& size)
      : size_(size), rest_(weights, weights + size.h * size.w) {}

  /// Subtracts the product of the column and row through the largest entry of the remainder, and returns it.
  OuterProduct next() {
    const auto larger = [](double a, double b) { return std::fabs(a) < std::fabs(b); };
    const std::int64_t pivot = std::max_element(rest_.begin(), rest_.end(), larger) - rest_.begin();
    const double* pivot_row = rest_.data() + pivot / size_.w * size_.w;
    OuterProduct product{{}, std::vector<double>(pivot_row, pivot_row + size_.w)};
    const double divisor = pivot_row[pivot % size_.w];
    for (std::int64_t u = 0; u < size_.h; ++u)
      product.column.push_back(rest_[static_cast<std::size_t>(u * size_.w + pivot % size_.w)] / divisor);
    for (std::int64_t u = 0; u < size_.h; ++u) {
      const double factor = product.column[static_cast<std::size_t>(u)];
      double* entries = rest_.data() + u * size_.w;
      for (std::int64_t v = 0; v < size_.w; ++v) entries[v] -= factor * product.row[static_cast<std::size_t>(v)];
    }
    return balanced(std::move(product));
  }

  /// The largest absolute value of the remainder.
  double largest() const {
    double most = 0;
    for (const double value : rest_) most = std::max(most, std::fabs(value));
    return most;
  }

 private:
  const Extent size_;
  std::vector<double> rest_;
};

/// Calls use(error, weight) for every entry, with the left side of the test derived above, for sums with rounding unit
/// `epsilon`. Products of a column and a row are computed here in double, which adds two roundings for each.
template <class Use>
void for_each_error(const float* weights, const Extent& size, const std::vector<OuterProduct>& products, double epsilon,
                    const Use& use) {
  const auto rank = static_cast<double>(products.size());
  const double roundings = (static_cast<double>(size.h) + rank * static_cast<double>(size.w) + 2 * rank) * epsilon;
  const double growth = roundings / (1 - roundings);
  for (std::int64_t u = 0; u < size.h; ++u) {
    for (std::int64_t v = 0; v < size.w; ++v) {
      double sum = 0, magnitude = 0;
      for (const OuterProduct& product : products) {
        const double part = product.column[static_cast<std::size_t>(u)] * product.row[static_cast<std::size_t>(v)];
        sum += part;
        magnitude += std::fabs(part);
      }
      const double weight = weights[u * size.w + v];
      use(std::fabs(weight - sum) + growth * magnitude, std::fabs(weight));
    }
  }
}

bool keeps_promise(const float* weights, const Extent& size, const std::vector<OuterProduct>& products,
                   double epsilon) {
  const double promised = static_cast<double>(size.h * size.w + 1) * 0x1p-24;
  bool keeps = true;
  for_each_error(weights, size, products, epsilon, [&](double error, double weight) {
    keeps = keeps && error <= promised * weight;  // so NaN fails
  });
  return keeps;
}

OuterProduct in_floats(OuterProduct product) {
  for (std::vector<double>* factor : {&product.column, &product.row})
    for (double& value : *factor) value = static_cast<float>(value);
  return product;
}

/// Each product takes h + w multiply-adds in double, which take twice as long as the h * w in float that they replace.
std::size_t largest_useful_rank(const Extent& size) {
  return std::min(kLargestRank, static_cast<std::size_t>(size.h * size.w / (2 * (size.h + size.w))));
}

}  // namespace

std::vector<OuterProduct> outer_products(const float* weights, const Extent& size) {
  if (const std::optional<WholeKernel> whole = in_whole_units(weights, size)) return exact_product(*whole, size);
  CrossApproximation cross(weights, size);
  std::vector<OuterProduct> products{cross.next()};
  if (const std::vector single{in_floats(products[0])}; keeps_promise(weights, size, single, 0x1p-24)) return single;
  while (products.size() < largest_useful_rank(size)) {
    products.push_back(cross.next());
    if (keeps_promise(weights, size, products, 0x1p-53)) return products;
  }
  return {};
}

double error_units(const float* weights, const Extent& size, const std::vector<OuterProduct>& products) {
  const bool in_float = products.size() == 1;
  double errors = 0, sum = 0;
  for_each_error(weights, size, products, in_float ? 0x1p-24 : 0x1p-53, [&](double error, double weight) {
    errors += error;
    sum += weight;
  });
  if (sum == 0) return 0;
  return errors / (0x1p-24 * sum) + (in_float ? 0 : 1);  // sums in double are rounded to float at the end
}

std::int64_t numerical_rank(const float* weights, const Extent& size) {
  CrossApproximation cross(weights, size);
  const double negligible = static_cast<double>(size.h + size.w) * 0x1p-23 * cross.largest();
  std::int64_t rank = 0;
  while (rank < std::min(size.h, size.w) && cross.largest() > negligible) {
    cross.next();
    ++rank;
  }
  return rank;
}

}  // namespace convtool
