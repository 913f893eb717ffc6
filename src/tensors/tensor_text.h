// Tensors as people have them in text: JSON, what NumPy and PyTorch print, and tables such as CSV.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tensors/tensor_io.h"

namespace convtool {

/// Whether the bytes begin like a text that parse_tensor_text() reads, or like a table below a line of titles, which it
/// refuses with a reason. No picture begins so.
bool looks_like_tensor_text(std::span<const std::byte> bytes);

/// Whether a word of a command line is meant as lists or a printout. A name in brackets such as [2024] is not.
bool looks_like_lists(std::string_view word);

/// Reads a tensor from
///   nested lists    [[1,2],[3,4]], in JSON
///   a printout      [[1. 2.] [3. 4.]], array([[1., 2.], [3., 4.]]) or tensor([[1., 2.], [3., 4.]], dtype=...)
///   a table         lines of numbers between commas, semicolons, tabs or spaces; lines that begin with # are skipped
/// A table has the dimensions [h][w]. Values are rounded to the nearest float. Throws Error(input, source) with line
/// and column, or with a JSON pointer; also for a printout that leaves out values.
RankedTensor parse_tensor_text(std::string_view text, const std::string& source);

/// The shape that parse_tensor_text() returns for `bytes` unless it throws, from brackets and separators alone. Nothing
/// for text that it rejects for sure.
std::optional<RankedShape> scan_text_shape(std::span<const std::byte> bytes);

}  // namespace convtool
