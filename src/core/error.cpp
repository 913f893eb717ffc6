#include "core/error.h"

namespace convtool {

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
