// Internal to pictures/: the bytes of a pixel of PNG in memory.
#pragma once

namespace convtool {

/// How the bytes of a pixel in memory are ordered, compared with the file, where samples are big-endian: alike; two
/// bytes of each sample exchanged; or all bytes from last to first, as in B, G, R.
enum class PixelOrder { same, swapped, reversed };

}  // namespace convtool
