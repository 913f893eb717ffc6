// OpenEXR. Not with OpenCV 4.6, which converts luminance and chroma with the coordinates of the primaries in place of
// their weights, leaves a channel Z at 0, and insists on a file with a path.
#include <ImathBox.h>
#include <ImathFun.h>
#include <ImfChannelList.h>
#include <ImfChromaticities.h>
#include <ImfCompression.h>
#include <ImfFrameBuffer.h>
#include <ImfHeader.h>
#include <ImfIO.h>
#include <ImfInputFile.h>
#include <ImfRgbaFile.h>
#include <ImfRgbaYca.h>
#include <ImfStandardAttributes.h>
#include <ImfTileDescription.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "pictures/compression.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/exr_parts.h"
#include "pictures/opencv/opencv_support.h"
#include "pictures/stream/exr_end.h"

namespace convtool {
namespace {

/// A file in memory, as OpenEXR reads it. Does not own the bytes.
class ExrStream : public Imf::IStream {
 public:
  explicit ExrStream(std::span<const std::byte> bytes) : IStream(""), bytes_(bytes) {}

  bool read(char to[], int count) override {
    const auto size = static_cast<std::size_t>(count);
    if (size > bytes_.size() - at_) throw std::runtime_error("the file ends too early");
    std::memcpy(to, bytes_.data() + at_, size);
    at_ += size;
    return at_ < bytes_.size();
  }
  std::uint64_t tellg() override { return at_; }
  void seekg(std::uint64_t position) override { at_ = std::min<std::uint64_t>(position, bytes_.size()); }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

/// Reads channels as floats into those of `pixels`, in this order. A missing channel is 0. Where one is sampled at
/// every n-th pixel or row, a value is repeated until the next one.
void read_channels(Imf::InputFile& file, const std::vector<std::string>& names, cv::Mat& pixels) {
  struct Sampled {
    int index, step_x, step_y;
    cv::Mat values;
  };
  const Imath::Box2i window = file.header().dataWindow();
  std::vector<Sampled> all_sampled;
  Imf::FrameBuffer buffer;
  for (int i = 0; i < pixels.channels(); ++i) {
    const std::string& name = names[static_cast<std::size_t>(i)];
    const Imf::Channel* const channel = file.header().channels().findChannel(name);
    if (channel == nullptr || (channel->xSampling == 1 && channel->ySampling == 1)) {
      buffer.insert(name,
                    Imf::Slice::Make(Imf::FLOAT, pixels.ptr<float>() + i, window, pixels.elemSize(), pixels.step));
    } else {
      Sampled sampled{.index = i, .step_x = channel->xSampling, .step_y = channel->ySampling, .values = {}};
      sampled.values.create((pixels.rows - 1) / sampled.step_y + 1, (pixels.cols - 1) / sampled.step_x + 1, CV_32FC1);
      buffer.insert(name, Imf::Slice::Make(Imf::FLOAT, sampled.values.data, window, sizeof(float), sampled.values.step,
                                           sampled.step_x, sampled.step_y));
      all_sampled.push_back(sampled);
    }
  }
  file.setFrameBuffer(buffer);
  file.readPixels(window.min.y, window.max.y);
  for (const Sampled& sampled : all_sampled)
    for (int y = 0; y < pixels.rows; ++y) {
      const float* const from = sampled.values.ptr<float>(y / sampled.step_y);
      float* const row = pixels.ptr<float>(y) + sampled.index;
      for (int x = 0; x < pixels.cols; ++x) row[x * pixels.channels()] = from[x / sampled.step_x];
    }
}

/// The number of multiples of `step` from `first` to `last`.
std::int64_t samples_between(std::int64_t first, std::int64_t last, int step) {
  return Imath::divp(static_cast<int>(last), step) - Imath::divp(static_cast<int>(first - 1), step);
}

/// The rows that are compressed together, in a file without tiles (OpenEXR's technical introduction).
int rows_of_block(Imf::Compression compression) {
  switch (compression) {
    case Imf::ZIP_COMPRESSION:
    case Imf::PXR24_COMPRESSION: return 16;
    case Imf::PIZ_COMPRESSION:
    case Imf::B44_COMPRESSION:
    case Imf::B44A_COMPRESSION:
    case Imf::DWAA_COMPRESSION: return 32;
    case Imf::DWAB_COMPRESSION: return 256;
    default: return 1;
  }
}

/// The number of bytes that OpenEXR's run lengths give: n >= 0 is followed by a byte that is repeated n + 1 times, and
/// n < 0 by -n bytes.
std::int64_t run_length_bytes(std::span<const std::byte> runs) {
  std::int64_t bytes = 0;
  for (std::size_t at = 0; at < runs.size();) {
    const int n = static_cast<std::int8_t>(runs[at]);
    at += n < 0 ? 1 + static_cast<std::size_t>(-n) : 2;
    if (at > runs.size()) return 0;
    bytes += n < 0 ? -n : n + 1;
  }
  return bytes;
}

/// Whether a row, block of rows or tile of `expected` bytes is whole. OpenEXR checks only what PIZ, PXR24, B44 and DWA
/// give, and takes bytes of which there are too few from whatever its buffer had before.
bool is_whole(Imf::Compression compression, std::span<const std::byte> stored, std::int64_t expected) {
  if (stored.empty()) return false;
  if (std::ssize(stored) >= expected) return true;  // not compressed
  switch (compression) {
    case Imf::NO_COMPRESSION: return false;
    case Imf::RLE_COMPRESSION: return run_length_bytes(stored) == expected;
    case Imf::ZIPS_COMPRESSION:
    case Imf::ZIP_COMPRESSION: {
      const std::optional<Bytes> bytes = inflate_whole(stored, static_cast<std::size_t>(expected));
      return bytes && std::ssize(*bytes) == expected;
    }
    default: return true;
  }
}

/// Throws std::runtime_error unless all rows and tiles are whole.
void check_blocks(Imf::InputFile& file) {
  const Imf::Header& header = file.header();
  const Imf::Compression compression = header.compression();
  const Imath::Box2i window = header.dataWindow();
  const auto bytes_of = [&](const Imath::Box2i& part) {
    std::int64_t bytes = 0;
    for (auto channel = header.channels().begin(); channel != header.channels().end(); ++channel) {
      const Imf::Channel& of = channel.channel();
      bytes += (of.type == Imf::HALF ? 2 : 4) * samples_between(part.min.x, part.max.x, of.xSampling) *
               samples_between(part.min.y, part.max.y, of.ySampling);
    }
    return bytes;
  };
  const auto check = [&](const char* data, int size, const Imath::Box2i& part) {
    const std::int64_t expected = bytes_of(part);
    if (expected > 0 &&
        !is_whole(compression, std::as_bytes(std::span(data, static_cast<std::size_t>(size))), expected))
      throw std::runtime_error("a block that is damaged, or of another size than its pixels");
  };
  // A block or tile may be larger than the picture, and end where no int does.
  const auto end = [](std::int64_t first, std::int64_t side, int last) {
    return static_cast<int>(std::min<std::int64_t>(last, first + side - 1));
  };
  const char* data = nullptr;
  int size = 0;
  if (!header.hasTileDescription()) {
    const int rows = rows_of_block(compression);
    for (std::int64_t top = window.min.y; top <= window.max.y; top += rows) {
      file.rawPixelData(static_cast<int>(top), data, size);
      check(data, size, {{window.min.x, static_cast<int>(top)}, {window.max.x, end(top, rows, window.max.y)}});
    }
    return;
  }
  const std::int64_t width = header.tileDescription().xSize, height = header.tileDescription().ySize;
  for (std::int64_t top = window.min.y; top <= window.max.y; top += height)
    for (std::int64_t left = window.min.x; left <= window.max.x; left += width) {
      int tile_x = static_cast<int>((left - window.min.x) / width);
      int tile_y = static_cast<int>((top - window.min.y) / height), level_x = 0, level_y = 0;
      file.rawTileData(tile_x, tile_y, level_x, level_y, data, size);
      check(data, size,
            {{static_cast<int>(left), static_cast<int>(top)},
             {end(left, width, window.max.x), end(top, height, window.max.y)}});
    }
}

/// Throws std::runtime_error unless OpenEXR has found the size and channels that `header` has. Memory is taken by
/// `header`, and OpenEXR writes as many pixels as it has found itself.
void check_header(const Imf::Header& found, const PictureHeader& header) {
  const Imath::Box2i window = found.dataWindow();
  const auto has = [&](std::initializer_list<const char*> names) {
    return std::ranges::any_of(names, [&](const char* name) { return found.channels().findChannel(name) != nullptr; });
  };
  const bool has_colours = has({"R", "G", "B"}), has_chroma = !has_colours && has({"RY", "BY"});
  const std::int64_t channels = (has_colours || has_chroma ? 3 : 1) + (has({"A"}) ? 1 : 0);
  const auto side = [](int first, int last) { return std::int64_t{last} - first + 1; };
  if (side(window.min.x, window.max.x) != header.width || side(window.min.y, window.max.y) != header.height ||
      channels != header.channels || has_chroma != header.has_chroma)
    throw std::runtime_error("a header that can be read in two ways");
}

/// Whether OpenEXR's own conversion reads this chroma: it supports one sampling only.
bool is_usual_chroma(const Imf::ChannelList& channels) {
  for (const char* const name : {"RY", "BY"}) {
    const Imf::Channel* const channel = channels.findChannel(name);
    if (channel != nullptr && (channel->xSampling != 2 || channel->ySampling != 2)) return false;
  }
  return true;
}

/// Converts BY, Y, RY to B, G, R in place, by the definition in OpenEXR's ImfRgbaYca.h: RY is (R - Y) / Y, BY is
/// (B - Y) / Y, and Y a weighted sum of R, G, B.
void chroma_to_colours(cv::Mat& pixels, const Imath::V3f& weights) {
  for (int y = 0; y < pixels.rows; ++y) {
    float* pixel = pixels.ptr<float>(y);
    for (int x = 0; x < pixels.cols; ++x, pixel += pixels.channels()) {
      const float luminance = pixel[1];
      pixel[0] = (pixel[0] + 1) * luminance;
      pixel[2] = (pixel[2] + 1) * luminance;
      pixel[1] = (luminance - pixel[2] * weights.x - pixel[0] * weights.z) / weights.y;
    }
  }
}

/// Luminance, and chroma of every second pixel and row, which OpenEXR interpolates and converts in half floats.
void read_usual_chroma(Imf::RgbaInputFile& file, cv::Mat& pixels) {
  const int left = file.dataWindow().min.x, top = file.dataWindow().min.y;
  std::vector<Imf::Rgba> row(static_cast<std::size_t>(pixels.cols));
  file.setFrameBuffer(row.data() - left, 1, 0);  // a step of 0 from row to row
  for (int y = 0; y < pixels.rows; ++y) {
    file.readPixels(top + y);
    float* to = pixels.ptr<float>(y);
    for (const Imf::Rgba& pixel : row) {
      const float values[] = {pixel.b, pixel.g, pixel.r, pixel.a};
      to = std::copy_n(values, pixels.channels(), to);
    }
  }
}

/// A message of OpenEXR, which may quote the file, as a short text in one line.
std::string one_line(std::string_view message) {
  constexpr std::size_t kMost = 200;
  constexpr std::string_view kOfNoUse = "Cannot read image file \"\". ";  // a file without a name
  if (message.starts_with(kOfNoUse)) message.remove_prefix(kOfNoUse.size());
  std::string text(message.substr(0, kMost));
  for (char& c : text)
    if (c < ' ' || c > '~') c = c == '\n' ? ' ' : '?';
  while (text.ends_with(' ') || text.ends_with('.')) text.pop_back();
  return text;
}

/// Throws Error(input) if the file lacks bytes of the parts and levels that are not decoded.
void check_other_parts(std::span<const std::byte> bytes) {
  const std::vector<ExrPart> parts = read_exr_parts(bytes).parts;
  if (parts.size() > 1 || parts.front().levels != ExrPart::Levels::one) find_exr_end(bytes);
}

cv::Mat decode_checked(std::span<const std::byte> bytes, const PictureHeader& header) {
  check_other_parts(bytes);
  ExrStream stream(bytes);
  std::optional<Imf::InputFile> file(std::in_place, stream);
  check_header(file->header(), header);
  check_blocks(*file);
  cv::Mat pixels(static_cast<int>(header.height), static_cast<int>(header.width),
                 CV_32FC(static_cast<int>(header.channels)));
  const Imf::ChannelList& channels = file->header().channels();
  if (header.has_chroma && is_usual_chroma(channels)) {
    file.reset();  // frees its memory
    stream.seekg(0);
    Imf::RgbaInputFile rgba(stream);
    check_header(rgba.header(), header);
    read_usual_chroma(rgba, pixels);
  } else if (header.has_chroma) {
    read_channels(*file, {"BY", "Y", "RY", "A"}, pixels);
    const bool has_primaries = Imf::hasChromaticities(file->header());
    chroma_to_colours(
        pixels, Imf::RgbaYca::computeYw(has_primaries ? Imf::chromaticities(file->header()) : Imf::Chromaticities()));
  } else if (header.channels >= 3) {
    read_channels(*file, {"B", "G", "R", "A"}, pixels);
  } else {
    read_channels(*file, {channels.findChannel("Y") != nullptr ? "Y" : "Z", "A"}, pixels);
  }
  return pixels;
}

}  // namespace

cv::Mat decode_exr(std::span<const std::byte> bytes, const PictureHeader& header) {
  try {
    return call_opencv([&] { return decode_checked(bytes, header); });
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // of OpenEXR, or of its functions above
    throw Error(
        ErrorKind::input, "",
        "the OpenEXR is damaged or truncated, or of a kind that cannot be read (" + one_line(error.what()) + ")");
  }
}

}  // namespace convtool
