// Decoding pictures in child processes, so that a codec which fails takes nothing with it.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "files/file.h"
#include "pictures/image.h"
#include "pictures/image_header.h"
#include "pictures/isolation/fork_server.h"
#include "pictures/picture_header.h"
#include "pictures/picture_rows.h"

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
  /// process, throws Error(input). If one picture gets no child process or no memory to share with it, throws
  /// Error(memory) or Error(input). If no picture can get one, Isolation::automatic decodes in this process.
  /// Thread-safe after prepare(). Child processes have one thread.
  Image decode(const FileContent& file, const PictureHeader& header, int threads = 1);

  /// open_picture_rows(), or null for a picture that is decoded in a child process. The file has to outlive the rows.
  /// Thread-safe after prepare().
  std::unique_ptr<PictureRows> open_rows(const FileContent& file, const PictureHeader& header, ColourOrder order) const;

  /// A warning, if decode() decodes pictures of this type in this process although they are to be isolated. Thread-safe
  /// after prepare().
  std::optional<Remark> remark_on(PictureType type) const;

  /// Whether decode() will fail for every picture to be isolated, since the process that starts child processes has
  /// ended. It cannot be started again from a process with threads. Thread-safe after prepare().
  bool is_broken() const { return server_ && server_->has_ended(); }

 private:
  bool isolates(PictureType type) const;
  void try_first(const std::function<void()>& start);

  Isolation isolation_;
  std::optional<ForkServer> server_;
  bool is_possible_ = false;  ///< a child process or the server could be started
  int obstacle_ = 0;          ///< the errno value why none can; 0: not known
};

}  // namespace convtool
