// The arithmetic between the products and the stored value, in words and numbers.
#pragma once

#include <string>
#include <vector>

#include "show/explain/explanation.h"

namespace convtool {

/// "/ 9" gives "11.1111".
struct ArithmeticStep {
  std::string label, value;
};

/// The shortest text of a number, "0" for -0 and "nan" for any NaN.
std::string exact_text(double value);

/// A number with at most `digits` significant digits; whole numbers below 10^9 with all of theirs.
std::string number_text(double value, int digits = 6);

/// The steps from the sum of a kernel to its response. Empty without numbers, and where the response is the sum of one
/// channel.
std::vector<ArithmeticStep> steps_of_sum(const KernelSum& sum);

/// The steps that turn the sums of a layer into its response: those of its only sum, or the combination of several,
/// whose own steps come before.
std::vector<ArithmeticStep> steps_after_sums(const LayerStep& step);

/// The steps from the last response to the stored value, of which the last one is always there. Empty without numbers.
std::vector<ArithmeticStep> steps_to_stored(const Explanation& explanation);

}  // namespace convtool
