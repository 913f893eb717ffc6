#include "network/receptive_field.h"

#include <algorithm>

namespace convtool {
namespace {

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  // Products stay below a quarter of the range, which leaves room for the sums below.
  if (__builtin_mul_overflow(a, b, &product) || product > INT64_MAX / 4 || product < INT64_MIN / 4) {
    refuse_shape("", "the receptive field exceeds 64-bit numbers; use fewer layers or smaller strides");
  }
  return product;
}

ReceptiveAxis appended(const ReceptiveAxis& before, std::int64_t extent, std::int64_t stride, std::int64_t pad_begin) {
  return {.size = times(before.size + times(extent - 1, before.jump), 1),
          .jump = times(before.jump, stride),
          .start = times(before.start - times(pad_begin, before.jump), 1)};
}

ReceptiveAxis united(const ReceptiveAxis& a, const ReceptiveAxis& b) {
  const std::int64_t start = std::min(a.start, b.start);
  return {.size = std::max(a.start + a.size, b.start + b.size) - start, .jump = a.jump, .start = start};
}

}  // namespace

void ReceptiveField::append(std::span<const ConvProblem> bank) {
  const ReceptiveField before = *this;
  for (std::size_t i = 0; i < bank.size(); ++i) {
    const ConvProblem& problem = bank[i];
    const Extent extent = dilated_kernel(problem.kernel, problem.dilation);
    const ReceptiveAxis down = appended(before.h, extent.h, problem.stride.h, problem.pads.top);
    const ReceptiveAxis across = appended(before.w, extent.w, problem.stride.w, problem.pads.left);
    h = i == 0 ? down : united(h, down);
    w = i == 0 ? across : united(w, across);
  }
}

}  // namespace convtool
