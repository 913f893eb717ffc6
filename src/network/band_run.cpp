#include "network/band_run.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "conv/bands.h"
#include "core/largest.h"
#include "core/parallel.h"
#include "core/percentile.h"
#include "core/stopwatch.h"

namespace convtool {
namespace {

/// Input rows that two bands see are read twice. A band has at least this many times more rows of its own.
constexpr std::int64_t kLeastRows = 2;

/// A thread counts its own responses before it adds them to those of all.
constexpr double kHistogramBytes = 1 << 20;

/// Lets threads write one after another, in the order of their numbers.
class Turns {
 public:
  /// Waits until all turns before `number` are over. Returns false if there will be no more turns.
  bool wait_for(std::int64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || next_ == number; });
    return !ended_;
  }

  void pass_on() {
    {
      std::lock_guard lock(mutex_);
      ++next_;
    }
    changed_.notify_all();
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t next_ = 0;
  bool ended_ = false;
};

/// Pixels of a band. Memory is kept from one band to the next, since touching it for the first time is slow.
class Pixels {
 public:
  Pixels(DType dtype, const Shape& most, bool channels_last)
      : dtype_(dtype), channels_last_(channels_last), memory_(dtype, most) {}

  TensorRef of_shape(const Shape& shape) {
    const Strides planar{shape.c * shape.h * shape.w, shape.h * shape.w, shape.w, 1};
    const Strides last{shape.c * shape.h * shape.w, 1, shape.c * shape.w, shape.c};
    return {memory_.ref().data, dtype_, shape, channels_last_ ? last : planar};
  }

 private:
  DType dtype_;
  bool channels_last_;
  Tensor memory_;
};

void copy_row(const ConstTensorRef& from, const TensorRef& to) {
  visit_dtype(from.dtype, [&]<class T>(T) {
    const auto source = from.view<T>();
    const auto target = to.view<T>();
    for (std::int64_t x = 0; x < from.shape.w; ++x)
      for (std::int64_t c = 0; c < from.shape.c; ++c) target.at(0, c, 0, x) = source.at(0, c, 0, x);
  });
}

}  // namespace

/// The statistics of all bands. Their totals are added in the order of the picture, so that the result does not depend
/// on the number of threads. Thread-safe.
class BandRun::Statistics {
 public:
  explicit Statistics(const BandRun& run) : totals_(static_cast<std::size_t>(run.input_.n * run.bands_)) {}

  void add(std::int64_t band, const ResponseStats& stats, double seconds = 0) {
    std::lock_guard lock(mutex_);
    totals_[static_cast<std::size_t>(band)] = stats.total;
    all_.merge(stats);
    busy_ += seconds;
  }

  /// Once all bands are there.
  ResponseStats all() {
    all_.total = std::accumulate(totals_.begin(), totals_.end(), 0.0);
    return all_;
  }

  double busy() const { return busy_; }  ///< seconds of all threads

 private:
  std::mutex mutex_;
  double busy_ = 0;
  std::vector<double> totals_;
  ResponseStats all_;
};

/// One reading of the picture.
class BandRun::Pass {
 public:
  /// A band in a thread's memory.
  struct Place {
    std::int64_t number;  ///< in the order of writing
    std::int64_t band;    ///< in the order of the picture
    std::int64_t n;
    Range rows;  ///< of output
    const BankPlan& plan;
    ConstTensorRef input;
  };

  Pass(const BandRun& run, const BandStreams& streams) : run_(run), streams_(streams) {}

  /// Calls use(place, output) for every band, on all workers. `output` is memory for the band's result in `form`.
  template <class Use>
  void for_each(const BandResult& form, const Use& use) {
    const std::int64_t count = run_.input_.n * run_.bands_;
    Shape most_input = run_.input_, most_output = output_shape(form, run_.rows_);
    most_input.n = 1;
    most_input.h = run_.input_rows();
    std::atomic<std::int64_t> next = 0;
    const auto work = [&] {
      try {
        Pixels input(run_.input_dtype(), most_input, run_.channels_last_);
        Pixels output(form.dtype, most_output, form.channels_last);
        for (std::int64_t number = next++; number < count && !failed_; number = next++) {
          const std::int64_t at = streams_.order == BandStreams::Order::bottom_up ? count - 1 - number : number;
          const std::int64_t n = at / run_.bands_, first = at % run_.bands_ * run_.rows_;
          const Range rows{first, std::min(first + run_.rows_, run_.output_.h)};
          const std::shared_ptr<const BankPlan> plan = plan_of(rows);
          if (streams_.reads_in_order && !read_turns_.wait_for(number)) return;
          const ConstTensorRef pixels = read(n, run_.bank_.band_input(rows), input);
          if (streams_.reads_in_order) read_turns_.pass_on();
          use(Place{number, at, n, rows, *plan, pixels}, output.of_shape(output_shape(form, rows.end - rows.begin)));
        }
      } catch (...) {
        failed_ = true;
        read_turns_.end();
        write_turns_.end();
        throw;
      }
    };
    // A thread that waits for its turn, or for the reader of a pipe, must not be one that other pictures need.
    if (streams_.order == BandStreams::Order::any)
      parallel_for(run_.workers_, run_.workers_, [&](std::int64_t, std::int64_t) { work(); });
    else
      run_threads(run_.workers_, work);
  }

  /// Writes the result of a band when its turn comes.
  void write(const Place& place, const ConstTensorRef& result) {
    if (streams_.order == BandStreams::Order::any) {
      in_parts(result, [&](const ConstTensorRef& part, std::int64_t first) {
        streams_.write(place.n, place.rows.begin + first, part);
      });
      return;
    }
    if (!write_turns_.wait_for(place.number)) return;
    streams_.write(place.n, place.rows.begin, result);
    write_turns_.pass_on();
  }

 private:
  Shape output_shape(const BandResult& form, std::int64_t rows) const {
    return {.n = 1, .c = form.channels, .h = rows, .w = run_.output_.w};
  }

  /// The plan for a band. Bands in the middle of the picture share one.
  std::shared_ptr<const BankPlan> plan_of(const Range& rows) {
    std::vector<std::int64_t> key = {rows.end - rows.begin};
    for (const ConvProblem& problem : run_.bank_.geometry().problems) {
      const ConvProblem band = band_problem(problem, rows);
      key.insert(key.end(), {band.input.h, band.pads.top, band.pads.bottom});
    }
    std::lock_guard lock(mutex_);
    std::shared_ptr<const BankPlan>& plan = plans_[key];
    if (!plan) plan = std::make_shared<const BankPlan>(run_.bank_.band(rows, run_.band_threads_));
    return plan;
  }

  /// Reads the rows of picture `n`, which may lie outside.
  ConstTensorRef read(std::int64_t n, const Range& rows, Pixels& memory) const {
    Shape shape = run_.input_;
    shape.n = 1;
    shape.h = rows.end - rows.begin;
    const TensorRef pixels = memory.of_shape(shape);
    const std::int64_t height = run_.input_.h;
    const Range inside{std::clamp<std::int64_t>(rows.begin, 0, height), std::clamp<std::int64_t>(rows.end, 0, height)};
    if (inside.begin < inside.end) {
      const TensorRef there = pixels.rows(inside.begin - rows.begin, inside.end - inside.begin);
      const auto read_part = [&](const TensorRef& part, std::int64_t first) {
        streams_.read(n, inside.begin + first, part);
      };
      if (streams_.reads_in_order)
        read_part(there, 0);
      else
        in_parts(there, read_part);
    }
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
      const std::int64_t shown = pad_index(run_.bank_.padding_mode(), y, height);
      if (shown == y) continue;
      const TensorRef row = pixels.rows(y - rows.begin, 1);
      if (inside.begin <= shown && shown < inside.end)
        copy_row(pixels.rows(shown - rows.begin, 1), row);
      else
        streams_.read(n, shown, row);
    }
    return pixels;
  }

  /// Calls use(part, its first row) for all rows of `pixels`: on all threads where these have nothing else to do.
  template <class Ref, class Use>
  void in_parts(const Ref& pixels, const Use& use) const {
    const std::int64_t rows = pixels.shape.h;
    const bool shares = run_.workers_ == 1 && run_.band_bytes_ > BandLimits().band;
    parallel_for(rows, shares ? run_.band_threads_ : 1,
                 [&](std::int64_t begin, std::int64_t end) { use(pixels.rows(begin, end - begin), begin); });
  }

  const BandRun& run_;
  const BandStreams& streams_;
  Turns read_turns_, write_turns_;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::map<std::vector<std::int64_t>, std::shared_ptr<const BankPlan>> plans_;
};

BandRun::BandRun(const BankPlan& bank, bool channels_last, const BandResult& result, const Mapping& mapping,
                 int threads, const BandLimits& limits)
    : bank_(bank),
      channels_last_(channels_last),
      result_(result),
      mapping_(mapping),
      threads_(threads == 0 ? available_cores() : threads),
      input_(bank.geometry().problems.front().input),
      output_(bank.output_shape()) {
  require(bank.has_bands(), "a bank without bands");
  const std::vector<ConvProblem>& problems = bank.geometry().problems;
  const std::int64_t stride = problems.front().stride.h, period = bank.row_period();
  std::int64_t above = 0, below = std::numeric_limits<std::int64_t>::min();  // of the row at y * stride
  for (const ConvProblem& problem : problems) {
    above = std::max(above, problem.pads.top);
    below = std::max(below, dilated_kernel(problem.kernel, problem.dilation).h - problem.pads.top);
  }
  seen_ = above + below;
  kept_ = 2 * (above + std::max<std::int64_t>(below, 0));

  const auto bytes_of = [](std::int64_t channels, std::int64_t width, DType dtype) {
    return static_cast<double>(channels * size_of(dtype)) * static_cast<double>(width);
  };
  const double input_row = bytes_of(input_.c, input_.w, input_dtype());
  const double output_row = std::max(bytes_of(result.channels, output_.w, result.dtype),
                                     mapping.percentiles ? bytes_of(output_.c, output_.w, DType::f32) : 0);
  const double row = static_cast<double>(stride) * input_row + output_row;
  const std::int64_t shared = std::max<std::int64_t>(seen_ - stride, 0);  // input rows that the next band reads too
  const double most = (limits.all - static_cast<double>(shared) * input_row) / row;
  const double wanted =
      std::max(limits.band / row, static_cast<double>(kLeastRows * shared) / static_cast<double>(stride));
  rows_ = static_cast<std::int64_t>(std::clamp(std::min(wanted, most), 1.0, static_cast<double>(output_.h)));
  rows_ = std::max<std::int64_t>(rows_ / period, 1) * period;
  const std::int64_t steps = (rows_ + limits.step - 1) / limits.step * limits.step;
  if (steps % period == 0 && static_cast<double>(steps) <= most) rows_ = steps;
  rows_ = std::min(rows_, output_.h);
  bands_ = (output_.h + rows_ - 1) / rows_;
  band_bytes_ = static_cast<double>(input_rows()) * input_row + static_cast<double>(rows_) * output_row;
  thread_bytes_ = limits.kept * (bank.thread_memory() + limits.buffers + (mapping.percentiles ? kHistogramBytes : 0));
  const double fit = std::min(limits.all / band_bytes_, static_cast<double>(bands_) * static_cast<double>(input_.n));
  workers_ = static_cast<int>(std::clamp(fit, 1.0, static_cast<double>(threads_)));
  band_threads_ = workers_ == 1 ? threads_ : 1;
  limit_memory(limits.with_work);
}

double BandRun::memory() const {
  return static_cast<double>(workers_) * (band_bytes_ + static_cast<double>(band_threads_) * thread_bytes_);
}

void BandRun::limit_memory(double bytes) {
  const bool shared = workers_ == 1;
  workers_ = static_cast<int>(std::clamp(bytes / (band_bytes_ + thread_bytes_), 1.0, static_cast<double>(workers_)));
  if (workers_ > 1) return;
  const double most = shared ? band_threads_ : threads_;
  band_threads_ = static_cast<int>(std::clamp((bytes - band_bytes_) / thread_bytes_, 1.0, most));
}

bool BandRun::reads_once() const {
  return !mapping_.percentiles && !needs_measuring(mapping_.map) && !needs_largest_pixel();
}

ResponseStats BandRun::run(const BandStreams& streams, double* busy) const {
  require(reads_once() || !streams.reads_in_order, "a stream that is to be read more than once");
  ResponseStats measured;
  if (mapping_.percentiles)
    measured = percentile_range(streams);
  else if (needs_measuring(mapping_.map))
    measured = measure(streams);
  std::optional<double> largest;
  if (needs_largest_pixel()) largest = largest_pixel(streams);

  Statistics stats(*this);
  Pass pass(*this, streams);
  pass.for_each(result_, [&](const Pass::Place& at, const TensorRef& output) {
    const Stopwatch watch;
    const ResponseStats own = run_measured(at.plan, at.input, input_dtype(), output, mapping_, measured, largest);
    stats.add(at.band, own, watch.seconds());
    pass.write(at, output);
  });
  if (busy != nullptr) *busy = stats.busy();
  return stats.all();
}

ResponseStats BandRun::measure(const BandStreams& streams) const {
  Statistics stats(*this);
  Pass(*this, streams).for_each(result_, [&](const Pass::Place& at, const TensorRef& output) {
    stats.add(at.band, at.plan.measure(at.input, output.strides));
  });
  return stats.all();
}

/// The range of the responses between two percentiles, as run_mapped() finds it.
ResponseStats BandRun::percentile_range(const BandStreams& streams) const {
  const BandResult form{.dtype = DType::f32, .channels = output_.c};
  std::mutex mutex;
  const auto count = [&](const std::function<void(const float*, std::int64_t)>& add) {
    Pass(*this, streams).for_each(form, [&](const Pass::Place& at, const TensorRef& output) {
      at.plan.run(at.input, output, {});
      add(output.view<float>().data, output.shape.count());
    });
  };

  FloatHistogram upper;
  count([&](const float* values, std::int64_t size) {
    FloatHistogram own;
    own.add(values, size);
    std::lock_guard lock(mutex);
    upper.merge(own);
  });
  const std::int64_t total = upper.total();
  if (total == 0) return {};

  std::array<std::int64_t, 2> ranks;
  std::array<FloatHistogram::Place, 2> places;
  std::vector<FloatHistogram> lower;
  for (std::size_t i = 0; i < 2; ++i) {
    ranks[i] = percentile_rank(total, (*mapping_.percentiles)[i]);
    places[i] = upper.find(ranks[i]);
    lower.emplace_back(places[i].half);
  }
  count([&](const float* values, std::int64_t size) {
    for (std::size_t i = 0; i < 2; ++i) {
      FloatHistogram own(places[i].half);
      own.add(values, size);
      std::lock_guard lock(mutex);
      lower[i].merge(own);
    }
  });
  const auto value = [&](std::size_t i) {
    return static_cast<double>(float_of_halves(places[i].half, lower[i].find(ranks[i] - places[i].before).half));
  };
  ResponseStats range;
  range.min = value(0);
  range.max = value(1);
  return range;
}

/// Of all rows, since a stride may leave rows that no band reads.
double BandRun::largest_pixel(const BandStreams& streams) const {
  const std::int64_t most = std::min(input_rows(), input_.h), parts = (input_.h + most - 1) / most;
  double largest = 0;
  std::mutex mutex;
  parallel_for(input_.n * parts, workers_, [&](std::int64_t begin, std::int64_t end) {
    Shape shape = input_;
    shape.n = 1;
    shape.h = most;
    Pixels memory(input_dtype(), shape, channels_last_);
    double own = 0;
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t first = part % parts * most;
      shape.h = std::min(most, input_.h - first);
      const TensorRef pixels = memory.of_shape(shape);
      streams.read(part / parts, first, pixels);
      own = std::max(own, largest_magnitude(pixels, 1));
    }
    std::lock_guard lock(mutex);
    largest = std::max(largest, own);
  });
  return largest;
}

bool BandRun::needs_largest_pixel() const {
  return mapping_.threshold && is_integer(input_dtype()) &&
         std::any_of(bank_.plans().begin(), bank_.plans().end(),
                     [](const ConvPlan& plan) { return plan.error_bound(1.0) != 0; });
}

}  // namespace convtool
