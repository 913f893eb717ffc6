// Runs a check on every instruction set of this machine.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "conv/engine/instruction_set.h"

namespace convtool {

/// Calls check() once for each instruction set.
template <class Check>
void on_each_set(const Check& check) {
  CHECK(!instruction_sets().empty());
  for (const std::string_view set : instruction_sets()) {
    CAPTURE(std::string(set));
    use_instruction_set(set);
    CHECK(instruction_set() == set);
    check();
  }
  use_instruction_set("");
}

}  // namespace convtool
