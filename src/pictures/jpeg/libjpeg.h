// Internal to pictures/: libjpeg, with errors that neither print nor end the process.
#pragma once

// clang-format off
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>

namespace convtool {

/// libjpeg's handler of errors and messages: prints nothing, and returns to try_step() after an error and at the first
/// sign of damage, after which libjpeg would go on with made-up pixels, for minutes if there are many scans.
struct JpegMessages {
  jpeg_error_mgr manager;  // first, so that a pointer to it is one to the whole
  std::jmp_buf after_error;
  bool is_damaged = false, is_out_of_memory = false;

  /// For jpeg_compress_struct::err or jpeg_decompress_struct::err. The object must outlive that codec.
  jpeg_error_mgr* install();
};

/// Runs calls of libjpeg, and returns false if one of them fails. `step` must not own anything: an error leaves it
/// without destructors.
template <class Step>
bool try_step(JpegMessages& messages, const Step& step) {
  if (setjmp(messages.after_error) != 0) return false;
  step();
  return true;
}

}  // namespace convtool
