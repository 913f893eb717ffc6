// Kernels by name: those that convtool ships with, and those that it computes.
#pragma once

#include <optional>
#include <string>

#include "network/layer.h"

namespace convtool {

/// The kernel that `text` names, or nothing where no kernel has this name:
///   a shipped kernel      a name of kernels/shipped.h
///   a generated kernel    NAME or NAME:param=value,... of kernels/generated.h
/// It is one bank. Throws Error(kernel) for parameters that do not fit, as generate_kernel() does.
std::optional<Network> find_named_kernel(const std::string& text);

/// The same for a name in a kernel file. Throws Error(kernel) where no kernel has it, with advice_on_name().
Network load_named_kernel(const std::string& text);

/// Whether `text` is a shipped kernel's name, or a generator's with or without parameters.
bool is_kernel_name(const std::string& text);

/// The end of a message on a name that no kernel has: "; did you mean ...", or the command that lists the names.
std::string advice_on_name(const std::string& name);

}  // namespace convtool
