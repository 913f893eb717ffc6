#include "report/error_report.h"

#include <nlohmann/json.hpp>

namespace convtool {

std::string error_json(const Error& error) {
  const nlohmann::ordered_json object = {
      {"version", 1}, {"status", "error"}, {"error", {{"kind", to_string(error.kind())}, {"message", error.what()}}}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace convtool
