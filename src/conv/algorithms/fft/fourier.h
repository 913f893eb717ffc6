// Discrete Fourier transforms of many columns at once: the row functions of fft.cpp, compiled for every instruction
// set. Internal to conv/. `Real` is float or double throughout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace convtool {

/// The width of a bundle, the columns that are transformed together: the number of reals in a cache line. It is the
/// same for all instruction sets, so that no layout depends on them.
template <class Real>
inline constexpr std::int64_t kBundleWidth = 64 / static_cast<std::int64_t>(sizeof(Real));

/// `size` reals on a boundary of 64 bytes, not initialised. Throws std::bad_alloc.
template <class Real>
class AlignedReals {
 public:
  explicit AlignedReals(std::int64_t size)
      : reals_(static_cast<Real*>(
            ::operator new (static_cast<std::size_t>(size) * sizeof(Real), std::align_val_t{kAlignment}))) {}

  Real* data() { return reals_.get(); }
  const Real* data() const { return reals_.get(); }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(Real* reals) const { ::operator delete (reals, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<Real, Free> reals_;
};

/// Matrices of complex numbers, kBundleWidth columns wide and `rows` rows high, not initialised. Each row consists of
/// its real parts and then its imaginary parts: two cache lines.
template <class Real>
class Bundles {
 public:
  static constexpr std::int64_t kRow = 2 * kBundleWidth<Real>;  ///< reals from one row to the next

  Bundles(std::int64_t count, std::int64_t rows)
      : pitch_((rows + 1) * kRow),  // a row more, so that equal rows of bundles do not meet in one cache set
        reals_(count * pitch_) {}

  Real* bundle(std::int64_t i) { return reals_.data() + i * pitch_; }
  const Real* bundle(std::int64_t i) const { return reals_.data() + i * pitch_; }

 private:
  std::int64_t pitch_;
  AlignedReals<Real> reals_;
};

/// Columns of complex numbers anywhere in memory: the real part of row y in column x is
/// re[y * pitch + x], the imaginary part im[y * pitch + x]. Rows are aligned to 64 bytes.
template <class Real>
struct ComplexRows {
  Real *re, *im;
  std::int64_t pitch;
};

/// The rows of a bundle.
template <class Real>
ComplexRows<Real> rows_of(Real* bundle) {
  return {bundle, bundle + kBundleWidth<Real>, Bundles<Real>::kRow};
}

/// The values of complex polynomials a_0 + a_1 x + ... + a_(n-1) x^(n-1), one in each column of a bundle, at the n
/// roots of x^n = e^(2 pi i quarters / 4), and back. With no quarters that is the discrete Fourier transform. Products
/// of values are those of polynomials modulo x^n - e^(2 pi i quarters / 4). The values are left in the order that the
/// passes produce, which saves reordering them. To find the root of each row, transform the polynomial x.
template <class Real>
class Fourier {
 public:
  /// `n` is a power of two, 16 or more.
  Fourier(std::int64_t n, int quarters);

  std::int64_t size() const { return n_; }

  /// From coefficients, kBundleWidth columns of them, to values. `coefficients` may be the bundle's own rows.
  void forward(const ComplexRows<Real>& coefficients, Real* bundle) const;

  /// From values to n times the coefficients; overwrites both.
  void inverse(Real* bundle, const ComplexRows<Real>& coefficients) const;

 private:
  std::int64_t n_;
  std::vector<int> radices_;    ///< of the passes, first to last of forward()
  std::vector<Real> twiddles_;  ///< in the order of passes and of blocks within a pass: w, w^2, ... w^(radix - 1)
};

/// Transposes the first kBundleWidth rows of a bundle into those of another.
template <class Real>
void transpose_block(const Real* from, Real* to);

/// sums = a * b over `rows` rows of bundles, or sums += a * b if `add`. `sums` may be `a`.
template <class Real>
void multiply_bundles(const Real* a, const Real* b, std::int64_t rows, bool add, Real* sums);

/// The largest absolute value; NaN if any value is NaN. `count` is a multiple of 16.
float largest_magnitude(const float* floats, std::int64_t count);

/// The loops behind these functions for one instruction set; fourier.cpp picks them.
template <class Real>
struct FourierLoops {
  void (*forward)(const ComplexRows<Real>& coefficients, Real* bundle, std::int64_t n, const int* radices,
                  const Real* twiddles);
  void (*inverse)(Real* bundle, const ComplexRows<Real>& coefficients, std::int64_t n, const int* radices_end,
                  const Real* twiddles_end);
  void (*transpose)(const Real* from, Real* to);
  void (*multiply)(const Real* a, const Real* b, std::int64_t rows, bool add, Real* sums);
};

}  // namespace convtool
