// Internal to pictures/: OpenCV's environment variables.
#pragma once

namespace convtool {

/// Turns OpenCV's OpenEXR codec on, which is off by default. To be called before main(), where no other thread can be
/// reading the environment. The user's variables for OpenCV and libjpeg are gone by then: linking this takes them out.
void settle_opencv_switches();

}  // namespace convtool
