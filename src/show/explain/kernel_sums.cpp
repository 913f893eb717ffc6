#include "show/explain/kernel_sums.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "conv/padding.h"
#include "core/text.h"
#include "network/pools/pool_windows.h"

namespace convtool {
namespace {

/// A row or column of a kernel, and the position of the input that it reads for one output.
struct Tap {
  std::int64_t index = 0, place = 0;
};

using Taps = std::vector<Tap>;

/// The taps of a kernel of `count` rows or columns that begins at `first`.
Taps taps_from(std::int64_t first, std::int64_t count, std::int64_t dilation) {
  Taps taps;
  for (std::int64_t k = 0; k < count; ++k) taps.push_back({k, first + k * dilation});
  return taps;
}

bool is_inside(std::int64_t i, std::int64_t size) { return i >= 0 && i < size; }

Term term_at(const LayerInput& input, const Pixel& at) {
  const ConvProblem& problem = input.problem;
  const std::int64_t row = pad_index(problem.padding_mode, at.y, problem.input.h);
  const std::int64_t column = pad_index(problem.padding_mode, at.x, problem.input.w);
  Term term{.at = at, .inside = is_inside(at.y, problem.input.h) && is_inside(at.x, problem.input.w), .source = {}};
  if (row == kOutside || column == kOutside) {
    term.input = as_printed(problem.padding_value);
    return term;
  }
  term.source = Pixel{at.channel, row, column};
  if (input.values) term.input = value_at(*input.values, *term.source);
  return term;
}

/// A sum without terms yet.
KernelSum empty_sum(std::int64_t channels, const Taps& rows, const Taps& columns) {
  return {.kernel = {}, .channels = channels, .kh = std::ssize(rows), .kw = std::ssize(columns), .terms = {}};
}

/// Sets the sum of the products and the response; neither where a product is missing.
void finish(KernelSum& sum) {
  double total = 0;
  for (const Term& term : sum.terms) {
    if (!term.input && !term.source) continue;  // does not count
    if (!term.product) return;
    total += *term.product;
  }
  sum.sum = total + 0.0;  // no -0
  sum.response = activated(sum.activation, sum.numbers, total / sum.divisor + sum.bias) + 0.0;
}

KernelSum sum_of_taps(const LayerInput& input, const BoundKernel& bound, std::int64_t o, const Taps& rows,
                      const Taps& columns) {
  const KernelShape& shape = bound.kernel.shape;
  const auto channel = static_cast<std::size_t>(o);
  KernelSum sum = empty_sum(shape.c_i_per_group, rows, columns);
  sum.divisor = bound.kernel.divisor.empty() ? 1 : bound.kernel.divisor[channel];
  sum.bias = static_cast<double>(bound.kernel.bias[channel]);
  sum.activation = bound.epilogue.activation;
  sum.numbers = bound.epilogue.numbers;
  const std::int64_t first = o / (shape.c_o / bound.problem.groups) * shape.c_i_per_group;
  sum.terms.reserve(static_cast<std::size_t>(shape.c_i_per_group * sum.kh * sum.kw));
  for (std::int64_t c = 0; c < shape.c_i_per_group; ++c)
    for (const Tap& row : rows)
      for (const Tap& column : columns) {
        Term& term = sum.terms.emplace_back(term_at(input, {first + c, row.place, column.place}));
        if (!bound.kernel.weights.empty())
          term.weight = static_cast<double>(bound.kernel.taps(o, c)[row.index * shape.kw + column.index]);
        if (term.weight && term.input) term.product = *term.weight * *term.input;
      }
  return sum;
}

/// The taps of a phase of an output of which `number` are before along an axis, and that lie inside an input of `size`
/// unless `may_leave`.
Taps phase_taps(const PhaseAxis& axis, std::int64_t number, std::int64_t size, bool may_leave) {
  if (axis.input.begin == axis.input.end) return {};
  Taps taps = taps_from(axis.input.begin - axis.pad_begin + number, axis.taps, axis.dilation);
  if (!may_leave) std::erase_if(taps, [size](const Tap& tap) { return !is_inside(tap.place, size); });
  return taps;
}

/// The divisor of the weights of upsampling along an axis, `whole`, and these weights have this factor in common.
std::int64_t common_factor(const PhaseAxis& axis, std::int64_t whole) {
  std::int64_t factor = whole;
  for (std::int64_t k = 0; k < axis.taps; ++k) factor = std::gcd(factor, axis.tap(k));
  return factor;
}

/// Whether position `i` of an axis is in the input or, with `counts_padding`, in the padding beside it.
bool counts(std::int64_t i, std::int64_t size, std::int64_t pad_begin, std::int64_t pad_end, bool counts_padding) {
  return counts_padding ? i >= -pad_begin && i < size + pad_end : is_inside(i, size);
}

}  // namespace

double as_printed(float number) { return parse_number<double>(to_text(number)).value_or(static_cast<double>(number)); }

double value_at(const ConstTensorRef& tensor, const Pixel& at) {
  return visit_dtype(tensor.dtype,
                     [&]<class T>(T) { return static_cast<double>(tensor.view<T>().at(0, at.channel, at.y, at.x)); });
}

KernelSum kernel_sum(const LayerInput& input, const BoundKernel& bound, std::int64_t o, std::int64_t y,
                     std::int64_t x) {
  const ConvProblem& p = input.problem;
  KernelSum sum =
      sum_of_taps(input, bound, o, taps_from(y * p.stride.h - p.pads.top, bound.kernel.shape.kh, p.dilation.h),
                  taps_from(x * p.stride.w - p.pads.left, bound.kernel.shape.kw, p.dilation.w));
  finish(sum);
  return sum;
}

KernelSum enlarged_sum(const LayerInput& input, const Enlargement& enlarged, std::span<const Phase> phases,
                       std::span<const BoundKernel> kernels, const Pixel& at) {
  const Extent& step = enlarged.step;
  const auto phase = std::find_if(phases.begin(), phases.end(), [&](const Phase& one) {
    return one.rows.first == at.y % step.h && one.columns.first == at.x % step.w;
  });
  const BoundKernel& bound = kernels[static_cast<std::size_t>(phase - phases.begin())];
  const bool is_transposed = enlarged.kind == Enlarging::transposed;
  const Shape& size = input.problem.input;
  Taps rows = phase_taps(phase->rows, at.y / step.h, size.h, !is_transposed);
  Taps columns = phase_taps(phase->columns, at.x / step.w, size.w, !is_transposed);
  if (rows.empty() || columns.empty()) rows = columns = {};
  KernelSum sum = sum_of_taps(input, bound, at.channel, rows, columns);
  if (is_transposed) {
    for (const Tap& row : rows) sum.kernel_rows.push_back(phase->rows.tap(row.index));
    for (const Tap& column : columns) sum.kernel_columns.push_back(phase->columns.tap(column.index));
  } else {
    const auto factor =
        static_cast<double>(common_factor(phase->rows, 2 * step.h) * common_factor(phase->columns, 2 * step.w));
    sum.divisor /= factor;
    for (Term& term : sum.terms) {
      *term.weight /= factor;
      if (term.product) *term.product /= factor;
    }
  }
  const bool has_numbers = input.values && !(is_transposed && bound.kernel.weights.empty());
  if (has_numbers) finish(sum);
  return sum;
}

KernelSum pool_sum(const LayerInput& input, const Layer& pool, const Pixel& at) {
  const ConvProblem& windows = input.problem;
  const std::int64_t top = at.y * windows.stride.h - windows.pads.top;
  const std::int64_t left = at.x * windows.stride.w - windows.pads.left;
  const Taps rows = taps_from(top, windows.kernel.kh, windows.dilation.h),
             columns = taps_from(left, windows.kernel.kw, windows.dilation.w);
  const bool is_max = pool.is_max_pool(), counts_padding = !is_max && pool.pool.counts_padding;
  const Pads& pads = counted_pads(pool, windows);
  KernelSum sum = empty_sum(1, rows, columns);
  sum.activation = pool.activation;
  sum.numbers = pool.activation_numbers;
  std::int64_t counted = 0;
  for (const Tap& row : rows)
    for (const Tap& column : columns) {
      Term& term = sum.terms.emplace_back(term_at(input, {at.channel, row.place, column.place}));
      if (!counts(row.place, windows.input.h, pads.top, pads.bottom, counts_padding) ||
          !counts(column.place, windows.input.w, pads.left, pads.right, counts_padding)) {
        term.source = std::nullopt;
        term.input = std::nullopt;
        continue;
      }
      ++counted;
      if (!is_max) term.weight = 1;
      if (!is_max) term.product = term.input;
    }
  if (!is_max) {
    sum.divisor = static_cast<double>(counted);
    if (input.values) finish(sum);
    return sum;
  }
  std::optional<double> largest;
  for (const Term& term : sum.terms) {
    if (!term.input) continue;
    // As in PyTorch, a NaN is larger than any number.
    if (!largest || *term.input > *largest || std::isnan(*term.input))
      if (!largest || !std::isnan(*largest)) largest = term.input;
  }
  sum.largest = largest;
  if (largest) sum.response = activated(sum.activation, sum.numbers, *largest) + 0.0;
  return sum;
}

}  // namespace convtool
