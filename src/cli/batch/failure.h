// How an exception becomes the report on the input that it ended.
#pragma once

#include "core/error.h"
#include "report/run_report.h"

namespace convtool {

/// The exception that is being handled, as an error of an input: running out of memory is Error(memory), and an
/// exception that is not an Error is Error(internal). Call it in a handler of std::exception.
Error handled_error();

/// `report` with the status of an input that failed, and the error.
RunReport failed(RunReport report, const Error& error);

}  // namespace convtool
