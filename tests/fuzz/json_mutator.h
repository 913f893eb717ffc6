// Mutations of kernel files in JSON.
#pragma once

#include <cstddef>
#include <cstdint>

namespace convtool::fuzz {

/// A Mutator (target.h): replaces, adds or removes one to three values or keys of a text in JSON, which stays JSON. One
/// time in four, and for other texts, it returns 0.
std::size_t mutate_kernel_json(std::uint8_t* data, std::size_t size, std::size_t limit, unsigned seed);

}  // namespace convtool::fuzz
