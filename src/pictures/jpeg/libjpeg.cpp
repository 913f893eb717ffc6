#include "pictures/jpeg/libjpeg.h"

namespace convtool {
namespace {

JpegMessages& messages_of(j_common_ptr codec) { return *reinterpret_cast<JpegMessages*>(codec->err); }

/// The warnings that do not concern the pixels: bytes between segments, markers with unknown contents, scans in an
/// unusual order. A new kind of warning counts as damage.
bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
         code == JWRN_NOT_SEQUENTIAL || code == JWRN_BOGUS_PROGRESSION;
}

[[noreturn]] void leave_step(j_common_ptr codec) {
  JpegMessages& messages = messages_of(codec);
  messages.is_out_of_memory = codec->err->msg_code == JERR_OUT_OF_MEMORY;
  std::longjmp(messages.after_error, 1);
}

void stop_at_damage(j_common_ptr codec, int level) {
  constexpr int kWarning = -1;
  if (level != kWarning || is_harmless(codec->err->msg_code)) return;
  messages_of(codec).is_damaged = true;
  leave_step(codec);
}

}  // namespace

jpeg_error_mgr* JpegMessages::install() {
  jpeg_std_error(&manager);
  manager.emit_message = stop_at_damage;
  manager.error_exit = leave_step;
  return &manager;
}

}  // namespace convtool
