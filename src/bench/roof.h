// The roof: what this machine can do at most, measured (Williams, Waterman, Patterson, "Roofline", 2009).
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "bench/workload.h"

namespace convtool {

/// Multiply-adds of f32 a second on `threads` threads, out of registers.
double measure_multiply_adds(int threads);

/// Bytes read plus bytes written a second when `threads` threads copy one half of a working set of `bytes` to the
/// other.
double measure_copy_rate(std::int64_t bytes, int threads);

/// Measures once what it is asked for.
class Roof {
 public:
  double multiply_adds(int threads);
  double copy_rate(double bytes, int threads);  ///< of the power of two next to `bytes`, 4 KiB at least

  /// How near `seconds` for the workload come to the time that it must take at least, by memory or by arithmetic: 1 at
  /// the roof. Multiply-adds are counted by the definition and in f32, so that algorithms that need fewer, or count in
  /// bytes, may come out above 1.
  double share(const Workload& workload, int threads, double seconds);

 private:
  std::map<int, double> multiply_adds_;
  std::map<std::pair<std::int64_t, int>, double> copy_rates_;
};

}  // namespace convtool
