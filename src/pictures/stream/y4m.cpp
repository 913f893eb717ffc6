#include "pictures/stream/y4m.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"

namespace convtool {
namespace {

constexpr std::string_view kSignature = "YUV4MPEG2", kFrame = "FRAME";
constexpr std::size_t kLongestLine = 4096;

/// The bytes of the next line without its end, which are not taken; nothing if there is no line end within
/// kLongestLine bytes.
std::optional<std::string_view> look_at_line(StreamReader& stream) {
  for (std::size_t size = 1; size <= kLongestLine;) {
    const std::span<const std::byte> bytes = stream.look(size);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kLongestLine));
    if (const std::size_t end = text.find('\n'); end != std::string_view::npos) return text.substr(0, end);
    if (bytes.size() < size) return std::nullopt;
    size = bytes.size() + 1;
  }
  return std::nullopt;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::int64_t read_side(const std::string& parameter) {
  const std::optional<std::int64_t> side = parse_number<std::int64_t>(std::string_view(parameter).substr(1));
  constexpr std::int64_t kMost = std::int64_t{1} << 20;  // as for pictures
  if (!side || *side < 1 || *side > kMost) throw_damaged("YUV4MPEG2", "a size of '" + parameter + "'");
  return *side;
}

/// Sets bits and planes by the name of the colours.
void read_colours(Y4mHeader& header) {
  struct Known {
    std::string_view name;
    Y4mPlane chroma;
    bool has_depths;  // "420" also as "420p10"
  };
  constexpr Known kKnown[] = {{"420", {2, 2}, true},       {"422", {2, 1}, true},       {"444", {1, 1}, true},
                              {"411", {4, 1}, false},      {"420jpeg", {2, 2}, false},  {"420mpeg2", {2, 2}, false},
                              {"420paldv", {2, 2}, false}, {"444alpha", {1, 1}, false}, {"mono", {}, true}};
  constexpr int kDepths[] = {9, 10, 12, 14, 16};
  for (const Known& known : kKnown) {
    const bool is_mono = known.name == "mono";
    const auto is_named = [&](int bits) {
      const std::string suffix = bits == 8 ? "" : (is_mono ? "" : "p") + std::to_string(bits);
      return header.colours == std::string(known.name) + suffix;
    };
    const int* const depth = std::find_if(std::begin(kDepths), std::end(kDepths), is_named);
    const bool is_deep = known.has_depths && depth != std::end(kDepths);
    if (!is_deep && !is_named(8)) continue;
    header.bits = is_deep ? *depth : 8;
    header.planes = {{}};
    if (!is_mono) header.planes.insert(header.planes.end(), 2, known.chroma);
    if (known.name == "444alpha") header.planes.emplace_back();
    return;
  }
  throw Error(ErrorKind::input, "",
              "a YUV4MPEG2 video of colours '" + header.colours +
                  "' cannot be read (expected 420, 422, 444 or mono, of 8 to 16 bits, or 411); convert it, for example "
                  "with ffmpeg -pix_fmt yuv420p");
}

std::int64_t divided_up(std::int64_t size, std::int64_t divisor) { return (size + divisor - 1) / divisor; }

}  // namespace

Shape Y4mHeader::shape(std::size_t plane) const {
  return {.n = 1, .c = 1, .h = divided_up(height, planes[plane].down), .w = divided_up(width, planes[plane].across)};
}

RasterLayout Y4mHeader::layout(std::size_t plane) const {
  RasterLayout layout{.format = "YUV4MPEG2",
                      .shape = shape(plane),
                      .stored = bits > 8 ? StoredType::u16 : StoredType::u8,
                      .order = std::endian::little,
                      .dtype = bits > 8 ? DType::u16 : DType::u8};
  for (std::size_t i = 0; i < plane; ++i)
    layout.offset += static_cast<std::uint64_t>(shape(i).count() * size_of(layout.stored));
  return layout;
}

std::size_t Y4mHeader::frame_size() const {
  const RasterLayout last = layout(planes.size() - 1);
  return last.offset + last.size();
}

Y4mHeader Y4mHeader::resized(std::int64_t new_width, std::int64_t new_height) const {
  Y4mHeader result = *this;
  result.width = new_width;
  result.height = new_height;
  for (std::string& parameter : result.parameters) {
    if (parameter[0] == 'W') parameter = "W" + std::to_string(new_width);
    if (parameter[0] == 'H') parameter = "H" + std::to_string(new_height);
  }
  return result;
}

Bytes Y4mHeader::line() const {
  std::string text;
  for (const std::string& parameter : parameters) text += (text.empty() ? "" : " ") + parameter;
  text += '\n';
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

bool looks_like_y4m(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with(kSignature) && text.size() > kSignature.size() &&
         (text[kSignature.size()] == ' ' || text[kSignature.size()] == '\n');
}

Y4mHeader read_y4m_header(StreamReader& stream) {
  const std::optional<std::string_view> line = look_at_line(stream);
  if (!line) throw_damaged("YUV4MPEG2", "its first line has no end");
  Y4mHeader header{.parameters = words_of(*line), .colours = "420jpeg", .planes = {}};  // the default of the format
  for (std::size_t i = 1; i < header.parameters.size(); ++i) {
    const std::string& parameter = header.parameters[i];
    if (parameter[0] == 'W') header.width = read_side(parameter);
    if (parameter[0] == 'H') header.height = read_side(parameter);
    if (parameter[0] == 'C') header.colours = parameter.substr(1);
  }
  if (header.width == 0 || header.height == 0) throw_damaged("YUV4MPEG2", "a first line without width and height");
  stream.take(line->size() + 1);
  read_colours(header);
  return header;
}

std::optional<Y4mFrame> Y4mReader::next() {
  const std::uint64_t offset = stream_.position();
  if (stream_.look(1).empty()) return std::nullopt;
  Y4mFrame frame{.number = ++count_, .line = {}, .planes = {}};
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::input, "",
                "frame " + std::to_string(count_) + ", at byte " + std::to_string(offset) + ": " + what);
  };
  const std::optional<std::string_view> line = look_at_line(stream_);
  const bool is_frame =
      line && line->starts_with(kFrame) && (line->size() == kFrame.size() || (*line)[kFrame.size()] == ' ');
  if (line && line->starts_with(kSignature)) fail("another video begins; filter one at a time");
  if (!line && stream_.look(kLongestLine).size() < kLongestLine &&
      (kFrame.starts_with(std::string_view(reinterpret_cast<const char*>(stream_.ahead().data()),
                                           std::min(stream_.ahead().size(), kFrame.size())))))
    fail("the stream ends in the middle of it");
  if (!is_frame) fail("expected a frame, which begins with FRAME");
  frame.line = stream_.take(line->size() + 1);
  frame.planes = stream_.take(frame_size_);
  if (frame.planes.size() < frame_size_) fail("the stream ends in the middle of it");
  return frame;
}

void store_y4m_plane(const RasterLayout& layout, const ConstTensorRef& values, std::span<std::byte> planes) {
  std::byte* to = planes.data() + layout.offset;
  const auto store = [&]<class T>(T) {
    const TensorView<const T> view = values.view<T>();
    for (std::int64_t y = 0; y < layout.shape.h; ++y)
      for (std::int64_t x = 0; x < layout.shape.w; ++x, to += sizeof(T))
        store_number(to, view.at(0, 0, y, x), std::endian::little);
  };
  layout.dtype == DType::u8 ? store(std::uint8_t{}) : store(std::uint16_t{});
}

}  // namespace convtool
