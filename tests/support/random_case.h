// Random convolutions of every kind.
#pragma once

#include <algorithm>
#include <optional>

#include "support/conv_cases.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {

inline Padding random_padding(Random& random) {
  switch (random.between(0, 5)) {
    case 0: return kSame;
    case 1: return kSameLower;
    case 2: return kFull;
    case 3: return {};
    default:
      return {Padding::Rule::fixed,
              {random.between(0, 4), random.between(0, 9), random.between(0, 4), random.between(0, 9)}};
  }
}

/// A case on a picture of at most `tallest` rows. Nothing if the random numbers form a problem that make_problem()
/// refuses.
inline std::optional<ConvCase> random_case(Random& random, std::int64_t tallest) {
  const std::int64_t groups = random.chance(2) ? 1 : random.between(1, 4);
  const bool depthwise = groups > 1 && random.chance(2);
  const std::int64_t inputs = depthwise ? 1 : random.between(1, 5), count = random.chance(3) ? random.between(1, 3) : 1;
  const std::int64_t outputs = count * random.between(1, random.chance(4) ? 12 : 3);
  const std::int64_t taps = random.chance(5) ? 13 : 5;  // mostly small kernels
  const KernelShape kernel{groups * outputs, inputs, random.between(1, taps), random.between(1, taps)};
  const Shape input{random.between(1, 3), groups * inputs, random.between(1, tallest), random.between(1, 90)};
  const bool plain = random.chance(2);  // stride and dilation 1
  const auto step = [&] { return plain ? 1 : random.between(1, 4); };
  const Params params{.stride = {step(), step()},
                      .dilation = {step(), step()},
                      .padding = random_padding(random),
                      .padding_mode = static_cast<PaddingMode>(random.between(0, 5)),
                      .padding_value = static_cast<float>(random.between(-4, 300)),
                      .groups = groups};
  try {
    ConvCase c = make_case(
        {random.pick(kTypes), input, kernel, params, random.chance(3) ? Numbers::exact : Numbers::rough}, random);
    // Equal weights, for `box` and `separable`.
    if (random.chance(4)) std::fill(c.kernel.weights.begin(), c.kernel.weights.end(), c.kernel.weights[0]);
    const auto combine = count == 1 ? Combine::none : static_cast<Combine>(random.between(1, 6));
    c.epilogue = {static_cast<Activation>(random.between(0, 2)), combine, count};
    c.output_dtype = random.pick(kTypes);
    const double scale = random.chance(2) ? 1 : static_cast<double>(random.between(1, 1000)) / 16;
    c.map = {random.chance(3), static_cast<double>(random.between(-9, 9)), scale,
             static_cast<double>(random.between(0, 128))};
    c.input_layout = random.pick(kLayouts);
    c.output_layout = random.pick(kLayouts);
    return c;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) throw;
    return std::nullopt;
  }
}

}  // namespace convtool
