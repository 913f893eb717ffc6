// The help of a command, from its table of options.
#pragma once

#include <cstddef>
#include <string>

#include "cli/options/command_line.h"

namespace convtool {

/// For -h: one line per option, with short texts. Wider lines than `width` columns are wrapped.
std::string brief_help(const Command& command, std::size_t width);

/// For --help: descriptions in full, wrapped at `width` columns.
std::string full_help(const Command& command, std::size_t width);

/// The width for help on standard output: the terminal's, at most 100 columns; 100 where it is not a terminal.
std::size_t help_width();

/// "convtool apply -k K [INPUT]... [OPTION]...".
std::string usage_line(const Command& command);

/// The text of an option with {words} and its default filled in: `full`, the long text in sentences, else the short
/// one.
std::string described(const Option& option, bool full);

/// "-k, --kernel K".
std::string names_with_value(const Option& option);

/// Breaks paragraphs into lines of at most `width` columns, each after `indent` spaces. Lines that begin with spaces
/// stay as they are, or, in two columns, "  term   meaning", have the second one broken. Ends with a newline.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace convtool
