// A bank that runs in bands gives the bytes and the statistics of run_mapped() on the whole picture.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "network/band_run.h"
#include "network/layers.h"
#include "support/same_statistics.h"
#include "support/values.h"

namespace convtool {
namespace {

TensorRef in_layout(Tensor& tensor, bool is_channels_last) {
  return is_channels_last ? channels_last(tensor) : tensor.ref();
}

void copy(const ConstTensorRef& from, const TensorRef& to) {
  REQUIRE(from.dtype == to.dtype);
  REQUIRE(from.shape == to.shape);
  visit_dtype(from.dtype, [&]<class T>(T) {
    for (std::int64_t c = 0; c < from.shape.c; ++c)
      for (std::int64_t y = 0; y < from.shape.h; ++y)
        for (std::int64_t x = 0; x < from.shape.w; ++x) to.view<T>().at(0, c, y, x) = from.view<T>().at(0, c, y, x);
  });
}

/// Streams from and to pictures in memory. They check that writes come in order.
class MemoryStreams {
 public:
  MemoryStreams(const ConstTensorRef& input, const TensorRef& output, BandStreams::Order order) {
    streams.order = order;
    streams.read = [this, input](std::int64_t n, std::int64_t first, const TensorRef& rows) {
      copy(input.item(n).rows(first, rows.shape.h), rows);
      std::lock_guard lock(mutex_);
      reads.push_back(n * input.shape.h + first);
      read += rows.shape.h;
    };
    streams.write = [this, output](std::int64_t n, std::int64_t first, const ConstTensorRef& rows) {
      copy(rows, output.item(n).rows(first, rows.shape.h));
      std::lock_guard lock(mutex_);
      starts.push_back(n * output.shape.h + first);
      written += rows.shape.h;
    };
  }

  BandStreams streams;
  std::vector<std::int64_t> reads, starts;  ///< first rows, in the order of time
  std::int64_t read = 0, written = 0;       ///< rows

 private:
  std::mutex mutex_;
};

struct Case {
  DType dtype;
  Shape input;
  Bank bank;
  DType output;
  Mapping mapping;
};

void check_bands(const Case& c, Random& random) {
  const bool last = random.chance(2);
  PlanOptions options{.threads = 1, .input_channels_last = last, .output_channels_last = last, .totals = true};
  options.direct_error = c.mapping.threshold.has_value();
  const BankPlan plan(c.bank, c.dtype, c.input, false, options);
  REQUIRE(plan.has_bands());
  Tensor planar = filled(c.dtype, c.input, [&] {
    return c.dtype == DType::f32 ? static_cast<double>(random.rough())
                                 : static_cast<double>(random.between(0, c.dtype == DType::u8 ? 255 : 65535));
  });
  Tensor input(c.dtype, c.input);
  for (std::int64_t n = 0; n < c.input.n; ++n) copy(planar.ref().item(n), in_layout(input, last).item(n));
  Shape shape = plan.output_shape();
  if (c.mapping.map == OutputMap::signs) shape.c = 3;
  Tensor expected(c.output, shape), result(c.output, shape);
  const ResponseStats stats = run_mapped(plan, in_layout(input, last), c.dtype, in_layout(expected, last), c.mapping);

  for (const int threads : {1, 2, 3, 16}) {
    for (const auto order : {BandStreams::Order::any, BandStreams::Order::top_down, BandStreams::Order::bottom_up}) {
      CAPTURE(threads);
      CAPTURE(static_cast<int>(order));
      std::memset(result.ref().data, 0x55, static_cast<std::size_t>(shape.count() * size_of(c.output)));
      const BandLimits limits{.band = static_cast<double>(random.between(1, 20000)),
                              .all = static_cast<double>(random.between(1, 400000)),
                              .step = random.chance(2) ? random.between(1, 12) : 1};
      const BandRun run(plan, last, {.dtype = c.output, .channels = shape.c, .channels_last = last}, c.mapping, threads,
                        limits);
      MemoryStreams memory(in_layout(input, last), in_layout(result, last), order);
      const bool streams_in_order =
          run.reads_once() && order != BandStreams::Order::bottom_up && random.chance(2) &&
          (plan.padding_mode() == PaddingMode::zeros || plan.padding_mode() == PaddingMode::constant);
      memory.streams.reads_in_order = streams_in_order;
      check_same(run.run(memory.streams), stats);
      CHECK(memory.written == shape.n * shape.h);
      if (streams_in_order) CHECK(std::is_sorted(memory.reads.begin(), memory.reads.end()));
      CHECK(std::memcmp(result.ref().data, expected.ref().data,
                        static_cast<std::size_t>(shape.count() * size_of(c.output))) == 0);
      if (order == BandStreams::Order::top_down) CHECK(std::is_sorted(memory.starts.begin(), memory.starts.end()));
      if (order == BandStreams::Order::bottom_up) CHECK(std::is_sorted(memory.starts.rbegin(), memory.starts.rend()));
    }
  }
}

Params random_params(Random& random) {
  const Padding paddings[] = {{}, kSame, kSameLower, kFull};
  const std::int64_t stride = random.chance(3) ? random.between(2, 3) : 1;
  return {.stride = {stride, stride},
          .padding = random.pick(paddings),
          .padding_mode = static_cast<PaddingMode>(random.between(0, 5)),
          .padding_value = random.chance(2) ? 0.5F : -3.0F};
}

TEST_CASE("banks in bands equal banks on the whole picture, for every map, order and number of threads") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::int64_t channels = random.between(1, 3);
    Case c{.dtype = random.pick(kTypes),
           .input = {random.chance(4) ? 2 : 1, channels, random.between(14, 90), random.between(14, 60)},
           .bank = {},
           .output = random.pick(kTypes),
           .mapping = {}};
    const Params params = random_params(random);
    const auto weights = [&](std::int64_t count) {
      return random.chance(2) ? random_weights(count, random) : floats(count, [&] { return random.rough(); });
    };
    switch (random.between(0, 3)) {
      case 0: c.bank = bank_of({plane(3, 5, weights(15), params)}); break;
      case 1:
        c.bank = bank_of({plane(3, 3, weights(9), params), plane(3, 3, weights(9), params)}, Combine::magnitude);
        break;
      case 2: {  // different kernels side by side
        Params same = params;
        same.padding = kSame;
        Params zeros = same;
        zeros.padding_mode = PaddingMode::zeros;
        c.bank = bank_of({plane(3, 3, weights(9), same), plane(5, 7, weights(35), zeros)});
        break;
      }
      default: c.bank = bank_of({make_layer(3, {1, channels, 5, 5}, weights(25 * channels), params)}); break;
    }
    switch (random.between(0, 5)) {
      case 0: c.mapping = OutputMap::abs; break;
      case 1: c.mapping = OutputMap::normalize; break;
      case 2:
        c.mapping = OutputMap::normalize;
        c.mapping.percentiles = {static_cast<double>(random.between(0, 20)),
                                 static_cast<double>(random.between(60, 100))};
        break;
      case 3: c.mapping.threshold = static_cast<double>(random.between(0, 200)); break;
      case 4: {
        const BankPlan plan(c.bank, c.dtype, c.input, false, {});
        if (plan.output_shape().c == 1 && is_integer(c.output)) {
          const SignedZero zeros[] = {SignedZero::white, SignedZero::black, SignedZero::grey};
          c.mapping = OutputMap::signs;
          c.mapping.zero = random.pick(zeros);
          if (random.chance(2)) c.mapping.percentiles = {static_cast<double>(random.between(0, 20)), 90};
        }
        break;
      }
      default: break;
    }
    check_bands(c, random);
  }
}

TEST_CASE("a max pool in bands") {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    Random random(seed);
    Layer layer = make_layer(2, {1, 1, 3, 2}, {}, {.stride = {2, 2}, .padding = pads(1, 1, 1, 1)});
    layer.pooling = Pooling::max;
    check_bands({DType::f32, {2, 3, 31, 20}, bank_of({layer}), DType::f32, {}}, random);
  }
}

TEST_CASE("a threshold in bands allows for the rounding error of the whole picture") {
  const Bank bank = bank_of({plane(1, 1, {0.1F})});
  const BankPlan plan(bank, DType::u16, {1, 1, 60, 40}, false, {.threads = 1, .direct_error = true});
  // The responses of the dark rows, 1, exceed the threshold by 0.001. The bound is at most 16 * 2^-24 times the largest
  // response: below 0.001 in these rows, but above it (8 * 2^-24 * 6554 = 0.003) for the last row.
  std::vector<double> values(60 * 40, 10);
  std::fill(values.end() - 40, values.end(), 65535);
  const Tensor input = tensor_of(DType::u16, {1, 1, 60, 40}, values);
  Mapping mapping;
  mapping.threshold = 0.999;
  const BandRun run(plan, false, {.dtype = DType::u8, .channels = 1}, mapping, 1, {.band = 1000});
  CHECK(run.band_rows() < 60);
  Tensor output(DType::u8, {1, 1, 60, 40});
  MemoryStreams memory(input.ref(), output.ref(), BandStreams::Order::any);
  run.run(memory.streams);
  CHECK(memory.read == 2 * 60);
  std::fill(values.begin(), values.end() - 40, 0);
  std::fill(values.end() - 40, values.end(), 255);
  CHECK(values_of(output.ref()) == values);
}

TEST_CASE("a threshold in bands allows for a largest pixel in a row that no output sees") {
  // Output rows see input rows 0, 3, 6, ..., of 60. As above, the bound is below 0.001 without the row of 65535.
  const Bank bank = bank_of({plane(1, 1, {0.1F}, {.stride = {3, 1}})});
  const BankPlan plan(bank, DType::u16, {1, 1, 60, 40}, false, {.threads = 1, .direct_error = true});
  Mapping mapping;
  mapping.threshold = 0.999;
  for (const std::int64_t bright : {59, 31}) {  // the last row, and one between two bands
    CAPTURE(bright);
    std::vector<double> values(60 * 40, 10);
    std::fill_n(values.begin() + bright * 40, 40, 65535);
    const Tensor input = tensor_of(DType::u16, {1, 1, 60, 40}, values);
    for (const int threads : {1, 3}) {
      const BandRun run(plan, false, {.dtype = DType::u8, .channels = 1}, mapping, threads, {.band = 1});
      CHECK(run.band_rows() == 1);
      Tensor output(DType::u8, {1, 1, 20, 40});
      MemoryStreams memory(input.ref(), output.ref(), BandStreams::Order::any);
      run.run(memory.streams);
      CHECK(values_of(output.ref()) == std::vector<double>(20 * 40, 0));
    }
  }
}

TEST_CASE("bands whose sums need no rounding are read once, and those of percentiles three times") {
  const Bank bank = bank_of({plane(1, 3, std::vector<float>(3, 1), {.padding = kSame})});
  const BankPlan plan(bank, DType::u8, {1, 1, 60, 40}, false, {.threads = 1, .direct_error = true});
  const Tensor input = filled(DType::u8, {1, 1, 60, 40}, [value = 0]() mutable { return value++ % 256; });
  const auto reads = [&](const Mapping& mapping) {
    const BandRun run(plan, false, {.dtype = DType::u8, .channels = 1}, mapping, 1, {.band = 500});
    Tensor output(DType::u8, {1, 1, 60, 40});
    MemoryStreams memory(input.ref(), output.ref(), BandStreams::Order::any);
    run.run(memory.streams);
    return static_cast<double>(memory.read) / 60;
  };
  Mapping threshold, percentiles = OutputMap::normalize;
  threshold.threshold = 9.0;
  percentiles.percentiles = {1, 99};
  CHECK(reads({}) == 1);
  CHECK(reads(threshold) == 1);
  CHECK(reads(OutputMap::normalize) == 2);
  CHECK(reads(percentiles) == 3);
}

TEST_CASE("the total of a run in bands has the same bits for any number of threads and any order") {
  Random random(9);
  const Bank bank = bank_of({plane(3, 3, floats(9, [&] { return random.rough(); }), {.padding = kSame})});
  const BankPlan plan(bank, DType::f32, {1, 1, 400, 40}, false, {.threads = 1, .totals = true});
  // Of such different magnitudes that their sum is rounded.
  const Tensor input = filled(DType::f32, {1, 1, 400, 40},
                              [&] { return std::ldexp(random.rough(), static_cast<int>(random.between(-30, 30))); });
  Tensor output(DType::f32, {1, 1, 400, 40});
  std::set<double> totals;
  for (int round = 0; round < 20; ++round) {
    for (const int threads : {1, 4}) {
      for (const auto order : {BandStreams::Order::any, BandStreams::Order::bottom_up}) {
        const BandRun run(plan, false, {.dtype = DType::f32, .channels = 1}, {}, threads, {.band = 500});
        MemoryStreams memory(input.ref(), output.ref(), order);
        totals.insert(run.run(memory.streams).total);
      }
    }
  }
  CHECK(totals.size() == 1);
}

TEST_CASE("memory is bounded for any width and number of threads") {
  const Bank bank = bank_of({plane(31, 31, std::vector<float>(31 * 31, 0.5F), {.padding = kSame})});
  for (const std::int64_t width : {100, 4000, 100000}) {
    const BankPlan plan(bank, DType::u8, {1, 3, 2000, width}, false, {.algorithm = "rows", .threads = 1});
    for (const int threads : {1, 16, 64}) {
      BandRun run(plan, true, {.dtype = DType::u8, .channels = 3, .channels_last = true}, {}, threads);
      CHECK(run.memory() >= plan.thread_memory());
      CHECK(run.memory() <= BandLimits().with_work);
      CHECK(run.workers() <= threads);
      CHECK(run.band_rows() == BandRun(plan, true, {DType::u8, 3, true}, {}, 1).band_rows());
      const BandRun buffered(plan, true, {DType::u8, 3, true}, {}, threads, {.buffers = 1e6});
      CHECK(buffered.memory() <= BandLimits().with_work);
      if (threads == 1) CHECK(buffered.memory() >= run.memory() + 1e6);
      const double one_thread = BandRun(plan, true, {DType::u8, 3, true}, {}, 1).memory();
      run.limit_memory(one_thread);
      CHECK(run.memory() == one_thread);
    }
  }
}

TEST_CASE("rows of padding between two strides take no memory") {
  constexpr std::int64_t kFar = 100'000'000, kStride = 1'000'000;
  for (const PaddingMode mode : {PaddingMode::symmetric, PaddingMode::replicate}) {
    Params params{.stride = {kStride, kStride}, .padding = pads(kFar, kFar, kFar, kFar)};
    params.padding_mode = mode;
    const BankPlan plan(bank_of({plane(1, 1, {1}, params)}), DType::u8, {1, 1, 23, 37}, false, {.threads = 1});
    const BandRun run(plan, false, {.dtype = DType::u8, .channels = 1}, {}, 1);
    CHECK(run.band_rows() == 1);
    // A row of input, one of output.
    CHECK(run.memory() == BandLimits().kept * plan.thread_memory() + 37 + 201);
  }
}

TEST_CASE("a reader in order keeps the rows that bands share, and those that padding shows again") {
  const auto kept = [](std::int64_t pad) {
    Params params{.padding = pads(pad, pad, pad, pad)};
    params.padding_mode = PaddingMode::reflect;
    const BankPlan plan(bank_of({plane(3, 3, std::vector<float>(9, 1), params)}), DType::u8, {1, 1, 500, 300}, false,
                        {.threads = 1});
    return BandRun(plan, false, {.dtype = DType::u8, .channels = 1}, {}, 1).kept_rows();
  };
  CHECK(kept(1) == 6);
  CHECK(kept(50) == 100);
}

/// Waits long enough for other threads to come to their turns first, if nothing holds them back.
void fall_behind() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

TEST_CASE("bands are written in order even if the first ones take longest") {
  const Bank bank = bank_of({plane(3, 3, std::vector<float>(9, 1), {.padding = kSame})});
  const BankPlan plan(bank, DType::u8, {1, 1, 200, 40}, false, {.threads = 1});
  const Tensor input = filled(DType::u8, {1, 1, 200, 40}, [] { return 1; });
  Tensor output(DType::u8, {1, 1, 200, 40});
  const BandRun run(plan, false, {.dtype = DType::u8, .channels = 1}, {}, 4, {.band = 500});
  REQUIRE(run.workers() == 4);
  MemoryStreams memory(input.ref(), output.ref(), BandStreams::Order::top_down);
  BandStreams streams = memory.streams;
  streams.read = [&](std::int64_t n, std::int64_t first, const TensorRef& rows) {
    if (first == 0) fall_behind();
    memory.streams.read(n, first, rows);
  };
  run.run(streams);
  CHECK(memory.written == 200);
  CHECK(std::is_sorted(memory.starts.begin(), memory.starts.end()));
}

TEST_CASE("a band that fails is reported, and ends the run") {
  const Bank bank = bank_of({plane(3, 3, std::vector<float>(9, 1), {.padding = kSame})});
  const BankPlan plan(bank, DType::u8, {1, 1, 200, 40}, false, {.threads = 1});
  const Tensor input = filled(DType::u8, {1, 1, 200, 40}, [] { return 1; });
  Tensor output(DType::u8, {1, 1, 200, 40});
  for (const auto order : {BandStreams::Order::any, BandStreams::Order::top_down}) {
    for (const bool in_write : {false, true}) {
      const BandRun run(plan, false, {.dtype = DType::u8, .channels = 1}, {}, 4, {.band = 500});
      MemoryStreams memory(input.ref(), output.ref(), order);
      const auto fail_first = [](std::int64_t first) {
        if (first > 0) return;
        fall_behind();
        throw std::runtime_error("no more");
      };
      BandStreams streams = memory.streams;
      if (in_write)
        streams.write = [&](std::int64_t n, std::int64_t first, const ConstTensorRef& rows) {
          fail_first(first);
          memory.streams.write(n, first, rows);
        };
      else
        streams.read = [&](std::int64_t n, std::int64_t first, const TensorRef& rows) {
          fail_first(first);
          memory.streams.read(n, first, rows);
        };
      CHECK_THROWS_WITH_AS(run.run(streams), "no more", std::runtime_error);
      CHECK(memory.written < 200);
    }
  }
}

}  // namespace
}  // namespace convtool
