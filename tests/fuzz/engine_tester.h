// The tester of convolutions, for fuzz targets.
#pragma once

#include <cstdint>

#include "support/conv_tester.h"

namespace convtool::fuzz {

/// Compares every algorithm with `reference` on this case. Each runs on one instruction set, chosen by `seed`.
void check_engine(const ConvCase& conv_case, std::uint64_t seed);

}  // namespace convtool::fuzz
