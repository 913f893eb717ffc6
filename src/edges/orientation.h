// The direction of gradients, as numbers or colours.
#pragma once

#include "core/tensor.h"
#include "edges/recipe.h"

namespace convtool {

/// The angle of every vector, in radians or degrees as described at AngleUnit; 0 for the vector (0, 0). `vectors` has
/// two f32 channels, to the right and downwards; `angles` has one.
void find_angles(const ConstTensorRef& vectors, AngleUnit unit, const TensorRef& angles, int threads);

/// The strengths of black and of full brightness.
struct BrightnessRange {
  double min = 0, max = 0;
};

/// Paints saturated colours whose hue is the angle (red to the right, then yellow, green, cyan, blue and magenta every
/// 60 degrees counter-clockwise; A. R. Smith, Color gamut transform pairs, 1978) and whose brightness is the strength,
/// from black at `range.min` to full at `range.max`. Where the strength is NaN or not above 0, the colour is black.
/// `colours` receives R, G and B from 0 to 1, in f32, and does not overlap `vectors` or `strength`.
void paint_wheel(const ConstTensorRef& vectors, const ConstTensorRef& strength, const BrightnessRange& range,
                 const TensorRef& colours, int threads);

}  // namespace convtool
