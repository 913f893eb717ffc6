// Pictures through OpenCV 4.6, and around what it gets wrong.
//
// Decoding: the header is read first (image_header.h), for the size and for what OpenCV will not say; then OpenCV
// decodes, with standard error captured; then the pixels are put into the order and type that Image promises. Encoding
// is OpenCV's too, but for PNG (png_writer.h) and the two formats that it would write to a file in /tmp first
// (float_files.h).
#include "pictures/image_io.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <system_error>

#include "files/byte_reader.h"
#include "files/descriptor.h"
#include "files/stderr_capture.h"
#include "pictures/decoder_messages.h"
#include "pictures/float_files.h"
#include "pictures/opencv_switches.h"
#include "pictures/png_writer.h"

namespace convtool {
namespace {

[[maybe_unused]] const bool kOpencvIsPrepared = [] {
  settle_opencv_switches();
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  return true;
}();

// The decoder's own limits (modules/imgcodecs/src/loadsave.cpp: CV_IO_MAX_IMAGE_PIXELS, _WIDTH, _HEIGHT).
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 30;
constexpr std::int64_t kLongestSide = std::int64_t{1} << 20;

void check_size(const PictureHeader& header, std::int64_t max_pixels) {
  const std::string size = std::to_string(header.width) + "x" + std::to_string(header.height);  // as users write it
  if (header.width == 0 || header.height == 0)
    throw Error(ErrorKind::input, "", "a picture without pixels (" + size + ")");
  const std::uint64_t pixels = static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  const std::uint64_t most = std::min(kMostPixels, static_cast<std::uint64_t>(std::max<std::int64_t>(0, max_pixels)));
  if (pixels > most) {
    const std::string advice = pixels <= kMostPixels ? "; raise --max-pixels" : "; cut or shrink it first";
    throw Error(ErrorKind::input, "",
                size + " is " + std::to_string(pixels) + " pixels (at most " + std::to_string(most) + ")" + advice);
  }
  if (std::max(header.width, header.height) > kLongestSide)
    throw Error(ErrorKind::input, "",
                size + " has a side of more than " + std::to_string(kLongestSide) + " pixels; cut or shrink it first");
}

/// Runs OpenCV, whose exceptions end here: out of memory is std::bad_alloc, anything else a bug.
template <class Run>
auto call_opencv(const Run& run) {
  try {
    return run();
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    throw Error(ErrorKind::internal, "", "a bug in convtool: OpenCV refuses: " + error.err);
  }
}

/// The same for a codec, where anything else is a failure: `otherwise`.
template <class Run, class Result>
Result call_codec(const Run& run, Result otherwise) {
  try {
    return call_opencv(run);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {  // of OpenEXR too
    return otherwise;
  }
}

/// A file in memory, for codecs that insist on a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::byte> bytes) try : descriptor_(memfd_create("picture", MFD_CLOEXEC)) {
    write_all(descriptor_.get(), bytes);
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::memory, "", "cannot copy the picture to memory: " + describe_errno(error.code().value()));
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_.get()); }

 private:
  Descriptor descriptor_;
};

/// While one lives, OpenCV prints what libtiff says, which it does from this level on only.
class TalkativeTiff {
 public:
  TalkativeTiff() {
    cv::getNumThreads();  // the first use of its threads would be reported as well, on standard output
    std::lock_guard lock(mutex_);
    if (count_++ == 0) former_ = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_DEBUG);
  }
  ~TalkativeTiff() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) cv::utils::logging::setLogLevel(former_);
  }
  TalkativeTiff(const TalkativeTiff&) = delete;
  TalkativeTiff& operator=(const TalkativeTiff&) = delete;

 private:
  static inline std::mutex mutex_;
  static inline int count_ = 0;
  static inline cv::utils::logging::LogLevel former_;
};

/// The pixels as OpenCV gives them, or an empty matrix.
cv::Mat decode(std::span<const std::byte> bytes, PictureType type) {
  std::optional<TalkativeTiff> talkative;
  if (type == PictureType::tiff) talkative.emplace();
  // From memory, OpenCV writes OpenEXR and PFM to a file in /tmp first, and fails on tiled TIFF of 8 bits.
  if (type == PictureType::exr || type == PictureType::pfm || type == PictureType::tiff) {
    const MemoryFile file(bytes);
    return call_codec([&] { return cv::imread(file.path(), cv::IMREAD_UNCHANGED); }, cv::Mat());
  }
  const cv::Mat wrapped(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
  return call_codec([&] { return cv::imdecode(wrapped, cv::IMREAD_UNCHANGED); }, cv::Mat());
}

/// The pixels, or an empty matrix, or Error(input) when the decoder goes on over damage.
cv::Mat decode_quietly(std::span<const std::byte> bytes, PictureType type) {
  cv::Mat pixels;
  std::string printed;
  {
    const StderrCapture capture;
    pixels = decode(bytes, type);
    printed = capture.text();
  }
  const bool decoder_goes_on = type == PictureType::jpeg || type == PictureType::tiff;
  if (!decoder_goes_on || !reports_damage(printed)) return pixels;
  // It may have been another thread's picture. That is rare enough to find out by decoding once more, alone.
  const StderrCapture capture(StderrCapture::Company::none);
  pixels = decode(bytes, type);
  if (reports_damage(capture.text())) throw_damaged(to_string(type), "parts of its data make no sense");
  return pixels;
}

int cv_depth(DType dtype) { return dtype == DType::u8 ? CV_8U : dtype == DType::u16 ? CV_16U : CV_32F; }
DType dtype_of_depth(int depth) { return depth == CV_8U ? DType::u8 : depth == CV_16U ? DType::u16 : DType::f32; }

cv::Mat new_pixels(std::int64_t height, std::int64_t width, DType dtype, std::int64_t channels) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  if (height > kMost || width > kMost) throw std::bad_alloc();
  const int type = CV_MAKETYPE(cv_depth(dtype), static_cast<int>(channels));
  return call_opencv([&] { return cv::Mat(static_cast<int>(height), static_cast<int>(width), type); });
}

/// A new matrix of `count` channels, filled from those of others by pairs of (from, to), counted through.
cv::Mat pick_channels(const std::vector<cv::Mat>& from, int count, const std::vector<int>& pairs) {
  cv::Mat picked(from[0].size(), CV_MAKETYPE(from[0].depth(), count));
  std::vector<cv::Mat> to = {picked};
  cv::mixChannels(from, to, pairs);
  return picked;
}

/// Integers in which `full` stands for full intensity, spread over the whole range; more than `full` counts as full.
/// The division rounds down, as OpenCV's own does for PNM in text.
template <class T>
void spread(cv::Mat& pixels, std::int64_t full) {
  const std::int64_t largest = std::numeric_limits<T>::max();
  for (int y = 0; y < pixels.rows; ++y) {
    T* const row = pixels.ptr<T>(y);
    for (int i = 0; i < pixels.cols * pixels.channels(); ++i)
      row[i] = static_cast<T>(std::min<std::int64_t>(row[i], full) * largest / full);
  }
}

/// B, G, R, A to R, G, B, A or back, in place.
template <class T>
void swap_red_and_blue(cv::Mat& pixels) {
  for (int y = 0; y < pixels.rows; ++y) {
    T* const row = pixels.ptr<T>(y);
    for (std::ptrdiff_t x = 0; x < pixels.cols; ++x) std::swap(row[4 * x], row[4 * x + 2]);
  }
}

/// One of our depths, in the full range, with white high.
void settle_values(cv::Mat& pixels, const PictureHeader& header) {
  const int depth = pixels.depth();
  if (depth != CV_8U && depth != CV_16U) {
    if (depth != CV_32F) pixels.convertTo(pixels, CV_32F);
    return;
  }
  if (header.full_value)
    depth == CV_8U ? spread<std::uint8_t>(pixels, *header.full_value)
                   : spread<std::uint16_t>(pixels, *header.full_value);
  if (header.white_is_zero) cv::bitwise_not(pixels, pixels);
}

/// Grey with an alpha of 0 where it has the value `transparent`, else full.
cv::Mat add_alpha(const cv::Mat& grey, std::int64_t transparent) {
  cv::Mat alpha;
  cv::compare(grey, static_cast<double>(transparent), alpha, cv::CMP_NE);
  alpha.convertTo(alpha, grey.depth(), grey.depth() == CV_8U ? 1 : 257);
  return pick_channels({grey, alpha}, 2, {0, 0, 1, 1});
}

/// The channels that the file has, in our order; three stay in OpenCV's, which a view can turn round.
PixelFormat settle_channels(cv::Mat& pixels, const PictureHeader& header) {
  switch (pixels.channels()) {
    case 1:
      if (!header.transparent_grey) return PixelFormat::grey;
      pixels = add_alpha(pixels, *header.transparent_grey);
      return PixelFormat::grey_alpha;
    case 2: return PixelFormat::grey_alpha;
    case 3: return PixelFormat::rgb;
    case 4: break;
    default:
      throw Error(ErrorKind::input, "",
                  "a picture of " + std::to_string(pixels.channels()) + " channels cannot be read (1 to 4 can)");
  }
  if (header.grey_with_alpha) {
    pixels = pick_channels({pixels}, 2, {0, 0, 3, 1});
    return PixelFormat::grey_alpha;
  }
  if (header.opaque) {
    cv::cvtColor(pixels, pixels, cv::COLOR_BGRA2BGR);
    return PixelFormat::rgb;
  }
  visit_dtype(dtype_of_depth(pixels.depth()), [&](auto zero) { swap_red_and_blue<decltype(zero)>(pixels); });
  return PixelFormat::rgba;
}

/// The picture as it was held.
void turn_upright(cv::Mat& pixels, Orientation orientation) {
  constexpr int kTopToBottom = 0, kLeftToRight = 1, kBoth = -1;  // what cv::flip() mirrors
  cv::Mat turned;
  switch (orientation) {
    case Orientation::top_left: return;
    case Orientation::top_right: cv::flip(pixels, turned, kLeftToRight); break;
    case Orientation::bottom_right: cv::flip(pixels, turned, kBoth); break;
    case Orientation::bottom_left: cv::flip(pixels, turned, kTopToBottom); break;
    case Orientation::left_top: cv::transpose(pixels, turned); break;
    case Orientation::right_top: cv::rotate(pixels, turned, cv::ROTATE_90_CLOCKWISE); break;
    case Orientation::right_bottom:
      cv::rotate(pixels, turned, cv::ROTATE_180);
      cv::transpose(turned, turned);
      break;
    case Orientation::left_bottom: cv::rotate(pixels, turned, cv::ROTATE_90_COUNTERCLOCKWISE); break;
  }
  pixels = turned;
}

}  // namespace

struct Image::Pixels {
  explicit Pixels(cv::Mat pixels) : mat(std::move(pixels)) {}

  cv::Mat mat;  // grey; grey, alpha; B, G, R; or R, G, B, A
};

Image::Image(DType dtype, PixelFormat format, std::int64_t height, std::int64_t width)
    : Image(std::make_shared<Pixels>(new_pixels(height, width, dtype, channel_count(format))), format) {}

Image::Image(std::shared_ptr<Pixels> pixels, PixelFormat format) : pixels_(std::move(pixels)), format_(format) {
  const cv::Mat& mat = pixels_->mat;
  const DType dtype = dtype_of_depth(mat.depth());
  const bool reversed = format == PixelFormat::rgb;
  std::byte* const first = reinterpret_cast<std::byte*>(mat.data) + (reversed ? 2 * size_of(dtype) : 0);
  all_ = {first,
          dtype,
          {1, channel_count(format), mat.rows, mat.cols},
          {0, reversed ? -1 : 1, static_cast<std::int64_t>(mat.step1()), mat.channels()}};
}

TensorRef Image::colour() const { return all_.channels(0, all_.shape.c - (has_alpha(format_) ? 1 : 0)); }

std::optional<TensorRef> Image::alpha() const {
  if (!has_alpha(format_)) return std::nullopt;
  return all_.channels(all_.shape.c - 1, 1);
}

Image Image::to_luma() const {
  if (format_ == PixelFormat::grey || format_ == PixelFormat::grey_alpha) return *this;
  const cv::Mat& colour = pixels_->mat;
  const bool alpha = has_alpha(format_);
  cv::Mat luma = call_opencv([&] {
    cv::Mat grey;
    cv::cvtColor(colour, grey, alpha ? cv::COLOR_RGBA2GRAY : cv::COLOR_BGR2GRAY);
    return alpha ? pick_channels({grey, colour}, 2, {0, 0, 4, 1}) : grey;
  });
  return Image(std::make_shared<Pixels>(std::move(luma)), alpha ? PixelFormat::grey_alpha : PixelFormat::grey);
}

PictureHeader read_small_header(std::span<const std::byte> bytes, std::int64_t max_pixels) {
  const PictureHeader header = read_picture_header(bytes);
  check_size(header, max_pixels);
  return header;
}

Image decode_image(std::span<const std::byte> bytes, std::int64_t max_pixels) {
  const PictureHeader header = read_small_header(bytes, max_pixels);
  if (bytes.size() > std::numeric_limits<int>::max())
    throw Error(ErrorKind::input, "", "a picture file of more than 2 GiB cannot be read; store it compressed");

  Bytes patched;
  if (header.extra_sample_at) {
    patched.assign(bytes.begin(), bytes.end());
    patched[*header.extra_sample_at] = patched[*header.extra_sample_at + 1] = std::byte{0};
    bytes = patched;
  }
  auto pixels = std::make_shared<Image::Pixels>(decode_quietly(bytes, header.type));
  cv::Mat& mat = pixels->mat;
  if (mat.empty())
    throw Error(
        ErrorKind::input, "",
        "the " + std::string(to_string(header.type)) + " is damaged or truncated, or of a kind that cannot be read");
  // A TIFF may say that it is to be turned; OpenCV does so.
  const bool as_told = mat.cols == header.width && mat.rows == header.height;
  const bool turned = header.type == PictureType::tiff && mat.cols == header.height && mat.rows == header.width;
  if (!as_told && !turned) throw_damaged(to_string(header.type), "another size than its header says");

  const PixelFormat format = call_opencv([&] {
    settle_values(mat, header);
    const PixelFormat settled = settle_channels(mat, header);
    turn_upright(mat, header.orientation);
    return settled;
  });
  return Image(std::move(pixels), format);
}

namespace {

constexpr int kPngLevel = 1;

/// The longest side that the format can state: libjpeg's JPEG_MAX_DIMENSION, libwebp's WEBP_MAX_DIMENSION; in OpenEXR a
/// row of four channels has less than 2^31 bytes.
std::int64_t longest_side(std::string_view format) {
  if (format == "jpeg") return 65500;
  if (format == "webp") return 16383;
  return format == "exr" ? (1 << 27) - 1 : std::numeric_limits<int>::max();
}

std::vector<int> encoder_parameters(std::string_view format, DType dtype, const EncodeOptions& options) {
  constexpr int kNoCompression = 1;  // TIFF 6.0, section 8; else float RGB becomes LogLuv, which is lossy
  constexpr int kLossless = 101;     // above 100
  if (format == "jpeg" && options.quality) return {cv::IMWRITE_JPEG_QUALITY, *options.quality};
  if (format == "webp") return {cv::IMWRITE_WEBP_QUALITY, options.quality.value_or(kLossless)};
  if (format == "tiff" && dtype == DType::f32) return {cv::IMWRITE_TIFF_COMPRESSION, kNoCompression};
  return {};
}

/// As OpenCV's encoders take it: grey, B, G, R or B, G, R, A.
cv::Mat to_encoder_order(const cv::Mat& pixels, PixelFormat format) {
  if (format == PixelFormat::grey || format == PixelFormat::rgb) return pixels;
  if (format == PixelFormat::grey_alpha) return pick_channels({pixels}, 4, {0, 0, 0, 1, 0, 2, 1, 3});
  return pick_channels({pixels}, 4, {2, 0, 1, 1, 0, 2, 3, 3});
}

std::string_view to_string(PixelFormat format) {
  constexpr std::string_view kNames[] = {"grey", "grey and alpha", "RGB", "RGB and alpha"};
  return kNames[static_cast<int>(format)];
}

}  // namespace

bool has_quality(const PictureFormat& format) { return format.name == "jpeg" || format.name == "webp"; }

Bytes encode_image(Image image, const PictureFormat& format, const EncodeOptions& options) {
  const std::string name(format.name);
  const std::int64_t height = image.all().shape.h, width = image.all().shape.w;
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (!holds(format, image.dtype(), image.format()))
    throw Error(ErrorKind::output, "",
                name + " cannot hold " + std::string(to_string(image.format())) + " in " +
                    std::string(to_string(image.dtype())) + " without loss; choose another format or --depth");
  if (height == 0 || width == 0)
    throw Error(ErrorKind::output, "", "a picture without pixels (" + size + ") cannot be written");
  if (std::max(height, width) > longest_side(format.name))
    throw Error(ErrorKind::output, "",
                name + " cannot hold " + size + ": a side has at most " + std::to_string(longest_side(format.name)) +
                    " pixels; choose another format");

  if (name == "png") {
    const int level = options.png_level.value_or(kPngLevel);
    const PngScanlines scanlines = make_scanlines(image.all(), level);
    image.pixels_.reset();
    return write_png(scanlines, level, options.png_strategy);
  }
  if (name == "pfm") return write_pfm(image.all().view<float>());
  if (name == "exr") return write_exr(image.all().view<float>());

  const StderrCapture capture;
  std::vector<uchar> encoded;
  const bool done = call_codec(
      [&] {
        const cv::Mat ordered = to_encoder_order(image.pixels_->mat, image.format());
        return cv::imencode(std::string(format.extensions.front()), ordered, encoded,
                            encoder_parameters(format.name, image.dtype(), options));
      },
      false);
  if (!done) throw Error(ErrorKind::output, "", "the " + name + " encoder fails on a picture of " + size);
  image.pixels_.reset();
  const auto* const first = reinterpret_cast<const std::byte*>(encoded.data());
  return Bytes(first, first + encoded.size());
}

std::string opencv_version() { return CV_VERSION; }
std::string_view opencv_link() { return CONVTOOL_OPENCV_LINK; }

}  // namespace convtool
