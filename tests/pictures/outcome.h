// Decoded pictures and errors in words, for comparison.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>

#include "core/error.h"
#include "pictures/decode_image.h"
#include "pictures/image_header.h"
#include "pictures/pixel_values.h"
#include "support/picture_bytes.h"

namespace convtool::testing {

/// The decoded picture in words, "u8 rgb 1 2 3 4 5 6", or the error. Checks that the header agrees with the picture.
inline std::string outcome(std::span<const std::byte> file) {
  constexpr const char* kFormats[] = {"grey", "grey_alpha", "rgb", "rgba"};
  try {
    const Image image = decode_image(file, 1000);
    const PictureHeader header = read_picture_header(file);
    CHECK(header.channels == image.all().shape.c);
    CHECK(header.dtype == image.dtype());
    std::string text = std::string(to_string(image.dtype())) + " " + kFormats[static_cast<int>(image.format())];
    for (const double value : values(image.all())) {
      char number[32];
      std::snprintf(number, sizeof number, " %g", value);
      text += number;
    }
    return text;
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
}

inline Bytes bytes(std::initializer_list<int> list) {
  Bytes bytes;
  for (const int value : list) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace convtool::testing
