// Internal to pictures/: writing JPEG.
#pragma once

#include "files/file.h"
#include "pictures/metadata/picture_metadata.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {

/// A baseline JPEG of 8-bit pixels, grey or B, G, R, at most 65500 on a side, with chroma at half the resolution in
/// both directions and libjpeg's default Huffman codes. `quality` is 1 to 100. Large pictures are compressed in strips
/// of rows on `threads` threads, with a restart marker between strips; the bytes are the same for any number of
/// threads. `metadata` must fit. Throws Error(output), std::bad_alloc.
Bytes write_jpeg(const cv::Mat& pixels, int quality, int threads, const PictureMetadata& metadata = {});

}  // namespace convtool
