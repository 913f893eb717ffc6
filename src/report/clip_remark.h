// The warning about clipped values.
#pragma once

#include <optional>

#include "network/layer.h"
#include "report/run_report.h"

namespace convtool {

/// The share of clipped values from which on they are no longer taken for a few bright or dark spots.
inline constexpr double kMuchClipped = 0.01;

/// If more than kMuchClipped of all values are clipped: by how much, and how to keep them, printed for the first input
/// of a run. Nothing where the map decides what is clipped, by a threshold or by percentiles. `report` describes a run
/// of `network`.
std::optional<Remark> clip_remark(const RunReport& report, const Network& network);

}  // namespace convtool
