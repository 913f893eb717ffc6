#include "pictures/encoders/write_exr.h"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convtool {
namespace {

/// Appends text and little-endian numbers to bytes.
class LittleEndianWriter {
 public:
  explicit LittleEndianWriter(std::size_t expected_size) { bytes_.reserve(expected_size); }

  void text(std::string_view text) {
    const auto* const first = reinterpret_cast<const std::byte*>(text.data());
    bytes_.insert(bytes_.end(), first, first + text.size());
  }
  void u8(std::uint8_t value) { number(value, 1); }
  void i32(std::int64_t value) { number(static_cast<std::uint64_t>(value), 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void f32(float value) { number(std::bit_cast<std::uint32_t>(value), 4); }

  std::size_t size() const { return bytes_.size(); }
  Bytes take() { return std::move(bytes_); }

 private:
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>(value >> 8 * i));
  }

  Bytes bytes_;
};

}  // namespace

Bytes write_exr(const TensorView<float>& pixels) {
  struct Channel {
    std::string_view name;
    std::int64_t from;
  };
  // By number of channels. The names are in alphabetical order, as the format requires.
  static const std::vector<Channel> kChannels[] = {{{"Y", 0}},
                                                   {{"A", 1}, {"B", 0}, {"G", 0}, {"R", 0}},
                                                   {{"B", 2}, {"G", 1}, {"R", 0}},
                                                   {{"A", 3}, {"B", 2}, {"G", 1}, {"R", 0}}};
  const Shape& shape = pixels.shape;
  const std::vector<Channel>& channels = kChannels[shape.c - 1];
  const std::int64_t row_bytes = 4 * shape.w * static_cast<std::int64_t>(channels.size());

  LittleEndianWriter file(512 + static_cast<std::size_t>(shape.h * (row_bytes + 16)));
  const auto attribute = [&](std::string_view name, std::string_view type, std::int64_t size) {
    for (const std::string_view word : {name, type}) {
      file.text(word);
      file.u8(0);
    }
    file.i32(size);
  };
  const auto window = [&](std::string_view name) {
    attribute(name, "box2i", 16);
    for (const std::int64_t corner : {std::int64_t{0}, std::int64_t{0}, shape.w - 1, shape.h - 1}) file.i32(corner);
  };
  file.i32(20000630);  // the magic number
  file.i32(2);         // version, no flags
  attribute("channels", "chlist", 18 * static_cast<std::int64_t>(channels.size()) + 1);
  for (const Channel& channel : channels) {
    file.text(channel.name);
    file.u8(0);
    for (const int field : {2, 0, 1, 1}) file.i32(field);  // FLOAT, not linear, sampled at every x and y
  }
  file.u8(0);
  attribute("compression", "compression", 1);
  file.u8(0);
  window("dataWindow");
  window("displayWindow");
  attribute("lineOrder", "lineOrder", 1);
  file.u8(0);  // from the top down
  attribute("pixelAspectRatio", "float", 4);
  file.f32(1);
  attribute("screenWindowCenter", "v2f", 8);
  file.u64(0);
  attribute("screenWindowWidth", "float", 4);
  file.f32(1);
  file.u8(0);

  const std::uint64_t first_row = file.size() + 8 * static_cast<std::uint64_t>(shape.h);
  for (std::int64_t y = 0; y < shape.h; ++y) file.u64(first_row + static_cast<std::uint64_t>(y * (row_bytes + 8)));
  for (std::int64_t y = 0; y < shape.h; ++y) {
    file.i32(y);
    file.i32(row_bytes);
    for (const Channel& channel : channels)
      for (std::int64_t x = 0; x < shape.w; ++x) file.f32(pixels.at(0, channel.from, y, x));
  }
  return file.take();
}

}  // namespace convtool
