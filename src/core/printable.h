// Text that is safe to print, whatever it quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace convtool {

/// `text` on one line, safe to print on a terminal: file and kernel names may contain anything. Control characters,
/// line separators, characters that change the direction of the text after them, and bytes that are not UTF-8 become
/// \n, \t or \xNN, one for each byte. Applied twice, it does no more than once.
std::string printable(std::string_view text);

/// `text` with `substitute` in place of each character, and each byte that is none, that printable() would change.
std::string replace_unsafe(std::string_view text, char substitute);

/// printable(), cut to at most `most` characters, at least 3. What is cut off becomes "...".
std::string printable_start(std::string_view text, std::size_t most);

/// printable() for JSON in UTF-8 whose strings have the escapes that RFC 8259 requires: the other characters become
/// \uNNNN.
std::string printable_json(std::string_view json);

}  // namespace convtool
