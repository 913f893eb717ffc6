// Texts that the help of several commands and the manual share. Paragraphs are separated by "\n\n"; lines that begin
// with spaces are kept as they are.
#pragma once

#include <string>
#include <string_view>

namespace convtool {

/// The format of kernel files.
extern const std::string_view kKernelFormatText;

/// The fields of the JSON reports, command by command.
extern const std::string_view kReportText;

/// Standard streams, and when a run ends.
extern const std::string_view kStreamsText;

/// The file formats, from the table of picture formats.
std::string formats_text();

}  // namespace convtool
