// The arithmetic between the products and the stored value, in words and numbers.
#pragma once

#include <string>
#include <vector>

#include "show/explain/explanation.h"

namespace convtool {

/// "/ 9" gives "11.1111", which is rounded.
struct ArithmeticStep {
  std::string label, value;
  bool is_rounded = false;
};

/// The shortest text of a number, "0" for -0 and "nan" for any NaN.
std::string exact_text(double value);

/// A number with at most `digits` significant digits; whole numbers below 10^9 with all of theirs.
std::string number_text(double value, int digits = 6);

/// Whether number_text() has fewer digits than the float that is nearest to the number.
bool is_rounded(double value, int digits = 6);

/// ", channel 1" of a place in the result, "" where there is only one. With OutputMap::signs ", channel 1 (G)".
std::string channel_text(const Trace& trace, std::int64_t channel);

/// "layer 3, conv2" of a network.
std::string layer_name(const Trace& trace, std::size_t layer);

/// The steps from the sum of a kernel, or the largest value of a max pool, to its response. Empty without numbers, and
/// where the response is the sum of one channel, or the largest value.
std::vector<ArithmeticStep> steps_of_sum(const KernelSum& sum);

/// The steps that turn the sums of a layer into its response: those of its only sum, or the combination of several,
/// whose own steps come before.
std::vector<ArithmeticStep> steps_after_sums(const Trace& trace, const LayerStep& step);

/// The steps from the last response to the stored value, of which the last one is always there. Empty without numbers.
/// With OutputMap::signs, the colour comes after it.
std::vector<ArithmeticStep> steps_to_stored(const Explanation& explanation);

}  // namespace convtool
