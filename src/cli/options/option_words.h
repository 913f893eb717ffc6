// The words that options take, where no other part of the program defines them.
#pragma once

#include <string_view>

#include "cli/options/command_line.h"

namespace convtool {

inline constexpr std::string_view kPaddings[] = {"valid", "same", "same_lower", "full"};  ///< as Padding::Rule has them
inline constexpr std::string_view kPageWords[] = {"first", "all"};
inline constexpr std::string_view kDepths[] = {"same", "u8", "u16", "f32"};
inline constexpr std::string_view kOperators[] = {"sobel", "scharr", "prewitt",   "roberts",
                                                  "farid", "kirsch", "frei-chen", "log"};
inline constexpr std::string_view kNorms[] = {"l2", "l1"};
inline constexpr std::string_view kMethods[] = {"gd", "lstsq"};
inline constexpr std::string_view kInits[] = {"zeros", "uniform"};
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

/// The shipped kernels.
Words::List kernel_words();

/// "auto", and every algorithm.
Words::List algorithm_words();

/// "same", names of file formats, and extensions without their dot, each once.
Words::List format_words();

}  // namespace convtool
