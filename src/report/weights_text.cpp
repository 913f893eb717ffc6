#include "report/weights_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/text.h"

namespace convtool {
namespace {

/// `cell` on the background for `weight`, where `largest` is the largest absolute value.
std::string coloured(const std::string& cell, float weight, float largest) {
  // xterm's colour cube: 16 + 36 r + 6 g + b, each from 0 to 5.
  constexpr int kOrange[] = {52, 94, 130, 172, 214}, kBlue[] = {17, 18, 20, 27, 39};
  constexpr int kLevels = 5, kFirstBright = 3, kBlack = 16, kWhite = 231;
  if (weight == 0) return cell;
  const int level = std::min(kLevels - 1, static_cast<int>(std::fabs(weight) / largest * kLevels));
  return "\x1b[38;5;" + std::to_string(level < kFirstBright ? kWhite : kBlack) + ";48;5;" +
         std::to_string((weight > 0 ? kOrange : kBlue)[level]) + "m" + cell + "\x1b[0m";
}

}  // namespace

std::string weights_text(const Layer& layer, bool colours) {
  std::vector<std::string> cells;
  std::size_t width = 0;
  float largest = 0;
  for (const float weight : layer.weights) {
    cells.push_back(to_text(weight));
    width = std::max(width, cells.back().size());
    largest = std::max(largest, std::fabs(weight));
  }
  std::string text;
  std::size_t i = 0;
  for (std::int64_t block = 0; block < layer.shape.c_o * layer.shape.c_i_per_group; ++block) {
    if (layer.rank > 2) {
      text += "    " +
              (layer.rank == 4 ? "output " + std::to_string(block / layer.shape.c_i_per_group) + ", " : std::string()) +
              "input " + std::to_string(block % layer.shape.c_i_per_group) + "\n";
    }
    for (std::int64_t row = 0; row < layer.shape.kh; ++row) {
      text += "   ";
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
