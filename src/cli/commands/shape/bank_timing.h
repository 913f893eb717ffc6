// How long banks take on this machine.
#pragma once

#include "network/layer.h"
#include "report/shape_report.h"

namespace convtool {

/// Throws Error(memory) for a bank that needs more memory than the machine has, or minutes to run once.
void check_timeable(const Bank& bank, const BankShape& shape);

/// Throws Error(memory) if `banks` banks with `macs` multiply-adds in total take minutes.
void check_timeable_together(std::size_t banks, double macs);

/// Times `bank` on noise with the shape and type of `shape.problem`, planar as between layers, on `threads` threads (0:
/// one per core). Layers without weights get random ones. Throws as check_timeable() does, and std::bad_alloc.
BankTiming time_bank(Bank bank, const BankShape& shape, int threads);

}  // namespace convtool
