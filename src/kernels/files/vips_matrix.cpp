// libvips' matrix text: a line "width height", "width height scale" or "width height scale offset", then one line of
// numbers per row. vips_conv() correlates, divides the sums by scale and adds offset. The picture keeps its size: its
// border is repeated, and the weight in column width / 2 and row height / 2, rounded down, lies on the output pixel
// (libvips, "How convolution works", and vips_conv() itself).
#include <cmath>

#include "core/text.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/matrix_kernel.h"

namespace convtool {
namespace {

constexpr const char* kVipsFormat = "a vips matrix";

/// The tokens of each line of `text` that is not blank, up to the first comment.
std::vector<std::vector<std::string_view>> lines_of(std::string_view text) {
  std::vector<std::vector<std::string_view>> lines;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    lines.push_back(tokens_of(text.substr(0, length), ""));
    if (!lines.back().empty() && lines.back().front().starts_with('#')) text = {};
    if (lines.back().empty() || text.empty()) lines.pop_back();
    if (text.empty()) break;
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return lines;
}

std::int64_t parse_side(std::string_view token, const std::string& source, const std::string& what) {
  const double side = parse_kernel_number(token, source, what);
  if (!(side >= 1 && side <= static_cast<double>(kLargestParameter) && side == std::floor(side)))
    refuse_kernel(source, what + " is " + std::string(token) + " (expected a whole number, 1 or more)");
  return static_cast<std::int64_t>(side);
}

}  // namespace

Network parse_vips_matrix(std::string_view text, const std::string& source, const std::string& name) {
  const auto lines = lines_of(text);
  if (lines.empty() || lines[0].size() < 2 || lines[0].size() > 4) {
    refuse_kernel(source, "not a vips matrix: its first line has " +
                              counted(lines.empty() ? 0 : std::ssize(lines[0]), "number") +
                              " (expected width height, or width height scale offset)");
  }
  const auto& head = lines[0];
  const std::int64_t width = parse_side(head[0], source, "the width");
  const std::int64_t height = parse_side(head[1], source, "the height");
  if (std::ssize(lines) - 1 != height) {
    refuse_kernel(source, "the vips matrix has " + counted(std::ssize(lines) - 1, "row") + " (expected " +
                              std::to_string(height) + ", as its first line says)");
  }
  std::vector<float> weights;
  for (std::int64_t row = 1; row <= height; ++row) {
    const auto& line = lines[static_cast<std::size_t>(row)];
    const std::string where = "row " + std::to_string(row) + " of the vips matrix";
    if (std::ssize(line) != width)
      refuse_kernel(source, where + " has " + counted(std::ssize(line), "number") + " (expected " +
                                std::to_string(width) + ", as the first line says)");
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string what = where + ", column " + std::to_string(i + 1) + ",";
      weights.push_back(static_cast<float>(parse_kernel_number(line[i], source, what)));
    }
  }
  Layer layer = matrix_layer(height, width, std::move(weights));
  if (head.size() > 2) set_divisor(parse_kernel_number(head[2], source, "the scale"), source, layer);
  const float offset = head.size() > 3 ? static_cast<float>(parse_kernel_number(head[3], source, "the offset")) : 0;
  if (offset != 0) layer.bias = {offset};
  layer.params.padding = padding_around({height / 2, width / 2}, layer.shape);
  layer.params.padding_mode = PaddingMode::replicate;
  return network_of(std::move(layer), name);
}

std::string format_vips_matrix(const Network& network) {
  const Layer& layer = only_matrix(network, kVipsFormat);
  const KernelShape& size = layer.shape;
  require_origin(layer, {size.kh / 2, size.kw / 2}, kVipsFormat);
  require_replicated_border(layer, kVipsFormat);
  return std::to_string(size.kw) + " " + std::to_string(size.kh) + " " + to_text(divisor_of(layer)) + " " +
         to_text(bias_of(layer, kVipsFormat)) + "\n" +
         join_matrix(
             size, [&](std::size_t i) { return to_text(layer.weights[i]); }, " ", "\n") +
         "\n";
}

}  // namespace convtool
