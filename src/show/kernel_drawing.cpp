#include "show/kernel_drawing.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "show/explain/panels.h"

namespace convtool {
namespace {

constexpr std::int64_t kMostNumbered = 11;  ///< rows and columns with numbers in the cells
constexpr std::int64_t kMostOutputs = 4, kMostInputs = 6;
/// The map of a kernel that has no channels is larger.
constexpr double kMargin = 8, kMapSide = 220, kWideMapSide = 340, kLargestCell = 44;

/// One map: the weights from an input channel to an output channel.
class Slice {
 public:
  Slice(const Layer& layer, std::int64_t output, std::int64_t input)
      : shape_(layer.shape),
        weights_(layer.weights.data() + (output * shape_.c_i_per_group + input) * shape_.kh * shape_.kw) {}

  double at(std::int64_t y, std::int64_t x) const { return static_cast<double>(weights_[y * shape_.kw + x]); }

  void draw(double cell, double largest, double left, double top, Drawing& drawing) const {
    if (std::max(shape_.kh, shape_.kw) <= kMostNumbered) {
      const auto cell_at = [&](std::int64_t y, std::int64_t x) {
        return GridCell{.value = at(y, x), .fill = sign_tint(at(y, x), largest)};
      };
      draw_grid({.rows = shape_.kh, .columns = shape_.kw, .cell = cell_at, .largest = largest, .marked = {}}, cell,
                left, top, drawing);
      return;
    }
    draw_panel({.rows = shape_.kh, .columns = shape_.kw, .picture = picture(largest), .framed = {}},
               cell * static_cast<double>(std::max(shape_.kh, shape_.kw)), left, top, drawing);
  }

 private:
  Image picture(double largest) const {
    Image image(DType::u8, PixelFormat::rgb, shape_.kh, shape_.kw);
    const auto pixels = image.all().view<std::uint8_t>();
    for (std::int64_t y = 0; y < shape_.kh; ++y)
      for (std::int64_t x = 0; x < shape_.kw; ++x) {
        const Colour colour = sign_tint(at(y, x), largest);
        pixels.at(0, 0, y, x) = colour.r;
        pixels.at(0, 1, y, x) = colour.g;
        pixels.at(0, 2, y, x) = colour.b;
      }
    return image;
  }

  KernelShape shape_;
  const float* weights_;
};

void put_line(const std::string& text, double x, double y, Colour colour, Drawing& drawing) {
  drawing.shapes.push_back(Drawing::Text{.x = x, .y = y, .text = text, .size = kCaptionSize, .colour = colour});
  drawing.width = std::max(drawing.width, x + text_width(text, kCaptionSize) + kMargin);
}

/// "the first 4 of 64 outputs and 6 of 128 inputs", or "".
std::string cut_text(std::int64_t outputs, std::int64_t inputs) {
  const auto part = [](std::int64_t shown, std::int64_t all, const char* what) {
    return shown < all ? std::to_string(shown) + " of " + std::to_string(all) + " " + what : std::string();
  };
  const std::string out = part(kMostOutputs, outputs, "outputs"), in = part(kMostInputs, inputs, "inputs");
  if (out.empty() && in.empty()) return "";
  return "the first " + out + (out.empty() || in.empty() ? "" : ", and ") + in;
}

}  // namespace

double largest_weight(const Layer& layer) {
  double largest = 0;
  for (const float weight : layer.weights) largest = std::max(largest, std::fabs(static_cast<double>(weight)));
  return largest;
}

Drawing kernel_drawing(const Layer& layer, std::optional<double> largest) {
  require(!layer.weights.empty(), "a picture of a kernel without weights");
  const KernelShape& shape = layer.shape;
  const double full = largest.value_or(largest_weight(layer));
  const double side = layer.rank == 2 ? kWideMapSide : kMapSide;
  const double cell = std::min(kLargestCell, side / static_cast<double>(std::max(shape.kh, shape.kw)));
  const double width = static_cast<double>(shape.kw) * cell, height = static_cast<double>(shape.kh) * cell;
  const std::int64_t outputs = std::min(shape.c_o, kMostOutputs), inputs = std::min(shape.c_i_per_group, kMostInputs);

  Drawing drawing{.title = layer.name + " " + join_sizes(layer.dimensions()), .shapes = {}};
  double y = kMargin;
  for (std::int64_t output = 0; output < outputs; ++output) {
    if (layer.rank > 2) {
      std::string text = layer.rank == 4 ? "output " + std::to_string(output) + ", " : "";
      text += inputs > 1 ? "inputs 0 to " + std::to_string(inputs - 1) : "input 0";
      put_line(text, kMargin, y + kCaptionHeight / 2, kFaint, drawing);
      y += kCaptionHeight;
    }
    for (std::int64_t input = 0; input < inputs; ++input)
      Slice(layer, output, input)
          .draw(cell, full, kMargin + static_cast<double>(input) * (width + 2 * kMargin), y, drawing);
    y += height + kMargin;
  }
  drawing.width = std::max(drawing.width, static_cast<double>(inputs) * (width + 2 * kMargin));
  const std::string cut = cut_text(shape.c_o, shape.c_i_per_group);
  if (!cut.empty()) {
    put_line(cut, kMargin, y + kCaptionHeight / 2, kInk, drawing);
    y += kCaptionHeight;
  }
  drawing.height = y;
  return drawing;
}

}  // namespace convtool
