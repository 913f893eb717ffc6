// JPEG files of four components, which OpenCV does not write.
#pragma once

// clang-format off
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it
#include <jpeglib.h>
// clang-format on

#include <array>
#include <cstdlib>
#include <functional>
#include <vector>

#include "files/file.h"

namespace convtool::testing {

struct CmykJpeg {
  int width = 0, height = 0;
  std::function<std::array<int, 4>(int x, int y)> inks;
  J_COLOR_SPACE stored = JCS_CMYK;  ///< or JCS_YCCK
  bool has_adobe_marker = true, is_progressive = false;
};

/// Quality 100: quantised in steps of 1, so flat blocks of 16 pixels keep their values.
inline Bytes cmyk_jpeg(const CmykJpeg& jpeg) {
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* file = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &file, &size);
  codec.image_width = static_cast<JDIMENSION>(jpeg.width);
  codec.image_height = static_cast<JDIMENSION>(jpeg.height);
  codec.input_components = 4;
  codec.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&codec);
  jpeg_set_colorspace(&codec, jpeg.stored);
  codec.write_Adobe_marker = jpeg.has_adobe_marker ? TRUE : FALSE;
  jpeg_set_quality(&codec, 100, TRUE);
  if (jpeg.is_progressive) jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  std::vector<JSAMPLE> row;
  for (int y = 0; y < jpeg.height; ++y) {
    row.clear();
    for (int x = 0; x < jpeg.width; ++x)
      for (const int ink : jpeg.inks(x, y)) row.push_back(static_cast<JSAMPLE>(ink));
    JSAMPROW from = row.data();
    jpeg_write_scanlines(&codec, &from, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  const auto* const first = reinterpret_cast<const std::byte*>(file);
  const Bytes bytes(first, first + size);
  std::free(file);
  return bytes;
}

}  // namespace convtool::testing
