// The pixel under a tap, looked up one at a time: the definition against which gradients and normal equations are
// tested.
#pragma once

#include <optional>

#include "conv/padding.h"
#include "conv/problem.h"
#include "support/conv_cases.h"
#include "support/params.h"

namespace convtool {

/// A tap of an output channel: input channel within the group, row and column of the kernel.
struct Tap {
  std::int64_t c = 0, u = 0, v = 0;
};

/// Number `t` in nn.Conv2d's order.
inline Tap tap_at(const KernelShape& kernel, std::int64_t t) {
  return {t / (kernel.kh * kernel.kw), t / kernel.kw % kernel.kh, t % kernel.kw};
}

/// The place of a tap for one output: channel, row and column of the picture, kOutside in constant padding.
struct TapPlace2d {
  std::int64_t c = 0, y = kOutside, x = kOutside;

  bool outside() const { return y == kOutside || x == kOutside; }
};

inline TapPlace2d tap_place(const ConvProblem& p, std::int64_t group, const Tap& tap, std::int64_t i, std::int64_t j) {
  return {group * p.kernel.c_i_per_group + tap.c,
          pad_index(p.padding_mode, i * p.stride.h - p.pads.top + tap.u * p.dilation.h, p.input.h),
          pad_index(p.padding_mode, j * p.stride.w - p.pads.left + tap.v * p.dilation.w, p.input.w)};
}

inline double tap_pixel(const ConvProblem& p, const TensorView<const float>& x, std::int64_t n, std::int64_t group,
                        const Tap& tap, std::int64_t i, std::int64_t j) {
  const TapPlace2d at = tap_place(p, group, tap, i, j);
  return static_cast<double>(at.outside() ? p.padding_value : x.at(n, at.c, at.y, at.x));
}

/// Calls use(n, i, j) for every output position in the first `rows` rows.
template <class Use>
void for_each_output(const ConvProblem& problem, std::int64_t rows, const Use& use) {
  const Shape out = output_shape(problem);
  for (std::int64_t n = 0; n < out.n; ++n)
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < out.w; ++j) use(n, i, j);
}

/// A random small f32 problem with pixels, weights and biases; nothing if make_problem() refuses it.
inline std::optional<ConvCase> random_float_case(Random& random, Numbers numbers) {
  const std::int64_t groups = random.chance(2) ? 1 : random.between(2, 4);
  const KernelShape kernel{groups * random.between(1, 5), random.between(1, 4), random.between(1, 4),
                           random.between(1, 5)};
  const Shape input{random.between(1, 3), groups * kernel.c_i_per_group, random.between(1, 12), random.between(1, 70)};
  constexpr Padding kPaddings[] = {{}, kSame, kSameLower, kFull, pads(2, 0, 1, 3), pads(1, 7, 0, 2)};
  const Params params{.stride = {random.between(1, 3), random.between(1, 3)},
                      .dilation = {random.between(1, 2), random.between(1, 3)},
                      .padding = random.pick(kPaddings),
                      .padding_mode = static_cast<PaddingMode>(random.between(0, 5)),
                      .padding_value = static_cast<float>(random.between(-4, 4)),
                      .groups = groups};
  try {
    return make_case({DType::f32, input, kernel, params, numbers}, random);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) throw;
    return std::nullopt;
  }
}

/// A planar tensor of random floats in [-1, 1).
inline Tensor rough_tensor(const Shape& shape, Random& random) {
  return filled(DType::f32, shape, [&] { return random.rough(); });
}

}  // namespace convtool
