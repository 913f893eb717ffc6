// The floors of a run from PNG to PNG: what each step takes by itself, on one thread.
//
//   bench_codecs FILE.png
//
// FILE is of 8 bits in grey or RGB, not interlaced. Prints a table in Markdown: the least of nine times in turns.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "files/byte_reader.h"
#include "files/file.h"
#include "pictures/compression.h"
#include "pictures/headers/chunks.h"
#include "pictures/inflate.h"
#include "pictures/png/scanlines.h"
#include "pictures/png/unfilter.h"

namespace {

using namespace convtool;

struct Step {
  std::string name;
  std::function<void()> run;
  double least = std::numeric_limits<double>::infinity();  ///< milliseconds
};

void measure(std::vector<Step>& steps) {
  constexpr int kRounds = 9;
  for (int round = 0; round < kRounds; ++round)
    for (Step& step : steps) {
      const auto begin = std::chrono::steady_clock::now();
      step.run();
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
      step.least = std::min(step.least, time.count());
    }
}

/// Writes a file of `size` bytes and has the system flush it.
void write_and_flush(std::size_t size) {
  const Bytes bytes(size);
  const int file = open(".", O_TMPFILE | O_WRONLY, 0600);
  if (file < 0 || write(file, bytes.data(), size) != static_cast<ssize_t>(size) || fsync(file) != 0)
    std::perror("writing a temporary file");
  close(file);
}

int run(const char* path) {
  const Buffer file = read_file(path);
  ChunkReader chunks(ChunkReader::Kind::png, file);
  Bytes stream;
  Shape shape{.n = 1, .c = 1, .h = 0, .w = 0};
  while (const auto chunk = chunks.next()) {
    if (chunk->type == "IHDR") {
      shape.w = load_number<std::uint32_t>(&chunk->data[0], std::endian::big);
      shape.h = load_number<std::uint32_t>(&chunk->data[4], std::endian::big);
      shape.c = chunk->data[9] == std::byte{2} ? 3 : 1;
    }
    if (chunk->type == "IDAT") stream.insert(stream.end(), chunk->data.begin(), chunk->data.end());
  }
  const Strides strides{shape.c * shape.h * shape.w, 1, shape.c * shape.w, shape.c};
  const auto row = static_cast<std::size_t>(shape.c * shape.w), rows = static_cast<std::size_t>(shape.h);
  std::vector<std::uint8_t> lines(rows * (1 + row)), pixels(rows * row), zeros(row), filtered(lines.size());
  const auto pixel = static_cast<int>(shape.c);
  const UnfilterRows unfilter = find_unfilter(pixel, pixel == 1 ? PixelOrder::same : PixelOrder::reversed);
  if (!inflate_whole(stream, std::as_writable_bytes(std::span(lines)))) {
    std::fprintf(stderr, "%s: not a sound PNG of 8 bits in grey or RGB\n", path);
    return 1;
  }

  constexpr std::size_t kStrip = 1 << 19;  // as in png/write_png.cpp
  const ConstTensorRef picture = TensorRef{pixels.data(), DType::u8, shape, strides};
  std::vector<Step> steps = {
      {"inflate", [&] { inflate_whole(stream, std::as_writable_bytes(std::span(lines))); }},
      {"unfilter", [&] { unfilter(lines.data(), zeros.data(), row / shape.c, rows, pixels.data()); }},
      {"filter", [&] { write_scanlines(picture, true, true, filtered.data()); }},
      {"deflate",
       [&] {
         for (std::span<const std::byte> rest = std::as_bytes(std::span(filtered)); !rest.empty();) {
           const std::size_t size = std::min(rest.size(), kStrip);
           deflate_part(rest.first(size), size == rest.size());
           rest = rest.subspan(size);
         }
       }},
      {"two pictures of new memory",
       [&] {
         for (int i = 0; i < 2; ++i) {
           const auto memory = allocate_pixels(pixels.size());
           std::memset(memory.get(), 1, pixels.size());
         }
       }},
      {"write and flush", [&] { write_and_flush(file.size()); }},
  };
  measure(steps);
  std::printf("| step | ms | MB/s of pixels |\n| --- | ---: | ---: |\n");
  for (const Step& step : steps)
    std::printf("| %s | %.1f | %.0f |\n", step.name.c_str(), step.least,
                static_cast<double>(pixels.size()) / step.least / 1e3);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) return run(argv[1]);
  std::fprintf(stderr, "usage: bench_codecs FILE.png\n");
  return 2;
}
