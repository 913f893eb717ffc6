#include "show/kernel_drawing.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "show/explain/panels.h"

namespace convtool {
namespace {

constexpr std::int64_t kMostNumbered = 11;  ///< rows and columns with numbers in the cells
/// Of maps: a row has those of an output, or of an input of a transposed convolution.
constexpr std::int64_t kMostRows = 4, kMostColumns = 6;
/// The map of a kernel that has no channels is larger.
constexpr double kMargin = 8, kMapSide = 220, kWideMapSide = 340, kLargestCell = 44;

/// One map: the weights from an input channel to an output channel, plane `k` of the layer.
class Slice {
 public:
  Slice(const Layer& layer, std::int64_t k)
      : shape_(layer.shape), weights_(layer.weights.data() + k * shape_.kh * shape_.kw) {}

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

/// "output 2, inputs 0 to 3" above maps `first` to `first` + count - 1.
std::string row_text(const Layer& layer, std::int64_t first, std::int64_t count) {
  const bool is_transposed = layer.enlarging == Enlarging::transposed;
  const PlaneChannels channels = layer.channels_of_plane(first);
  const std::int64_t begin = is_transposed ? channels.output : channels.input;
  const std::string many = is_transposed ? "output" : "input";
  std::string text;
  if (layer.rank == 4)
    text = is_transposed ? "input " + std::to_string(channels.input) + ", "
                         : "output " + std::to_string(channels.output) + ", ";
  if (count == 1) return text + many + " " + std::to_string(begin);
  return text + many + "s " + std::to_string(begin) + " to " + std::to_string(begin + count - 1);
}

/// "the first 4 of 64 outputs and 6 of 128 inputs", or "".
std::string cut_text(const Layer& layer) {
  const auto part = [](std::int64_t shown, std::int64_t all, const char* what) {
    return shown < all ? std::to_string(shown) + " of " + std::to_string(all) + " " + what : std::string();
  };
  const bool is_transposed = layer.enlarging == Enlarging::transposed;
  const std::string rows = part(kMostRows, layer.shape.c_o, is_transposed ? "inputs" : "outputs"),
                    columns = part(kMostColumns, layer.shape.c_i_per_group, is_transposed ? "outputs" : "inputs");
  if (rows.empty() && columns.empty()) return "";
  return "the first " + rows + (rows.empty() || columns.empty() ? "" : ", and ") + columns;
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
  const std::int64_t rows = std::min(shape.c_o, kMostRows), columns = std::min(shape.c_i_per_group, kMostColumns);

  Drawing drawing{.title = layer.name + " " + join_sizes(layer.dimensions()), .shapes = {}};
  double y = kMargin;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t first = row * shape.c_i_per_group;
    if (layer.rank > 2) {
      put_line(row_text(layer, first, columns), kMargin, y + kCaptionHeight / 2, kFaint, drawing);
      y += kCaptionHeight;
    }
    for (std::int64_t column = 0; column < columns; ++column)
      Slice(layer, first + column)
          .draw(cell, full, kMargin + static_cast<double>(column) * (width + 2 * kMargin), y, drawing);
    y += height + kMargin;
  }
  drawing.width = std::max(drawing.width, static_cast<double>(columns) * (width + 2 * kMargin));
  const std::string cut = cut_text(layer);
  if (!cut.empty()) {
    put_line(cut, kMargin, y + kCaptionHeight / 2, kInk, drawing);
    y += kCaptionHeight;
  }
  drawing.height = y;
  return drawing;
}

}  // namespace convtool
