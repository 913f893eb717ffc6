// The algorithms chosen for a bank.
#pragma once

#include <string>

#include "network/network_plan.h"

namespace convtool {

/// "rows", or for kernels with different algorithms "rows+fft": each once.
std::string chosen_algorithms(const BankPlan& bank);

}  // namespace convtool
