// The interface of an algorithm. A new algorithm needs a file and a row in the table in plan.cpp. Internal to conv/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "conv/engine/limits.h"
#include "conv/kernel.h"
#include "conv/problem.h"
#include "conv/sink.h"
#include "core/work_share.h"

namespace convtool {

/// A prepared convolution. Immutable, and thread-safe: threads call run() on one Executor at the same time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// The number of independent work items of one run. An item is an output row, a tile or a block of channels, chosen
  /// so that items are equal and not too small.
  virtual std::int64_t work_items(const Sink& sink) const = 0;

  /// The rows that a band (conv/bands.h) begins at a multiple of, so that its sums have the bits of the whole picture.
  virtual std::int64_t row_period() const { return 1; }

  /// Computes the work items of `share` and hands each of their outputs to `sink` exactly once. Takes one item at a
  /// time where it can, so that other threads can take the rest. No output may depend on the share or the thread.
  /// Throws std::bad_alloc only, and before it takes an item.
  virtual void run(const ConstTensorRef& input, const Sink& sink, WorkShare& share, ResponseStats& stats) const = 0;
};

/// An algorithm's answer to a problem: a refusal, or an estimated time and a function that makes an Executor.
struct Offer {
  std::string refusal;     ///< empty, or why the algorithm cannot solve the problem, as a sentence for the user
  double nanoseconds = 0;  ///< estimated run time on one thread
  /// The most that a sum may err by, in units of 2^-24 * max|x| * sum|w|; where not given, the number of taps: that of
  /// a sum of products in float.
  std::optional<double> error_units = std::nullopt;
  /// The most bytes that a thread takes, pixels and weights apart, where the epilogue combines no sums.
  double thread_memory = kMostMemory;
  /// The bytes for each further sum that is combined; where not given, as many again.
  std::optional<double> sum_memory = std::nullopt;
  /// Prepares the kernel: packs weights, transforms them, builds tables. Uses the analysis that consider() did.
  std::function<std::unique_ptr<Executor>()> make;
};

inline Offer refuse(std::string reason) { return {.refusal = std::move(reason)}; }

/// Reasons that several algorithms give.
constexpr const char* kBeyondFloat = "the sums of these integers need more than the 24 bits of a float";

/// A row of the algorithm table.
struct Algorithm {
  const char* name;
  bool threaded;    ///< false: always runs in the caller's thread
  bool can_choose;  ///< false: runs only when named
  /// Decides whether the algorithm can solve the problem, and estimates the time. Every plan asks every algorithm once
  /// and takes the cheapest offer, so this has to be quick: work that only the winner needs belongs in Offer::make. The
  /// offer and the Executor refer to `problem` and `kernel`, which outlive both.
  Offer (*consider)(const ConvProblem& problem, const Kernel& kernel);
};

extern const Algorithm kReference;
extern const Algorithm kDirect;
extern const Algorithm kRows;
extern const Algorithm kInteger;
extern const Algorithm kSeparable;
extern const Algorithm kPacked;
extern const Algorithm kDepthwise;
extern const Algorithm kFft;
extern const Algorithm kWinograd;
extern const Algorithm kBox;

}  // namespace convtool
