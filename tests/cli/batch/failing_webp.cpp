// Takes the place of libwebp's decoder in a program of its own, convtool_with_failing_webp, by the linker's --wrap.
// What it does depends on the width of the picture: it decodes, or fails as codecs do.
#include <fcntl.h>
#include <unistd.h>
#include <webp/decode.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

extern "C" {

VP8StatusCode __real_WebPDecode(const std::uint8_t* data, std::size_t size, WebPDecoderConfig* config);

VP8StatusCode __wrap_WebPDecode(const std::uint8_t* data, std::size_t size, WebPDecoderConfig* config) {
  int width = 0, height = 0;
  WebPGetInfo(data, size, &width, &height);
  switch (width) {
    case 101: std::abort();
    case 102: {
      for (std::atomic<unsigned> i = 0;; ++i) {
      }
    }
    case 103: {  // 10 GB, or as much as there is, to the last byte
      std::size_t left = std::size_t{10} << 30;
      for (std::size_t piece = 100 << 20; piece > 0; piece /= 2)
        while (left >= piece) {
          void* const memory = std::malloc(piece);
          if (memory == nullptr) break;
          std::memset(memory, 1, piece);
          left -= piece;
        }
      return VP8_STATUS_OUT_OF_MEMORY;
    }
    case 104: _exit(0);
    case 105: {  // an answer in place of the right one
      const char text[] = "a text that is no answer, and has more bytes than one";
      for (int descriptor = 3; descriptor < 10; ++descriptor)
        if (write(descriptor, text, sizeof text) > 0) break;
      _exit(0);
    }
    case 106: {  // sleeps
      std::mutex mutex;
      mutex.lock();
      mutex.lock();
      break;
    }
    case 107:
      if (open("/etc/passwd", O_RDONLY) >= 0) std::abort();
      break;
    default: break;
  }
  return __real_WebPDecode(data, size, config);
}
}
