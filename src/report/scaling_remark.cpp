#include "report/scaling_remark.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/text.h"

namespace convtool {

std::optional<Remark> scaling_remark(const Network& network, bool is_scaled, DType input_dtype) {
  if (is_scaled || !is_integer(input_dtype)) return std::nullopt;
  const auto model = std::find_if(network.files.begin(), network.files.end(), [](const std::string& file) {
    return has_extension(file, ".safetensors") || has_extension(file, ".onnx");
  });
  if (model == network.files.end()) return std::nullopt;
  return Remark{.text = "the weights of '" + std::filesystem::path(*model).filename().string() +
                        "' are a model's, and run on pixels from 0 to " + fixed_text(full_range(input_dtype), 0) +
                        "; scale them as the model expects, such as --input-scale 1/255 --mean 0.485,0.456,0.406 --std "
                        "0.229,0.224,0.225, or add --input-scale 1 to leave them",
                .once = true,
                .topic = "scaling"};
}

}  // namespace convtool
