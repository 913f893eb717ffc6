// The page holds the input, the layers with their weights, the map, and the stored result of the engine. Its script
// (pages/layers.js) computes the result again, in doubles, and compares (pages/check.js).

#include "show/explain_page.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "network/receptive_field.h"
#include "network/residual.h"
#include "pictures/encode_image.h"
#include "show/base64.h"
#include "show/page.h"

namespace convtool {
namespace {

using Json = nlohmann::ordered_json;

// A page of a photograph stays below 3 MB: Base64 makes 4 bytes of 3, and at worst nothing is compressed.
constexpr double kMostBytes = 1.4e6;
constexpr std::int64_t kMostWeights = 400'000;
/// Browsers compute about half a billion a second.
constexpr double kMostMultiplyAdds = 2.5e8;
/// Larger pictures are cropped to squares of kLargestCrop, or what the limits above allow.
constexpr std::int64_t kLargestWhole = 256, kLargestCrop = 384;
/// Small inputs are whole, even where that takes a few times as much as the limits.
constexpr double kLeastWholeShare = 0.3;
/// Larger blocks of numbers are not lists.
constexpr std::int64_t kLongestList = 4096;
constexpr std::int64_t kOverviewSide = 400;

/// Rows and columns of a picture: the rows [y, y + h) and the columns [x, x + w).
struct Crop {
  std::int64_t y = 0, x = 0, h = 0, w = 0;
};

Json pair(const Extent& extent) { return {extent.h, extent.w}; }

std::string png(const Image& image) {
  return base64(encode_image(image, *find_picture_format("png"), {.png_level = 9}));
}

/// Calls use(value) for each element of a crop of the first item, channel by channel and row by row.
template <class T, class Use>
void each_value(const ConstTensorRef& tensor, const Crop& crop, const Use& use) {
  const auto view = tensor.view<T>();
  for (std::int64_t c = 0; c < tensor.shape.c; ++c)
    for (std::int64_t y = crop.y; y < crop.y + crop.h; ++y)
      for (std::int64_t x = crop.x; x < crop.x + crop.w; ++x) use(view.at(0, c, y, x));
}

std::string bytes_of(const std::vector<float>& values) { return base64(std::as_bytes(std::span(values))); }

/// Floats for pages/blocks.js: a list where there are few, all of them finite, and else their bytes, which are
/// little-endian on every processor that convtool supports.
Json float_block(const std::vector<float>& values) {
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (std::ssize(values) > kLongestList || !std::all_of(values.begin(), values.end(), is_finite))
    return {{"f32", bytes_of(values)}};
  Json numbers = Json::array();
  for (const float value : values) numbers.push_back(as_printed(value));
  return {{"numbers", std::move(numbers)}};
}

/// A crop of a tensor for pages/blocks.js: integers as a list, or as a grey picture with one channel below the other.
Json block(const ConstTensorRef& tensor, const Crop& crop) {
  return visit_dtype(tensor.dtype, [&]<class T>(T) -> Json {
    if constexpr (std::is_same_v<T, float>) {
      std::vector<float> values;
      each_value<T>(tensor, crop, [&](float value) { values.push_back(value); });
      return float_block(values);
    } else {
      const std::int64_t rows = tensor.shape.c * crop.h;
      if (rows * crop.w <= kLongestList) {
        Json numbers = Json::array();
        each_value<T>(tensor, crop, [&](T value) { numbers.push_back(value); });
        return {{"numbers", std::move(numbers)}};
      }
      Image grey(tensor.dtype, PixelFormat::grey, rows, crop.w);
      const auto pixels = grey.all().view<T>();
      std::int64_t at = 0;
      each_value<T>(tensor, crop, [&](T value) {
        pixels.at(0, 0, at / crop.w, at % crop.w) = value;
        ++at;
      });
      return {{"png", png(grey)}};
    }
  });
}

/// The values that are black and white: of floats the least and the largest finite one.
template <class T>
std::pair<double, double> shown_range(const TensorView<T>& view, std::int64_t channels, DType dtype) {
  if (dtype != DType::f32) return {0, full_value(dtype)};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t y = 0; y < view.shape.h; ++y)
      for (std::int64_t x = 0; x < view.shape.w; ++x) {
        const auto value = static_cast<double>(view.at(0, c, y, x));
        if (!std::isfinite(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
      }
  return high > low ? std::pair(low, high) : std::pair(0.0, 1.0);
}

/// A small picture of all of `input`: each pixel is the mean of a rectangle.
std::string overview(const ConstTensorRef& input) {
  const Shape& shape = input.shape;
  const std::int64_t longest = std::max(shape.h, shape.w), channels = shape.c == 3 ? 3 : 1;
  const auto scaled = [&](std::int64_t size) { return std::max<std::int64_t>(1, size * kOverviewSide / longest); };
  const std::int64_t h = scaled(shape.h), w = scaled(shape.w);
  Image small(DType::u8, channels == 3 ? PixelFormat::rgb : PixelFormat::grey, h, w);
  const auto pixels = small.all().view<std::uint8_t>();
  visit_dtype(input.dtype, [&]<class T>(T) {
    const auto view = input.view<T>();
    const std::pair<double, double> range = shown_range(view, channels, input.dtype);
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = 0; i < h; ++i)
        for (std::int64_t j = 0; j < w; ++j) {
          double sum = 0, count = 0;
          for (std::int64_t y = i * shape.h / h; y < std::max((i + 1) * shape.h / h, i * shape.h / h + 1); ++y)
            for (std::int64_t x = j * shape.w / w; x < std::max((j + 1) * shape.w / w, j * shape.w / w + 1); ++x) {
              sum += static_cast<double>(view.at(0, c, y, x));
              ++count;
            }
          const double share = (sum / count - range.first) / (range.second - range.first);
          pixels.at(0, c, i, j) = static_cast<std::uint8_t>(share >= 0 ? std::min(share, 1.0) * 255 + 0.5 : 0.0);
        }
  });
  return png(small);
}

ReceptiveField receptive_field(const Trace& trace) { return receptive_field_of(trace.network, trace.banks); }

/// The positions of an axis of `size` that output `at` depends on, widened to `side` positions or to all.
std::pair<std::int64_t, std::int64_t> widened(const ReceptiveAxis& axis, std::int64_t at, std::int64_t size,
                                              std::int64_t side) {
  const std::int64_t length = std::min(size, std::max(side, axis.size));
  const std::int64_t begin = std::clamp(axis.centre(at) - length / 2, std::int64_t{0}, size - length);
  return {begin, length};
}

/// The share of all outputs that the limits of a page allow.
double share_of_outputs(const Trace& trace) {
  double work = 0;
  const auto add = [&work](const ConvProblem& problem) {
    work += mac_count(problem) / static_cast<double>(problem.input.n);
  };
  for (std::size_t i = 0; i < trace.banks.size(); ++i) {
    const std::vector<ConvProblem>& problems = trace.banks[i].problems;
    if (!trace.banks[i].enlarged) {
      std::for_each(problems.begin(), problems.end(), add);
      continue;
    }
    const ConvProblem& whole = problems.front();
    for (const Phase& phase : phases_of(trace.network.banks[i].layers.front(), whole.input_dtype, whole.input))
      add(phase.problem);
  }
  const Shape in = trace.input, out = trace.output();
  const double bytes = static_cast<double>(in.c * in.h * in.w * size_of(trace.dtype())) +
                       static_cast<double>(out.c * out.h * out.w * size_of(trace.numbers->stored.dtype));
  return std::min(kMostBytes / bytes, kMostMultiplyAdds / work);
}

/// The part of the input that the page has: all, or a square around what the output at `at` depends on.
Crop input_crop(const Trace& trace, const Pixel& at) {
  const Shape& in = trace.input;
  const double share = share_of_outputs(trace);
  if (share >= kLeastWholeShare && in.h <= kLargestWhole && in.w <= kLargestWhole) return {.h = in.h, .w = in.w};

  const ReceptiveField field = receptive_field(trace);
  const double most = std::sqrt(share * static_cast<double>(in.h * in.w));
  const auto side = [most](const ReceptiveAxis& axis) {
    return std::min(kLargestCrop, static_cast<std::int64_t>(most) + axis.size);
  };
  const auto [y, h] = widened(field.h, at.y, in.h, side(field.h));
  const auto [x, w] = widened(field.w, at.x, in.w, side(field.w));
  const double bytes = static_cast<double>(h * w * in.c * size_of(trace.dtype()));
  if (bytes > kMostBytes) {
    refuse_shape(trace.name,
                 "an output depends on " + std::to_string(h) + "x" + std::to_string(w) +
                     " positions of the input, too many for a page; see the text of one output (leave out -o)");
  }
  return {y, x, h, w};
}

/// The outputs along an axis that depend on no other positions of the input than [begin, begin + length).
Range outputs_within(const ReceptiveAxis& axis, std::int64_t begin, std::int64_t length, std::int64_t size,
                     std::int64_t outputs) {
  const auto is_within = [&](std::int64_t i) {
    const std::int64_t first = axis.first(i), end = first + axis.size;
    return (first >= begin || begin == 0) && (end <= begin + length || begin + length == size);
  };
  Range range;
  while (range.begin < outputs && !is_within(range.begin)) ++range.begin;
  range.end = range.begin;
  while (range.end < outputs && is_within(range.end)) ++range.end;
  return range;
}

Crop output_crop(const Trace& trace, const Crop& input) {
  const Shape out = trace.output();
  if (input.h == trace.input.h && input.w == trace.input.w) return {.h = out.h, .w = out.w};
  const ReceptiveField field = receptive_field(trace);
  const Range rows = outputs_within(field.h, input.y, input.h, trace.input.h, out.h);
  const Range cols = outputs_within(field.w, input.x, input.w, trace.input.w, out.w);
  return {rows.begin, cols.begin, rows.end - rows.begin, cols.end - cols.begin};
}

Json json_of(const Padding& padding) {
  const Pads& pads = padding.pads;
  return {{"rule", kPaddingRules[static_cast<int>(padding.rule)]},
          {"pads", {pads.top, pads.left, pads.bottom, pads.right}}};
}

Json json_of(const ActivationNumbers& numbers) {
  const auto end = [](float value) { return std::isfinite(value) ? Json(static_cast<double>(value)) : Json(); };
  return {{"slope", static_cast<double>(numbers.slope)}, {"min", end(numbers.min)}, {"max", end(numbers.max)}};
}

/// What pages/layers.js has rules for.
std::string_view kind_of(const Layer& layer) {
  if (layer.is_window_pool()) return kPoolings[static_cast<int>(layer.pooling)];
  if (layer.enlarging != Enlarging::none) return kEnlargings[static_cast<int>(layer.enlarging)];
  return layer.add.empty() ? "kernel" : "sum";
}

Json json_of(const Layer& layer) {
  const ConvParams& params = layer.params;
  const bool has_weights = !layer.weights.empty() && layer.add.empty();
  Json bias = Json::array(), divisor = Json::array();
  for (const float value : layer.bias) bias.push_back(as_printed(value));
  for (const double value : layer.divisor) divisor.push_back(value);
  const KernelShape& k = layer.shape;
  return {{"name", layer.name},
          {"kind", kind_of(layer)},
          {"rank", layer.rank},
          {"kernel", {k.c_o, k.c_i_per_group, k.kh, k.kw}},
          {"weight", has_weights ? float_block(layer.weights) : Json()},
          {"bias", std::move(bias)},
          {"divisor", std::move(divisor)},
          {"stride", pair(params.stride)},
          {"dilation", pair(params.dilation)},
          {"padding", json_of(params.padding)},
          {"output_padding", pair(layer.output_padding)},
          {"padding_mode",
           to_string(layer.enlarging == Enlarging::bilinear ? PaddingMode::replicate : params.padding_mode)},
          {"padding_value", params.padding_mode == PaddingMode::constant ? as_printed(params.padding_value) : 0.0},
          {"groups", params.groups},
          {"activation", kActivations[static_cast<int>(layer.activation)]},
          {"numbers", json_of(layer.activation_numbers)},
          {"activation_text", activation_text(layer.activation, layer.activation_numbers)}};
}

/// The bank with the windows that a pool has on this input, which the page could not resolve itself.
Bank with_windows(Bank bank, const BankGeometry& geometry) {
  Layer& layer = bank.layers.front();
  const ConvProblem& windows = geometry.problems.front();
  if (!layer.is_window_pool()) return bank;
  layer.shape.kh = windows.kernel.kh;
  layer.shape.kw = windows.kernel.kw;
  layer.params.stride = windows.stride;
  layer.params.padding = {Padding::Rule::fixed, windows.pads};
  return bank;
}

/// The step of bank `i`. Of a pool, `counted_pads` is the padding that counts in a mean.
Json json_of_step(const Trace& trace, std::size_t i) {
  const Bank bank = with_windows(trace.network.banks[i], trace.banks[i]);
  const Layer& first = bank.layers.front();
  const std::optional<std::size_t> source = sources_of(trace.network)[i], addend = addends_of(trace.network)[i];
  Json layers = Json::array();
  for (const Layer& layer : bank.layers) layers.push_back(json_of(layer));
  const Pads counted = first.pool.counts_padding ? trace.network.banks[i].layers.front().params.padding.pads : Pads{};
  layers.front()["counted_pads"] = {counted.top, counted.left, counted.bottom, counted.right};
  layers.front()["counts_padding"] = first.pool.counts_padding;
  return {
      {"name", bank.name.empty() ? first.name : bank.name},
      {"kind", kind_of(first)},
      {"source", i == 0 ? Json() : Json(source.value_or(i - 1))},  // the step whose output it reads; null: the input
      {"add", addend ? Json(*addend) : Json()},
      {"combine", kCombines[static_cast<int>(bank.combine)]},
      {"layers", std::move(layers)}};
}

/// `limit`: the largest response that has a colour of its own, of colours with percentiles.
Json json_of(const ValueMap& map, const std::optional<double>& limit = {}) {
  return {{"limit", limit ? Json(*limit) : Json()},
          {"absolute", map.absolute},
          {"shift", map.shift},
          {"scale", map.scale},
          {"offset", map.offset},
          {"threshold", map.threshold ? Json(*map.threshold) : Json()}};
}

/// The most by which an error of 1 in the input of a bank changes its response: as in conv/error_bound.h.
double gain(const Bank& bank, const BankGeometry& geometry, bool flip) {
  double most = 0;
  const std::vector<BoundKernel> kernels = bind_bank(bank, geometry, flip);
  if (kernels.empty()) {
    const Layer& pool = bank.layers.front();
    return steepest_slope(pool.activation, pool.activation_numbers);
  }
  for (const BoundKernel& bound : kernels) {
    const KernelShape& shape = bound.kernel.shape;
    for (std::int64_t o = 0; o < shape.c_o; ++o) {
      double sum = 0;
      for (std::int64_t t = 0; t < shape.taps(); ++t) sum += std::fabs(static_cast<double>(bound.kernel.taps(o, 0)[t]));
      if (!bound.kernel.divisor.empty()) sum /= std::fabs(bound.kernel.divisor[static_cast<std::size_t>(o)]);
      most = std::max(most, sum);
    }
  }
  const bool adds = bank.combine == Combine::sum || bank.combine == Combine::l1 || bank.combine == Combine::magnitude;
  most *= steepest_slope(kernels.front().epilogue.activation, kernels.front().epilogue.numbers);
  return adds ? most * static_cast<double>(bank.layers.size()) : most;
}

/// The most by which the engine's last responses may differ from exact ones on the same input. A bank adds its own
/// rounding to that of the banks before it, times its gain.
double error_bound(const Trace& trace) {
  const std::vector<std::optional<std::size_t>> addends = addends_of(trace.network),
                                                sources = sources_of(trace.network);
  std::vector<double> errors;
  for (std::size_t i = 0; i < trace.banks.size(); ++i) {
    double error = i == 0 ? 0 : errors[sources[i].value_or(i - 1)];
    if (addends[i]) error += errors[*addends[i]];
    if (error > 0) error *= gain(trace.network.banks[i], trace.banks[i], trace.flip);
    errors.push_back(error + trace.numbers->error_bounds[i]);
  }
  return errors.back();
}

Json json_of_result(const Trace& trace, const Crop& crop) {
  const Trace::Numbers& numbers = *trace.numbers;
  const DType dtype = numbers.stored.dtype;
  const Mapping& mapping = numbers.mapping;
  Json maps = Json::array(), unit_maps = Json::array();
  if (mapping.map == OutputMap::signs) {
    const double largest = std::max(std::fabs(numbers.measured.min), std::fabs(numbers.measured.max));
    const std::optional<double> limit = mapping.percentiles ? std::optional(largest) : std::nullopt;
    for (const ValueMap& map : make_sign_maps(dtype, numbers.measured, mapping.zero))
      maps.push_back(json_of(map, limit));
    for (const ValueMap& map : make_sign_maps(dtype, {.min = -1, .max = 1}, mapping.zero))
      unit_maps.push_back(json_of(map, limit ? std::optional(1.0) : std::nullopt));
  } else {
    maps.push_back(json_of(make_value_map(mapping, trace.dtype(), dtype, numbers.measured)));
  }
  // To stretch a range to the full range, its spread divides this.
  const DType units = mapping.is_unitless ? DType::f32 : trace.dtype();
  const double full = make_value_map(OutputMap::normalize, units, dtype, {.min = 0, .max = 1}).scale;
  const double rescale = make_value_map(OutputMap::clip, units, dtype).scale;
  return {{"dtype", to_string(dtype)},
          {"map", to_string(mapping.map)},
          {"automatic", numbers.map_is_automatic},  // then the map depends on the weights
          {"rescale", rescale},
          {"maps", std::move(maps)},
          {"full", full},
          {"unit_maps", std::move(unit_maps)},  // of colours, for responses from -1 to 1
          {"percentiles", mapping.percentiles ? Json(*mapping.percentiles) : Json()},
          {"error_bound", error_bound(trace)},
          {"region", {crop.y, crop.x, crop.h, crop.w}},
          {"stored", block(numbers.stored, crop)}};
}

/// "photo.jpg under sobel", without folders; inline JSON may be long.
std::string title_of(const Trace& trace) {
  constexpr std::size_t kLongest = 60;
  const std::string name = printable_start(trace.name.substr(trace.name.find_last_of('/') + 1), kLongest);
  const std::string& kernel = trace.network.name;
  return name + (kernel.empty() || kernel == "inline" ? "" : " under " + kernel);
}

void check_weights(const Trace& trace) {
  std::int64_t count = 0;
  for (const Bank& bank : trace.network.banks)
    for (const Layer& layer : bank.layers) count += std::ssize(layer.weights);
  if (count <= kMostWeights) return;
  refuse_shape(trace.name, "the kernels have " + std::to_string(count) + " weights, and a page holds at most " +
                               std::to_string(kMostWeights) + "; see the text of one output (leave out -o)");
}

}  // namespace

std::string explain_page(const Trace& trace, const Pixel& at) {
  check_weights(trace);
  Json data;
  data["input"] = {{"name", printable(trace.name)},
                   {"shape", {trace.input.c, trace.input.h, trace.input.w}},
                   {"rank", trace.rank},
                   {"items", trace.input.n},
                   {"dtype", to_string(trace.dtype())}};
  data["steps"] = Json::array();
  for (std::size_t i = 0; i < trace.banks.size(); ++i) data["steps"].push_back(json_of_step(trace, i));
  data["flip"] = trace.flip;
  data["at"] = {at.y, at.x};
  data["channel"] = at.channel;
  if (trace.numbers) {
    const Crop crop = input_crop(trace, at);
    data["input"]["region"] = {crop.y, crop.x, crop.h, crop.w};
    data["input"]["values"] = block(trace.numbers->input, crop);
    if (crop.h < trace.input.h || crop.w < trace.input.w)
      data["input"]["overview"] = "data:image/png;base64," + overview(trace.numbers->input);
    data["result"] = json_of_result(trace, output_crop(trace, crop));
  }
  return make_page("explain", title_of(trace), data.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace convtool
