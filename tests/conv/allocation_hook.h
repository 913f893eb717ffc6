// Watches, or refuses, the allocations of the test program: operator new and aligned_alloc(3).
#pragma once

namespace convtool::testing {

/// While an object lives, its thread calls before_allocation() before each allocation, which may throw std::bad_alloc.
/// At most one lives at a time in each thread.
class AllocationHook {
 public:
  AllocationHook();
  virtual ~AllocationHook();
  AllocationHook(const AllocationHook&) = delete;
  AllocationHook& operator=(const AllocationHook&) = delete;

  virtual void before_allocation() = 0;
};

}  // namespace convtool::testing
