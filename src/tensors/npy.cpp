// NumPy's .npy files. Layout (NumPy, "numpy.lib.format"): the magic "\x93NUMPY", the major and minor version, the
// length of the header (little-endian, 2 bytes in version 1, 4 in later ones), a Python dict literal such as
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
// and then the raw elements.

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/text.h"
#include "files/raster_values.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::input, "", "this .npy " + message); }

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Reads the three entries of the header's dict literal, in any order.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  Header read() {
    Header header;
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        if (peek() == '[') refuse("contains records, not numbers; save one field of it as float32");
        header.descr = quoted();
        has_descr = true;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        has_order = true;
      } else if (key == "shape") {
        header.shape = tuple();
        has_shape = true;
      } else {
        damaged();
      }
      if (!accept(',') && peek() != '}') damaged();
    }
    if (!has_descr || !has_order || !has_shape) damaged();
    return header;
  }

 private:
  [[noreturn]] static void damaged() { refuse("has a damaged header; save it again with numpy.save"); }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) damaged();
  }

  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') damaged();
    const std::size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) damaged();
    const std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }

  bool boolean() {
    peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    damaged();
  }

  std::vector<std::int64_t> tuple() {
    constexpr std::size_t kMostAxes = 64;  // NumPy's own limit
    std::vector<std::int64_t> numbers;
    expect('(');
    while (!accept(')')) {
      peek();
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
      if (error != std::errc() || number < 0 || numbers.size() == kMostAxes) damaged();
      at_ = static_cast<std::size_t>(end - text_.data());
      numbers.push_back(number);
      if (!accept(',') && peek() != ')') damaged();
    }
    return numbers;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The type of `descr`, whose first character is the byte order.
StoredType stored_type(const std::string& descr) {
  const std::string code = descr.empty() ? descr : descr.substr(1);
  if (code == "f2") return StoredType::f16;
  if (code == "f4") return StoredType::f32;
  if (code == "f8") return StoredType::f64;
  if (code == "u1" || code == "b1") return StoredType::u8;  // a bool is a byte of 0 or 1
  if (code == "u2") return StoredType::u16;
  if (code == "u4") return StoredType::u32;
  if (code == "u8") return StoredType::u64;
  if (code == "i1") return StoredType::i8;
  if (code == "i2") return StoredType::i16;
  if (code == "i4") return StoredType::i32;
  if (code == "i8") return StoredType::i64;
  refuse("has elements of type '" + descr +
         "' (expected a float, integer or bool type); convert it with .astype('float32')");
}

std::endian byte_order(const std::string& descr) {
  return descr[0] == '>' ? std::endian::big : descr[0] == '<' ? std::endian::little : std::endian::native;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + ")";
}

/// The product of the sizes, or -1 if it exceeds `limit`; no header can make it overflow.
std::int64_t checked_count(const std::vector<std::int64_t>& shape, std::int64_t limit) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size == 0) refuse("is empty (shape " + shape_text(shape) + ")");
    if (size > limit / count) return -1;
    count *= size;
  }
  return count;
}

struct OpenNpy {
  RasterLayout layout;
  int rank = 2;
  bool fortran_order = false;  ///< `layout` is then that of C order
};

/// Reads the header of a file of `file_size` bytes, which begins with `bytes`.
OpenNpy open_npy(std::span<const std::byte> bytes, std::uint64_t file_size, std::size_t least_rank) {
  if (!looks_like_npy(bytes))
    throw Error(ErrorKind::input, "", "not an .npy file (its first bytes are not \\x93NUMPY)");
  const std::size_t version = bytes.size() > 6 ? std::to_integer<std::size_t>(bytes[6]) : 0;
  if (version < 1 || version > 3) refuse("has format version " + std::to_string(version) + " (expected 1, 2 or 3)");
  const std::size_t length_bytes = version == 1 ? 2 : 4, header_at = 8 + length_bytes;
  std::size_t header_length = 0;
  if (bytes.size() < header_at) refuse("is truncated in its header");
  for (std::size_t i = 0; i < length_bytes; ++i) header_length |= std::to_integer<std::size_t>(bytes[8 + i]) << (8 * i);
  if (header_length > bytes.size() - header_at) refuse("is truncated in its header");

  const auto* text = reinterpret_cast<const char*>(bytes.data() + header_at);
  const Header header = HeaderReader({text, header_length}).read();
  const std::size_t rank = header.shape.size();
  if (rank < least_rank || rank > 4) {
    refuse("has " + counted(static_cast<std::int64_t>(rank), "dimension") + ", shape " + shape_text(header.shape) +
           " (expected 2: h, w; 3: c, h, w; or 4: n, c, h, w)");
  }
  const StoredType type = stored_type(header.descr);
  const std::int64_t count = checked_count(header.shape, std::numeric_limits<std::int64_t>::max() / 16);
  const std::uint64_t expected = static_cast<std::uint64_t>(count) * static_cast<std::uint64_t>(size_of(type));
  const std::uint64_t offset = header_at + header_length, got = file_size - offset;
  if (count < 0 || got != expected) {
    refuse(std::string(count < 0 || got < expected ? "is truncated" : "has surplus bytes") + " (shape " +
           shape_text(header.shape) + " needs " +
           (count < 0 ? "more bytes than a file can have"
                      : counted(static_cast<std::int64_t>(expected), "byte") + " of data") +
           ", got " + std::to_string(got) + ")");
  }
  std::int64_t size[4] = {1, 1, 1, 1};
  std::copy_backward(header.shape.begin(), header.shape.end(), size + 4);
  return {.layout = {.format = ".npy",
                     .shape = {.n = size[0], .c = size[1], .h = size[2], .w = size[3]},
                     .offset = offset,
                     .stored = type,
                     .order = byte_order(header.descr)},
          .rank = static_cast<int>(rank),
          .fortran_order = header.fortran_order};
}

/// Converts values in Fortran order: the first axis varies fastest.
void load_fortran_order(std::span<const std::byte> file, const RasterLayout& layout, Tensor& tensor) {
  const auto& [items, channels, height, width] = layout.shape;
  const std::int64_t value = size_of(layout.stored), step = value * items * channels * height;
  const std::byte* const first = file.data() + layout.offset;
  float* out = tensor.data<float>();
  for (std::int64_t n = 0; n < items; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t y = 0; y < height; ++y, out += width)
        load_values(layout, first + value * (n + items * (c + channels * y)), step, width, out, 1);
}

}  // namespace

bool looks_like_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

RankedShape read_npy_shape(std::span<const std::byte> bytes, std::size_t least_rank) {
  const OpenNpy npy = open_npy(bytes, bytes.size(), least_rank);
  return {.shape = npy.layout.shape, .rank = npy.rank};
}

std::optional<RankedLayout> read_npy_layout(const RandomAccessFile& file) {
  constexpr std::uint64_t kHead = 128 << 10;  // the longest header of version 1, and more
  Bytes head(std::min(kHead, file.size()));
  file.read(0, head);
  std::optional<OpenNpy> npy;
  try {
    npy = open_npy(head, file.size(), 2);
  } catch (const Error&) {
  }
  if (!npy || npy->fortran_order) return std::nullopt;
  return RankedLayout{.layout = npy->layout, .rank = npy->rank};
}

RankedTensor parse_npy(std::span<const std::byte> bytes, std::size_t least_rank) {
  const OpenNpy npy = open_npy(bytes, bytes.size(), least_rank);
  RankedTensor result{.tensor = Tensor(DType::f32, npy.layout.shape), .rank = npy.rank};
  if (npy.fortran_order)
    load_fortran_order(bytes, npy.layout, result.tensor);
  else
    load_raster(bytes, npy.layout, result.tensor.ref());
  result.rounded = count_rounded(npy.layout, bytes.subspan(npy.layout.offset, npy.layout.size()));
  if (result.rounded > 0) result.stored = to_string(npy.layout.stored);
  return result;
}

TensorRef NpyFile::values() {
  std::byte* const end = bytes.data() + bytes.size();
  return {end - static_cast<std::size_t>(shape.count()) * sizeof(float),
          DType::f32,
          shape,
          {shape.c * shape.h * shape.w, shape.h * shape.w, shape.w, 1}};
}

RasterFormat npy_format(const Shape& shape, int rank) {
  const char order = std::endian::native == std::endian::little ? '<' : '>';
  std::string header = std::string("{'descr': '") + order +
                       "f4', 'fortran_order': False, 'shape': " + shape_text(sizes_of(shape, rank)) + ", }";
  constexpr std::size_t kPrefix = 10, kAlignment = 64;  // as numpy.save writes it
  header.append(kAlignment - 1 - (kPrefix + header.size()) % kAlignment, ' ');
  header += '\n';

  RasterFormat format{.header = Bytes(kPrefix + header.size()), .layout = {.format = ".npy"}};
  std::memcpy(format.header.data(), "\x93NUMPY\x01\x00", 8);
  format.header[8] = static_cast<std::byte>(header.size() & 0xff);
  format.header[9] = static_cast<std::byte>(header.size() >> 8);
  std::memcpy(format.header.data() + kPrefix, header.data(), header.size());
  format.layout.shape = shape;
  format.layout.offset = format.header.size();
  return format;
}

NpyFile new_npy(const Shape& shape, int rank) {
  const RasterFormat format = npy_format(shape, rank);
  NpyFile file{.bytes = Buffer(format.layout.offset + format.layout.size()), .shape = shape};
  std::copy(format.header.begin(), format.header.end(), file.bytes.begin());
  return file;
}

}  // namespace convtool
