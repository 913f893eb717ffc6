// From texts given on the command line to values. A text that is not valid is Error(usage), which names the option, the
// text and what was expected.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conv/problem.h"

namespace convtool {

/// A whole number in [least, most].
std::int64_t parse_integer(const std::string& option, std::string_view text, std::int64_t least, std::int64_t most);

/// A number of bytes above 0: "1000000", "64K", "500M", "4G", "1T" (of 1024).
std::int64_t parse_size(const std::string& option, std::string_view text);

/// A number of threads from 0, which means one per core, to 1024.
int parse_threads(const std::string& option, std::string_view text);

/// A finite number above 0.
double parse_positive(const std::string& option, std::string_view text);

/// A finite number, 0 or more.
double parse_not_negative(const std::string& option, std::string_view text);

/// The two finite numbers of a text such as "100,200"; nothing for any other text.
std::optional<std::array<double, 2>> find_two_numbers(std::string_view text);

/// A finite number.
double parse_finite(const std::string& option, std::string_view text);

/// Finite numbers separated by commas, each within float32; at least one.
std::vector<float> parse_numbers(const std::string& option, std::string_view text);

/// "2" for both, or "3x4" for height and width; each at least `least`.
Extent parse_extent(const std::string& option, std::string_view text, std::int64_t least);

/// "valid", "same", "same_lower" or "full" in any case, "1" or "0x1" (height and width, per side).
Padding parse_padding(const std::string& option, std::string_view text);

/// "1,2,1,2": top, left, bottom, right.
Padding parse_pads(const std::string& option, std::string_view text);

/// "8x8" (height and width), "3x8x8" or "2x3x8x8" (n, c, h, w), each at least 1.
std::vector<std::int64_t> parse_shape(const std::string& option, std::string_view text);

/// The index of `text` in `words`. For an unknown word the error suggests the nearest, or convtool's word for
/// that of another program: reflect for SciPy's mirror.
std::size_t parse_choice(const std::string& option, std::string_view text, std::span<const std::string_view> words);

}  // namespace convtool
