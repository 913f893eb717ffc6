// Internal to report/: JSON reports as text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/printable.h"
#include "files/json_object.h"

namespace convtool {

/// A report on one line, in UTF-8 that is safe to print on a terminal. File names need not be UTF-8; JSON must be:
/// other bytes become replacement characters.
inline std::string json_line(const nlohmann::ordered_json& report) { return printable_json(json_dump(report)); }

}  // namespace convtool
