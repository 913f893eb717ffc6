// The algorithms that a bank's plans came to.
#pragma once

#include <string>

#include "network/network_plan.h"

namespace convtool {

/// "rows", or of kernels for which different ones were chosen "rows+fft": each once.
std::string chosen_algorithms(const BankPlan& bank);

}  // namespace convtool
