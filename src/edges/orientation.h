// Which way gradients point, in numbers or colours.
#pragma once

#include "core/tensor.h"
#include "edges/recipe.h"

namespace convtool {

/// The angle of every vector, in radians or degrees as AngleUnit says; of the vector 0, 0. `vectors` has two f32
/// channels, towards the right and downwards, `angles` one.
void find_angles(const ConstTensorRef& vectors, AngleUnit unit, const TensorRef& angles, int threads);

/// Colours of full saturation whose hue is the angle (red towards the right, then yellow, green, cyan, blue and magenta
/// every 60 degrees counter-clockwise; A. R. Smith, Color gamut transform pairs, 1978) and whose brightness is the
/// strength, `brightest` the full range. `colours` are R, G and B from 0 to 1, f32; they may lie where `vectors` or
/// `strength` do not. What is NaN, or not above 0, is black.
void paint_wheel(const ConstTensorRef& vectors, const ConstTensorRef& strength, double brightest,
                 const TensorRef& colours, int threads);

}  // namespace convtool
