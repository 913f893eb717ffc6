#include "io/weights_text.h"

#include <algorithm>
#include <vector>

#include "core/text.h"

namespace convtool {

std::string weights_text(const Layer& layer) {
  std::vector<std::string> cells;
  std::size_t width = 0;
  for (const float weight : layer.weights) {
    cells.push_back(to_text(weight));
    width = std::max(width, cells.back().size());
  }
  std::string text;
  auto cell = cells.begin();
  for (std::int64_t block = 0; block < layer.shape.c_o * layer.shape.c_i_per_group; ++block) {
    if (layer.rank > 2) {
      text += "    " +
              (layer.rank == 4 ? "output " + std::to_string(block / layer.shape.c_i_per_group) + ", " : std::string()) +
              "input " + std::to_string(block % layer.shape.c_i_per_group) + "\n";
    }
    for (std::int64_t row = 0; row < layer.shape.kh; ++row) {
      text += "   ";
      for (std::int64_t column = 0; column < layer.shape.kw; ++column, ++cell) {
        text += " " + std::string(width - cell->size(), ' ') + *cell;
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace convtool
