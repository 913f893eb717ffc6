// How long banks take on this machine.
#pragma once

#include "network/layer.h"
#include "report/shape_report.h"

namespace convtool {

/// Throws Error(memory) for a bank that takes more memory than there is, or minutes, to run once.
void check_timeable(const Bank& bank, const BankShape& shape);

/// Throws the same for so many banks of so many multiply-adds together.
void check_timeable_together(std::size_t banks, double macs);

/// Times `bank` on noise of the shape and type of `shape.problem`, planar as between layers, on so many threads (0: as
/// many as cores). Layers without weights are given some. Throws as check_timeable(), and std::bad_alloc.
BankTiming time_bank(Bank bank, const BankShape& shape, int threads);

}  // namespace convtool
