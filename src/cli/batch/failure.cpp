#include "cli/batch/failure.h"

#include <exception>
#include <new>

namespace convtool {

Error handled_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ErrorKind::memory, "", "not enough memory"};
  } catch (const std::exception& error) {
    return {ErrorKind::internal, "", error.what()};
  }
}

RunReport failed(RunReport report, const Error& error) {
  report.status = RunReport::Status::error;
  report.error_kind = error.kind();
  report.error_message = error.what();
  return report;
}

}  // namespace convtool
