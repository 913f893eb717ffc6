// The bytes of a safetensors file, valid or not.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

/// The bytes of numbers in the order of this machine, which the tests assume to be little-endian.
template <class Number>
std::string raw_bytes(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

/// The length of the header, the header and the data.
inline std::string safetensors(const std::string& header, const std::string& data) {
  return raw_bytes(std::vector<std::uint64_t>{header.size()}) + header + data;
}
