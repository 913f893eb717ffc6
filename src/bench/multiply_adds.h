// A loop of multiply-adds and nothing else, for the roof (roof.h). Internal to bench/.
#pragma once

#include <cstdint>

namespace convtool {

/// Runs `steps` steps of independent f32 multiply-adds in registers, on the best instruction set of this processor.
/// Returns the number of multiply-adds.
std::int64_t run_multiply_adds(std::int64_t steps);

}  // namespace convtool
