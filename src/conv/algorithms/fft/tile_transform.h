// The Fourier transform of a tile of real numbers, and back, as fft.cpp needs it. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/algorithms/fft/fourier.h"
#include "conv/problem.h"

namespace convtool {

/// Transforms tiles of tile.h rows and tile.w columns; powers of two, 32 or more.
///
/// A tile starts as a plane: rows of reals, pitch() apart. Its upper half plus i times its lower half is transformed
/// along columns, modulo y^(h/2) = i, into bundles of columns. These are transposed, and transformed along their rows,
/// modulo x^w = 1, one row bundle at a time: a bundle of the transposed tile, which is kBundleWidth rows of it.
///
/// The spectra multiply polynomials in x and y with real coefficients, modulo x^w = 1 and y^h = -1. Since
/// y^h + 1 = (y^(h/2) - i) (y^(h/2) + i), and the values modulo one factor are the conjugates of those modulo the
/// other, half as many complex numbers as there are reals suffice, without the usual bookkeeping. (Known as the
/// right-angle convolution: Nussbaumer, Fast Fourier Transform and Convolution Algorithms, 1982; Crandall and
/// Pomerance, Prime Numbers, section 9.5.)
template <class Real>
class TileTransform {
 public:
  explicit TileTransform(const Extent& tile)
      : half_(tile.h / 2), width_(tile.w), columns_(half_, 1), lines_(width_, 0) {}

  /// Reals from one row of a plane to the next: a cache line more than needed, so that a column spreads over cache
  /// sets.
  std::int64_t pitch() const { return width_ + kWidth; }
  std::int64_t plane_size() const { return 2 * half_ * pitch(); }
  std::int64_t row_bundles() const { return half_ / kWidth; }

  AlignedReals<Real> make_planes(std::int64_t count) const { return AlignedReals<Real>(count * plane_size()); }
  Bundles<Real> make_tiles(std::int64_t count) const { return Bundles<Real>(count * bundles(), half_); }
  Bundles<Real> make_row_bundles(std::int64_t count) const { return Bundles<Real>(count, width_); }

  /// Transforms along columns: from a plane into tile number `tile` of `tiles`.
  void forward_columns(Real* plane, Bundles<Real>& tiles, std::int64_t tile) const {
    for (std::int64_t s = 0; s < bundles(); ++s)
      columns_.forward(column_rows(plane, s), tiles.bundle(tile * bundles() + s));
  }

  /// The inverse, h/2 times too large, for at least the first `columns` columns; overwrites the tile.
  void inverse_columns(Bundles<Real>& tiles, std::int64_t tile, Real* plane, std::int64_t columns) const {
    for (std::int64_t s = 0; s * kWidth < columns; ++s)
      columns_.inverse(tiles.bundle(tile * bundles() + s), column_rows(plane, s));
  }

  /// Along rows: from a tile into one row_bundle.
  void forward_rows(const Bundles<Real>& tiles, std::int64_t tile, std::int64_t row_bundle, Real* to) const {
    for (std::int64_t s = 0; s < bundles(); ++s)
      transpose_block(tiles.bundle(tile * bundles() + s) + row_bundle * kBlock, to + s * kBlock);
    lines_.forward(rows_of(to), to);
  }

  /// The inverse, w times too large; overwrites the row bundle.
  void inverse_rows(Real* from, Bundles<Real>& tiles, std::int64_t tile, std::int64_t row_bundle) const {
    lines_.inverse(from, rows_of(from));
    for (std::int64_t s = 0; s < bundles(); ++s)
      transpose_block(from + s * kBlock, tiles.bundle(tile * bundles() + s) + row_bundle * kBlock);
  }

 private:
  static constexpr std::int64_t kWidth = kBundleWidth<Real>;
  static constexpr std::int64_t kBlock = kWidth * Bundles<Real>::kRow;  // reals in kWidth rows

  std::int64_t bundles() const { return width_ / kWidth; }  // of a tile

  ComplexRows<Real> column_rows(Real* plane, std::int64_t bundle) const {
    return {plane + bundle * kWidth, plane + half_ * pitch() + bundle * kWidth, pitch()};
  }

  std::int64_t half_, width_;
  Fourier<Real> columns_, lines_;
};

}  // namespace convtool
