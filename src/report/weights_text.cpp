#include "report/weights_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/text.h"
#include "show/sign_colours.h"

namespace convtool {
namespace {

constexpr std::int64_t kMostNumbered = 11;  // rows and columns
constexpr std::size_t kIndent = 4, kCellWidth = 2;
constexpr int kLevels = 5;

/// From 0 for 0 to kLevels - 1 for the largest absolute value.
int level_of(float weight, float largest) {
  return largest > 0 ? static_cast<int>(std::lround(std::fabs(weight) / largest * (kLevels - 1))) : 0;
}

/// `cell` on the background for `weight`, where `largest` is the largest absolute value.
std::string coloured(const std::string& cell, float weight, float largest) {
  // Of xterm's colour cube, the nearest to the colours from white to those of signs.
  constexpr int kOrange[kLevels] = {231, 223, 216, 215, kPositiveXterm},
                kBlue[kLevels] = {231, 153, 111, 75, kNegativeXterm};
  constexpr int kBlack = 16;
  const int colour = (weight > 0 ? kOrange : kBlue)[level_of(weight, largest)];
  return "\x1b[38;5;" + std::to_string(kBlack) + ";48;5;" + std::to_string(colour) + "m" + cell + "\x1b[0m";
}

std::string shaded(float weight, float largest, bool colours) {
  constexpr char kShades[kLevels + 1] = " .:*#";
  if (colours) return coloured(std::string(kCellWidth, ' '), weight, largest);
  if (weight == 0) return std::string(kCellWidth, ' ');
  return {weight < 0 ? '-' : '+', kShades[level_of(weight, largest)]};
}

/// "    output 1, input 0", or "" for a kernel of one block.
std::string block_title(const Layer& layer, std::int64_t block) {
  if (layer.rank == 2) return "";
  const PlaneChannels channels = layer.channels_of_plane(block);
  return std::string(kIndent, ' ') +
         (layer.rank == 4 ? "output " + std::to_string(channels.output) + ", " : std::string()) + "input " +
         std::to_string(channels.input) + "\n";
}

std::string shades_text(const Layer& layer, float largest, bool colours, std::size_t columns) {
  const auto fitting = static_cast<std::int64_t>(columns > kIndent + kCellWidth ? (columns - kIndent) / kCellWidth : 1);
  const std::int64_t height = layer.shape.kh, width = layer.shape.kw, side = (width + fitting - 1) / fitting;
  std::string text;
  for (std::int64_t block = 0; block < layer.shape.c_o * layer.shape.c_i_per_group; ++block) {
    text += block_title(layer, block);
    const float* const weights = layer.weights.data() + block * height * width;
    for (std::int64_t top = 0; top < height; top += side) {
      text += std::string(kIndent, ' ');
      for (std::int64_t left = 0; left < width; left += side) {
        float shown = 0;
        for (std::int64_t y = top; y < std::min(top + side, height); ++y)
          for (std::int64_t x = left; x < std::min(left + side, width); ++x)
            if (std::fabs(weights[y * width + x]) > std::fabs(shown)) shown = weights[y * width + x];
        text += shaded(shown, largest, colours);
      }
      text += "\n";
    }
  }
  const auto [least, most] = std::minmax_element(layer.weights.begin(), layer.weights.end());
  text +=
      "    weights from " + short_text(static_cast<double>(*least)) + " to " + short_text(static_cast<double>(*most));
  if (side > 1) text += "; a cell is the largest of " + std::to_string(side) + "x" + std::to_string(side) + " weights";
  return text + "\n";
}

}  // namespace

std::string weights_text(const Layer& layer, bool colours, std::optional<std::size_t> columns) {
  std::vector<std::string> cells;
  std::size_t width = 0;
  float largest = 0;
  for (const float weight : layer.weights) {
    cells.push_back(to_text(weight));
    width = std::max(width, cells.back().size());
    largest = std::max(largest, std::fabs(weight));
  }
  const std::size_t line = kIndent - 1 + static_cast<std::size_t>(layer.shape.kw) * (width + 1);
  if (columns && (std::max(layer.shape.kh, layer.shape.kw) > kMostNumbered || line > *columns))
    return shades_text(layer, largest, colours, *columns);

  std::string text;
  std::size_t i = 0;
  for (std::int64_t block = 0; block < layer.shape.c_o * layer.shape.c_i_per_group; ++block) {
    text += block_title(layer, block);
    for (std::int64_t row = 0; row < layer.shape.kh; ++row) {
      text += std::string(kIndent - 1, ' ');
      for (std::int64_t column = 0; column < layer.shape.kw; ++column, ++i) {
        const std::string cell = " " + std::string(width - cells[i].size(), ' ') + cells[i];
        text += colours ? coloured(cell, layer.weights[i], largest) : cell;
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace convtool
