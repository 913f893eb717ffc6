// Options that take one of a few words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace convtool {

// Words that no other part of the program has.
inline constexpr std::string_view kDepths[] = {"same", "u8", "u16", "f32"};
inline constexpr std::string_view kOperators[] = {"sobel", "scharr", "prewitt",   "roberts",
                                                  "farid", "kirsch", "frei-chen", "log"};
inline constexpr std::string_view kNorms[] = {"l2", "l1"};
inline constexpr std::string_view kMethods[] = {"gd", "lstsq"};
inline constexpr std::string_view kInits[] = {"zeros", "uniform"};
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

/// What an option or operand of this name may be told, or has the most use for; none where it is anything. The
/// names mean the same in every command.
std::vector<std::string_view> words_of(std::string_view option);

}  // namespace convtool
