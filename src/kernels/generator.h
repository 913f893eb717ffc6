// A formula with parameters, and its description.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace convtool {

/// A parameter of a generator, for `kernels list` and errors.
struct GeneratorParameter {
  std::string_view name;
  std::string_view meaning;  ///< with unit and default
};

struct Generator {
  std::string_view name;
  std::string_view description;
  std::string_view origin;  ///< the formula's source
  std::vector<GeneratorParameter> parameters;
};

/// Rows or columns of a generated kernel, at most.
inline constexpr std::int64_t kMaxGeneratedSize = 1023;

}  // namespace convtool
