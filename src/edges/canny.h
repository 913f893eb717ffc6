// How an edge recipe compares with the detector that people know.
#pragma once

#include <string>

#include "edges/recipe.h"

namespace convtool {

/// Whether `recipe` is a detector after Canny: thin edges of a gradient, decided with hysteresis.
bool is_canny(const EdgeRecipe& recipe);

/// A sentence that names the call of OpenCV's cv::Canny with the same result, or what such a call does otherwise.
/// `recipe` is_canny(); the picture has `channels` of `input_dtype` without its alpha.
std::string difference_from_canny(const EdgeRecipe& recipe, DType input_dtype, std::int64_t channels);

}  // namespace convtool
