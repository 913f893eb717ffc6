// Internal to conv/: what an algorithm is. One file and one row of the table in plan.cpp make a new one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "conv/epilogue.h"
#include "conv/kernel.h"
#include "conv/problem.h"

namespace convtool {

/// A prepared convolution. Immutable once made: threads call run() on one Executor at the same time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// How many independent pieces of work one run is made of. A piece may be an output row of all channels, a tile, a
  /// block of channels: what makes pieces of equal and sufficient size.
  virtual std::int64_t pieces(const Sink& sink) const = 0;

  /// Computes pieces [begin, end) and hands every output of them to `sink` once. No output may depend on begin, end or
  /// the thread. Throws std::bad_alloc only, before the first output.
  virtual void run(const ConstTensorRef& input, const Sink& sink, std::int64_t begin, std::int64_t end,
                   ResponseStats& stats) const = 0;
};

/// A row of the algorithm table.
struct Algorithm {
  const char* name;
  bool threaded;    ///< false: always run in the caller's thread
  bool can_choose;  ///< false: runs only when named
  /// Empty when the algorithm can solve the problem, else the reason why not, as a sentence for the user.
  std::string (*refusal)(const ConvProblem& problem, const Kernel& kernel);
  /// Estimated run time on one thread, in nanoseconds. The least cost among those that can be chosen wins.
  double (*cost)(const ConvProblem& problem, const Kernel& kernel);
  /// Takes what it needs of problem and kernel, which both outlive the Executor.
  std::unique_ptr<Executor> (*prepare)(const ConvProblem& problem, const Kernel& kernel);
};

extern const Algorithm kReference;
extern const Algorithm kDirect;
extern const Algorithm kRows;
extern const Algorithm kInteger;
extern const Algorithm kSeparable;
extern const Algorithm kPacked;
extern const Algorithm kDepthwise;
extern const Algorithm kFft;
extern const Algorithm kBox;

}  // namespace convtool
