#include "conv/bands.h"

#include <algorithm>

namespace convtool {
namespace {

/// The rows that output rows `rows` see, padding included.
Range rows_seen(const ConvProblem& whole, const Range& rows) {
  const std::int64_t extent = dilated_kernel(whole.kernel, whole.dilation).h;
  return {rows.begin * whole.stride.h - whole.pads.top, (rows.end - 1) * whole.stride.h - whole.pads.top + extent};
}

}  // namespace

bool has_bands(const ConvProblem& whole) {
  const std::int64_t extent = dilated_kernel(whole.kernel, whole.dilation).h;
  return !is_constant(whole.padding_mode) || std::max(whole.pads.top, whole.pads.bottom) < extent;
}

Range band_input(const ConvProblem& whole, const Range& rows) {
  const Range seen = rows_seen(whole, rows);
  if (!is_constant(whole.padding_mode)) return seen;
  return {std::max<std::int64_t>(seen.begin, 0), std::min(seen.end, whole.input.h)};
}

ConvProblem band_problem(const ConvProblem& whole, const Range& rows) {
  require(has_bands(whole), "a band that sees no row of the picture");
  const Range seen = rows_seen(whole, rows), input = band_input(whole, rows);
  ConvProblem band = whole;
  band.input.n = 1;
  band.input.h = input.end - input.begin;
  band.pads.top = input.begin - seen.begin;
  band.pads.bottom = seen.end - input.end;
  band.whole = {.height = whole.input.h, .top = whole.pads.top, .bottom = whole.pads.bottom};
  return band;
}

ConvProblem whole_problem(const ConvProblem& band) {
  if (band.whole.height == 0) return band;
  ConvProblem whole = band;
  whole.input.h = band.whole.height;
  whole.pads.top = band.whole.top;
  whole.pads.bottom = band.whole.bottom;
  whole.whole = {};
  return whole;
}

}  // namespace convtool
