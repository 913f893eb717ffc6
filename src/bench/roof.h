// The roof: the most that this machine can do, measured (Williams, Waterman, Patterson, "Roofline", 2009).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/workload.h"

namespace convtool {

/// f32 multiply-adds per second on `threads` threads, from registers.
double measure_multiply_adds(int threads);

/// Bytes read plus bytes written per second while `threads` threads copy one half of a working set of `bytes` to the
/// other.
double measure_copy_rate(std::int64_t bytes, int threads);

/// The time for a workload in comparable units.
struct Figures {
  double ns_per_pixel = 0;     ///< per output pixel, all channels together
  double gmac_per_second = 0;  ///< 1e9 multiply-adds, counted by the definition
  /// The least time that memory or arithmetic allows, divided by the measured time: 1 at the roof. Algorithms that need
  /// fewer multiply-adds than the definition, or use integers, can exceed 1.
  double share_of_roof = 0;
};

/// Measures each rate once, when it is first needed.
class Roof {
 public:
  double multiply_adds(int threads);
  double copy_rate(double bytes, int threads);  ///< for `bytes` rounded to a power of two, at least 4 KiB

  Figures figures(const Workload& workload, int threads, double seconds);

 private:
  std::map<int, double> multiply_adds_;
  std::map<std::pair<std::int64_t, int>, double> copy_rates_;
};

/// The working set whose copy rate is reported for the machine: two 4K RGB pictures, larger than most caches.
inline constexpr double kTypicalBytes = 64 << 20;

/// "AVX2; 1 thread: 60.1 GMAC/s, copy 12.3 GB/s; 4 threads: ...".
std::string roof_text(Roof& roof, const std::vector<int>& threads);

}  // namespace convtool
