// Internal to tensors/: the element types of files of weights, by the names that safetensors gives them.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "core/half.h"

namespace convtool {

/// The upper half of a binary32.
struct BFloat16 {
  std::uint16_t bits;
};

template <class Stored>
double to_double(Stored value) {
  return static_cast<double>(value);
}
inline double to_double(BFloat16 value) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16));
}

/// Calls `visit` with an element of the type `dtype`; returns false for a type that is not supported.
template <class Visitor>
bool visit_stored(std::string_view dtype, Visitor&& visit) {
  if (dtype == "F32") return visit(float{}), true;
  if (dtype == "F64") return visit(double{}), true;
  if (dtype == "F16") return visit(Half{}), true;
  if (dtype == "BF16") return visit(BFloat16{}), true;
  if (dtype == "I8") return visit(std::int8_t{}), true;
  if (dtype == "I16") return visit(std::int16_t{}), true;
  if (dtype == "I32") return visit(std::int32_t{}), true;
  if (dtype == "I64") return visit(std::int64_t{}), true;
  if (dtype == "U8") return visit(std::uint8_t{}), true;
  if (dtype == "U16") return visit(std::uint16_t{}), true;
  if (dtype == "U32") return visit(std::uint32_t{}), true;
  if (dtype == "U64") return visit(std::uint64_t{}), true;
  return false;
}

}  // namespace convtool
