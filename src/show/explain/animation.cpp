#include "show/explain/animation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "core/text.h"
#include "pictures/encoders/write_gif.h"
#include "show/drawing.h"
#include "show/explain/figure.h"

namespace convtool {
namespace {

constexpr double kLargestSide = 4096, kLastFrame = 3;
constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;  ///< of the frames that are drawn at once

void check_size(const Drawing& drawing) {
  if (drawing.width <= kLargestSide && drawing.height <= kLargestSide) return;
  refuse_shape("", "too large for an animation (" + short_text(drawing.width, 6) + "x" + short_text(drawing.height, 6) +
                       " pixels, at most " + short_text(kLargestSide, 6) +
                       " on each side); choose a smaller --cell, or a smaller input");
}

}  // namespace

std::int64_t frame_step(const Shape& output) {
  const std::int64_t outputs = output.h * output.w;
  return outputs <= kMostFrames ? 1 : (outputs - 2) / (kMostFrames - 1) + 1;
}

std::int64_t frame_count(const Shape& output) {
  const std::int64_t outputs = output.h * output.w;
  return outputs == 1 ? 1 : (outputs - 2) / frame_step(output) + 2;
}

Bytes animate(const Trace& trace, const Explainer& explainer, const AnimationOptions& options) {
  const Shape output = trace.output();
  const std::int64_t outputs = output.h * output.w, step = frame_step(output);
  const auto figure = [&](std::int64_t i) {
    const Pixel at{options.channel, i / output.w, i % output.w};
    return step_figure(explainer.at(at), {.cell = options.cell, .outputs = i + 1});
  };
  Drawing last = figure(outputs - 1);
  check_size(last);
  double width = last.width, height = last.height;
  // Of a network, other kernels and channels are shown with each output, and of a layer that enlarges other weights.
  const bool differ = trace.banks.size() > 1 || trace.banks.front().enlarged;
  for (std::int64_t i = 0; differ && i < outputs - 1; i += step) {
    const Drawing drawing = figure(i);
    width = std::max(width, drawing.width);
    height = std::max(height, drawing.height);
  }
  last.width = width;
  last.height = height;
  const Image last_frame = to_image(last);
  GifWriter writer(last_frame);
  const Shape size = last_frame.all().shape;
  const std::int64_t others = frame_count(output) - 1;
  const std::int64_t at_once = std::clamp<std::int64_t>(kMostPixels / (size.h * size.w), 1, available_cores());
  // Frames are drawn on several threads, each over an earlier one. The writer still reads the latest that it has.
  std::vector<Image> frames;
  for (std::int64_t i = 0; i <= at_once; ++i) frames.emplace_back(DType::u8, PixelFormat::rgb, size.h, size.w);
  const auto frame = [&](std::int64_t i) -> const Image& {
    return frames[static_cast<std::size_t>(i % (at_once + 1))];
  };
  for (std::int64_t first = 0; first < others; first += at_once) {
    const std::int64_t count = std::min(at_once, others - first);
    parallel_for(count, 0, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = first + begin; i < first + end; ++i) paint(figure(i * step), frame(i));
    });
    for (std::int64_t i = first; i < first + count; ++i) writer.add(frame(i), 1 / options.fps);
  }
  writer.add(last_frame, kLastFrame / options.fps);
  return writer.finish();
}

}  // namespace convtool
