#include "network/receptive_field.h"

#include <algorithm>
#include <numeric>

#include "core/whole_division.h"
#include "network/bank_plan.h"
#include "network/residual.h"

namespace convtool {
namespace {

/// The product, which stays below an eighth of the range: that leaves room for the sums below.
std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > INT64_MAX / 8 || product < INT64_MIN / 8) {
    refuse_shape("", "the receptive field exceeds 64-bit numbers; use fewer layers or smaller strides");
  }
  return product;
}

/// The same positions with smaller numbers: for a common divisor g of jump and parts, floor((start + j*jump) / parts)
/// is floor((floor(start/g) + j*jump/g) / (parts/g)).
ReceptiveAxis reduced(ReceptiveAxis axis) {
  const std::int64_t g = std::gcd(axis.jump, axis.parts);
  axis.start = floor_divided(axis.start, g);
  axis.jump /= g;
  axis.parts /= g;
  return axis;
}

/// The field of a layer whose output j sees `layer.size` outputs of the layer before from floor((layer.start +
/// j*layer.jump) / layer.parts) on. With b = before, l = layer and f(j) that floor, the first position is
/// floor((b.start + b.jump * f(j)) / b.parts). b.jump * f(j) is at most b.jump * (l.start + j*l.jump) / l.parts, and
/// less by b.jump * (l.parts - 1) / l.parts at most; by nothing where b.jump is 1, since floors of floors are floors.
ReceptiveAxis appended(const ReceptiveAxis& b, const ReceptiveAxis& l) {
  const std::int64_t parts = times(b.parts, l.parts);
  const std::int64_t slack = b.jump == 1 ? 0 : times(b.jump, l.parts - 1);
  const std::int64_t reach = times(times(b.jump, l.parts), l.size - 1);  // from the first to the last, in parts
  return reduced({.size = times(b.size + ceil_divided(times(reach + slack, 1), parts), 1),
                  .jump = times(b.jump, l.jump),
                  .start = times(times(b.start, l.parts) + times(b.jump, l.start) - slack, 1),
                  .parts = parts});
}

ReceptiveAxis united(const ReceptiveAxis& a, const ReceptiveAxis& b) {
  if (a == b) return a;
  if (a.jump != b.jump || a.parts != b.parts)
    refuse_shape("", "the layers that a sum adds step through the input at different distances (" + a.jump_text() +
                         " and " + b.jump_text() + " positions); give them the same strides");
  // The first positions differ by the same number of parts for every output, which may round up or down.
  const std::int64_t start = std::min(a.start, b.start);
  const auto end = [&](const ReceptiveAxis& axis) { return ceil_divided(axis.start - start, axis.parts) + axis.size; };
  return {.size = std::max(end(a), end(b)), .jump = a.jump, .start = start, .parts = a.parts};
}

/// Along an axis, what an output of a layer sees of the layer's input.
ReceptiveAxis axis_of(std::int64_t extent, std::int64_t stride, std::int64_t pad_begin) {
  return {.size = extent, .jump = stride, .start = -pad_begin};
}

/// See enlarging.h: output o sees the inputs from ceil((o + p - d*(k-1)) / s) to floor((o + p) / s).
ReceptiveAxis transposed_axis(std::int64_t extent, std::int64_t stride, std::int64_t pad_begin) {
  return {
      .size = (extent - 1) / stride + 1, .jump = 1, .start = pad_begin - (extent - 1) + stride - 1, .parts = stride};
}

ReceptiveAxis upsampled_axis(std::int64_t scale, bool blends) {
  if (!blends) return {.size = 1, .jump = 1, .start = 0, .parts = scale};
  return {.size = 2, .jump = 2, .start = 1 - scale, .parts = 2 * scale};
}

/// Extends `region` to `other`.
void join(std::optional<Region>& region, const Region& other) {
  if (!region) region = other;
  *region = {std::min(region->first_row, other.first_row), std::max(region->last_row, other.last_row),
             std::min(region->first_column, other.first_column), std::max(region->last_column, other.last_column)};
}

/// Along an axis of `bank`, the first position that output `begin` reads and the last that output `end` reads, for the
/// kernel with this extent, stride and pad.
Range read_along(const BankGeometry& bank, std::int64_t extent, std::int64_t stride, std::int64_t pad, Range outputs) {
  const Enlarging kind = bank.enlarged ? bank.enlarged->kind : Enlarging::none;
  const auto middle = [stride](std::int64_t output) { return 2 * output + 1 - stride; };  // bilinear, over 2 * stride
  switch (kind) {
    case Enlarging::none: break;
    case Enlarging::nearest: return {outputs.begin / stride, outputs.end / stride};
    case Enlarging::bilinear:
      return {floor_divided(middle(outputs.begin), 2 * stride), ceil_divided(middle(outputs.end), 2 * stride)};
    case Enlarging::transposed:
      return {ceil_divided(outputs.begin + pad - (extent - 1), stride), floor_divided(outputs.end + pad, stride)};
  }
  return {times(outputs.begin, stride) - pad, times(outputs.end, stride) - pad + extent - 1};
}

/// The rows and columns of a bank's input that its `outputs` read.
Region region_read(const BankGeometry& bank, const Region& outputs) {
  std::optional<Region> all;
  for (const ConvProblem& problem : bank.problems) {
    const Extent extent = dilated_kernel(problem.kernel, problem.dilation);
    const Range rows = read_along(bank, extent.h, problem.stride.h, problem.pads.top,
                                  {outputs.first_row, outputs.last_row}),
                columns = read_along(bank, extent.w, problem.stride.w, problem.pads.left,
                                     {outputs.first_column, outputs.last_column});
    join(all, {rows.begin, rows.end, columns.begin, columns.end});
  }
  return *all;
}

}  // namespace

std::int64_t ReceptiveAxis::first(std::int64_t j) const { return floor_divided(start + times(j, jump), parts); }

std::int64_t ReceptiveAxis::centre(std::int64_t j) const {
  return floor_divided(2 * (start + times(j, jump)) + times(size - 1, parts), 2 * parts);
}

std::string ReceptiveAxis::jump_text() const {
  return std::to_string(jump) + (parts == 1 ? "" : "/" + std::to_string(parts));
}

void ReceptiveField::append(std::span<const ConvProblem> bank) {
  const ReceptiveField before = *this;
  for (std::size_t i = 0; i < bank.size(); ++i) {
    const ConvProblem& problem = bank[i];
    const Extent extent = dilated_kernel(problem.kernel, problem.dilation);
    const ReceptiveAxis down = appended(before.h, axis_of(extent.h, problem.stride.h, problem.pads.top));
    const ReceptiveAxis across = appended(before.w, axis_of(extent.w, problem.stride.w, problem.pads.left));
    h = i == 0 ? down : united(h, down);
    w = i == 0 ? across : united(w, across);
  }
}

void ReceptiveField::append_bank(const BankGeometry& bank) {
  if (!bank.enlarged) return append(bank.problems);
  const ConvProblem& problem = bank.problems.front();
  const Extent extent = dilated_kernel(problem.kernel, problem.dilation);
  const Enlarging kind = bank.enlarged->kind;
  const bool blends = kind == Enlarging::bilinear, is_transposed = kind == Enlarging::transposed;
  h = appended(h, is_transposed ? transposed_axis(extent.h, problem.stride.h, problem.pads.top)
                                : upsampled_axis(problem.stride.h, blends));
  w = appended(w, is_transposed ? transposed_axis(extent.w, problem.stride.w, problem.pads.left)
                                : upsampled_axis(problem.stride.w, blends));
}

void ReceptiveField::unite(const ReceptiveField& other) {
  h = united(h, other.h);
  w = united(w, other.w);
}

ReceptiveField receptive_field_of(const Network& network, std::span<const BankGeometry> banks) {
  const std::vector<std::optional<std::size_t>> addends = addends_of(network), sources = sources_of(network);
  std::vector<ReceptiveField> fields;
  for (std::size_t i = 0; i < banks.size(); ++i) {
    ReceptiveField field = i == 0 ? ReceptiveField() : fields[sources[i].value_or(i - 1)];
    if (addends[i]) field.unite(fields[*addends[i]]);
    field.append_bank(banks[i]);
    fields.push_back(field);
  }
  return fields.empty() ? ReceptiveField() : fields.back();
}

std::vector<std::optional<Region>> regions_before(const Network& network, std::span<const BankGeometry> banks,
                                                  const Region& outputs) {
  const std::vector<std::optional<std::size_t>> addends = addends_of(network), sources = sources_of(network);
  std::vector<std::optional<Region>> regions(banks.size() + 1);
  regions.back() = outputs;
  for (std::size_t i = banks.size(); i-- > 0;) {
    if (!regions[i + 1]) continue;
    const Region read = region_read(banks[i], *regions[i + 1]);
    join(regions[i == 0 ? 0 : sources[i].value_or(i - 1) + 1], read);
    if (addends[i]) join(regions[*addends[i] + 1], read);
  }
  return regions;
}

}  // namespace convtool
