// Internal to bench/: nothing but multiply-adds, for the roof.
#pragma once

#include <cstdint>

namespace convtool {

/// Runs `steps` steps of independent f32 multiply-adds in registers, with the best instruction set of this processor.
/// Returns how many multiply-adds that was.
std::int64_t run_multiply_adds(std::int64_t steps);

}  // namespace convtool
