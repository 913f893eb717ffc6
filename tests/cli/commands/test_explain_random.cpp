// Random pictures and tensors under random networks: explain names the values that apply stores, bit for bit, and its
// numbers add up to them. Both run in this process, apply through its encoded bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands/explain/traced_run.h"
#include "cli/job/job.h"
#include "cli/job/run_job.h"
#include "show/explain/explanation.h"
#include "show/explain/explanation_text.h"
#include "support/random.h"

namespace convtool {
namespace {

using nlohmann::json;

Source random_source(Random& random) {
  constexpr DType kTypes[] = {DType::u8, DType::u8, DType::u16, DType::f32};
  const std::int64_t h = random.between(1, 24), w = random.between(1, 24);
  const auto fill = [&](const TensorRef& ref) {
    const bool is_whole = random.chance(2);
    visit_dtype(ref.dtype, [&]<class T>(T) {
      const auto view = ref.view<T>();
      for (std::int64_t n = 0; n < ref.shape.n; ++n)
        for (std::int64_t c = 0; c < ref.shape.c; ++c)
          for (std::int64_t y = 0; y < ref.shape.h; ++y)
            for (std::int64_t x = 0; x < ref.shape.w; ++x) {
              if constexpr (std::is_same_v<T, float>)
                view.at(n, c, y, x) = is_whole ? static_cast<float>(random.between(-9, 9)) : random.rough();
              else
                view.at(n, c, y, x) = static_cast<T>(random.between(0, std::numeric_limits<T>::max()));
            }
    });
  };
  if (random.chance(2)) {
    const Shape shape{.n = random.chance(4) ? 2 : 1, .c = random.between(1, 5), .h = h, .w = w};
    RankedTensor tensor{.tensor = Tensor(DType::f32, shape), .rank = shape.n > 1 ? 4 : 3};
    fill(tensor.tensor.ref());
    return {.content = std::move(tensor), .format = *find_file_format("npy"), .shape = shape};
  }
  constexpr PixelFormat kFormats[] = {PixelFormat::grey, PixelFormat::grey_alpha, PixelFormat::rgb, PixelFormat::rgba};
  Image image(random.pick(kTypes), random.pick(kFormats), h, w);
  fill(image.all());
  const Shape shape = image.all().shape;
  const char* const format = image.dtype() == DType::f32 ? "tiff" : "png";
  return {.content = std::move(image), .format = *find_file_format(format), .shape = shape};
}

ConvParams random_params(Random& random) {
  ConvParams params;
  const bool plain = random.chance(2);
  const auto step = [&] { return plain ? 1 : random.between(1, 3); };
  params.stride = {step(), step()};
  params.dilation = {step(), step()};
  params.padding.rule = static_cast<Padding::Rule>(random.between(0, 3));
  if (random.chance(2))
    params.padding = {Padding::Rule::fixed,
                      {random.between(0, 3), random.between(0, 3), random.between(0, 3), random.between(0, 3)}};
  params.padding_mode = static_cast<PaddingMode>(random.between(0, 5));
  if (params.padding_mode == PaddingMode::constant) params.padding_value = static_cast<float>(random.between(-4, 300));
  return params;
}

Layer random_kernel(Random& random, std::int64_t c_i, const ConvParams& params) {
  Layer layer;
  layer.name = "kernel";
  layer.rank = static_cast<int>(random.between(2, 4));
  layer.params = params;
  layer.shape = {1, 1, random.between(1, 5), random.between(1, 5)};
  if (layer.rank == 3) layer.shape.c_i_per_group = c_i;
  if (layer.rank == 4) {
    const std::int64_t groups = c_i % 2 == 0 && random.chance(2) ? 2 : random.chance(3) ? c_i : 1;
    layer.params.groups = groups;
    layer.shape.c_o = groups * random.between(1, 3);
    layer.shape.c_i_per_group = c_i / groups;
  }
  const bool is_whole = random.chance(2);
  layer.weights = floats(layer.shape.count(),
                         [&] { return is_whole ? static_cast<float>(random.between(-9, 9)) : random.rough(); });
  if (random.chance(3)) layer.bias = {static_cast<float>(random.between(-9, 9))};
  if (random.chance(3)) layer.divisor = {static_cast<double>(random.between(2, 9))};
  layer.activation = static_cast<Activation>(random.chance(2) ? 0 : random.between(1, 2));
  return layer;
}

Activation random_activation(Random& random) {
  return static_cast<Activation>(random.chance(2) ? 0 : random.between(1, 2));
}

Layer random_pool(Random& random) {
  Layer pool;
  pool.name = "pool";
  pool.pooling = random.chance(2) ? Pooling::max : Pooling::mean;
  pool.activation = random_activation(random);
  const std::int64_t size = random.between(2, 3);
  pool.shape = {1, 1, size, size};
  pool.pool.is_global = random.chance(5);
  if (pool.pool.is_global) return pool;
  pool.params.stride = {size, random.between(1, 2)};
  if (random.chance(2)) pool.params.padding = {Padding::Rule::fixed, {1, 1, 1, 1}};
  pool.pool.ceil_mode = random.chance(2);
  if (pool.is_max_pool() || pool.pool.ceil_mode) return pool;
  pool.pool.counts_padding = random.chance(2);
  if (!pool.pool.counts_padding) return pool;
  pool.weights.assign(static_cast<std::size_t>(size * size), 1);  // windows of one size are a kernel
  pool.divisor = {static_cast<double>(size * size)};
  return pool;
}

Layer random_upsampling(Random& random) {
  Layer layer;
  layer.name = "upsampling";
  layer.enlarging = random.chance(2) ? Enlarging::nearest : Enlarging::bilinear;
  layer.params.stride = {random.between(1, 4), random.between(1, 4)};
  layer.activation = random_activation(random);
  return layer;
}

Layer random_transposed(Random& random, std::int64_t c_i) {
  Layer layer;
  layer.name = "transposed";
  layer.rank = 4;
  layer.enlarging = Enlarging::transposed;
  layer.params.groups = c_i % 2 == 0 && random.chance(2) ? 2 : 1;
  layer.shape = {c_i, random.between(1, 3), random.between(1, 5), random.between(1, 5)};
  layer.params.stride = {random.between(1, 4), random.between(1, 4)};
  layer.params.dilation = {random.between(1, 2), random.between(1, 3)};
  layer.params.padding = {Padding::Rule::fixed,
                          {random.between(0, 2), random.between(0, 2), random.between(0, 2), random.between(0, 2)}};
  const auto added = [&](std::int64_t stride) { return random.between(0, stride - 1); };
  layer.output_padding = {added(layer.params.stride.h), added(layer.params.stride.w)};
  const bool is_whole = random.chance(2);
  layer.weights = floats(layer.shape.count(),
                         [&] { return is_whole ? static_cast<float>(random.between(-9, 9)) : random.rough(); });
  if (random.chance(3)) layer.bias = {static_cast<float>(random.between(-9, 9))};
  layer.activation = random_activation(random);
  return layer;
}

Layer random_sum(Random& random, const std::string& addend) {
  Layer layer;
  layer.name = "sum";
  layer.weights = {1};
  layer.add = addend;
  layer.activation = random_activation(random);
  return layer;
}

Bank random_bank(Random& random, std::int64_t c_i) {
  if (random.chance(5)) return {.name = "pool", .layers = {random_pool(random)}};
  if (random.chance(8)) return {.name = "upsampling", .layers = {random_upsampling(random)}};
  if (random.chance(8)) return {.name = "transposed", .layers = {random_transposed(random, c_i)}};
  const ConvParams params = random_params(random);
  Bank bank{.name = "bank", .layers = {random_kernel(random, c_i, params)}};
  const std::int64_t more = random.chance(2) ? 0 : random.between(1, 2);
  if (more == 0) return bank;
  bank.combine = static_cast<Combine>(random.between(0, 6));
  for (std::int64_t i = 0; i < more; ++i) {
    Layer other = bank.layers.front();
    for (float& weight : other.weights) weight = static_cast<float>(random.between(-4, 4));
    bank.layers.push_back(std::move(other));
  }
  return bank;
}

FilterSpec random_spec(Random& random, std::int64_t channels) {
  FilterSpec spec;
  const std::int64_t layers = random.chance(3) ? random.between(2, 5) : 1;
  std::vector<std::int64_t> given;  // channels, by each bank
  spec.network.name = "random";
  std::vector<Bank>& banks = spec.network.banks;
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::int64_t before = i == 0 ? channels : given.back();
    if (i > 1 && random.chance(2)) {  // a residual block, where that has a chance to fit
      const auto earlier = static_cast<std::size_t>(random.between(0, i - 2));
      if (given[earlier] == before) {
        banks.push_back({.name = "layer" + std::to_string(i), .layers = {random_sum(random, banks[earlier].name)}});
        given.push_back(before);
        continue;
      }
    }
    const bool is_branch = i > 1 && random.chance(4);
    const auto source = static_cast<std::size_t>(is_branch ? random.between(0, i - 1) : i - 1);
    const std::int64_t c_i = i == 0 ? channels : given[source];
    banks.push_back(random_bank(random, c_i));
    Bank& bank = banks.back();
    bank.name = "layer" + std::to_string(i);
    if (is_branch)
      for (Layer& layer : bank.layers) layer.from = banks[source].name;
    const Layer& first = bank.layers.front();
    const std::int64_t outputs = first.rank == 2 ? c_i : first.rank == 3 ? 1 : first.output_channels();
    given.push_back(bank.combine == Combine::none ? outputs * std::ssize(bank.layers) : outputs);
  }
  spec.flip = random.chance(3);
  spec.max_pixels = std::int64_t{1} << 30;
  if (random.chance(2)) spec.map = static_cast<OutputMap>(random.between(0, 5));
  if (spec.map == OutputMap::normalize && random.chance(2)) spec.percentiles = {{5, 95}};
  if ((spec.map == OutputMap::clip || spec.map == OutputMap::abs) && random.chance(2))
    spec.threshold = static_cast<double>(random.between(-5, 90));
  if (random.chance(3)) spec.depth = static_cast<DType>(random.between(0, 2));
  return spec;
}

/// The result of apply, decoded from the bytes that it writes; nothing where it refuses the job.
std::optional<Source> applied(Source source, const FilterSpec& spec, const char* format) {
  if (spec.grey) source.make_grey();
  const Destination destination{.path = "out", .format = find_file_format(format)};
  std::optional<Job> job;
  try {
    job.emplace(plan_job(source.traits(spec.alpha), destination, spec));
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::shape);
    return std::nullopt;
  }
  Surveys surveys;
  Outcome outcome = run_job(
      *job, std::move(source), std::nullopt, spec, false, [](const std::string&) {}, surveys);
  PictureDecoder decoder(Isolation::never);
  return read_source({.bytes = std::move(outcome.bytes), .file = std::nullopt}, "out", spec.max_pixels, decoder);
}

double element(const ConstTensorRef& ref, const Pixel& at) {
  return visit_dtype(ref.dtype,
                     [&]<class T>(T) { return static_cast<double>(ref.view<T>().at(0, at.channel, at.y, at.x)); });
}

double activated_by(const json& part, double response) {
  if (part["activation"] == "relu") return std::max(response, 0.0);
  return part["activation"] == "abs" ? std::fabs(response) : response;
}

/// What a reader computes from the terms of a layer without a max pool: sum / divisor + bias, activated. What a pool
/// does not count has no product. Two addends are floats, and so is their sum.
double response_of(const json& part) {
  double sum = 0;
  for (const json& term : part["terms"])
    if (!term["product"].is_null()) sum += term["product"].get<double>();
  if (part.contains("add")) {
    REQUIRE(part["terms"].size() == 2);
    sum = static_cast<double>(part["terms"][0]["input"].get<float>() + part["terms"][1]["input"].get<float>());
    CHECK(static_cast<float>(part["sum"].get<double>()) == static_cast<float>(sum));
  } else {
    CHECK(part["sum"].get<double>() == sum + 0.0);
  }
  return activated_by(part, sum / part["divisor"].get<double>() + part["bias"].get<double>());
}

double response_of_layer(const json& layer) {
  if (!layer.contains("parts")) return response_of(layer);
  std::vector<double> parts;
  for (const json& part : layer["parts"]) parts.push_back(response_of(part));
  const std::string combine = layer["combine"];
  double result = combine == "max" || combine == "min" ? parts.front() : 0;
  for (const double part : parts) {
    if (combine == "magnitude")
      result += part * part;
    else if (combine == "l1")
      result += std::fabs(part);
    else if (combine == "max")
      result = std::max(result, part);
    else if (combine == "min")
      result = std::min(result, part);
    else
      result += part;
  }
  if (combine == "magnitude") return std::sqrt(result);
  return combine == "mean" ? result / static_cast<double>(parts.size()) : result;
}

/// The sum of the absolute values that were added up for a response, which bounds the rounding of any algorithm.
double magnitude_of(const json& layer) {
  double total = 0;
  const auto add = [&](const json& part) {
    double sum = 0;
    for (const json& term : part["terms"])
      if (!term["product"].is_null()) sum += std::fabs(term["product"].get<double>());
    total += sum / part["divisor"].get<double>() + std::fabs(part["bias"].get<double>());
  };
  if (!layer.contains("parts")) add(layer);
  if (layer.contains("parts"))
    for (const json& part : layer["parts"]) add(part);
  return total;
}

/// The numbers of a layer add up to its response, within the rounding of the engine.
void check_arithmetic(const json& layer) {
  if (layer.value("pool", "") == "max") {
    double largest = -std::numeric_limits<double>::infinity();
    for (const json& term : layer["terms"])
      if (!term["input"].is_null()) largest = std::max(largest, term["input"].get<double>());
    CHECK(layer["response"].get<double>() == activated_by(layer, largest));
    return;
  }
  // src/conv/README.md, Exactness: (taps + 1) * 2^-24 * sum |x| |w| for all algorithms that are chosen for small
  // kernels, and 4 * 2^-24 of the same for the epilogue.
  const auto taps = static_cast<double>((layer.contains("parts") ? layer["parts"][0] : layer)["terms"].size());
  CHECK(std::fabs(response_of_layer(layer) - layer["response"].get<double>()) <=
        (taps + 5) * 0x1p-24 * magnitude_of(layer));
}

/// What a layer is, by its JSON. "no input" is an output of a transposed convolution that no input reaches.
std::string kind_of(const json& layer) {
  if (layer.contains("transposed")) return layer["terms"].empty() ? "no input" : "transposed";
  if (layer.contains("upsample")) return layer["upsample"];
  if (layer.contains("add")) return "sum";
  if (!layer.contains("pool")) return "kernel";
  const auto is_ignored = [](const json& term) { return term["input"].is_null(); };
  if (layer["pool"] == "max") return "max pool";
  return std::any_of(layer["terms"].begin(), layer["terms"].end(), is_ignored) ? "unequal mean pool" : "mean pool";
}

}  // namespace

TEST_CASE("explain names the values that apply stores, on 1000 random problems") {
  Random random(19);
  std::map<std::string, int> kinds;
  int problems = 0, floats_seen = 0, networks = 0, banks = 0, branches = 0, tensors_of_pictures = 0, clipped = 0;
  for (int attempt = 0; problems < 1000; ++attempt) {
    REQUIRE(attempt < 10000);
    const std::uint64_t seed = random.seed();
    CAPTURE(seed);
    const auto source = [&] {
      Random own(seed);
      return random_source(own);
    };
    const Source input = source();
    constexpr AlphaRule kRules[] = {AlphaRule::keep, AlphaRule::drop, AlphaRule::filter};
    const AlphaRule alpha = random.pick(kRules);
    const bool grey = !input.is_tensor() && random.chance(3);
    const std::int64_t colours = grey ? 1 : input.filtered_part(AlphaRule::keep).shape.c;
    FilterSpec spec = random_spec(random, colours + (alpha == AlphaRule::filter && input.has_alpha() ? 1 : 0));
    spec.alpha = alpha;
    spec.grey = grey;

    const bool is_picture = !input.is_tensor();
    // Float pictures stay floats by default, but for the colours of signs and for masks.
    const bool is_png = spec.map == OutputMap::signs || spec.threshold;
    const DType depth = spec.depth.value_or(input.dtype() == DType::f32 && is_png ? DType::u8 : input.dtype());
    const char* const first = !is_picture ? "npy" : depth == DType::f32 ? "tiff" : "png";
    std::optional<Source> stored = applied(source(), spec, first);
    const bool is_refused = !stored && is_picture;
    if (is_refused) stored = applied(source(), spec, "npy");
    std::optional<TracedRun> run;
    try {
      run.emplace(trace_run({.name = "input", .source = source(), .shape = {}}, spec));
    } catch (const Error& error) {
      CAPTURE(error.what());
      CHECK(!stored);
      continue;
    }
    REQUIRE(stored);
    ++problems;
    const ConstTensorRef expected =
        stored->is_tensor() ? std::as_const(stored->tensor().tensor).ref() : ConstTensorRef(stored->image().all());
    const Trace& trace = run->trace;
    REQUIRE(trace.output().h == expected.shape.h);
    REQUIRE(trace.output().w == expected.shape.w);
    REQUIRE(trace.numbers->stored.dtype == expected.dtype);
    floats_seen += expected.dtype == DType::f32 ? 1 : 0;
    networks += trace.banks.size() > 1 ? 1 : 0;
    banks += trace.network.banks.back().combine != Combine::none ? 1 : 0;
    tensors_of_pictures += is_refused ? 1 : 0;

    const Explainer explainer(trace);
    for (int i = 0; i < 6; ++i) {
      const Pixel at{random.between(0, trace.output().c - 1), random.between(0, trace.output().h - 1),
                     random.between(0, trace.output().w - 1)};
      const json object = json::parse(to_json(explainer.at(at)));
      CAPTURE(object.dump());
      const double value = object["stored"].get<double>();
      CHECK(static_cast<float>(value) == static_cast<float>(element(expected, at)));
      if (expected.dtype != DType::f32) {
        const double most = full_range(expected.dtype), mapped = object["mapped"].get<double>();
        // A float sum may round to the other side of a tie.
        if (!spec.threshold) CHECK(std::fabs(std::nearbyint(std::clamp(mapped, 0.0, most)) - value) <= 1);
        CHECK(object["clipped"] == (mapped < -0.5 ? "low" : mapped >= most + 0.5 ? "high" : "no"));
        if (object["clipped"] != "no") ++clipped;
      }
      const json layers = object.contains("layers") ? object["layers"] : json::array({object});
      for (const json& layer : layers) {
        check_arithmetic(layer);
        ++kinds[kind_of(layer)];
        branches += layer.contains("reads") && layer["reads"][0] != layer["layer"].get<int>() - 1 ? 1 : 0;
      }
      CHECK(!to_text(explainer.at(at), false).empty());
    }
  }
  CHECK(floats_seen > 100);
  CHECK(networks > 50);
  CHECK(banks > 50);
  CHECK(branches > 20);
  for (const char* const kind :
       {"max pool", "mean pool", "unequal mean pool", "nearest", "bilinear", "transposed", "no input", "sum"}) {
    CAPTURE(kind);
    CHECK(kinds[kind] > 50);
  }
  CHECK(tensors_of_pictures > 10);
  CHECK(clipped > 100);
}

}  // namespace convtool
