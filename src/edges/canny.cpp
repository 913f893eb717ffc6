#include "edges/canny.h"

#include <vector>

namespace convtool {
namespace {

bool is_sobel(const Bank& bank) {
  const std::vector<float> x = {-1, 0, 1, -2, 0, 2, -1, 0, 1}, y = {-1, -2, -1, 0, 0, 0, 1, 2, 1};
  return bank.layers[0].weights == x && bank.layers[1].weights == y;
}

}  // namespace

bool is_canny(const EdgeRecipe& recipe) { return recipe.has_gradient() && recipe.thin && recipe.hysteresis; }

std::string difference_from_canny(const EdgeRecipe& recipe, DType input_dtype, std::int64_t channels) {
  const bool l1 = recipe.kernels.combine == Combine::l1;
  const PaddingMode border = recipe.kernels.layers.front().params.padding_mode;
  std::string differences;
  const auto differs = [&](const std::string& here, const std::string& there) {
    differences += (differences.empty() ? "" : ", ") + here + " where cv::Canny has " + there;
  };
  if (!is_sobel(recipe.kernels)) differs("the kernels of " + recipe.kernels.name, "Sobel's of 3x3");
  if (input_dtype != DType::u8) differs(std::string(to_string(input_dtype)) + " pixels", "8 bits");
  if (channels > 1 && (recipe.color == ColorRule::sum || recipe.color == ColorRule::di_zenzo))
    differs("colours combined by " + std::string(kColorRules[static_cast<int>(recipe.color)]), "the strongest");
  if (channels > 1 && recipe.color == ColorRule::max)
    differs("the first of equally strong colours in the order R, G, B", "the order B, G, R");
  if (border != PaddingMode::replicate) differs("padding " + std::string(to_string(border)), "replicate");
  if (recipe.hysteresis->source != ThresholdRule::Source::response)
    differs("thresholds computed from the picture", "given ones");
  const std::string call = std::string("cv::Canny(low, high, 3, L2gradient=") + (l1 ? "false" : "true") + ")";
  return differences.empty() ? "the same edges as " + call : "unlike " + call + ": " + differences;
}

}  // namespace convtool
