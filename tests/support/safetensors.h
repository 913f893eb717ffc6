// The bytes of a safetensors file, well formed or not.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

/// Numbers as they stand in a file on this machine, which the tests take for little-endian.
template <class Number>
std::string raw_bytes(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

/// The length of the header, the header and the data.
inline std::string safetensors(const std::string& header, const std::string& data) {
  return raw_bytes(std::vector<std::uint64_t>{header.size()}) + header + data;
}
