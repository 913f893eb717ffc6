#include "kernels/files/kernel_activation.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/float_range.h"
#include "core/text.h"
#include "files/json_text.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr const char* kKey = "activation";

/// The words of an activation without numbers: those of kActivations, and one more.
constexpr std::string_view kRelu6 = "relu6";
constexpr auto kActivationWords = [] {
  std::array<std::string_view, std::size(kActivations) + 1> words{};
  std::copy(std::begin(kActivations), std::end(kActivations), words.begin());
  words.back() = kRelu6;
  return words;
}();

/// The names that other programs have for our activations.
constexpr std::pair<std::string_view, std::string_view> kOtherActivations[] = {
    {"swish", "silu"},       {"lrelu", "leaky_relu"}, {"leakyrelu", "leaky_relu"},
    {"leaky", "leaky_relu"}, {"hswish", "hardswish"}, {"hard_swish", "hardswish"},
    {"logistic", "sigmoid"}, {"identity", "none"},    {"linear", "none"}};

/// Other activations, whose names are like ours.
constexpr std::string_view kForeignActivations[] = {
    "celu",  "crelu",     "elu",   "erf",  "gelu",    "glu",      "hardsigmoid", "hard_sigmoid", "mish",
    "prelu", "quickgelu", "rrelu", "selu", "softmax", "softplus", "softsign",    "swiglu",       "thresholdedrelu"};

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

/// Refuses the names of other programs, also as the only key of an object.
void check_activation_name(const KernelObject& object, const json& value) {
  std::string name;
  if (value.is_string()) name = value.get<std::string>();
  if (value.is_object() && value.size() == 1) name = value.begin().key();
  const std::string advice = advice_on_activation(name);
  if (advice.empty()) return;
  std::string list;
  for (const std::string_view word : kActivationWords) list += (list.empty() ? "" : ", ") + std::string(word);
  object.fail(kKey, describe_json(name) + " (expected one of " + list + ")" + advice);
}

}  // namespace

std::string advice_on_activation(std::string_view word) {
  const std::string small = in_small_letters(word);
  for (const auto& [other, ours] : kOtherActivations)
    if (small == other) return "; did you mean '" + std::string(ours) + "'?";
  const bool is_foreign =
      std::find(std::begin(kForeignActivations), std::end(kForeignActivations), small) != std::end(kForeignActivations);
  return is_foreign ? "; convtool does not compute it" : "";
}

void read_activation(const KernelObject& object, Layer& layer) {
  if (!object.has(kKey)) return;
  const json& value = object.at(kKey);
  check_activation_name(object, value);
  if (!value.is_object()) {
    const std::size_t word = object.choice(kKey, kActivationWords);
    if (word == std::size(kActivations)) {
      layer.activation = Activation::clip;
      layer.activation_numbers.min = 0;
      layer.activation_numbers.max = 6;
      return;
    }
    layer.activation = static_cast<Activation>(word);
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
