// The message of an expected Error.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "core/error.h"

namespace convtool::testing {

/// Runs `run` and returns the message of the Error that it throws, or "none". Checks the kind of the Error.
template <class Run>
std::string error_text(ErrorKind kind, const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "none";
}

}  // namespace convtool::testing
