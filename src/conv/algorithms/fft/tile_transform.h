// The Fourier transform of a tile of real numbers, and back, as fft.cpp needs it. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/algorithms/fft/fourier.h"
#include "conv/problem.h"

namespace convtool {

/// Transforms tiles of tile.h rows and tile.w columns; powers of two, 32 or more.
///
/// A tile starts as a plane: rows of reals, pitch() apart. Its upper half plus i times its lower half is transformed
/// along columns, modulo y^(h/2) = i, into strips; these, transposed, along their rows, modulo x^w = 1, band by band. A
/// band is a strip of the transposed tile: kStripWidth rows of it.
///
/// What is multiplied in the end are polynomials in x and y with real coefficients, modulo x^w = 1 and y^h = -1: since
/// y^h + 1 = (y^(h/2) - i) (y^(h/2) + i), and what holds modulo one factor holds, conjugated, modulo the other, half as
/// many complex numbers as there are reals say it all, with none of the usual bookkeeping. (Known as the right-angle
/// convolution: Nussbaumer, Fast Fourier Transform and Convolution Algorithms, 1982; Crandall and Pomerance, Prime
/// Numbers, section 9.5.)
template <class Real>
class TileTransform {
 public:
  explicit TileTransform(const Extent& tile)
      : half_(tile.h / 2), width_(tile.w), columns_(half_, 1), lines_(width_, 0) {}

  /// Reals from a row of a plane to the next: a line more than needed, so that a column does not lie in one cache set.
  std::int64_t pitch() const { return width_ + kWidth; }
  std::int64_t plane_size() const { return 2 * half_ * pitch(); }
  std::int64_t bands() const { return half_ / kWidth; }

  AlignedReals<Real> make_planes(std::int64_t count) const { return AlignedReals<Real>(count * plane_size()); }
  Strips<Real> make_tiles(std::int64_t count) const { return Strips<Real>(count * strips(), half_); }
  Strips<Real> make_bands(std::int64_t count) const { return Strips<Real>(count, width_); }

  /// Along columns: from a plane into tile number `tile` of `tiles`.
  void forward_columns(Real* plane, Strips<Real>& tiles, std::int64_t tile) const {
    for (std::int64_t s = 0; s < strips(); ++s)
      columns_.forward(column_rows(plane, s), tiles.strip(tile * strips() + s));
  }

  /// And back, h/2 times too large, at least the first `columns` columns; overwrites the tile.
  void inverse_columns(Strips<Real>& tiles, std::int64_t tile, Real* plane, std::int64_t columns) const {
    for (std::int64_t s = 0; s * kWidth < columns; ++s)
      columns_.inverse(tiles.strip(tile * strips() + s), column_rows(plane, s));
  }

  /// Along rows: from a tile into one band.
  void forward_band(const Strips<Real>& tiles, std::int64_t tile, std::int64_t band, Real* to) const {
    for (std::int64_t s = 0; s < strips(); ++s)
      transpose_block(tiles.strip(tile * strips() + s) + band * kBlock, to + s * kBlock);
    lines_.forward(rows_of(to), to);
  }

  /// And back, w times too large; overwrites the band.
  void inverse_band(Real* from, Strips<Real>& tiles, std::int64_t tile, std::int64_t band) const {
    lines_.inverse(from, rows_of(from));
    for (std::int64_t s = 0; s < strips(); ++s)
      transpose_block(from + s * kBlock, tiles.strip(tile * strips() + s) + band * kBlock);
  }

 private:
  static constexpr std::int64_t kWidth = kStripWidth<Real>;
  static constexpr std::int64_t kBlock = kWidth * Strips<Real>::kRow;  // reals in as many rows as columns

  std::int64_t strips() const { return width_ / kWidth; }  // of a tile

  ComplexRows<Real> column_rows(Real* plane, std::int64_t strip) const {
    return {plane + strip * kWidth, plane + half_ * pitch() + strip * kWidth, pitch()};
  }

  std::int64_t half_, width_;
  Fourier<Real> columns_, lines_;
};

}  // namespace convtool
