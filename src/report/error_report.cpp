#include "report/error_report.h"

#include "report/json_line.h"

namespace convtool {

std::string error_json(const Error& error) {
  const nlohmann::ordered_json object = {
      {"version", 1}, {"status", "error"}, {"error", {{"kind", to_string(error.kind())}, {"message", error.what()}}}};
  return json_line(object);
}

}  // namespace convtool
