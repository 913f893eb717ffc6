// The input pixels that an output pixel sees, through one or more banks of kernels.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conv/problem.h"

namespace convtool {

struct BankGeometry;
struct Network;

/// Along one axis, output position j sees the input positions from floor((start + j*jump) / parts) on, `size` of them
/// at most. Positions below 0 or past the end are padding. (The recurrences are those of Araujo, Norris and Sim,
/// "Computing receptive fields of convolutional neural networks", Distill, 2019; `parts` is above 1 after a layer that
/// enlarges.)
struct ReceptiveAxis {
  std::int64_t size = 1, jump = 1, start = 0, parts = 1;

  /// The first of the input positions that output `j` sees. Throws Error(shape) when the numbers exceed 64 bits, which
  /// needs large padding after many strides; so does centre().
  std::int64_t first(std::int64_t j) const;

  /// The middle of the input positions that output `j` sees; of two middles, the first. May lie in the padding.
  std::int64_t centre(std::int64_t j) const;

  /// `jump` in input positions: "2", or "1/2" after upsampling by 2.
  std::string jump_text() const;

  bool operator==(const ReceptiveAxis&) const = default;
};

struct ReceptiveField {
  ReceptiveAxis h, w;

  /// Appends a bank: kernels on the same input, with the same stride. An output sees every pixel that one of them sees.
  /// Throws Error(shape) when the numbers exceed 64 bits, as they do after many layers with strides.
  void append(std::span<const ConvProblem> bank);

  /// The same for a bank of any kind. After both smaller and larger outputs, the field may be larger by a few pixels
  /// than what some outputs see.
  void append_bank(const BankGeometry& bank);

  /// What is seen by a sum of two outputs with these fields. Throws Error(shape) if they step through the input at
  /// different distances.
  void unite(const ReceptiveField& other);
};

/// The field of the last of `banks`, those of `network`. Throws as ReceptiveField does.
ReceptiveField receptive_field_of(const Network& network, std::span<const BankGeometry> banks);

/// The rows and columns that an output or several depend on, both ends included. May reach into the padding.
struct Region {
  std::int64_t first_row = 0, last_row = 0, first_column = 0, last_column = 0;

  bool operator==(const Region&) const = default;
};

/// What the `outputs` of the last of `banks` depend on: of the input of `network`, and of the output of each bank.
/// Nothing of banks that they do not depend on. Unlike the field above, a sum may add layers that step through the
/// input at different distances. Throws Error(shape) when the numbers exceed 64 bits.
std::vector<std::optional<Region>> regions_before(const Network& network, std::span<const BankGeometry> banks,
                                                  const Region& outputs);

}  // namespace convtool
