// The exception type that users see, and a check for bugs.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace convtool {

/// The kind of an error. Scripts read it as `error.kind`; main() turns it into an exit code.
enum class ErrorKind {
  usage,     ///< an option or an argument; detected before any work
  kernel,    ///< a kernel file, name or inline kernel; detected before any work
  input,     ///< one input cannot be read or decoded
  shape,     ///< kernel, options and this input do not fit together
  output,    ///< one output cannot be encoded or written
  memory,    ///< not enough memory for this input
  internal,  ///< a bug in convtool
};

constexpr std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::kernel: return "kernel";
    case ErrorKind::input: return "input";
    case ErrorKind::shape: return "shape";
    case ErrorKind::output: return "output";
    case ErrorKind::memory: return "memory";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

/// One line for the user: "WHERE: what is wrong (expected ..., got ...); what to do".
/// `where` is a file, an option or a JSON pointer; empty if the thrower does not know it. Both may quote anything:
/// what() is printable(), so that no zero byte cuts it and no name breaks the line or steers the terminal.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string where, const std::string& message);

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }

 private:
  ErrorKind kind_;
  std::string where_;
};

/// Throw an Error of the kind in their name.
[[noreturn]] void refuse_usage(const std::string& where, const std::string& message);
[[noreturn]] void refuse_kernel(const std::string& where, const std::string& message);
[[noreturn]] void refuse_shape(const std::string& where, const std::string& message);

/// Throws an internal Error unless `condition` holds. For conditions that only a bug can violate.
inline void require(bool condition, const char* what) {
  if (!condition) throw Error(ErrorKind::internal, "", std::string("a bug in convtool: ") + what);
}

}  // namespace convtool
