// What may be drawn on the user's terminal.
#pragma once

namespace convtool {

/// Whether `descriptor` is a terminal that heeds control sequences.
bool is_capable_terminal(int descriptor);

/// Whether standard output may have colours: on such a terminal, unless NO_COLOR is set (no-color.org).
bool wants_colours();

}  // namespace convtool
