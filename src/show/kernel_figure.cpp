#include "show/kernel_figure.h"

#include <algorithm>
#include <variant>

#include "core/printable.h"
#include "core/text.h"
#include "network/frequency_response.h"
#include "show/explain/panels.h"
#include "show/kernel_drawing.h"

namespace convtool {
namespace {

constexpr std::size_t kMostKernels = 12, kLongestHeading = 40;  ///< a name in characters
constexpr double kFigureGap = 24, kFigureMargin = 8, kResponseSide = 220;
constexpr std::int64_t kFrequencies = 113;  // pi / 2, where simple kernels peak, is one of them

void shift_shape(double right, double down, Drawing::Line& line) {
  line.x1 += right;
  line.x2 += right;
  line.y1 += down;
  line.y2 += down;
}

void shift_shape(double right, double down, auto& shape) {
  shape.x += right;
  shape.y += down;
}

/// Adds the shapes of `part` with its top left corner at a place.
void add_part(Drawing part, double left, double top, Drawing& drawing) {
  for (auto& shape : part.shapes) {
    std::visit([&](auto& one) { shift_shape(left, top, one); }, shape);
    drawing.shapes.push_back(std::move(shape));
  }
  drawing.width = std::max(drawing.width, left + part.width);
  drawing.height = std::max(drawing.height, top + part.height);
}

Image response_picture(const std::vector<double>& response, double largest) {
  Image image(DType::u8, PixelFormat::grey, kFrequencies, kFrequencies);
  const auto pixels = image.all().view<std::uint8_t>();
  for (std::int64_t v = 0; v < kFrequencies; ++v)
    for (std::int64_t u = 0; u < kFrequencies; ++u) {
      const double share = largest > 0 ? response[static_cast<std::size_t>(v * kFrequencies + u)] / largest : 0;
      pixels.at(0, 0, v, u) = static_cast<std::uint8_t>(share * 255 + 0.5);
    }
  return image;
}

Drawing response_drawing(const Layer& layer) {
  std::vector<double> response =
      frequency_response(layer.weights.data(), {layer.shape.kh, layer.shape.kw}, kFrequencies);
  const double divisor = layer.divisor.empty() ? 1 : layer.divisor.front();
  for (double& value : response) value = std::abs(value / divisor);
  const double largest = *std::max_element(response.begin(), response.end());

  Drawing drawing{.title = "", .shapes = {}};
  const auto put = [&](const std::string& text, double x, double y, Anchor anchor) {
    drawing.shapes.push_back(
        Drawing::Text{.x = x, .y = y, .text = text, .size = kCaptionSize, .anchor = anchor, .colour = kInk});
    if (anchor == Anchor::start)
      drawing.width = std::max(drawing.width, x + text_width(text, kCaptionSize) + kFigureMargin);
  };
  const double right = kFigureMargin + kResponseSide, bottom = kFigureMargin + kResponseSide;
  drawing.shapes.push_back(Drawing::Raster{.x = kFigureMargin,
                                           .y = kFigureMargin,
                                           .width = kResponseSide,
                                           .height = kResponseSide,
                                           .picture = response_picture(response, largest)});
  drawing.shapes.push_back(Drawing::Rectangle{.x = kFigureMargin,
                                              .y = kFigureMargin,
                                              .width = kResponseSide,
                                              .height = kResponseSide,
                                              .fill = {},
                                              .stroke = Stroke{kFaint}});
  const double line = bottom + kCaptionHeight / 2;
  put("−π", kFigureMargin, line, Anchor::start);
  put("0", (kFigureMargin + right) / 2, line, Anchor::middle);
  put("π", right, line, Anchor::end);
  put("frequency response" + std::string(layer.rank > 2 ? " of the first slice" : ""), kFigureMargin,
      line + kCaptionHeight, Anchor::start);
  constexpr double kRounding = 1e-6;  // of weights that are floats
  const double middle = response[static_cast<std::size_t>(kFrequencies * kFrequencies / 2)];
  put("white: " + short_text(largest) + ", at 0: " + short_text(middle > kRounding * largest ? middle : 0),
      kFigureMargin, line + 2 * kCaptionHeight, Anchor::start);
  drawing.width = std::max(drawing.width, right + kFigureMargin);
  drawing.height = bottom + 3 * kCaptionHeight + kFigureMargin;
  return drawing;
}

}  // namespace

Drawing kernel_figure(const Network& network) {
  std::vector<const Layer*> kernels;
  for (const Bank& bank : network.banks)
    for (const Layer& layer : bank.layers)
      if (!layer.weights.empty()) kernels.push_back(&layer);
  if (kernels.empty()) refuse_kernel(network.name, "has no weights that could be drawn; choose a kernel with weights");

  Drawing drawing{.title = network.name, .shapes = {}};
  const std::size_t shown = std::min(kernels.size(), kMostKernels);
  double top = kFigureMargin;
  const auto put = [&](const std::string& text) {
    drawing.shapes.push_back(Drawing::Text{
        .x = kFigureMargin, .y = top + kCaptionHeight / 2, .text = text, .size = kCaptionSize, .colour = kInk});
    drawing.width = std::max(drawing.width, 2 * kFigureMargin + text_width(text, kCaptionSize));
    top += kCaptionHeight;
  };
  for (std::size_t i = 0; i < shown; ++i) {
    const Layer& layer = *kernels[i];
    put(printable_start(layer.name, kLongestHeading) + " " + join_sizes(layer.dimensions()));
    Drawing weights = kernel_drawing(layer);
    const double left = weights.width + kFigureGap;
    add_part(std::move(weights), 0, top, drawing);
    add_part(response_drawing(layer), left, top, drawing);
    top = drawing.height + kFigureMargin;
  }
  if (shown < kernels.size())
    put("the first " + std::to_string(shown) + " of " + std::to_string(kernels.size()) + " kernels");
  drawing.height = std::max(drawing.height, top);
  return drawing;
}

}  // namespace convtool
