// Runs a bank on a picture that need not be in memory: band by band of output rows, on all threads.
#pragma once

#include <cstdint>
#include <functional>

#include "network/bank_plan.h"

namespace convtool {

/// Reads and writes rows of a picture, all channels at once.
struct BandStreams {
  enum class Order {
    any,        ///< writes from several threads at the same time, in any order
    top_down,   ///< one write at a time, from the first row of the first picture to the last row of the last one
    bottom_up,  ///< the reverse
  };

  /// Fills `rows` with those of picture `n` from row `first` on. Called by several threads at the same time.
  std::function<void(std::int64_t n, std::int64_t first, const TensorRef& rows)> read;
  std::function<void(std::int64_t n, std::int64_t first, const ConstTensorRef& rows)> write;
  Order order = Order::any;
  /// Reads one at a time, band after band from the top. A band may need up to kept_rows() rows above the last row read.
  /// Not with Order::bottom_up. For a run that reads once, of one picture.
  bool reads_in_order = false;
};

/// The form of a result.
struct BandResult {
  DType dtype = DType::f32;
  std::int64_t channels = 1;
  bool channels_last = false;
};

/// Bytes in memory.
struct BandLimits {
  double band = 512 << 10;   ///< of a band, input and output: both stay in the second-level cache between their steps
  double all = 100e6;        ///< of all bands at a time
  double with_work = 150e6;  ///< of all bands and of what threads take to filter, read and write them
  double buffers = 0;        ///< of those, what a thread takes to read or to write rows
  /// How much more a thread holds than it uses at a time. The C library keeps freed memory, and fills gaps in it badly:
  /// a thread that reads rows of doubles in one pass and filters them in the next held 2.2 times what it used.
  double kept = 2;
  std::int64_t step = 1;  ///< rows of output of which a band has a multiple, where the bank and the memory allow it
};

/// A bank on a picture, cut into bands. Each thread takes the next band, reads its input rows, filters them and writes
/// its output rows. Results have the same bits and statistics as run_mapped(). The bands depend only on the picture and
/// the bank, not on the number of threads. Where bands are so large that a limit allows one at a time, each is read,
/// filtered and written by as many threads as their own memory allows.
class BandRun {
 public:
  /// `bank` has bands, and outlives the run. `channels_last`: of the input in memory. The mapping is not automatic.
  BandRun(const BankPlan& bank, bool channels_last, const BandResult& result, const Mapping& mapping, int threads,
          const BandLimits& limits = {});

  std::int64_t band_rows() const { return rows_; }  ///< output rows of a band; the last one may have fewer
  /// Rows of input above the last one read that a band may need: around its own rows, and as many that padding shows.
  std::int64_t kept_rows() const { return kept_; }
  int workers() const { return workers_; }  ///< bands that are in memory at a time, at most
  double memory() const;  ///< bytes of their pixels, and of what threads take to filter, read and write them

  /// Keeps fewer bands in memory at a time, and works on one with fewer threads, so that memory() is at most `bytes`
  /// where one band on one thread allows that.
  void limit_memory(double bytes);

  /// Whether run() reads the picture once. It reads it twice for normalize, signs, and a threshold that rounding may
  /// affect; three times for percentiles.
  bool reads_once() const;

  /// Throws as run_mapped() and the streams do. Then no further bands are written. `busy` gets the seconds that
  /// filtering took, of all threads together.
  ResponseStats run(const BandStreams& streams, double* busy = nullptr) const;

 private:
  class Pass;
  class Statistics;

  DType input_dtype() const { return bank_.geometry().problems.front().input_dtype; }
  /// Of a band, at most.
  std::int64_t input_rows() const { return (rows_ - 1) * bank_.geometry().problems.front().stride.h + seen_; }

  ResponseStats measure(const BandStreams& streams) const;
  ResponseStats percentile_range(const BandStreams& streams) const;
  double largest_pixel(const BandStreams& streams) const;
  bool needs_largest_pixel() const;

  const BankPlan& bank_;
  const bool channels_last_;
  const BandResult result_;
  const Mapping mapping_;
  const int threads_;
  Shape input_, output_;     ///< of the whole picture
  std::int64_t seen_ = 1;    ///< input rows of a band of one row
  std::int64_t kept_ = 2;    ///< kept_rows()
  std::int64_t rows_ = 1;    ///< of output in a band
  std::int64_t bands_ = 1;   ///< of each picture of the batch
  double band_bytes_ = 0;    ///< of the pixels of a band, input and output
  double thread_bytes_ = 0;  ///< that a thread takes for its work
  int workers_ = 1;
  int band_threads_ = 1;  ///< of a worker
};

}  // namespace convtool
