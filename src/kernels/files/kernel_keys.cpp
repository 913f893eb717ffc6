#include "kernels/files/kernel_keys.h"

#include <utility>
#include <vector>

#include "core/error.h"
#include "files/json_text.h"

namespace convtool {
namespace {

using nlohmann::json;

/// Names that other programs use, and ours for the same thing.
constexpr std::pair<const char*, const char*> kAliases[] = {
    {"weights", "weight"}, {"kernel", "weight"}, {"strides", "stride"}, {"dilations", "dilation"}, {"group", "groups"}};

std::vector<std::string_view> keys_of(KernelPart part) {
  switch (part) {
    case KernelPart::network: return {"name", "description", "layers"};
    case KernelPart::bank: return {"name", "description", "bank", "combine"};
    case KernelPart::pool:
      return {"name",      "description",       "pool",       "size", "stride", "padding", "pads", "dilation",
              "ceil_mode", "count_include_pad", "activation", "from"};
    case KernelPart::batch_norm: return {"name", "description", "batch_norm", "activation", "from"};
    case KernelPart::upsampling: return {"name", "description", "upsample", "scale", "activation", "from"};
    case KernelPart::sum: return {"name", "description", "add", "activation", "from"};
    case KernelPart::activation: return {"name", "description", "activation", "from"};
    case KernelPart::linear: return {"name", "description", "linear", "bias", "activation", "from"};
    case KernelPart::outline:
      return {"name",       "description",    "kernel_size", "out_channels", "bias",          "stride",
              "dilation",   "padding",        "pads",        "padding_mode", "padding_value", "groups",
              "transposed", "output_padding", "activation",  "from"};
    case KernelPart::layer: break;
  }
  return {"name",   "description", "weight",     "bias",           "divisor",      "normalize",
          "stride", "dilation",    "padding",    "pads",           "padding_mode", "padding_value",
          "groups", "activation",  "transposed", "output_padding", "from"};
}

/// Turns ONNX's auto_pad into "padding". With NOTSET, "pads" decides.
void rename_auto_pad(const KernelObject& layer, json& renamed) {
  if (!layer.has("auto_pad")) return;
  constexpr std::string_view kWords[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
  constexpr const char* kOurs[] = {"", "valid", "same", "same_lower"};
  const std::size_t word = layer.choice("auto_pad", kWords);
  renamed.erase("auto_pad");
  if (word == 0) return;
  if (layer.has("padding")) layer.fail("", "both padding and auto_pad; keep one");
  if (layer.has("pads")) layer.fail("", "both pads and auto_pad; keep one");
  renamed["padding"] = kOurs[word];
}

}  // namespace

void check_keys(const KernelObject& object, KernelPart part, bool outermost) {
  std::vector<std::string_view> known = keys_of(part);
  if (outermost) known.insert(known.end(), {"map", "input"});
  if (object.is_document()) known.push_back("$schema");  // editors find the schema by it
  if (!outermost && object.has("map"))
    object.fail("map", "map belongs to the outermost object, since it turns the final responses into picture values");
  if (!outermost && object.has("input"))
    object.fail("input", "input belongs to the outermost object, since it scales what the first layer reads");
  check_known_keys(object.value(), object.pointer(""), known, ErrorKind::kernel, object.source());
}

json without_aliases(const KernelObject& layer) {
  json renamed = layer.value();
  rename_auto_pad(layer, renamed);
  for (const auto& [alias, ours] : kAliases) {
    if (!renamed.contains(alias)) continue;
    if (renamed.contains(ours))
      layer.fail("", std::string("both ") + ours + " and " + alias + ", which mean the same; keep one");
    renamed[ours] = std::move(renamed[alias]);
    renamed.erase(alias);
  }
  return renamed;
}

}  // namespace convtool
