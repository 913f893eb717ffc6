#include "kernels/generated.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/suggest.h"
#include "core/text.h"
#include "kernels/derivative_formulas.h"
#include "kernels/generator_arguments.h"
#include "kernels/generator_formulas.h"

namespace convtool {
namespace {

constexpr double kLargestAngle = 360, kLargestAmount = 100, kLargestOrder = 4;

/// The smallest odd square that extends `reach` pixels to each side of the centre.
Extent square(double reach) {
  const std::int64_t side = 2 * static_cast<std::int64_t>(std::ceil(reach)) + 1;
  return {side, side};
}

/// Below it, samples at the centres of pixels do not represent the operator: its second moments, 2 by definition, are
/// off by 1 % at 0.75, by 4 % at 0.7 and by 150 % at 0.5.
constexpr double kSmallestDerivedSigma = 0.75;

double sigma_of(const GeneratorArguments& arguments, double fallback) {
  return arguments.number("sigma", fallback, kSmallestSigma, kLargestSigma);
}

std::vector<SampledKernel> gaussian(const GeneratorArguments& arguments) {
  const PerAxis sigma = arguments.per_axis("sigma", {1, 1}, 0, kLargestSigma);
  const PerAxis order = arguments.per_axis("order", {0, 0}, 0, kLargestOrder);
  for (const double one : {sigma.y, sigma.x})
    if (one != 0 && one < kSmallestSigma)
      arguments.fail("sigma cannot be " + to_text(one) + " (expected 0, or " + to_text(kSmallestSigma) + " to " +
                     to_text(kLargestSigma) + ")");
  for (const double one : {order.y, order.x})
    if (one != std::floor(one)) arguments.fail("order cannot be " + to_text(one) + " (expected whole numbers)");
  if ((sigma.y == 0 && order.y > 0) || (sigma.x == 0 && order.x > 0))
    arguments.fail("there is no derivative along an axis with a sigma of 0; choose an order of 0 there");
  for (const PerAxis& one : {PerAxis{sigma.y, order.y}, PerAxis{sigma.x, order.x}})
    if (one.x > 0 && one.y > 0 && one.y < kSmallestDerivedSigma)
      arguments.fail(
          "samples at the centres of pixels do not represent derivatives of so narrow a Gaussian (expected a sigma of "
          "at "
          "least " +
          to_text(kSmallestDerivedSigma) + ")");
  // Derivatives fall off more slowly: at 3 sigma the second one lacks 8 % of its response to a parabola, at 4 sigma 0.4
  // %.
  const auto side = [](double s, double n) {
    return 2 * static_cast<std::int64_t>(std::ceil((n > 0 ? 4 : 3) * s)) + 1;
  };
  const Extent size = arguments.size({side(sigma.y, order.y), side(sigma.x, order.x)});
  if (sigma.y == sigma.x && sigma.y > 0 && order.y == 0 && order.x == 0) return {sample_gaussian(sigma.y, size)};
  const auto taps = [](double s, double n, std::int64_t length) {
    return gaussian_taps(s, static_cast<std::int64_t>(n), length);
  };
  return {product(taps(sigma.y, order.y, size.h), taps(sigma.x, order.x, size.w))};
}

std::vector<SampledKernel> binomial(const GeneratorArguments& arguments) {
  const Extent size = arguments.size({3, 3});
  constexpr std::int64_t kExact = 24;  // whole weights whose sum float represents
  if (size.h + size.w - 2 > kExact) return {product(binomial_taps(size.h), binomial_taps(size.w))};
  SampledKernel kernel = product(derivative_taps(size.h, 0), derivative_taps(size.w, 0));
  kernel.divisor = std::ldexp(1.0, static_cast<int>(size.h + size.w - 2));
  return {kernel};
}

/// One derivative, or the horizontal and the vertical one.
std::vector<SampledKernel> sobel(const GeneratorArguments& arguments) {
  const std::int64_t size = arguments.table_size(3);
  const auto derivative = [&](std::int64_t y, std::int64_t x) {
    // As OpenCV has it: a size of 1 takes no mean across, and three pixels along.
    const auto taps = [&](std::int64_t order) { return derivative_taps(size == 1 && order > 0 ? 3 : size, order); };
    return product(taps(y), taps(x));
  };
  if (!arguments.has("dx") && !arguments.has("dy")) {
    if (size == 1)
      arguments.fail("a gradient of size 1 has kernels of 1x3 and 3x1, which cannot be combined; give dx or dy");
    return {derivative(0, 1), derivative(1, 0)};
  }
  const std::int64_t most = std::max<std::int64_t>(size, 3) - 1;
  const std::int64_t dx = arguments.integer("dx", 0, 0, most), dy = arguments.integer("dy", 0, 0, most);
  if (dx + dy == 0) arguments.fail("dx and dy are both 0; give the order of a derivative, such as dx=1");
  return {derivative(dy, dx)};
}

std::vector<SampledKernel> laplacian(const GeneratorArguments& arguments) {
  const std::int64_t size = arguments.table_size(1);
  const std::vector<double> second = derivative_taps(std::max<std::int64_t>(size, 3), 2);
  const std::vector<double> mean = size == 1 ? std::vector<double>{0, 1, 0} : derivative_taps(size, 0);
  SampledKernel sum = product(second, mean);
  const SampledKernel across = product(mean, second);
  for (std::size_t i = 0; i < sum.weights.size(); ++i) sum.weights[i] += across.weights[i];
  return {sum};
}

double amount_of(const GeneratorArguments& arguments) { return arguments.number("amount", 1, 0, kLargestAmount); }

std::vector<SampledKernel> unsharp(const GeneratorArguments& arguments) {
  const double sigma = sigma_of(arguments, 1);
  const Extent size = square(3 * sigma);
  if (size.h > kMaxGeneratedSize)
    arguments.fail("its size would be " + std::to_string(size.h) + "x" + std::to_string(size.w) +
                   " (expected at most " + std::to_string(kMaxGeneratedSize) + " each way); choose a smaller sigma");
  return {sample_unsharp(sigma, amount_of(arguments), size)};
}

std::vector<SampledKernel> sharpen(const GeneratorArguments& arguments) {
  return {sample_sharpen(amount_of(arguments))};
}

std::vector<SampledKernel> emboss(const GeneratorArguments& arguments) {
  return {sample_emboss(arguments.number("angle", 135, -kLargestAngle, kLargestAngle), amount_of(arguments))};
}

std::vector<SampledKernel> box(const GeneratorArguments& arguments) { return {sample_box(arguments.size({3, 3}))}; }

std::vector<SampledKernel> log(const GeneratorArguments& arguments) {
  const double sigma = sigma_of(arguments, 1.4);
  if (sigma < kSmallestDerivedSigma)
    arguments.fail(
        "samples at the centres of pixels do not represent the Laplacian of so narrow a Gaussian (expected "
        "a sigma of at least " +
        to_text(kSmallestDerivedSigma) + "); use laplacian-8 for the finest scale");
  // At 4 sigma the operator has fallen to 2% of its trough at 2 sigma. At 3 sigma, enough for a Gaussian, it is at 29%.
  return {sample_log(sigma, arguments.size(square(4 * sigma)))};
}

std::vector<SampledKernel> dog(const GeneratorArguments& arguments) {
  const double sigma = sigma_of(arguments, 1);
  const double ratio = arguments.number("ratio", 1.6, 1.01, 100);
  return {sample_dog(sigma, ratio, arguments.size(square(3 * ratio * sigma)))};
}

std::vector<SampledKernel> gabor(const GeneratorArguments& arguments) {
  GaborShape shape{};
  shape.lambda = arguments.number("lambda", 4, 2, 1000);
  // One octave of bandwidth (Petkov and Kruizinga, 1997).
  shape.sigma = sigma_of(arguments, 0.56 * shape.lambda);
  shape.theta = arguments.number("theta", 0, -kLargestAngle, kLargestAngle);
  shape.gamma = arguments.number("gamma", 0.5, 0.1, 10);
  shape.psi = arguments.number("psi", 0, -kLargestAngle, kLargestAngle);
  return {sample_gabor(shape, arguments.size(gabor_extent(shape)))};
}

std::vector<SampledKernel> disk(const GeneratorArguments& arguments) {
  return {sample_disk(arguments.number("radius", 2, 0.1, static_cast<double>(kMaxGeneratedSize) / 2))};
}

std::vector<SampledKernel> motion(const GeneratorArguments& arguments) {
  const double length = arguments.number("length", 9, 1, static_cast<double>(kMaxGeneratedSize));
  return {sample_motion(length, arguments.number("angle", 0, -kLargestAngle, kLargestAngle))};
}

struct Recipe {
  Generator generator;
  /// One kernel, or two whose responses are the parts of a gradient.
  std::vector<SampledKernel> (*make)(const GeneratorArguments&);
};

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {{"gaussian",
        "Blurs, or with an order takes a derivative of the blurred picture: a sampled Gaussian, divided by its sum, or "
        "its derivative",
        "the normal distribution; Gauss, Theoria motus corporum coelestium, 1809",
        {{"sigma", "standard deviation in pixels, 0.1 to 1000, or YxX for rows and columns; 0: none; default 1"},
         {"order", "of the derivative, 0 to 4, or YxX such as 0x1 for the horizontal gradient; default 0"},
         {"size", "N or HxW pixels; default 2*ceil(3*sigma)+1, of derivatives 2*ceil(4*sigma)+1"}}},
       gaussian},
      {{"binomial",
        "Blurs: the binomial coefficients of both directions, divided by their sum",
        "Pascal's triangle",
        {{"size", "N or HxW pixels; default 3"}}},
       binomial},
      {{"unsharp",
        "Sharpens, or with a wide sigma raises the local contrast: the picture plus its difference from a Gaussian "
        "blur",
        "unsharp masking, known from darkrooms; Gonzalez and Woods, Digital Image Processing",
        {{"sigma", "standard deviation of the blur in pixels, 0.1 to 170; default 1"},
         {"amount", "weight of the difference, 0 to 100; default 1"}}},
       unsharp},
      {{"sharpen",
        "Sharpens: the picture minus its Laplacian (laplacian-4)",
        "Gonzalez and Woods, Digital Image Processing",
        {{"amount", "weight of the Laplacian, 0 to 100; default 1"}}},
       sharpen},
      {{"emboss",
        "Makes the picture look raised: its gradient towards the light is added",
        "a common emboss mask",
        {{"angle",
          "where the light comes from, in degrees counter-clockwise from the right; default 135, the upper left"},
         {"amount", "weight of the gradient, 0 to 100; default 1"}}},
       emboss},
      {{"sobel",
        "Derivatives of 3x3 pixels and more; without dx and dy the gradient magnitude",
        "Sobel and Feldman, 1968; larger sizes as OpenCV has them: binomial coefficients and their differences",
        {{"size", "3, 5 or 7 pixels, with dx or dy also 1; default 3"},
         {"dx", "order of the horizontal derivative, below the size; 0 where only dy is given"},
         {"dy", "order of the vertical derivative, below the size; 0 where only dx is given"}}},
       sobel},
      {{"laplacian",
        "Second derivative, negative on bright spots: the sum of the horizontal and the vertical one",
        "the sizes of OpenCV's Laplacian(): 1 is laplacian-4, larger ones add Sobel derivatives",
        {{"size", "1, 3, 5 or 7; default 1"}}},
       laplacian},
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
  const GeneratorArguments arguments(text, recipe.generator);
  const std::vector<SampledKernel> kernels = recipe.make(arguments);

  Bank bank{.name = text,
            .description = std::string(recipe.generator.description) + "; " + std::string(recipe.generator.origin)};
  if (kernels.size() > 1) bank.combine = Combine::magnitude;
  for (const SampledKernel& samples : kernels) {
    Layer layer{.name = bank.name, .description = bank.description};
    if (kernels.size() > 1) layer.name += bank.layers.empty() ? "-x" : "-y";
    layer.shape.kh = samples.size.h;
    layer.shape.kw = samples.size.w;
    for (const double weight : samples.weights) layer.weights.push_back(static_cast<float>(weight) + 0.0F);  // no -0
    if (std::all_of(layer.weights.begin(), layer.weights.end(), [](float weight) { return weight == 0; }))
      arguments.fail("every weight is 0 at this size; choose another");
    if (samples.divisor != 1) layer.divisor = {samples.divisor};
    layer.params.padding.rule = Padding::Rule::same;
    layer.params.padding_mode = PaddingMode::replicate;
    bank.layers.push_back(std::move(layer));
  }
  return {.name = bank.name, .description = bank.description, .banks = {bank}};
}

}  // namespace convtool
