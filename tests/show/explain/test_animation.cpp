#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "network/layers.h"
#include "pictures/encoders/write_gif.h"
#include "show/explain/animation.h"
#include "show/explain/figure.h"
#include "show/explain/traces.h"
#include "support/error_text.h"

namespace convtool {
namespace {

/// Each frame has one graphics control extension: 0x21, 0xF9, and the size 4 of its block.
std::int64_t frames_of(const Bytes& gif) {
  const std::string text(reinterpret_cast<const char*>(gif.data()), gif.size());
  std::int64_t frames = 0;
  for (std::size_t at = 0; (at = text.find("\x21\xF9\x04", at)) != std::string::npos; ++at) ++frames;
  return frames;
}

/// The number of 16 bits at a place, the lower byte first.
std::int64_t word_at(const Bytes& gif, std::size_t at) {
  return std::to_integer<std::int64_t>(gif[at]) | std::to_integer<std::int64_t>(gif[at + 1]) << 8;
}

Trace trace_of(std::int64_t h, std::int64_t w) {
  return shape_trace(network_of({bank_of({plane(1, 1, {2})})}), {.c = 1, .h = h, .w = w});
}

}  // namespace

TEST_CASE("an animation has a frame for each output") {
  const TraceOf run(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}),
                    tensor_of({.c = 1, .h = 3, .w = 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8}));
  const Bytes gif = animate(run.trace, Explainer(run.trace), {.cell = 24, .fps = 4, .channel = 0});
  CHECK(frames_of(gif) == 4);
}

TEST_CASE("an animation of many outputs skips some, and has at most 400 frames") {
  CHECK(frame_step({.c = 1, .h = 20, .w = 20}) == 1);
  CHECK(frame_step({.c = 1, .h = 401, .w = 1}) == 2);
  for (const std::int64_t outputs : {401LL, 798LL, 799LL, 800LL, 65536LL, 8294400LL}) {
    CAPTURE(outputs);
    const std::int64_t step = frame_step({.c = 1, .h = outputs, .w = 1});
    const auto frames = [&](std::int64_t every) { return (outputs - 2) / every + 2; };  // with the last output
    CHECK(frames(step) <= kMostFrames);
    CHECK(frames(step - 1) > kMostFrames);
  }
  const Trace trace = trace_of(21, 21);
  CHECK(frames_of(animate(trace, Explainer(trace), {.cell = 4, .fps = 10, .channel = 0})) == (441 - 2) / 2 + 2);
}

TEST_CASE("the frames of an animation are the figures of its outputs, in order") {
  std::vector<float> ramp;
  for (int i = 0; i < 49; ++i) ramp.push_back(static_cast<float>(i * i % 17));
  const TraceOf run(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}), tensor_of({.c = 1, .h = 7, .w = 7}, ramp));
  const Explainer explainer(run.trace);
  const auto frame = [&](std::int64_t i) {
    return to_image(step_figure(explainer.at({0, i / 6, i % 6}), {.cell = 20, .outputs = i + 1}));
  };
  GifWriter writer(frame(35));
  for (std::int64_t i = 0; i < 35; ++i) writer.add(frame(i), 0.25);
  writer.add(frame(35), 0.75);
  CHECK(animate(run.trace, explainer, {.cell = 20, .fps = 4, .channel = 0}) == writer.finish());
}

// Of a network, the figure of an output shows the channel that contributes most, whose number makes captions longer.
TEST_CASE("the frames of a network have the size of the largest figure") {
  const auto wide = [](std::int64_t channels) {  // a different channel is the largest at each place
    std::vector<float> weights;
    for (std::int64_t c = 0; c < channels; ++c) weights.push_back(static_cast<float>(c == 0 ? 1 : -c));
    return make_layer(4, {channels, 1, 1, 1}, weights);
  };
  const Layer last = make_layer(3, {1, 1001, 1, 1}, std::vector<float>(1001, 1));
  Layer biased = wide(1001);
  biased.bias = std::vector<float>(1001, 0);
  biased.bias[0] = 5000;  // at the last place, channel 0 is the largest; at the others, channel 1000
  const TraceOf run(network_of({bank_of({biased}), bank_of({last})}), tensor_of({.c = 1, .h = 1, .w = 3}, {9, 9, 0}));
  const Explainer explainer(run.trace);
  double width = 0, height = 0, least = 1e9;
  for (std::int64_t x = 0; x < 3; ++x) {
    const Drawing figure = step_figure(explainer.at({0, 0, x}), {.cell = 24, .outputs = x + 1});
    width = std::max(width, figure.width);
    height = std::max(height, figure.height);
    least = std::min(least, figure.width);
  }
  CHECK(least < width);
  const Bytes gif = animate(run.trace, explainer, {.cell = 24, .fps = 4, .channel = 0});
  CHECK(word_at(gif, 6) == static_cast<std::int64_t>(width));  // the logical screen
  CHECK(word_at(gif, 8) == static_cast<std::int64_t>(height));
}

TEST_CASE("an animation that would be too large is refused") {
  const Trace trace = trace_of(20, 20);
  CHECK(testing::error_text(ErrorKind::shape, [&] {
          animate(trace, Explainer(trace), {.cell = 400, .fps = 1, .channel = 0});
        }).find("at most 4096 on each side); choose a smaller --cell") != std::string::npos);
  CHECK(testing::error_text(ErrorKind::usage, [&] {
          animate(trace, Explainer(trace), {.cell = 4, .fps = 1, .channel = 1});
        }).starts_with("--channel: 1 is not a channel"));
}

}  // namespace convtool
