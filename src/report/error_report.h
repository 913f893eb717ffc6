// Errors that end a run, as JSON.
#pragma once

#include <string>

#include "core/error.h"

namespace convtool {

/// {"version":1,"status":"error","error":{"kind":...,"message":...}} on one line, without a newline.
std::string error_json(const Error& error);

}  // namespace convtool
