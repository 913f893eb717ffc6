// The answer of a child is a struct Answer, followed by the text of an error, or by the end of the child: then the
// pixels are in memory that both processes map, as rows without gaps in the order of ImagePixels::mat. This process
// maps them once the child is gone and cannot change them any more. Copying them through a socket was no faster at
// 64 x 64 pixels, and took twice the memory.
#include "pictures/isolation/picture_decoder.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <opencv2/core.hpp>
#include <system_error>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "pictures/decode_image.h"
#include "pictures/isolation/shared_memory.h"
#include "pictures/opencv/opencv_support.h"

namespace convtool {

/// Pixels in memory that processes share, which is that of an Image.
struct SharedPixels {
  static std::size_t size(const PictureHeader& header) {
    return static_cast<std::size_t>(header.width * header.height * header.channels * size_of(header.dtype));
  }

  /// Puts the pixels of `image` into `memory`, unless they are there.
  static void put(const Image& image, std::span<std::byte> memory) {
    const cv::Mat& from = image.pixels_->mat;
    if (from.data == reinterpret_cast<const uchar*>(memory.data())) return;
    require(from.isContinuous() && from.total() * from.elemSize() == memory.size(), "an unexpected size of pixels");
    std::memcpy(memory.data(), from.data, memory.size());
  }

  /// The upright picture with this header, whose pixels are in `memory`.
  static Image image(const PictureHeader& header, const std::shared_ptr<std::byte>& memory) {
    require(header.channels >= 1 && header.channels <= 4, "a header with a wrong number of channels");
    const auto width = static_cast<int>(header.width), height = static_cast<int>(header.height);
    const bool is_transposed = header.is_transposed();
    const cv::Mat pixels(is_transposed ? width : height, is_transposed ? height : width,
                         CV_MAKETYPE(depth_of_dtype(header.dtype), static_cast<int>(header.channels)), memory.get());
    return Image(std::make_shared<ImagePixels>(pixels, memory), static_cast<PixelFormat>(header.channels - 1));
  }
};

namespace {

struct Answer {
  enum Kind : std::uint32_t { pixels, error, no_memory };
  std::uint32_t kind = pixels;
  std::uint32_t error_kind = 0;  ///< an ErrorKind
  std::uint32_t text_size = 0;
};
constexpr std::uint32_t kLongestText = 4096;

static_assert(std::is_trivially_copyable_v<PictureHeader> && sizeof(PictureHeader) <= sizeof(ChildTask::parameters));

/// Writes to the program, unless it is gone.
void send_bytes(int answer, std::span<const std::byte> bytes) {
  try {
    write_all(answer, bytes);
  } catch (const std::system_error&) {
  }
}

void send_error(int answer, Answer::Kind kind, ErrorKind error_kind, std::string_view text) {
  const Answer header{.kind = kind,
                      .error_kind = static_cast<std::uint32_t>(error_kind),
                      .text_size = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), kLongestText))};
  send_bytes(answer, std::as_bytes(std::span(&header, 1)));
  send_bytes(answer, std::as_bytes(std::span(text).first(header.text_size)));
}

/// Runs `work` where OpenCV starts no threads, which a sandbox does not allow: it runs a parallel loop inside another
/// one as a plain loop. cv::setNumThreads() would look for plugins, which takes longer than decoding a small picture.
void without_opencv_threads(const std::function<void()>& work) {
  cv::parallel_for_(cv::Range(0, 1), [&](const cv::Range&) { work(); });
}

/// Gives `memory` to the first matrix of its size: mostly that of the decoded picture.
class SharingAllocator : public cv::MatAllocator {
 public:
  explicit SharingAllocator(std::span<std::byte> memory) : memory_(memory) {}

  cv::UMatData* allocate(int dimensions, const int* sizes, int type, void* data, std::size_t* steps,
                         cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    std::size_t size = CV_ELEM_SIZE(type);
    for (int i = 0; i < dimensions; ++i) size *= static_cast<std::size_t>(sizes[i]);
    if (data == nullptr && steps != nullptr && size == memory_.size()) {
      data = std::exchange(memory_, {}).data();
      // With memory of its own, a matrix needs the distances between its rows.
      for (int i = 0; i < dimensions; ++i) steps[i] = size /= static_cast<std::size_t>(sizes[i]);
    }
    return others_->allocate(dimensions, sizes, type, data, steps, flags, usage);
  }
  bool allocate(cv::UMatData* matrix, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    return others_->allocate(matrix, flags, usage);
  }
  void deallocate(cv::UMatData* matrix) const override { others_->deallocate(matrix); }

 private:
  const cv::MatAllocator* const others_ = cv::Mat::getDefaultAllocator();
  mutable std::span<std::byte> memory_;  // empty once it is given away
};

/// In the child.
void decode_and_answer(const ChildTask& task, const ChildMemory& memory) noexcept {
  const int answer = memory.answer;
  PictureHeader header;
  std::memcpy(&header, task.parameters.data(), sizeof header);
  try {
    SharingAllocator allocator(memory.result);
    cv::Mat::setDefaultAllocator(&allocator);
    without_opencv_threads([&] {
      SharedPixels::put(decode_image(memory.file, header, task.threads), memory.result);
      const Answer pixels;
      send_bytes(answer, std::as_bytes(std::span(&pixels, 1)));
    });
  } catch (const Error& error) {
    send_error(answer, Answer::error, error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    send_error(answer, Answer::no_memory, ErrorKind::memory, "");
  } catch (const std::exception& error) {
    send_error(answer, Answer::error, ErrorKind::internal, error.what());
  }
}

/// The limits of decoding a file that takes `memory` bytes, by decoding_memory().
void set_limits(std::int64_t memory, ChildTask& task) {
  // The tables of compressions (at most 64 MiB, decode_tiff.cpp), the allocator, and libraries at their first call.
  constexpr std::int64_t kSpareMemory = std::int64_t{128} << 20;
  task.limits.memory = memory + kSpareMemory;
  // The slowest codec that was measured, LZMA in a TIFF, takes a second for 100 MB of this memory. An emulated
  // processor takes ten times as long, and a slow one under a sanitizer or an emulator twice that. The header may claim
  // any size, so there is a cap: the largest pictures, 16 GB, take 160 s.
  constexpr std::int64_t kSlowest = 5'000'000;
  constexpr std::int64_t kStart = 5, kMost = 600;
  task.limits.cpu_seconds = static_cast<int>(std::min(kStart + memory / kSlowest, kMost));
  // A codec that sleeps takes no processor time. One that computes is far from its limit even when it is slow, and may
  // share its core with others: this much time is enough for one that is emulated on a quarter of a core.
  task.seconds = 60 + 2 * task.limits.cpu_seconds;
}

/// Whether pictures of this type are isolated by default: not where a library has no part in it, nor for PNG and JPEG,
/// whose libraries are the most tried ones, since a process for each picture has its price.
bool needs_isolation(PictureType type) {
  return type == PictureType::tiff || type == PictureType::exr || type == PictureType::webp;
}

[[noreturn]] void throw_codec_failed(PictureType type, const std::string& what) {
  throw Error(ErrorKind::input, "",
              "the " + std::string(to_string(type)) + " decoder " + what +
                  "; the file is damaged or malicious: leave it out, or save it again with another program");
}

std::string signal_name(int signal) {
  const char* const name = sigabbrev_np(signal);  // null for real-time signals
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

[[noreturn]] void throw_ended(const ChildEnd& end, PictureType type, const ChildTask& task) {
  if (end.setup_error == ENOMEM)
    throw Error(ErrorKind::memory, "", "not enough memory for a process that decodes it, beside this one");
  if (end.setup_error != 0)
    throw Error(ErrorKind::input, "",
                "the process that decodes it could not be prepared (" + describe_errno(end.setup_error) + ")");
  if (end.was_late) throw_codec_failed(type, "gave no answer for " + std::to_string(task.seconds) + " s");
  if (end.signal == SIGXCPU)
    throw_codec_failed(type, "took more than " + std::to_string(task.limits.cpu_seconds) + " s");
  if (end.was_killed) throw_codec_failed(type, "gave no answer, and did not end");
  if (end.signal == SIGKILL)
    throw Error(ErrorKind::memory, "",
                "the decoder was killed (SIGKILL), probably because the machine has no more memory");
  if (end.signal != 0) throw_codec_failed(type, "crashed (" + signal_name(end.signal) + ")");
  throw_codec_failed(type, "ended without a picture");
}

/// Waits for the answer of a child and its end. Returns if the answer is that the pixels are in the shared memory.
/// Whatever it is, nothing else comes of it but an Error.
void await_pixels(ChildProcess child, PictureType type, const ChildTask& task) {
  const auto read = [&](std::span<std::byte> bytes) {
    if (!child.read(bytes)) throw_ended(child.end(), type, task);
  };
  Answer answer;
  read(std::as_writable_bytes(std::span(&answer, 1)));
  if (answer.kind == Answer::pixels) return;
  struct rlimit own;
  if (answer.kind == Answer::no_memory && getrlimit(RLIMIT_AS, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
    throw std::bad_alloc();  // by the user's limit, perhaps
  if (answer.kind == Answer::no_memory)
    throw_codec_failed(type, "needed more than " + std::to_string(task.limits.memory >> 20) + " MiB of memory");
  if (answer.kind != Answer::error || answer.text_size > kLongestText ||
      answer.error_kind > static_cast<std::uint32_t>(ErrorKind::internal))
    throw_codec_failed(type, "gave an answer without meaning");
  std::string text(answer.text_size, '\0');
  read(std::as_writable_bytes(std::span(text)));
  throw Error(static_cast<ErrorKind>(answer.error_kind), "", text);
}

/// A picture got no process, or no memory to share with one, although others can. `shared` bytes were asked for.
[[noreturn]] void throw_not_started(int error, std::uint64_t shared) {
  if (error == EFBIG)
    throw Error(ErrorKind::input, "",
                "the process that decodes it needs " + std::to_string(((shared - 1) >> 20) + 1) +
                    " MiB of shared memory, more than 'ulimit -f' allows; raise that limit, or decode pictures in the "
                    "program itself with --isolate never");
  const bool is_memory = error == ENOMEM || error == EAGAIN;
  throw Error(is_memory ? ErrorKind::memory : ErrorKind::input, "",
              "no process could be started to decode it (" + describe_errno(error) +
                  "); free memory, processes or open files, or raise the limits of 'ulimit'");
}

/// Why no process can be started for a decoder, by an errno value.
std::string obstacle_in_words(int error) {
  if (error == EDEADLK)
    return "a library has started a thread, and a process with threads cannot be forked safely for a decoder";
  return "the system grants no process for a decoder (" + describe_errno(error) + ")";
}

}  // namespace

/// Whether pictures of this type are to be decoded in child processes.
bool PictureDecoder::isolates(PictureType type) const {
  return isolation_ == Isolation::always || (isolation_ == Isolation::automatic && needs_isolation(type));
}

std::unique_ptr<PictureRows> PictureDecoder::open_rows(const FileContent& file, const PictureHeader& header,
                                                       ColourOrder order) const {
  return isolates(header.type) ? nullptr : open_picture_rows(file.bytes, header, order);
}

/// Calls `start`, which starts a process or what it needs. If it throws std::system_error, and no process could be
/// started before, that is the obstacle. With Isolation::always it throws Error(usage) instead.
void PictureDecoder::try_first(const std::function<void()>& start) {
  try {
    start();
  } catch (const std::system_error& error) {
    if (is_possible_) throw;
    obstacle_ = error.code().value();
    if (isolation_ == Isolation::always)
      refuse_usage("--isolate", obstacle_in_words(obstacle_) +
                                    "; leave it out to decode pictures in the program itself where necessary");
  }
}

void PictureDecoder::prepare() {
  if (isolation_ == Isolation::never || server_ || obstacle_ != 0) return;
  try_first([this] {
    memory_file(1);
    server_.emplace(decode_and_answer);
    is_possible_ = true;
  });
}

std::optional<Remark> PictureDecoder::remark_on(PictureType type) const {
  if (obstacle_ == 0 || !isolates(type)) return std::nullopt;
  return Remark{
      .text = "decoded in the program itself, which a damaged file may crash: " + obstacle_in_words(obstacle_),
      .once = true};
}

Image PictureDecoder::decode(const FileContent& file, const PictureHeader& header, int threads) {
  if (!isolates(header.type)) return decode_image(file.bytes, header, threads);

  ChildTask task{.file_size = file.bytes.size(), .result_size = SharedPixels::size(header)};
  std::memcpy(task.parameters.data(), &header, sizeof header);
  set_limits(decoding_memory(header, std::ssize(file.bytes)), task);
  task.threads = std::min(threads == 0 ? available_cores() : threads, header.most_threads);
  std::uint64_t shared = task.result_size;  // bytes that are asked for
  std::optional<Descriptor> copy, pixels;
  std::optional<ChildProcess> child;
  try {
    if (!server_ && obstacle_ == 0) try_first([] { memory_file(1); });
    if (obstacle_ == 0) {
      pixels.emplace(memory_file(task.result_size));
      const bool is_mapped = file.file && can_be_mapped(file.file->descriptor(), file.bytes.size());
      shared = file.bytes.size();
      if (!is_mapped) copy.emplace(memory_file(file.bytes));
      const int input = is_mapped ? file.file->descriptor() : copy->get();
      if (server_)
        child.emplace(server_->start(task, input, pixels->get()));
      else
        try_first([&] {
          child.emplace(ForkServer::start_without_server(decode_and_answer, task, input, pixels->get()));
          is_possible_ = true;
        });
    }
  } catch (const std::system_error& error) {
    throw_not_started(error.code().value(), shared);
  }
  if (!child) return decode_image(file.bytes, header, threads);
  const auto check_unchanged = [&] {
    if (file.file && file.file->has_changed())
      throw Error(ErrorKind::input, "", "changed while it was being read; run again when it is complete");
  };
  try {
    await_pixels(std::move(*child), header.type, task);
  } catch (const Error&) {
    check_unchanged();
    throw;
  }
  check_unchanged();
  try {
    return SharedPixels::image(header, map_shared(*pixels, task.result_size));
  } catch (const std::system_error&) {
    throw std::bad_alloc();
  }
}

}  // namespace convtool
