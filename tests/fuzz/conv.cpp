// The engine: any convolution that fits in a few bytes, every algorithm against `reference` (support/conv_tester.h).
#include <cmath>
#include <limits>

#include "fuzz/choices.h"
#include "fuzz/engine_tester.h"
#include "fuzz/target.h"
#include "support/conv_cases.h"
#include "support/values.h"

namespace convtool::fuzz {
namespace conv {

constexpr double kMostMacs = 60'000;
constexpr std::int64_t kMostElements = 6'000;  // of input, output and weights each

/// A size up to `usual`, rarely up to `most`.
std::int64_t size(Choices& choices, std::int64_t least, std::int64_t usual, std::int64_t most) {
  return choices.between(least, choices.one_in(8) ? most : usual);
}

Padding read_padding(Choices& choices) {
  const auto rule = static_cast<Padding::Rule>(choices.between(0, 3));
  if (rule != Padding::Rule::fixed) return {.rule = rule, .pads = {}};
  const auto pad = [&] { return size(choices, 0, 4, 40); };
  return {.rule = rule, .pads = {pad(), pad(), pad(), pad()}};
}

/// Weights, biases or pixels, by a few choices.
class Numbers {
 public:
  /// Exact numbers are small integers over `unit`, a power of two; others use all bits of a float.
  Numbers(Choices& choices, std::optional<double> unit)
      : unit_(unit),
        kind_(static_cast<Kind>(choices.between(0, 3))),
        random_(static_cast<std::uint64_t>(choices.between(0, 65535))),
        scale_(std::ldexp(1.0, static_cast<int>(choices.between(-12, 12)))),
        constant_(value()) {}

  double next() {
    switch (kind_) {
      case Kind::any: break;
      case Kind::sparse: return random_.chance(3) ? value() : 0;
      case Kind::constant: return constant_;
      case Kind::positive: return std::fabs(value());
    }
    return value();
  }

 private:
  enum class Kind { any, sparse, constant, positive };

  double value() {
    if (unit_) return static_cast<double>(random_.between(-16, 16)) / *unit_;
    return static_cast<double>(random_.rough()) * scale_;
  }

  std::optional<double> unit_;
  Kind kind_;
  Random random_;
  double scale_;
  double constant_;
};

float read_padding_value(Choices& choices, DType dtype, bool exact) {
  if (!exact) return static_cast<float>(choices.between(-300, 70'000)) / 7;
  const double most = is_integer(dtype) ? full_range(dtype) : 60;
  return static_cast<float>(choices.between(is_integer(dtype) ? 0 : -60, static_cast<std::int64_t>(most)));
}

Tensor read_pixels(Choices& choices, DType dtype, const Shape& shape, bool exact) {
  if (is_integer(dtype)) {
    Random random(static_cast<std::uint64_t>(choices.between(0, 65535)));
    const auto most = choices.coin() ? static_cast<std::int64_t>(full_range(dtype)) : 1;
    return filled(dtype, shape, [&] { return static_cast<double>(random.between(0, most)); });
  }
  Numbers pixels(choices, exact ? std::optional(8.0) : std::nullopt);
  Tensor tensor = filled(dtype, shape, [&] { return pixels.next(); });
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  for (std::int64_t spots = choices.between(0, 7) - 4; spots > 0; --spots)
    tensor.data<float>()[choices.between(0, shape.count() - 1)] =
        choices.pick(std::vector{kNaN, kInfinity, -kInfinity});
  if (choices.one_in(32)) std::fill_n(tensor.data<float>(), shape.count(), kNaN);
  return tensor;
}

/// Nothing for a problem that make_problem() refuses, or that takes too long.
std::optional<ConvCase> read_case(Choices& choices) {
  const DType dtype = choices.pick(kTypes);
  const std::int64_t groups = size(choices, 1, 3, 20);
  const std::int64_t combined = choices.coin() ? 1 : choices.between(1, 4);
  const bool is_depthwise = choices.coin();
  const std::int64_t inputs = is_depthwise ? 1 : size(choices, 1, 4, 36);
  const std::int64_t outputs = combined * (is_depthwise ? 1 : size(choices, 1, 4, 40));
  const KernelShape kernel{groups * outputs, inputs, size(choices, 1, 5, 33), size(choices, 1, 5, 33)};
  const Shape input{size(choices, 1, 2, 4), groups * inputs, size(choices, 1, 20, 90), size(choices, 1, 40, 300)};
  const bool exact = choices.coin();
  ConvParams params;
  if (choices.coin()) {
    params.stride = {size(choices, 1, 3, 50), size(choices, 1, 3, 50)};
    params.dilation = {size(choices, 1, 3, 30), size(choices, 1, 3, 30)};
  }
  params.padding = read_padding(choices);
  params.padding_mode = static_cast<PaddingMode>(choices.between(0, std::ssize(kPaddingModes) - 1));
  if (params.padding_mode == PaddingMode::constant) params.padding_value = read_padding_value(choices, dtype, exact);
  params.groups = groups;

  ConvCase c;
  if (!accepts({ErrorKind::shape}, [&] { c.problem = make_problem(dtype, input, kernel, params); })) return {};
  if (mac_count(c.problem) > kMostMacs || output_shape(c.problem).count() > kMostElements ||
      input.count() > kMostElements || kernel.count() > kMostElements)
    return {};
  c.exact = exact;
  const std::optional<double> unit = exact ? std::optional(is_integer(dtype) ? 1.0 : 8.0) : std::nullopt;
  Numbers weights(choices, unit), biases(choices, unit);
  c.kernel.shape = kernel;
  c.kernel.weights = floats(kernel.count(), [&] { return weights.next(); });
  c.kernel.bias = floats(kernel.c_o, [&] { return biases.next(); });
  if (!exact && choices.coin())
    for (std::int64_t o = 0; o < kernel.c_o; ++o) {
      const double divisor = static_cast<double>(choices.between(1, 99)) / 8;
      c.kernel.divisor.push_back(choices.coin() ? divisor : -divisor);
    }
  c.input = read_pixels(choices, dtype, input, exact);

  c.epilogue = {
      .activation = static_cast<Activation>(choices.between(0, std::ssize(kActivations) - 1)),
      .combine = combined == 1 ? Combine::none : static_cast<Combine>(choices.between(1, std::ssize(kCombines) - 1)),
      .combine_count = combined};
  c.output_dtype = choices.pick(kTypes);
  if (choices.coin())
    c.map = {.absolute = choices.coin(),
             .shift = static_cast<double>(choices.between(-300, 300)),
             .scale = static_cast<double>(choices.between(1, 1000)) / 16,
             .offset = static_cast<double>(choices.between(0, 256)) / 2,
             .threshold = {}};
  c.input_layout = choices.pick(kLayouts);
  c.output_layout = choices.pick(kLayouts);
  return c;
}

bool run(std::span<const std::byte> input) {
  Choices choices(input);
  const auto seed = static_cast<std::uint64_t>(choices.between(0, 255));
  const std::optional<ConvCase> c = read_case(choices);
  if (c) check_engine(*c, seed);
  return c.has_value();
}

}  // namespace conv

Target conv_target() {
  Target target = {"conv", conv::run, {}};
  Random random(17);
  for (int i = 0; i < 300; ++i) {
    Bytes seed(80);
    for (std::byte& byte : seed) byte = static_cast<std::byte>(random.between(0, 255));
    target.seeds.push_back(seed);
  }
  return target;
}

}  // namespace convtool::fuzz
