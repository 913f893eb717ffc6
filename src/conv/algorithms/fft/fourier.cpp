#include "conv/algorithms/fft/fourier.h"

#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/fft/fourier.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "conv/algorithms/fft/fourier-inl.h"
#include "core/error.h"

#if HWY_ONCE
namespace convtool {
namespace {

/// An angle as a fraction of a circle.
struct Turn {
  std::int64_t numerator, denominator;
};

/// Fours, after one eight where the power of two is odd.
std::vector<int> radices_of(std::int64_t n) {
  std::vector<int> radices;
  for (std::int64_t rest = n; rest > 1; rest /= radices.back()) {
    int log = 0;
    while (rest >> log > 1) ++log;
    radices.push_back(log % 2 == 0 ? 4 : 8);
  }
  return radices;
}

HWY_EXPORT(FloatLoops);
HWY_EXPORT(DoubleLoops);
HWY_EXPORT(LargestMagnitude);

template <class Real>
FourierLoops<Real> loops() {
  if constexpr (std::is_same_v<Real, float>)
    return HWY_DYNAMIC_DISPATCH(FloatLoops)();
  else
    return HWY_DYNAMIC_DISPATCH(DoubleLoops)();
}

}  // namespace

template <class Real>
Fourier<Real>::Fourier(std::int64_t n, int quarters) : n_(n), radices_(radices_of(n)) {
  require(n >= 16 && (n & (n - 1)) == 0, "a Fourier transform of a length that is no power of two");
  std::vector<Turn> blocks = {{quarters, 4}};  // where x^m lies on the unit circle for each block of m coefficients
  for (const int radix : radices_) {
    std::vector<Turn> parts;
    for (const Turn& block : blocks) {
      for (int k = 1; k < radix; ++k) {  // in long double, so that rounding to Real is the only error
        const long double angle = 2 * std::numbers::pi_v<long double> * static_cast<long double>(k * block.numerator) /
                                  static_cast<long double>(radix * block.denominator);
        twiddles_.push_back(static_cast<Real>(std::cos(angle)));
        twiddles_.push_back(static_cast<Real>(std::sin(angle)));
      }
      for (int q = 0; q < radix; ++q)
        parts.push_back({block.numerator + q * block.denominator, radix * block.denominator});
    }
    blocks = std::move(parts);
  }
}

template <class Real>
void Fourier<Real>::forward(const ComplexRows<Real>& coefficients, Real* strip) const {
  loops<Real>().forward(coefficients, strip, n_, radices_.data(), twiddles_.data());
}

template <class Real>
void Fourier<Real>::inverse(Real* strip, const ComplexRows<Real>& coefficients) const {
  loops<Real>().inverse(strip, coefficients, n_, radices_.data() + radices_.size(),
                        twiddles_.data() + twiddles_.size());
}

template <class Real>
void transpose_block(const Real* from, Real* to) {
  loops<Real>().transpose(from, to);
}

template <class Real>
void multiply_strips(const Real* a, const Real* b, std::int64_t rows, bool add, Real* sums) {
  loops<Real>().multiply(a, b, rows, add, sums);
}

float largest_magnitude(const float* floats, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(LargestMagnitude)(floats, count);
}

template class Fourier<float>;
template class Fourier<double>;
template void transpose_block(const float*, float*);
template void transpose_block(const double*, double*);
template void multiply_strips(const float*, const float*, std::int64_t, bool, float*);
template void multiply_strips(const double*, const double*, std::int64_t, bool, double*);

}  // namespace convtool
#endif
