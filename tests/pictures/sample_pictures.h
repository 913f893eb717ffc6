// Small picture files of every kind that is read, written by OpenCV's encoders or assembled byte by byte.
#pragma once

#include <array>
#include <cstdlib>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "pictures/cmyk_jpeg.h"
#include "pictures/exr_file.h"
#include "support/picture_bytes.h"

namespace convtool::testing {

/// Random values; floats around zero.
inline cv::Mat random_mat(int height, int width, int type, std::uint64_t seed = 1) {
  cv::Mat mat(height, width, type);
  cv::RNG random(seed);
  const double low = mat.depth() == CV_32F ? -1000 : 0;
  random.fill(mat, cv::RNG::UNIFORM, low, mat.depth() == CV_8U ? 256 : mat.depth() == CV_16U ? 65536 : 1000);
  return mat;
}

inline Bytes opencv_file(const std::string& extension, const cv::Mat& mat, const std::vector<int>& parameters = {}) {
  std::vector<uchar> file;
  if (extension == ".exr") setenv("OPENCV_IO_ENABLE_OPENEXR", "1", 1);  // off by default
  if (!cv::imencode(extension, mat, file, parameters)) throw std::runtime_error("OpenCV cannot write " + extension);
  const auto* const first = reinterpret_cast<const std::byte*>(file.data());
  return Bytes(first, first + file.size());
}

struct Sample {
  std::string name;
  Bytes file;
  std::size_t spare = 0;  ///< number of bytes at the end that are not needed for the pixels
};

inline Bytes counting_bytes(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

/// One file of each kind. Pictures are 9 wide and 7 high, tiled TIFF 20 by 20.
inline std::vector<Sample> sample_pictures() {
  const cv::Mat grey8 = random_mat(7, 9, CV_8UC1), rgb8 = random_mat(7, 9, CV_8UC3), rgba8 = random_mat(7, 9, CV_8UC4);
  const cv::Mat rgb16 = random_mat(7, 9, CV_16UC3), rgb32 = random_mat(7, 9, CV_32FC3);
  const cv::Mat grey32 = random_mat(7, 9, CV_32FC1), rgba32 = random_mat(7, 9, CV_32FC4);

  // Text that ends with a number of one digit: it is complete or missing.
  cv::Mat grey_text = grey8.clone(), rgb_text = rgb8.clone();
  grey_text.at<std::uint8_t>(6, 8) = 7;
  rgb_text.at<cv::Vec3b>(6, 8) = {7, 7, 7};

  std::vector<Sample> samples = {
      {"png u8 rgb", opencv_file(".png", rgb8)},
      {"png u8 rgba", opencv_file(".png", rgba8)},
      {"png u16", opencv_file(".png", rgb16)},
      {"jpeg baseline", opencv_file(".jpg", rgb8)},
      {"jpeg grey", opencv_file(".jpg", grey8)},
      {"jpeg progressive", opencv_file(".jpg", rgb8, {cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {"jpeg restart markers", opencv_file(".jpg", rgb8, {cv::IMWRITE_JPEG_RST_INTERVAL, 1})},
      {"tiff lzw", opencv_file(".tif", rgb8)},
      {"tiff deflate", opencv_file(".tif", rgb8, {cv::IMWRITE_TIFF_COMPRESSION, 8})},
      {"tiff packbits", opencv_file(".tif", rgb8, {cv::IMWRITE_TIFF_COMPRESSION, 32773})},
      {"tiff uncompressed", opencv_file(".tif", rgb8, {cv::IMWRITE_TIFF_COMPRESSION, 1})},
      {"tiff u16", opencv_file(".tif", rgb16)},
      {"tiff f32", opencv_file(".tif", rgb32, {cv::IMWRITE_TIFF_COMPRESSION, 1})},
      {"tiff LogLuv", opencv_file(".tif", rgb32)},
      {"bmp rgb", opencv_file(".bmp", rgb8), 1},  // rows are padded to 4 bytes
      {"bmp grey", opencv_file(".bmp", grey8), 3},
      {"webp lossless", opencv_file(".webp", rgb8, {cv::IMWRITE_WEBP_QUALITY, 101})},
      {"webp lossy", opencv_file(".webp", rgb8, {cv::IMWRITE_WEBP_QUALITY, 80})},
      {"webp lossy with alpha", opencv_file(".webp", rgba8, {cv::IMWRITE_WEBP_QUALITY, 80})},
      {"pgm binary", opencv_file(".pgm", grey8)},
      {"ppm binary", opencv_file(".ppm", rgb8)},
      {"ppm binary u16", opencv_file(".ppm", rgb16)},
      {"pgm text", opencv_file(".pgm", grey_text, {cv::IMWRITE_PXM_BINARY, 0}), 1},
      {"ppm text", opencv_file(".ppm", rgb_text, {cv::IMWRITE_PXM_BINARY, 0}), 3},  // spaces and a line end
      {"pbm binary", opencv_file(".pbm", grey8)},
      {"pbm text", to_bytes("P1\n9 7\n" + std::string(63, '1') + "\n"), 1},
      {"pfm grey", opencv_file(".pfm", grey32)},
      {"pfm rgb", opencv_file(".pfm", rgb32)},
      {"exr zip", opencv_file(".exr", rgb32)},
      {"exr half rgba", opencv_file(".exr", rgba32, {cv::IMWRITE_EXR_TYPE, cv::IMWRITE_EXR_TYPE_HALF})},
      {"exr uncompressed", opencv_file(".exr", grey32, {cv::IMWRITE_EXR_COMPRESSION, cv::IMWRITE_EXR_COMPRESSION_NO})},
  };

  // A thumbnail, a JPEG of its own with its own end marker, inside an application segment.
  const Bytes jpeg = opencv_file(".jpg", rgb8), thumbnail = opencv_file(".jpg", grey8);
  ByteWriter with_thumbnail(true);
  with_thumbnail.u16(0xffd8).u16(0xffe1).u16(2 + thumbnail.size()).append(thumbnail);
  with_thumbnail.append(std::span(jpeg).subspan(2));
  samples.push_back({"jpeg with thumbnail", with_thumbnail.bytes()});

  // Adam7 (PNG specification, section 8): for 9 x 7, passes of 2x1, 1x1, 3x1, 2x2, 5x2, 4x4 and 9x3 pixels.
  ByteWriter rows;
  for (const auto& [count, width] : {std::pair{1, 2}, {1, 1}, {1, 3}, {2, 2}, {2, 5}, {4, 4}, {3, 9}})
    for (int row = 0; row < count; ++row) rows.u8(0).append(counting_bytes(static_cast<std::size_t>(width)));
  samples.push_back(
      {"png interlaced",
       png_file(
           {.width = 9, .height = 7, .bit_depth = 8, .colour_type = 0, .interlaced = true, .rows = rows.bytes()})});

  const Bytes rgb = counting_bytes(3 * 63), grey = counting_bytes(63), tile = counting_bytes(256);
  const auto part = [](const Bytes& all, std::ptrdiff_t first, std::ptrdiff_t count) {
    return Bytes(all.begin() + first, all.begin() + first + count);
  };
  for (const bool big : {false, true}) {
    const std::string order = big ? " big-endian" : " little-endian";
    samples.push_back(
        {"tiff strips last" + order, tiff_file({.big_endian = big,
                                                .width = 9,
                                                .height = 7,
                                                .samples = 3,
                                                .photometric = 2,
                                                .rows_per_strip = 3,
                                                .directory_first = true,
                                                .blocks = {part(rgb, 0, 81), part(rgb, 81, 81), part(rgb, 162, 27)}})});
    samples.push_back({"tiff planes" + order, tiff_file({.big_endian = big,
                                                         .width = 9,
                                                         .height = 7,
                                                         .samples = 3,
                                                         .photometric = 2,
                                                         .planar = true,
                                                         .directory_first = true,
                                                         .blocks = {grey, grey, part(rgb, 70, 63)}})});
    samples.push_back({"tiff u16 one strip" + order, tiff_file({.big_endian = big,
                                                                .width = 9,
                                                                .height = 7,
                                                                .bits = 16,
                                                                .directory_first = true,
                                                                .blocks = {counting_bytes(126)}})});
    for (const bool compressed : {false, true}) {
      const Bytes block = compressed ? zlib_stored(tile) : tile;
      samples.push_back({std::string("tiff tiles") + (compressed ? " deflate" : "") + order,
                         tiff_file({.big_endian = big,
                                    .width = 20,
                                    .height = 20,
                                    .tile = 16,
                                    .compression = compressed ? 8u : 1u,
                                    .directory_first = true,
                                    .blocks = {block, block, block, block}})});
    }
    const Bytes wide = counting_bytes(512);
    samples.push_back({"tiff tiles u16" + order, tiff_file({.big_endian = big,
                                                            .width = 20,
                                                            .height = 20,
                                                            .bits = 16,
                                                            .tile = 16,
                                                            .directory_first = true,
                                                            .blocks = {wide, wide, wide, wide}})});
  }

  const Bytes palette = counting_bytes(16);
  ByteWriter runs;  // BI_RLE8: per row, one value nine times and the end of the row; after the last row, the end of the
                    // picture
  for (unsigned row = 0; row < 7; ++row) runs.u8(9).u8(row % 4).u8(0).u8(row == 6 ? 1 : 0);
  samples.push_back(
      {"bmp run lengths",
       bmp_file({.width = 9, .height = 7, .bits = 8, .compression = 1, .palette = palette, .pixels = runs.bytes()}),
       2});
  const Bytes halves = [] {  // BI_RLE4: a literal of nine indices in five bytes, and one byte of padding
    ByteWriter literals;
    for (unsigned row = 0; row < 7; ++row)
      literals.u8(0).u8(9).append(counting_bytes(5)).u8(0).u8(0).u8(row == 6 ? 1 : 0);
    return literals.bytes();
  }();
  samples.push_back(
      {"bmp run lengths of 4 bits",
       bmp_file(
           {.width = 9, .height = 7, .bits = 4, .compression = 2, .palette = counting_bytes(64), .pixels = halves}),
       3});
  samples.push_back({"bmp 16 bits", bmp_file({.width = 9, .height = 7, .bits = 16, .pixels = counting_bytes(140)}), 2});
  samples.push_back({"bmp 565",
                     bmp_file({.width = 9,
                               .height = -7,
                               .bits = 16,
                               .compression = 3,
                               .masks = {0xf800, 0x7e0, 0x1f},
                               .pixels = counting_bytes(140)}),
                     2});
  samples.push_back({"bmp with alpha", bmp_file({.width = 9,
                                                 .height = 7,
                                                 .bits = 32,
                                                 .compression = 3,
                                                 .masks = {0xff, 0xff00, 0xff0000, 0xff000000},
                                                 .pixels = counting_bytes(252)})});
  ByteWriter os2;  // BITMAPCOREHEADER, 16 colours of three bytes
  os2.text("BM").u32(26 + 48 + 56).u32(0).u32(26 + 48).u32(12).u16(9).u16(7).u16(1).u16(4);
  samples.push_back({"bmp of OS/2", os2.append(counting_bytes(48 + 56)).bytes(), 3});

  const auto inks = [](int x, int y) {
    return std::array{x * 30 % 256, y * 37 % 256, (x + y) * 16 % 256, 255 - x * y};
  };
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK})
    for (const bool progressive : {false, true})
      samples.push_back(
          {std::string("jpeg ") + (stored == JCS_CMYK ? "cmyk" : "ycck") + (progressive ? " progressive" : ""),
           cmyk_jpeg({.width = 9, .height = 7, .inks = inks, .stored = stored, .is_progressive = progressive})});

  std::vector<float> ramp;
  for (int i = 0; i < 63; ++i) ramp.push_back(static_cast<float>(i) / 8);
  samples.push_back({"exr luminance and chroma", exr_file({{"BY", ramp}, {"RY", ramp}, {"Y", ramp}}, 9, 7)});
  samples.push_back({"exr grey and alpha", exr_file({{"A", ramp}, {"Y", ramp}}, 9, 7)});
  samples.push_back({"exr of two parts", exr_file({{"Y", ramp}}, 9, 7, 2), 7 * (12 + 9 * 4)});
  return samples;
}

}  // namespace convtool::testing
