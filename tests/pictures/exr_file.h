// OpenEXR files assembled byte by byte.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/picture_bytes.h"

namespace convtool::testing {

struct ExrChannel {
  std::string name;
  std::vector<float> values;  ///< row by row
  int step = 1;               ///< sampled at every step-th pixel and row
};

/// An attribute whose stored size is that of `content`, or `size`.
inline Bytes exr_attribute(const std::string& name, const std::string& type, std::span<const std::byte> content,
                           std::optional<std::uint32_t> size = std::nullopt) {
  ByteWriter file;
  file.text(name).u8(0).text(type).u8(0).u32(size ? *size : content.size());
  return file.append(content).bytes();
}

/// An uncompressed file of `parts` equal parts, of which the last has `more` attributes.
inline Bytes exr_file(const std::vector<ExrChannel>& channels, int width, int height, int parts = 1,
                      std::span<const std::byte> more = {}) {
  const bool several = parts > 1;
  ByteWriter file;
  file.u32(20000630).u32(several ? 0x1002 : 2);
  const auto attribute = [&](const std::string& name, const std::string& type, std::size_t size) {
    file.text(name).u8(0).text(type).u8(0).u32(size);
  };
  const auto window = [&](const std::string& name) {
    attribute(name, "box2i", 16);
    file.u32(0).u32(0).u32(static_cast<unsigned>(width - 1)).u32(static_cast<unsigned>(height - 1));
  };
  const auto f32 = [&](float value) { file.u32(std::bit_cast<std::uint32_t>(value)); };
  for (int part = 0; part < parts; ++part) {
    std::size_t size = 1;
    for (const ExrChannel& channel : channels) size += channel.name.size() + 17;
    attribute("channels", "chlist", size);
    for (const ExrChannel& channel : channels) {
      const auto step = static_cast<unsigned>(channel.step);
      file.text(channel.name).u8(0).u32(2).u32(0).u32(step).u32(step);  // 2: floats
    }
    file.u8(0);
    attribute("compression", "compression", 1);
    file.u8(0);
    window("dataWindow");
    window("displayWindow");
    attribute("lineOrder", "lineOrder", 1);
    file.u8(0);
    attribute("pixelAspectRatio", "float", 4);
    f32(1);
    attribute("screenWindowCenter", "v2f", 8);
    f32(0), f32(0);
    attribute("screenWindowWidth", "float", 4);
    f32(1);
    if (several) {
      attribute("name", "string", 1);
      file.u8(static_cast<unsigned>('a' + part));
      attribute("type", "string", 13);
      file.text("scanlineimage");
      attribute("chunkCount", "int", 4);
      file.u32(static_cast<unsigned>(height));
    }
    if (part + 1 == parts) file.append(more);
    file.u8(0);
  }
  if (several) file.u8(0);

  std::vector<Bytes> rows;
  for (int part = 0; part < parts; ++part)
    for (int y = 0; y < height; ++y) {
      ByteWriter values, row;
      for (const ExrChannel& channel : channels) {
        const int samples = (width - 1) / channel.step + 1, first = y / channel.step * samples;
        for (int i = first; i < first + samples && y % channel.step == 0; ++i)
          values.u32(std::bit_cast<std::uint32_t>(channel.values[static_cast<std::size_t>(i)]));
      }
      if (several) row.u32(static_cast<unsigned>(part));
      rows.push_back(row.u32(static_cast<unsigned>(y)).u32(values.size()).append(values.bytes()).bytes());
    }
  std::size_t at = file.size() + 8 * rows.size();
  for (const Bytes& row : rows) {
    file.u32(at).u32(0);
    at += row.size();
  }
  for (const Bytes& row : rows) file.append(row);
  return file.bytes();
}

}  // namespace convtool::testing
