#include "report/kernel_list.h"

#include "report/json_line.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

/// As in the report of `kernels show`, without weights.
ordered_json bank_json(const Bank& bank) {
  ordered_json object = {{"combine", kCombines[static_cast<int>(bank.combine)]}, {"kernels", ordered_json::array()}};
  for (const Layer& layer : bank.layers)
    object["kernels"].push_back({{"name", layer.name}, {"shape", layer.dimensions()}});
  return object;
}

ordered_json network_json(const Network& network) {
  ordered_json object = {
      {"name", network.name}, {"description", network.description}, {"layers", ordered_json::array()}};
  for (const Bank& bank : network.banks) object["layers"].push_back(bank_json(bank));
  return object;
}

ordered_json generator_json(const Generator& generator) {
  ordered_json object = {{"name", generator.name},
                         {"description", generator.description},
                         {"origin", generator.origin},
                         {"parameters", ordered_json::array()}};
  for (const GeneratorParameter& parameter : generator.parameters)
    object["parameters"].push_back({{"name", parameter.name}, {"meaning", parameter.meaning}});
  return object;
}

}  // namespace

std::string kernel_list_json(const std::vector<Network>& shipped, std::span<const Generator> generated) {
  ordered_json object = {{"version", 1}, {"shipped", ordered_json::array()}, {"generated", ordered_json::array()}};
  for (const Network& network : shipped) object["shipped"].push_back(network_json(network));
  for (const Generator& generator : generated) object["generated"].push_back(generator_json(generator));
  return json_line(object);
}

}  // namespace convtool
