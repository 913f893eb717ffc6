// Tensors as NumPy and PyTorch print them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace convtool {

/// May stand before any text in UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Whether `text` begins with a word that stands before the brackets of a printout: "tensor(", "array(", ...
bool begins_like_printout(std::string_view text);

/// The tensor in JSON, if `text` is one that NumPy or PyTorch has printed: in tensor() or array(), without commas, or
/// with numbers such as "1." or "+2". Characters stay in their places, so that a message about the JSON fits the
/// printout. Nothing for other text. Throws Error(input, source) for a printout in which "..." stands for values.
std::optional<std::string> json_of_printout(std::string_view text, const std::string& source);

}  // namespace convtool
