// Internal to kernels/: one object of a kernel file, and its values by key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "conv/problem.h"

namespace convtool {

/// A JSON object of a kernel file. Every function throws Error(kernel, source) with the JSON pointer of a value that it
/// cannot read. A key that is missing gives the default.
class KernelObject {
 public:
  /// `object` is found at `pointer` in the document, "" for the document itself, and has to outlive this view of it.
  KernelObject(const nlohmann::json& object, std::string source, std::string pointer)
      : object_(object), source_(std::move(source)), pointer_(std::move(pointer)) {}

  const std::string& source() const { return source_; }
  const nlohmann::json& value() const { return object_; }
  bool is_document() const { return pointer_.empty(); }
  bool has(const std::string& key) const { return object_.contains(key); }
  const nlohmann::json& at(const std::string& key) const { return object_.at(key); }
  /// Of the value of `key`; with the key "", of the object.
  std::string pointer(const std::string& key) const { return key.empty() ? pointer_ : pointer_ + "/" + key; }

  /// Throws an error about the value of `key`; with the key "", about the object.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

  /// A list with at least one entry; the key has to be there.
  const nlohmann::json& nonempty_list(const std::string& key) const;

  /// An empty string counts as missing.
  std::string text(const std::string& key, const std::string& fallback) const;
  bool flag(const std::string& key) const;
  double number(const std::string& key, double fallback) const;

  /// A whole number from `least` to kLargestParameter; `least` by default.
  std::int64_t integer(const std::string& key, std::int64_t least) const;

  /// A whole number for both axes, or [h, w], each from `least` to kLargestParameter; `least` by default.
  Extent extent(const std::string& key, std::int64_t least) const;

  /// The index of the string among `words`; 0 by default.
  std::size_t choice(const std::string& key, std::span<const std::string_view> words) const;

  /// "padding" or "pads": a number, [h, w], four sides, or a rule.
  Padding padding() const;

  PaddingMode padding_mode() const;

 private:
  std::int64_t whole(const nlohmann::json& value, const std::string& place, std::int64_t least) const;

  const nlohmann::json& object_;
  std::string source_, pointer_;
};

}  // namespace convtool
