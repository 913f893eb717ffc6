#include "kernels/files/kernel_activation.h"

#include <string>
#include <vector>

#include "core/error.h"
#include "core/float_range.h"
#include "files/json_text.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr const char* kKey = "activation";

/// The number `name` of the activation, if it is there.
std::optional<float> number_of(const KernelObject& activation, const std::string& name) {
  if (!activation.has(name)) return std::nullopt;
  return static_cast<float>(activation.number(name, 0));
}

/// The numbers of an activation that has some, given as {"clip": `given`}.
void read_numbers(const KernelObject& given, Layer& layer) {
  if (!given.value().is_object())
    given.fail("",
               describe_json(given.value()) + " (expected an object, such as {\"clip\": {\"min\": 0, \"max\": 6}})");
  std::vector<std::string_view> known;
  const std::string name(kActivations[static_cast<int>(layer.activation)]);
  if (layer.activation == Activation::leaky_relu) known = {"slope"};
  if (layer.activation == Activation::clip) known = {"min", "max"};
  if (known.empty() && !given.value().empty()) given.fail("", "has no numbers; write \"" + name + "\"");
  check_known_keys(given.value(), given.pointer(""), known, ErrorKind::kernel, given.source());
  ActivationNumbers& numbers = layer.activation_numbers;
  numbers.slope = number_of(given, "slope").value_or(numbers.slope);
  numbers.min = number_of(given, "min").value_or(numbers.min);
  numbers.max = number_of(given, "max").value_or(numbers.max);
  if (numbers.min > numbers.max) given.fail("", "min is above max; swap them");
}

}  // namespace

void read_activation(const KernelObject& object, Layer& layer) {
  if (!object.has(kKey)) return;
  const json& value = object.at(kKey);
  if (value.is_string() && value == "relu6") {
    layer.activation = Activation::clip;
    layer.activation_numbers.min = 0;
    layer.activation_numbers.max = 6;
    return;
  }
  if (!value.is_object()) {
    layer.activation = static_cast<Activation>(object.choice(kKey, kActivations));
  } else {
    if (value.size() != 1)
      object.fail(kKey, "an object with " + std::to_string(value.size()) +
                            " keys (expected one, the activation's name, such as {\"leaky_relu\": {\"slope\": 0.2}})");
    const std::string& name = value.begin().key();
    const json named = {{kKey, name}};
    layer.activation =
        static_cast<Activation>(KernelObject(named, object.source(), object.pointer("")).choice(kKey, kActivations));
    read_numbers({value.begin().value(), object.source(), object.pointer(kKey) + pointer_step(name)}, layer);
  }
  const ActivationNumbers& numbers = layer.activation_numbers;
  if (layer.activation == Activation::clip && numbers.min == ActivationNumbers{}.min &&
      numbers.max == ActivationNumbers{}.max)
    object.fail(kKey, "clip without an end; write {\"clip\": {\"min\": 0, \"max\": 6}}, or one of the two");
}

}  // namespace convtool
