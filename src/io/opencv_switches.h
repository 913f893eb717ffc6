// Internal to io/: OpenCV's environment variables.
#pragma once

namespace convtool {

/// Turns OpenCV's OpenEXR codec on, which is off by default, and keeps every OPENCV_ variable of the user's from having
/// an effect. To be called before main(), where no other thread can be reading the environment.
void settle_opencv_switches();

}  // namespace convtool
