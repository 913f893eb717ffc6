// The steps of `winograd` on tiles, compiled for every instruction set. Internal to conv/.
#pragma once

#include <cstdint>

#include "conv/engine/seen_sums.h"

namespace convtool {

inline constexpr std::int64_t kWinogradInput = 4;   ///< rows and columns of the pixels that a tile sees
inline constexpr std::int64_t kWinogradOutput = 2;  ///< rows and columns of its outputs
inline constexpr std::int64_t kWinogradValues = kWinogradInput * kWinogradInput;  ///< of a transformed tile

/// Transformed tiles: value k of tile t in channel c is values[k * plane + t * pitch + c].
struct TransformedTiles {
  float* values = nullptr;
  std::int64_t pitch = 0, plane = 0;
};

/// The pixels that a row of tiles sees: column x of row y, of tile t, is at rows[y] + columns[t * kWinogradOutput + x],
/// or at `outside` if the row is null or the column negative.
struct TileRow {
  const float* rows[kWinogradInput] = {};
  const std::int64_t* columns = nullptr;
  const float* outside = nullptr;
};

/// to(k, t, c) = (B' d B)(k) for the pixels d that tile t sees, t < tiles, in `channels` channels: a multiple of
/// float_lanes().
void transform_pixels(const TileRow& from, std::int64_t tiles, std::int64_t channels, const TransformedTiles& to);

/// to(k, t, o) = sum over c of tiles(k, t, c) * weights[(k * channels + c) * width + o], o < width, where width is
/// `vectors` (1 or 2) times float_lanes(). Sums in the order of c, by multiply-adds in float.
void multiply_tiles(const TransformedTiles& tiles, std::int64_t count, std::int64_t channels, const float* weights,
                    std::int64_t vectors, const TransformedTiles& to);

/// Where the outputs of a row of tiles go: column j of row i, of `columns`, at rows[i] + j * pitch.
struct OutputRows {
  float* rows[kWinogradOutput] = {};  ///< the second is null below the picture
  std::int64_t pitch = 0;
  std::int64_t columns = 0;
  SeenSums& seen;  ///< records all sums of the width
};

/// The outputs A' m A of the transformed sums m of tiles [0, (to.columns + 1) / 2), `vectors` vectors of channels.
void transform_sums(const TransformedTiles& from, std::int64_t vectors, const OutputRows& to);

}  // namespace convtool
