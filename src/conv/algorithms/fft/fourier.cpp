#include "conv/algorithms/fft/fourier.h"

#include <cmath>
#include <numbers>

#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "conv/algorithms/fft/fourier.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convtool {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The vectors into which bundles are split. At 512 bits, one vector has all real parts of a row.
template <class Real>
using Reals = hn::CappedTag<Real, kBundleWidth<Real>>;

template <class Real>
constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Reals<Real>()));

/// A vector of complex numbers.
template <class Real>
struct Complex {
  hn::Vec<Reals<Real>> re, im;

  static HWY_INLINE Complex load(const Real* re, const Real* im) {
    return {hn::Load(Reals<Real>(), re), hn::Load(Reals<Real>(), im)};
  }
  static HWY_INLINE Complex all(const Real* parts) {
    return {hn::Set(Reals<Real>(), parts[0]), hn::Set(Reals<Real>(), parts[1])};
  }
  HWY_INLINE void store(Real* to_re, Real* to_im) const {
    hn::Store(re, Reals<Real>(), to_re);
    hn::Store(im, Reals<Real>(), to_im);
  }
};

template <class Real>
HWY_INLINE Complex<Real> operator+(const Complex<Real>& a, const Complex<Real>& b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}

template <class Real>
HWY_INLINE Complex<Real> operator-(const Complex<Real>& a, const Complex<Real>& b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}

/// a * b forward, conj(a) * b backward: the twiddle factors of the two directions.
template <bool kForward, class Real>
HWY_INLINE Complex<Real> Twiddle(const Complex<Real>& a, const Complex<Real>& b) {
  const auto re = hn::Mul(a.re, b.re), im = hn::Mul(a.re, b.im);
  if (kForward) return {hn::NegMulAdd(a.im, b.im, re), hn::MulAdd(a.im, b.re, im)};
  return {hn::MulAdd(a.im, b.im, re), hn::NegMulAdd(a.im, b.re, im)};
}

/// a + i b if `kPlus`, else a - i b.
template <bool kPlus, class Real>
HWY_INLINE Complex<Real> AddI(const Complex<Real>& a, const Complex<Real>& b) {
  if (kPlus) return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)};
  return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)};
}

/// a[q] becomes the sum over k of a[k] * e^(2 pi i k q / 4), the sign being - backward.
template <bool kForward, class Real>
HWY_INLINE void Dft(Complex<Real> (&a)[4]) {
  const auto s0 = a[0] + a[2], d0 = a[0] - a[2], s1 = a[1] + a[3], d1 = a[1] - a[3];
  a[0] = s0 + s1;
  a[1] = AddI<kForward>(d0, d1);
  a[2] = s0 - s1;
  a[3] = AddI<!kForward>(d0, d1);
}

/// The same for 8 terms: a[q] and a[q + 4] are the sum and difference of the transforms of the even and, times e^(2 pi
/// i q / 8), of the odd terms.
template <bool kForward, class Real>
HWY_INLINE void Dft(Complex<Real> (&a)[8]) {
  Complex<Real> even[4] = {a[0], a[2], a[4], a[6]}, odd[4] = {a[1], a[3], a[5], a[7]};
  Dft<kForward>(even);
  Dft<kForward>(odd);
  const auto half_root = hn::Set(Reals<Real>(), static_cast<Real>(0.70710678118654752440));  // sqrt(1/2)
  const auto odd1 = AddI<kForward>(odd[1], odd[1]);   // times (1 + i) or (1 - i): sqrt(2) too large
  const auto odd3 = AddI<!kForward>(odd[3], odd[3]);  // times (1 - i) or (1 + i): and of the other sign
  a[0] = even[0] + odd[0];
  a[4] = even[0] - odd[0];
  a[1] = {hn::MulAdd(half_root, odd1.re, even[1].re), hn::MulAdd(half_root, odd1.im, even[1].im)};
  a[5] = {hn::NegMulAdd(half_root, odd1.re, even[1].re), hn::NegMulAdd(half_root, odd1.im, even[1].im)};
  a[2] = AddI<kForward>(even[2], odd[2]);
  a[6] = AddI<!kForward>(even[2], odd[2]);
  a[3] = {hn::NegMulAdd(half_root, odd3.re, even[3].re), hn::NegMulAdd(half_root, odd3.im, even[3].im)};
  a[7] = {hn::MulAdd(half_root, odd3.re, even[3].re), hn::MulAdd(half_root, odd3.im, even[3].im)};
}

/// Splits kRadix * m rows from row `first` on, polynomials modulo x^(kRadix * m) - w^kRadix, into kRadix blocks of m
/// rows, the same polynomials modulo x^m - w e^(2 pi i q / kRadix); or joins them.
template <int kRadix, bool kForward, class Real>
HWY_INLINE void PassOverBlock(const ComplexRows<Real>& from, const ComplexRows<Real>& to, std::int64_t first,
                              std::int64_t m, const Real* twiddles) {
  Complex<Real> w[kRadix];
  for (int k = 1; k < kRadix; ++k) w[k] = Complex<Real>::all(twiddles + 2 * (k - 1));
  for (std::int64_t row = first; row < first + m; ++row) {
    for (std::int64_t x = 0; x < kBundleWidth<Real>; x += kLanes<Real>) {
      Complex<Real> a[kRadix];
      for (int k = 0; k < kRadix; ++k) {
        const std::int64_t at = (row + k * m) * from.pitch + x;
        a[k] = Complex<Real>::load(from.re + at, from.im + at);
      }
      if (kForward)
        for (int k = 1; k < kRadix; ++k) a[k] = Twiddle<true>(w[k], a[k]);
      Dft<kForward>(a);
      if (!kForward)
        for (int k = 1; k < kRadix; ++k) a[k] = Twiddle<false>(w[k], a[k]);
      for (int k = 0; k < kRadix; ++k) {
        const std::int64_t at = (row + k * m) * to.pitch + x;
        a[k].store(to.re + at, to.im + at);
      }
    }
  }
}

/// One pass over `n` rows, which form `blocks` blocks.
template <bool kForward, class Real>
HWY_INLINE void Pass(const ComplexRows<Real>& from, const ComplexRows<Real>& to, std::int64_t n, std::int64_t blocks,
                     int radix, const Real* twiddles) {
  const std::int64_t m = n / (blocks * radix);
  for (std::int64_t first = 0; first < n; first += radix * m, twiddles += 2 * (radix - 1)) {
    if (radix == 8)
      PassOverBlock<8, kForward>(from, to, first, m, twiddles);
    else
      PassOverBlock<4, kForward>(from, to, first, m, twiddles);
  }
}

template <class Real>
void Forward(const ComplexRows<Real>& coefficients, Real* bundle, std::int64_t n, const int* radices,
             const Real* twiddles) {
  const ComplexRows<Real> rows = rows_of(bundle);
  Pass<true>(coefficients, rows, n, 1, *radices, twiddles);
  for (std::int64_t blocks = *radices; blocks < n; blocks *= *radices) {
    twiddles += 2 * (*radices - 1) * (blocks / *radices);
    ++radices;
    Pass<true>(rows, rows, n, blocks, *radices, twiddles);
  }
}

template <class Real>
void Inverse(Real* bundle, const ComplexRows<Real>& coefficients, std::int64_t n, const int* radices_end,
             const Real* twiddles_end) {
  const ComplexRows<Real> rows = rows_of(bundle);
  for (std::int64_t blocks = n; blocks > 1;) {
    const int radix = *--radices_end;
    blocks /= radix;
    twiddles_end -= 2 * (radix - 1) * blocks;
    Pass<false>(rows, blocks == 1 ? coefficients : rows, n, blocks, radix, twiddles_end);
  }
}

#if HWY_TARGET == HWY_SCALAR

template <class Real>
void Transpose(const Real* from, Real* to) {
  constexpr std::int64_t kRow = Bundles<Real>::kRow, kWidth = kBundleWidth<Real>;
  for (std::int64_t i = 0; i < kWidth; ++i) {
    for (std::int64_t j = 0; j < kWidth; ++j) {
      to[j * kRow + i] = from[i * kRow + j];
      to[j * kRow + kWidth + i] = from[i * kRow + kWidth + j];
    }
  }
}

#else

/// A vector of the 16 bytes at `from` and at every kBlock-th row after it, where kBlock is the number of reals in 16
/// bytes.
template <class D, class Real = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const Real* from) {
  if constexpr (hn::MaxLanes(D()) * sizeof(Real) == 16) {
    return hn::Load(d, from);
  } else {
    const hn::Half<D> half;
    constexpr auto kRows = static_cast<std::int64_t>(hn::MaxLanes(D()) / 2);
    return hn::Combine(d, LoadBlocks(half, from + kRows * Bundles<Real>::kRow), LoadBlocks(half, from));
  }
}

/// Transposes kLanes rows and columns: LoadBlocks puts blocks into their places, and the rest is done within blocks.
HWY_INLINE void TransposeSquare(const float* from, float* to) {
  const Reals<float> d;
  const hn::RepartitionToWide<decltype(d)> wide;
  constexpr std::int64_t kRow = Bundles<float>::kRow;
  for (std::int64_t j = 0; j < kLanes<float>; j += 4) {
    const auto r0 = LoadBlocks(d, from + j), r1 = LoadBlocks(d, from + j + kRow);
    const auto r2 = LoadBlocks(d, from + j + 2 * kRow), r3 = LoadBlocks(d, from + j + 3 * kRow);
    const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1));
    const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3));
    const auto up01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
    const auto up23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
    hn::Store(hn::BitCast(d, hn::InterleaveLower(wide, low01, low23)), d, to + j * kRow);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(wide, low01, low23)), d, to + (j + 1) * kRow);
    hn::Store(hn::BitCast(d, hn::InterleaveLower(wide, up01, up23)), d, to + (j + 2) * kRow);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(wide, up01, up23)), d, to + (j + 3) * kRow);
  }
}
HWY_INLINE void TransposeSquare(const double* from, double* to) {
  const Reals<double> d;
  constexpr std::int64_t kRow = Bundles<double>::kRow;
  for (std::int64_t j = 0; j < kLanes<double>; j += 2) {
    const auto r0 = LoadBlocks(d, from + j), r1 = LoadBlocks(d, from + j + kRow);
    hn::Store(hn::InterleaveLower(d, r0, r1), d, to + j * kRow);
    hn::Store(hn::InterleaveUpper(d, r0, r1), d, to + (j + 1) * kRow);
  }
}

template <class Real>
void Transpose(const Real* from, Real* to) {
  constexpr std::int64_t kRow = Bundles<Real>::kRow, kWidth = kBundleWidth<Real>;
  for (std::int64_t i = 0; i < kWidth; i += kLanes<Real>) {
    for (std::int64_t j = 0; j < kWidth; j += kLanes<Real>) {
      TransposeSquare(from + i * kRow + j, to + j * kRow + i);
      TransposeSquare(from + i * kRow + kWidth + j, to + j * kRow + kWidth + i);
    }
  }
}

#endif

template <class Real>
void Multiply(const Real* a, const Real* b, std::int64_t rows, bool add, Real* sums) {
  constexpr std::int64_t kRow = Bundles<Real>::kRow, kWidth = kBundleWidth<Real>;
  for (std::int64_t row = 0; row < rows * kRow; row += kRow) {
    for (std::int64_t re = row, im = row + kWidth; re < row + kWidth; re += kLanes<Real>, im += kLanes<Real>) {
      const auto product = Twiddle<true>(Complex<Real>::load(a + re, a + im), Complex<Real>::load(b + re, b + im));
      (add ? Complex<Real>::load(sums + re, sums + im) + product : product).store(sums + re, sums + im);
    }
  }
}

float LargestMagnitude(const float* floats, std::int64_t count) {
  const Reals<float> d;
  const hn::RebindToSigned<decltype(d)> bits;
  auto largest =
      hn::Zero(bits);  // without their signs, floats are ordered as the integers of their bits; NaN comes last
  for (std::int64_t x = 0; x < count; x += kLanes<float>)
    largest = hn::Max(largest, hn::BitCast(bits, hn::Abs(hn::Load(d, floats + x))));
  return hn::GetLane(hn::BitCast(d, hn::MaxOfLanes(bits, largest)));
}

template <class Real>
HWY_INLINE FourierLoops<Real> Loops() {
  return {&Forward<Real>, &Inverse<Real>, &Transpose<Real>, &Multiply<Real>};
}
FourierLoops<float> FloatLoops() { return Loops<float>(); }
FourierLoops<double> DoubleLoops() { return Loops<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace convtool
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convtool {
namespace {

/// An angle as a fraction of a circle.
struct Turn {
  std::int64_t numerator, denominator;
};

/// The radices of the passes over `n` rows: 8 and then fours if log2(n) is odd, else only fours.
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
  require(n >= 16 && (n & (n - 1)) == 0, "a Fourier transform whose length is not a power of two");
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
void Fourier<Real>::forward(const ComplexRows<Real>& coefficients, Real* bundle) const {
  loops<Real>().forward(coefficients, bundle, n_, radices_.data(), twiddles_.data());
}

template <class Real>
void Fourier<Real>::inverse(Real* bundle, const ComplexRows<Real>& coefficients) const {
  loops<Real>().inverse(bundle, coefficients, n_, radices_.data() + radices_.size(),
                        twiddles_.data() + twiddles_.size());
}

template <class Real>
void transpose_block(const Real* from, Real* to) {
  loops<Real>().transpose(from, to);
}

template <class Real>
void multiply_bundles(const Real* a, const Real* b, std::int64_t rows, bool add, Real* sums) {
  loops<Real>().multiply(a, b, rows, add, sums);
}

float largest_magnitude(const float* floats, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(LargestMagnitude)(floats, count);
}

template class Fourier<float>;
template class Fourier<double>;
template void transpose_block(const float*, float*);
template void transpose_block(const double*, double*);
template void multiply_bundles(const float*, const float*, std::int64_t, bool, float*);
template void multiply_bundles(const double*, const double*, std::int64_t, bool, double*);

}  // namespace convtool
#endif
