// The page of `convtool explain`: input, kernels and output, computed in the browser and compared with the engine's.
#pragma once

#include <string>

#include "show/explain/explanation.h"
#include "show/explain/trace.h"

namespace convtool {

/// An HTML page that shows how each output of `trace` comes about, and first the one at `at`. It needs no other file.
///
/// Of large inputs it has the part around `at`: at most a fixed number of bytes and of multiply-adds, but all that the
/// output at `at` depends on. Throws Error(shape) where that alone, or the weights, would be too large for a page.
std::string explain_page(const Trace& trace, const Pixel& at);

}  // namespace convtool
