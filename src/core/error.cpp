#include "core/error.h"

#include "core/printable.h"

namespace convtool {

Error::Error(ErrorKind kind, std::string where, const std::string& message)
    : std::runtime_error(printable(where.empty() ? message : where + ": " + message)),
      kind_(kind),
      where_(std::move(where)) {}

void refuse_usage(const std::string& where, const std::string& message) {
  throw Error(ErrorKind::usage, where, message);
}

void refuse_kernel(const std::string& where, const std::string& message) {
  throw Error(ErrorKind::kernel, where, message);
}

void refuse_shape(const std::string& where, const std::string& message) {
  throw Error(ErrorKind::shape, where, message);
}

}  // namespace convtool
