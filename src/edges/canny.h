// How an edge recipe compares with OpenCV's Canny detector.
#pragma once

#include <string>

#include "edges/recipe.h"

namespace convtool {

/// Whether `recipe` is a Canny detector: a gradient, thinned, with hysteresis.
bool is_canny(const EdgeRecipe& recipe);

/// The call of cv::Canny that finds the same edges, or every difference from such a call. `recipe` satisfies
/// is_canny(); the picture has `channels` channels of `input_dtype`, without its alpha.
std::string difference_from_canny(const EdgeRecipe& recipe, DType input_dtype, std::int64_t channels);

}  // namespace convtool
