#include <doctest/doctest.h>

#include "support/conv_tester.h"

void convtool::fail_test_case(const std::string& report) { FAIL_CHECK(report); }
