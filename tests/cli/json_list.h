// Tensors in JSON of equal parts.
#pragma once

#include <string>

/// "[row,row,row]".
inline std::string repeated(const std::string& row, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += (i == 0 ? "" : ",") + row;
  return "[" + text + "]";
}
