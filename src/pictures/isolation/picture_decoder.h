// Decoding pictures in child processes, so that a codec which fails takes nothing with it.
#pragma once

#include <optional>
#include <string_view>

#include "files/file.h"
#include "pictures/image.h"
#include "pictures/isolation/fork_server.h"
#include "pictures/picture_header.h"

namespace convtool {

/// Which pictures are decoded in processes of their own: those of TIFF, OpenEXR and WebP where the system allows it,
/// all, or none.
enum class Isolation { automatic, always, never };
inline constexpr std::string_view kIsolations[] = {"auto", "always", "never"};

/// Decodes pictures, in this process or in a child process for each.
///
/// A child process has the limits of sandbox.h: its memory is that of decoding_memory(), and its time follows from it.
/// What it returns is pixels of the size and type in the header, in memory that it shares, or an error in words.
class PictureDecoder {
 public:
  explicit PictureDecoder(Isolation isolation) : isolation_(isolation) {}

  /// Gets ready to decode several pictures, on any number of threads. Call it while this process has one thread.
  /// Without it, decode() may be called until the first other thread starts. Throws Error(usage) where
  /// Isolation::always is impossible.
  void prepare();

  /// decode_image(), and the same errors. If the codec crashes, takes too long or needs too much memory in a child
  /// process, throws Error(input). Thread-safe after prepare().
  Image decode(const FileContent& file, const PictureHeader& header);

 private:
  ChildProcess start_child(const ChildTask& task, int file, int result);

  Isolation isolation_;
  std::optional<ForkServer> server_;
  bool is_impossible_ = false;  ///< the system grants no process
};

}  // namespace convtool
