#include "report/scaling_remark.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"

namespace convtool {
namespace {

/// The largest pixel of 8 bits, whose units most means and deviations are in.
constexpr double kByte = 255;

/// "1/255" or "0.3".
std::string scale_text(double scale) {
  const double parts = std::round(1 / scale);
  const bool is_fraction = parts >= 2 && parts < 1e9 && std::fabs(parts * scale - 1) < 1e-9;
  return is_fraction ? "1/" + to_text(parts) : to_text(scale);
}

/// Of weights that read pixels from 0 to `largest` as they are.
std::optional<std::string> unscaled_text(const Network& network, double largest) {
  const auto model = std::find_if(network.files.begin(), network.files.end(), [](const std::string& file) {
    return has_extension(file, ".safetensors") || has_extension(file, ".onnx");
  });
  if (model == network.files.end()) return std::nullopt;
  return "the weights of '" + std::filesystem::path(*model).filename().string() +
         "' are a model's, and run on pixels from 0 to " + to_text(largest) +
         "; scale them as the model expects, such as --input-scale " + scale_text(1 / largest) +
         " --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225, or add --input-scale 1 to leave them";
}

/// The largest pixel that the scaling is made for, 1 or 255, if that is far less than `largest`; else nothing. A mean
/// is about half of it. Without one, scaled pixels are expected to end between 1 and a few deviations.
std::optional<double> expected_largest(const InputScaling& scaling, double mean, double largest) {
  constexpr double kFar = 256, kMostDeviations = 8;
  if (mean > 0) {
    if (mean > largest / kFar) return std::nullopt;
    return mean <= 1 ? 1 : kByte;
  }
  const std::vector<double>& deviations = scaling.deviation;
  const double least = deviations.empty() ? 1 : *std::min_element(deviations.begin(), deviations.end());
  const double end = kByte * scaling.scale / least;
  if (largest < kByte * kFar || !(end > 1 - 1 / kFar && end < kMostDeviations)) return std::nullopt;
  return kByte;
}

/// Of a scaling of pixels from 0 to `largest`.
std::optional<std::string> scaled_text(const InputScaling& scaling, double largest) {
  const auto& [scale, means, deviation, order] = scaling;
  if (scale < 0) return std::nullopt;
  const double mean = means.empty() ? 0 : *std::max_element(means.begin(), means.end());
  if (mean / scale > largest)
    return "the input is scaled by " + scale_text(scale) + " to end at " + short_text(largest * scale) +
           ", where the mean of " + to_text(mean) +
           " that is subtracted lies far beyond it; give --input-scale, --mean and --std in the same units, since each "
           "replaces only its own number of the kernel's \"input\"";
  const std::optional<double> expected = expected_largest(scaling, mean / scale, largest);
  if (!expected) return std::nullopt;
  return "the input is scaled as if its pixels were from 0 to " + to_text(*expected) + ", but they are from 0 to " +
         to_text(largest) + "; add --input-scale " + scale_text(scale * *expected / largest) +
         " to bring them to that range";
}

}  // namespace

std::optional<Remark> scaling_remark(const Network& network, const std::optional<InputScaling>& scaling,
                                     DType input_dtype, std::optional<std::int64_t> largest) {
  if (!is_integer(input_dtype)) return std::nullopt;
  const double end = largest ? static_cast<double>(*largest) : full_range(input_dtype);
  const std::optional<std::string> text = scaling ? scaled_text(*scaling, end) : unscaled_text(network, end);
  if (!text) return std::nullopt;
  return Remark{.text = *text, .once = true, .topic = "scaling"};
}

}  // namespace convtool
