#include "report/clip_remark.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/text.h"
#include "network/kernel_traits.h"
#include "pictures/picture_formats.h"

namespace convtool {
namespace {

/// The response of each output channel of `bank` to a flat picture of ones, without the bias.
std::vector<double> flat_responses(const Bank& bank) {
  std::vector<double> all;
  if (!bank.layers.front().kind_text().empty()) return all;
  for (const Layer& layer : bank.layers) {
    const std::vector<double> responses = responses_at_zero(layer);
    all.insert(all.end(), responses.begin(), responses.end());
  }
  return all;
}

/// The largest of the flat responses of the only bank of `network` if --normalize brings it to 1, else 0.
double excess_sum(const Network& network) {
  const std::vector<double> responses = flat_responses(network.banks.front());
  if (network.banks.size() > 1 || !network.banks.front().layers.front().kind_text().empty()) return 0;
  double most = 0;
  for (const double response : responses) {
    if (response == 0) return 0;
    most = std::max(most, std::fabs(response));
  }
  constexpr double kRounding = 0x1p-20;  // of weights such as 1/9, whose sum is not exactly 1
  return most > 1 + kRounding ? most : 0;
}

/// Whether the last bank answers to nothing but changes, or darkens what is flat, so that half of its responses are
/// negative or more.
bool has_signs(const Network& network) {
  const std::vector<double> responses = flat_responses(network.banks.back());
  return !responses.empty() &&
         std::all_of(responses.begin(), responses.end(), [](double response) { return response <= 0; });
}

/// "63 % of the values", of two kinds "9 % of the values are below and 3 % above the range".
std::string shares_text(const RunReport& report) {
  const auto share = [&](std::int64_t count) { return share_text(count, report.responses); };
  const std::int64_t low = report.stats.clipped_low, high = report.stats.clipped_high;
  const std::string largest =
      fixed_text(report.largest ? static_cast<double>(*report.largest) : full_range(report.output_dtype), 0);
  std::string text = share(low + high) + " of the values are clipped";
  if (low == 0) return text + " to " + largest;
  if (high == 0) return text + " to 0";
  return text + ", " + share(low) + " to 0 and " + share(high) + " to " + largest;
}

/// How to keep values as they are, for a run that writes `output`.
std::string float_advice(const std::string& output) {
  const std::string extension = std::filesystem::path(output).extension().string();
  if (extension.empty()) return "--format tiff --depth f32 stores them as they are";
  const PictureFormat* format = find_picture_format(in_small_letters(std::string_view(extension).substr(1)));
  const bool is_lacking = format != nullptr && !holds(*format, DType::f32, PixelFormat::grey);
  return std::string(is_lacking ? "a .tif with " : "") + "--depth f32 stores them as they are";
}

}  // namespace

std::optional<Remark> clip_remark(const RunReport& report, const Network& network) {
  if (!report.mapping || report.mapping->threshold || report.mapping->percentiles) return std::nullopt;
  const ResponseStats& stats = report.stats;
  const std::int64_t clipped = stats.clipped_low + stats.clipped_high;
  if (static_cast<double>(clipped) <= kMuchClipped * static_cast<double>(report.responses)) return std::nullopt;

  std::string text =
      shares_text(report) + " (responses from " + short_text(stats.min, 6) + " to " + short_text(stats.max, 6) + "); ";
  if (const double sum = report.edges ? 0 : excess_sum(network); sum != 0)
    text += "--normalize divides by the sum of the weights (" + short_text(sum, 6) + "), ";
  const bool loses_signs =
      report.mapping->map == OutputMap::clip && stats.clipped_low > stats.clipped_high && has_signs(network);
  text += loses_signs ? "--map offset or abs shows negative responses" : "--map normalize fits them into the range";
  if (!report.frames) text += ", " + float_advice(report.output);  // a video keeps its depth
  return Remark{.text = std::move(text), .once = true, .topic = "clipping"};
}

}  // namespace convtool
