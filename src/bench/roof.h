// The roof: what this machine can do at most, measured (Williams, Waterman, Patterson, "Roofline", 2009).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/workload.h"

namespace convtool {

/// Multiply-adds of f32 a second on `threads` threads, out of registers.
double measure_multiply_adds(int threads);

/// Bytes read plus bytes written a second when `threads` threads copy one half of a working set of `bytes` to the
/// other.
double measure_copy_rate(std::int64_t bytes, int threads);

/// What the time for a workload amounts to.
struct Figures {
  double ns_per_pixel = 0;     ///< of the output, all channels together
  double gmac_per_second = 0;  ///< 1e9 multiply-adds, counted by the definition
  /// How near it comes to the time that it must take at least, by memory or by arithmetic: 1 at the roof. Algorithms
  /// that need fewer multiply-adds than the definition, or do them in integers, may come out above 1.
  double share_of_roof = 0;
};

/// Measures once what it is asked for.
class Roof {
 public:
  double multiply_adds(int threads);
  double copy_rate(double bytes, int threads);  ///< of the power of two next to `bytes`, 4 KiB at least

  Figures figures(const Workload& workload, int threads, double seconds);

 private:
  std::map<int, double> multiply_adds_;
  std::map<std::pair<std::int64_t, int>, double> copy_rates_;
};

/// The working set whose copy rate stands for the machine: two pictures of 4K in RGB, and beyond most caches.
inline constexpr double kTypicalBytes = 64 << 20;

/// "AVX2; 1 thread: 60.1 GMAC/s, copy 12.3 GB/s; 4 threads: ...".
std::string roof_text(Roof& roof, const std::vector<int>& threads);

}  // namespace convtool
