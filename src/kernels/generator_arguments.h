// Internal to kernels/: the parameters in "NAME:param=value,...".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conv/problem.h"
#include "core/error.h"
#include "kernels/generator.h"

namespace convtool {

/// A number for each axis.
struct PerAxis {
  double y, x;
};

/// The param=value pairs after the colon, checked against the parameters of the generator. Each function returns
/// `fallback` where its parameter is not given, and throws Error(kernel) for values that it does not allow.
class GeneratorArguments {
 public:
  /// `text` must outlive this. Throws Error(kernel) for unknown and repeated parameters.
  GeneratorArguments(const std::string& text, const Generator& generator);

  bool has(std::string_view name) const { return find(name) != nullptr; }

  double number(std::string_view name, double fallback, double least, double most) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least, std::int64_t most) const;

  /// One number for both axes, or YxX.
  PerAxis per_axis(std::string_view name, const PerAxis& fallback, double least, double most) const;

  /// The parameter "size": N or HxW.
  Extent size(const Extent& fallback) const;

  /// The parameter "size", one of 1, 3, 5 and 7.
  std::int64_t table_size(std::int64_t fallback) const;

  [[noreturn]] void fail(const std::string& message) const { refuse_kernel(text_, message); }

 private:
  struct Pair {
    std::string_view name, value;
  };

  void add(std::string_view item, const Generator& generator);
  const std::string_view* find(std::string_view name) const;
  [[noreturn]] void refuse(std::string_view name, std::string_view value, const std::string& expected) const;

  const std::string& text_;
  std::vector<Pair> pairs_;  // views of text_
};

}  // namespace convtool
