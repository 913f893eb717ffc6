// The shape of the input of convtool shape.
#pragma once

#include <string>

#include "core/tensor.h"

namespace convtool {

struct InputShape {
  Shape shape;
  int rank = 3;
  DType dtype = DType::f32;
};

/// The shape that `text` gives in numbers, such as 3x480x640, or that of the file `text`. Throws Error.
InputShape read_input_shape(const std::string& text);

}  // namespace convtool
