#include "kernels/files/kernel_reference.h"

#include <nlohmann/json.hpp>

namespace convtool {

std::string format_kernel_reference(const KernelReference& reference) {
  nlohmann::ordered_json object = {
      {"name", reference.name}, {"description", reference.description}, {"weight", reference.weight}};
  if (!reference.bias.empty()) object["bias"] = reference.bias;
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace convtool
