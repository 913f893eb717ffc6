#include <algorithm>
#include <cmath>
#include <utility>

#include "core/float_range.h"
#include "core/text.h"
#include "kernels/onnx/layer_operators.h"
#include "network/enlarging.h"

namespace convtool {
namespace {

/// The factors in the "sizes" of Resize, [n, c, h, w] of its output.
std::vector<double> scales_of_sizes(const Step& step) {
  if (const std::string_view policy = step.word("keep_aspect_ratio_policy", "stretch"); policy != "stretch")
    throw Stop{"its keep_aspect_ratio_policy is '" + std::string(policy) + "'"};
  const std::vector<double> sizes = step.constant(3, "sizes").values;
  if (sizes.size() != 4) throw Stop{"it has " + counted(std::ssize(sizes), "size") + " (expected 4)"};
  const LayerOutput& input = step.layers.output();
  const std::optional<Extent> size = input.map_size();
  if (!size)
    throw Stop{
        "its output has a fixed size, and its input may have any; export the model with a fixed height and width"};
  const double channels = static_cast<double>(input.channels);
  return {1, channels == 0 ? 1 : sizes[1] / channels, sizes[2] / static_cast<double>(size->h),
          sizes[3] / static_cast<double>(size->w)};
}

/// The factors of rows and columns in the "scales" of Resize and Upsample.
Extent enlarging_scale(const std::vector<double>& scales) {
  const auto is_whole = [](double scale) { return scale >= 1 && scale <= 1024 && std::trunc(scale) == scale; };
  if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1 || !is_whole(scales[2]) || !is_whole(scales[3]))
    throw Stop{"it does not enlarge rows and columns by whole factors"};
  const Extent scale{static_cast<std::int64_t>(scales[2]), static_cast<std::int64_t>(scales[3])};
  if (!can_enlarge_by(scale)) throw Stop{"its factors are too large"};
  return scale;
}

void add_upsampling(const Step& step, Enlarging enlarging, const Extent& scale) {
  Layer layer{.name = step.name, .shape = {.c_o = 1, .c_i_per_group = 1, .kh = 1, .kw = 1}};
  layer.params.stride = scale;
  layer.enlarging = enlarging;
  step.layers.add(std::move(layer));
}

/// Pad's pads, [begin of each axis, end of each axis], for all axes or for those given. Only rows and columns may have
/// any.
Pads border_of(const Step& step) {
  const std::vector<std::int64_t> pads = step.integers(1, "pads");
  std::vector<std::int64_t> axes = step.integers(3, "axes");
  if (axes.empty()) axes = {0, 1, 2, 3};
  if (pads.size() != 2 * axes.size())
    throw Stop{"its pads are " + list_text(pads) + " (expected two per axis, of " + std::to_string(axes.size()) + ")"};
  std::vector<std::int64_t> sides(4);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + 4 : axes[i];
    const std::int64_t begin = pads[i], end = pads[i + axes.size()];
    if (axis == 2 || axis == 3) {
      sides[static_cast<std::size_t>(axis - 2)] = begin;
      sides[static_cast<std::size_t>(axis)] = end;
    } else if (begin != 0 || end != 0) {
      throw Stop{"its pads " + list_text(pads) + " are not only of rows and columns"};
    }
  }
  return pads_of(sides);
}

}  // namespace

// Of opset 7 to 10: its linear mode differs from nn.Upsample's.
void add_upsample(const Step& step) {
  const OnnxAttribute* const given = find_attribute(step.node, "scales");
  const std::vector<double> scales = given == nullptr ? step.constant(1, "scales").values
                                                      : std::vector<double>(given->reals.begin(), given->reals.end());
  const std::string_view mode = step.word("mode", "nearest");
  if (mode != "nearest") throw Stop{"its mode is '" + std::string(mode) + "'"};
  add_upsampling(step, Enlarging::nearest, enlarging_scale(scales));
}

// Where its coordinates are those of nn.Upsample with align_corners=False. With whole factors, "nearest" at the
// centres of pixels and at their corners, rounded down, are the same.
void add_resize(const Step& step) {
  if (step.node.inputs.size() == 2) return add_upsample(step);  // of opset 10
  if (!step.integers("axes").empty()) throw Stop{"it has axes"};
  std::vector<double> scales;  // or sizes
  if (step.has_input(2)) scales = step.constant(2, "scales").values;
  if (scales.empty()) scales = scales_of_sizes(step);
  const Extent scale = enlarging_scale(scales);
  const std::string_view mode = step.word("mode", "nearest"),
                         place = step.word("coordinate_transformation_mode", "half_pixel"),
                         rounding = step.word("nearest_mode", "round_prefer_floor");
  const bool is_centred = place == "half_pixel" || place == "pytorch_half_pixel";
  const bool rounds = rounding == "round_prefer_floor" || rounding == "round_prefer_ceil";
  if (mode == "nearest" && ((is_centred && rounds) || (place == "asymmetric" && rounding == "floor")))
    return add_upsampling(step, Enlarging::nearest, scale);
  if (mode == "linear" && is_centred) return add_upsampling(step, Enlarging::bilinear, scale);
  throw Stop{"its mode is '" + std::string(mode) + "' with the coordinates '" + std::string(place) + "'"};
}

void add_border(const Step& step) {
  constexpr std::pair<std::string_view, PaddingMode> kModes[] = {{"constant", PaddingMode::constant},
                                                                 {"reflect", PaddingMode::reflect},
                                                                 {"edge", PaddingMode::replicate},
                                                                 {"wrap", PaddingMode::circular}};
  const std::string_view word = step.word("mode", "constant");
  const auto mode =
      std::find_if(std::begin(kModes), std::end(kModes), [word](const auto& m) { return m.first == word; });
  if (mode == std::end(kModes)) throw Stop{"its mode is '" + std::string(word) + "'"};
  Layer layer = identity_layer(step.name);
  layer.params.padding.pads = border_of(step);
  layer.params.padding_mode = mode->second;
  const double value = step.real(2, "value", 0);
  if (!fits_float(value)) throw Stop{"it pads with " + to_text(value)};
  if (mode->second == PaddingMode::constant) {
    layer.params.padding_value = static_cast<float>(value);
    if (value == 0) layer.params.padding_mode = PaddingMode::zeros;
  }
  if (layer.params.padding != Padding{}) step.layers.add_border(std::move(layer));
}

}  // namespace convtool
