// Which results are the same where (src/conv/README.md, Exactness): those of exact sums on every machine, those of
// float sums on one instruction set; both for any number of threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/params.h"

namespace convtool {
namespace {

/// The FNV-1a hash of bytes.
class Digest {
 public:
  void add(const void* bytes, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      value_ ^= static_cast<const unsigned char*>(bytes)[i];
      value_ *= 0x100000001b3;
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

/// The digest of the outputs of these types, and of their statistics.
std::uint64_t digest_of(const ConvCase& c, const ConvPlan& plan, std::initializer_list<DType> types) {
  Digest digest;
  for (const DType dtype : types) {
    Tensor output(dtype, plan.output_shape());
    const ResponseStats stats = plan.run(c.input.ref(), output.ref(), c.map);
    digest.add(output.ref().data, output.shape().count() * size_of(dtype));
    digest.add(&stats.min, sizeof stats.min);
    digest.add(&stats.max, sizeof stats.max);
    digest.add(&stats.clipped_low, sizeof stats.clipped_low);
    digest.add(&stats.clipped_high, sizeof stats.clipped_high);
  }
  return digest.value();
}

ConvPlan plan_of(const ConvCase& c, std::string_view algorithm, int threads) {
  return {c.problem, c.kernel, c.epilogue, {.algorithm = std::string(algorithm), .threads = threads}};
}

/// A problem whose sums are exact: integer pixels, and weights that are integers times a power of two. The divisor, the
/// bias and the map may be any numbers, since each step of the epilogue rounds as IEEE 754 prescribes.
struct ExactProblem {
  DType dtype = DType::u8;
  Shape input;
  KernelShape kernel;
  Params params = {.padding = kSame};
  std::int64_t largest_weight = 0;  ///< 0: all weights are 1
  double unit = 1;                  ///< weights are multiples of it
  double divisor = 1;
  float bias = 0;
  Epilogue epilogue = {};
  ValueMap map = {};
  std::uint64_t digest = 0;  ///< of what `reference` gives
};

const ExactProblem kExact[] = {
    {.input = {1, 3, 40, 70},  // a gradient on each of three channels
     .kernel = {6, 1, 3, 3},
     .params = {.padding = kSame, .padding_mode = PaddingMode::reflect, .groups = 3},
     .largest_weight = 2,
     .epilogue = {.combine = Combine::magnitude, .combine_count = 2},
     .digest = 16998115423019197553U},
    {.input = {1, 1, 40, 70}, .kernel = {1, 1, 3, 3}, .divisor = 9, .digest = 4170600322552847589U},  // a mean
    {.input = {1, 1, 40, 70},
     .kernel = {1, 1, 5, 5},
     .largest_weight = 36,
     .unit = 1.0 / 256,
     .bias = 0.1F,
     .digest = 12507843306841724936U},
    {.dtype = DType::u16,  // a large mean
     .input = {1, 1, 60, 90},
     .kernel = {1, 1, 11, 11},
     .params = {.padding = kSame, .padding_mode = PaddingMode::replicate},
     .divisor = 121,
     .digest = 4293825704276176271U},
    {.input = {1, 1, 90, 120},  // a large kernel
     .kernel = {1, 1, 31, 31},
     .largest_weight = 9,
     .divisor = 100,
     .bias = 0.5F,
     .map = {.absolute = true},
     .digest = 14749472970538982853U},
    {.input = {1, 16, 20, 24},  // a layer of many channels
     .kernel = {32, 16, 3, 3},
     .largest_weight = 3,
     .bias = -0.3F,
     .epilogue = {.activation = Activation::relu},
     .map = {.scale = 1.0 / 7},
     .digest = 7212988487859569345U},
    {.dtype = DType::u16,  // channels filtered alone
     .input = {2, 24, 17, 19},
     .kernel = {24, 1, 3, 3},
     .params = {.stride = {2, 2}, .groups = 24},
     .largest_weight = 5,
     .divisor = 3,
     .digest = 6835809775661490771U},
    {.input = {1, 2, 30, 50},  // strides and dilation
     .kernel = {4, 2, 3, 4},
     .params = {.stride = {1, 3}, .dilation = {2, 2}, .padding = kFull},
     .largest_weight = 20,
     .divisor = 1.1,
     .bias = 0.7F,
     .epilogue = {.activation = Activation::abs, .combine = Combine::mean, .combine_count = 4},
     .map = {.shift = 10, .scale = 0.3, .offset = 1},
     .digest = 1199995930244447232U},
    {.dtype = DType::u16,  // sums beyond 2^24
     .input = {1, 1, 20, 40},
     .kernel = {1, 1, 3, 3},
     .largest_weight = 1 << 20,
     .map = {.scale = 0x1p-24},
     .digest = 16169306941613377648U},
};

ConvCase case_of(const ExactProblem& p, Random& random) {
  ConvCase c = make_case({p.dtype, p.input, p.kernel, p.params, Numbers::exact}, random);
  c.kernel.weights = floats(p.kernel.count(), [&] {
    if (p.largest_weight == 0) return 1.0;
    return p.unit * static_cast<double>(random.between(-p.largest_weight, p.largest_weight));
  });
  c.kernel.bias.assign(c.kernel.bias.size(), p.bias);
  c.kernel.divisor.assign(c.kernel.bias.size(), p.divisor);
  c.epilogue = p.epilogue;
  c.map = p.map;
  return c;
}

TEST_CASE("exact sums give the same bytes on every machine, by every algorithm and number of threads") {
  const auto digest = [](const ConvCase& c, std::string_view algorithm, int threads) {
    return digest_of(c, plan_of(c, algorithm, threads), {DType::u8, DType::u16, DType::f32});
  };
  Random random(83);
  std::map<std::string_view, int> solved;
  for (const ExactProblem& p : kExact) {
    const ConvCase c = case_of(p, random);
    CAPTURE(to_string(c.problem));
    CHECK(digest(c, "reference", 1) == p.digest);
    for (const std::string_view algorithm : algorithm_names()) {
      if (algorithm == "reference" || !applies(algorithm, c.problem, c.kernel)) continue;
      CAPTURE(std::string(algorithm));
      ++solved[algorithm];
      on_each_set([&] {
        for (const int threads : {1, 3}) CHECK(digest(c, algorithm, threads) == p.digest);
      });
    }
  }
  // By the conditions in src/conv/README.md, of 9 problems.
  CHECK(solved["direct"] == 9);
  CHECK(solved["rows"] == 8);
  CHECK(solved["packed"] == 8);
  CHECK(solved["integer"] == 5);
  CHECK(solved["box"] == 2);
  CHECK(solved["separable"] >= 2);
  CHECK(solved["depthwise"] >= 4);
  CHECK(solved["fft"] >= 4);
}

TEST_CASE("float sums give the same bytes for any number of threads, on every instruction set") {
  struct Layer {
    Shape input;
    KernelShape kernel;
    std::int64_t groups = 1;
    bool equal_weights = false;
  };
  // Each takes more than 0.02 ms by any algorithm, so no plan falls back to one thread (conv/plan.cpp).
  const Layer layers[] = {{{1, 1, 250, 260}, {1, 1, 7, 7}},
                          {{1, 1, 470, 480}, {1, 1, 5, 5}, 1, true},
                          {{1, 8, 72, 72}, {32, 8, 3, 3}},
                          {{1, 40, 80, 80}, {40, 1, 3, 3}, 40}};
  Random random(84);
  std::map<std::string_view, int> solved;
  for (const Layer& layer : layers)
    for (const DType dtype : {DType::u8, DType::f32}) {
      ConvCase c = make_case(
          {dtype, layer.input, layer.kernel, {.padding = kSame, .groups = layer.groups}, Numbers::rough}, random);
      if (layer.equal_weights) std::fill(c.kernel.weights.begin(), c.kernel.weights.end(), c.kernel.weights[0]);
      CAPTURE(to_string(c.problem));
      for (const std::string_view algorithm : algorithm_names()) {
        if (algorithm == "reference" || !applies(algorithm, c.problem, c.kernel)) continue;
        CAPTURE(std::string(algorithm));
        ++solved[algorithm];
        on_each_set([&] {
          const std::uint64_t alone = digest_of(c, plan_of(c, algorithm, 1), {DType::f32});
          for (const int threads : {2, 7}) {
            const ConvPlan plan = plan_of(c, algorithm, threads);
            CHECK(plan.threads() == threads);
            CHECK(digest_of(c, plan, {DType::f32}) == alone);
          }
        });
      }
    }
  // By the conditions in src/conv/README.md, of 4 layers on two types of pictures.
  for (const char* every : {"direct", "rows", "packed"}) CHECK(solved[every] == 8);
  CHECK(solved["depthwise"] == 6);
  CHECK(solved["separable"] == 2);
  CHECK(solved["box"] == 1);
  CHECK(solved["fft"] >= 2);
  CHECK(solved["winograd"] == 1);
}

}  // namespace
}  // namespace convtool
