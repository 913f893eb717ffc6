#include "kernels/generated.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>

#include "core/suggest.h"
#include "core/text.h"
#include "kernels/generator_formulas.h"

namespace convtool {
namespace {

constexpr double kLargestAngle = 360;

/// The param=value pairs after the colon of "NAME:param=value,...", checked against the parameters of the generator.
class Arguments {
 public:
  Arguments(const std::string& text, const Generator& generator) : text_(text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return;
    std::string_view rest = std::string_view(text).substr(colon + 1);
    for (bool more = true; more;) {
      const std::size_t comma = rest.find(',');
      more = comma != std::string_view::npos;
      add(rest.substr(0, comma), generator);
      if (more) rest.remove_prefix(comma + 1);
    }
  }

  double number(std::string_view name, double fallback, double least, double most) const {
    const std::string_view* value = find(name);
    if (value == nullptr) return fallback;
    const auto parsed = parse_number<double>(*value);
    if (!parsed || !(*parsed >= least && *parsed <= most)) {
      refuse(name, *value, "a number from " + to_text(least) + " to " + to_text(most));
    }
    return *parsed;
  }

  /// The parameter "size": N or HxW.
  Extent size(const Extent& fallback) const {
    const std::string_view* value = find("size");
    if (value == nullptr) {
      if (std::max(fallback.h, fallback.w) > kMaxGeneratedSize) {
        fail("its size would be " + std::to_string(fallback.h) + "x" + std::to_string(fallback.w) +
             " (expected at most " + std::to_string(kMaxGeneratedSize) +
             " each way); choose a smaller one with size=N");
      }
      return fallback;
    }
    const std::size_t x = value->find('x');
    const auto h = parse_number<std::int64_t>(value->substr(0, x));
    const auto w = x == std::string_view::npos ? h : parse_number<std::int64_t>(value->substr(x + 1));
    if (!h || !w || std::min(*h, *w) < 1 || std::max(*h, *w) > kMaxGeneratedSize) {
      refuse("size", *value, "N or HxW, each from 1 to " + std::to_string(kMaxGeneratedSize));
    }
    return {*h, *w};
  }

  [[noreturn]] void fail(const std::string& message) const { refuse_kernel(text_, message); }

 private:
  struct Pair {
    std::string_view name, value;
  };

  void add(std::string_view item, const Generator& generator) {
    std::vector<std::string_view> known;
    std::string list;
    for (const GeneratorParameter& parameter : generator.parameters) {
      known.push_back(parameter.name);
      list += (list.empty() ? "" : ", ") + std::string(parameter.name);
    }
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      fail("'" + std::string(item) + "' is not of the form param=value (the parameters of " +
           std::string(generator.name) + " are " + list + ")");
    }
    const Pair pair{item.substr(0, equals), item.substr(equals + 1)};
    if (std::find(known.begin(), known.end(), pair.name) == known.end()) {
      fail("unknown parameter '" + std::string(pair.name) + "' (expected " + list + ")" + suggestion(pair.name, known));
    }
    if (find(pair.name) != nullptr) fail(std::string(pair.name) + " is given twice; keep one");
    pairs_.push_back(pair);
  }

  const std::string_view* find(std::string_view name) const {
    for (const Pair& pair : pairs_) {
      if (pair.name == name) return &pair.value;
    }
    return nullptr;
  }

  [[noreturn]] void refuse(std::string_view name, std::string_view value, const std::string& expected) const {
    fail(std::string(name) + " cannot be '" + std::string(value) + "' (expected " + expected + ")");
  }

  const std::string& text_;
  std::vector<Pair> pairs_;  // views of text_
};

/// The smallest odd square that extends `reach` pixels to each side of the centre.
Extent square(double reach) {
  const std::int64_t side = 2 * static_cast<std::int64_t>(std::ceil(reach)) + 1;
  return {side, side};
}

double sigma_of(const Arguments& arguments, double fallback) {
  return arguments.number("sigma", fallback, kSmallestSigma, kLargestSigma);
}

SampledKernel gaussian(const Arguments& arguments) {
  const double sigma = sigma_of(arguments, 1);
  return sample_gaussian(sigma, arguments.size(square(3 * sigma)));
}

SampledKernel box(const Arguments& arguments) { return sample_box(arguments.size({3, 3})); }

/// Below it, samples at the centres of pixels do not represent the operator: its second moments, 2 by definition, are
/// off by 1 % at 0.75, by 4 % at 0.7 and by 150 % at 0.5.
constexpr double kSmallestLogSigma = 0.75;

SampledKernel log(const Arguments& arguments) {
  const double sigma = sigma_of(arguments, 1.4);
  if (sigma < kSmallestLogSigma)
    arguments.fail(
        "samples at the centres of pixels do not represent the Laplacian of so narrow a Gaussian (expected "
        "a sigma of at least " +
        to_text(kSmallestLogSigma) + "); use laplacian-8 for the finest scale");
  // At 4 sigma the operator has fallen to 2% of its trough at 2 sigma. At 3 sigma, enough for a Gaussian, it is at 29%.
  return sample_log(sigma, arguments.size(square(4 * sigma)));
}

SampledKernel dog(const Arguments& arguments) {
  const double sigma = sigma_of(arguments, 1);
  const double ratio = arguments.number("ratio", 1.6, 1.01, 100);
  return sample_dog(sigma, ratio, arguments.size(square(3 * ratio * sigma)));
}

SampledKernel gabor(const Arguments& arguments) {
  GaborShape shape{};
  shape.lambda = arguments.number("lambda", 4, 2, 1000);
  // One octave of bandwidth (Petkov and Kruizinga, 1997).
  shape.sigma = sigma_of(arguments, 0.56 * shape.lambda);
  shape.theta = arguments.number("theta", 0, -kLargestAngle, kLargestAngle);
  shape.gamma = arguments.number("gamma", 0.5, 0.1, 10);
  shape.psi = arguments.number("psi", 0, -kLargestAngle, kLargestAngle);
  return sample_gabor(shape, arguments.size(gabor_extent(shape)));
}

SampledKernel disk(const Arguments& arguments) {
  return sample_disk(arguments.number("radius", 2, 0.1, static_cast<double>(kMaxGeneratedSize) / 2));
}

SampledKernel motion(const Arguments& arguments) {
  const double length = arguments.number("length", 9, 1, static_cast<double>(kMaxGeneratedSize));
  return sample_motion(length, arguments.number("angle", 0, -kLargestAngle, kLargestAngle));
}

struct Recipe {
  Generator generator;
  SampledKernel (*make)(const Arguments&);
};

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {{"gaussian",
        "Blurs: a sampled Gaussian, divided by its sum",
        "the normal distribution; Gauss, Theoria motus corporum coelestium, 1809",
        {{"sigma", "standard deviation in pixels, 0.1 to 1000; default 1"},
         {"size", "N or HxW pixels; default 2*ceil(3*sigma)+1"}}},
       gaussian},
      {{"box", "Blurs: the mean of a rectangle", "the arithmetic mean", {{"size", "N or HxW pixels; default 3"}}}, box},
      {{"log",
        "Finds spots and edges after a blur: the sampled Laplacian of a Gaussian, negated so that bright spots give "
        "positive responses, and shifted so that the weights sum to 0",
        "Marr and Hildreth, Theory of edge detection, 1980",
        {{"sigma", "standard deviation of the Gaussian in pixels, 0.75 to 1000; default 1.4"},
         {"size", "N or HxW pixels; default 2*ceil(4*sigma)+1"}}},
       log},
      {{"dog",
        "Finds spots and edges after a blur: a narrow Gaussian minus a wide one, each with sum 1",
        "Marr and Hildreth, Theory of edge detection, 1980",
        {{"sigma", "standard deviation of the narrow Gaussian in pixels, 0.1 to 1000; default 1"},
         {"ratio",
          "standard deviation of the wide Gaussian over that of the narrow one, 1.01 to 100; default 1.6, the "
          "compromise of "
          "Marr and Hildreth"},
         {"size", "N or HxW pixels; default 2*ceil(3*ratio*sigma)+1"}}},
       dog},
      {{"gabor",
        "Finds stripes of one width and direction: a Gaussian times a wave along theta, divided by the sum of the "
        "absolute "
        "weights",
        "Daugman, Uncertainty relation for resolution in space, spatial frequency, and orientation, 1985",
        {{"lambda", "wavelength in pixels, 2 to 1000; default 4"},
         {"theta", "direction of the wave in degrees, counter-clockwise from the right, -360 to 360; default 0"},
         {"sigma", "standard deviation of the Gaussian along theta in pixels, 0.1 to 1000; default 0.56*lambda"},
         {"gamma", "standard deviation along theta over that across it, 0.1 to 10; default 0.5"},
         {"psi",
          "phase in degrees, -360 to 360: 0 for bright lines, -90 for edges that get brighter along theta; default 0"},
         {"size", "N or HxW pixels; default: the smallest odd size that contains 3 standard deviations"}}},
       gabor},
      {{"disk",
        "Blurs like a lens out of focus: each weight is the area of its pixel inside a circle",
        "the blur circle of geometrical optics",
        {{"radius", "pixels, fractions allowed, 0.1 to 511.5; default 2"}}},
       disk},
      {{"motion",
        "Blurs like a camera that moves along a line: each weight is the length of the line inside its pixel",
        "uniform motion, with exposure proportional to time",
        {{"length", "pixels, fractions allowed, 1 to 1023; default 9"},
         {"angle", "degrees counter-clockwise from the right, -360 to 360; default 0"}}},
       motion},
  };
  return all;
}

const Recipe& find_recipe(const std::string& text) {
  const std::string_view name = std::string_view(text).substr(0, text.find(':'));
  std::vector<std::string_view> known;
  std::string list;
  for (const Recipe& recipe : recipes()) {
    if (recipe.generator.name == name) return recipe;
    known.push_back(recipe.generator.name);
    list += (list.empty() ? "" : ", ") + std::string(recipe.generator.name);
  }
  refuse_kernel(text, "no kernel with parameters is called '" + std::string(name) + "' (expected " + list + ")" +
                          suggestion(name, known));
}

}  // namespace

std::span<const Generator> generators() {
  static const std::vector<Generator> all = [] {
    std::vector<Generator> list;
    for (const Recipe& recipe : recipes()) list.push_back(recipe.generator);
    return list;
  }();
  return all;
}

Network generate_kernel(const std::string& text) {
  const Recipe& recipe = find_recipe(text);
  const Arguments arguments(text, recipe.generator);
  const SampledKernel samples = recipe.make(arguments);

  Layer layer;
  layer.name = text;
  layer.description = std::string(recipe.generator.description) + "; " + std::string(recipe.generator.origin);
  layer.shape.kh = samples.size.h;
  layer.shape.kw = samples.size.w;
  for (const double weight : samples.weights) layer.weights.push_back(static_cast<float>(weight));
  if (std::all_of(layer.weights.begin(), layer.weights.end(), [](float weight) { return weight == 0; }))
    arguments.fail("every weight is 0 at this size; choose another");
  if (samples.divisor != 1) layer.divisor = {samples.divisor};
  layer.params.padding.rule = Padding::Rule::same;
  layer.params.padding_mode = PaddingMode::replicate;

  Bank bank;
  bank.name = layer.name;
  bank.description = layer.description;
  bank.layers.push_back(layer);
  Network network;
  network.name = bank.name;
  network.description = bank.description;
  network.banks.push_back(std::move(bank));
  return network;
}

}  // namespace convtool
