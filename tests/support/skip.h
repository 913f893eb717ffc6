// Tests that need something that is not here.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <string>

/// Reports that the current test, or the rest of it, is left out because `why`; the test then returns. tests/run.sh
/// lists the lines that begin with "SKIPPED: ". Where nothing may be left out, with CONVTOOL_TESTS_NO_SKIP set, the
/// test fails.
inline void skip(const std::string& why) {
  std::cout << "SKIPPED: " << doctest::getContextOptions()->currentTest->m_name << ": " << why << std::endl;
  CHECK_MESSAGE(getenv("CONVTOOL_TESTS_NO_SKIP") == nullptr, "CONVTOOL_TESTS_NO_SKIP is set");
}
