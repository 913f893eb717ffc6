// Compares generated kernels with independently computed values, closed forms and symmetries; tests refused parameters.
//
// The tables come from NumPy 1.24 and SciPy 1.10: ndimage.gaussian_filter of a unit impulse (gaussian, dog), the
// formula evaluated with complex numbers (gabor), -(r^2 - 2 s^2)/s^4 times the normal density (log), and
// integrate.quad over the circle's height in each pixel column (disk).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "kernels/divided.h"
#include "kernels/generated.h"

namespace convtool {
namespace {

using doctest::Contains;

Layer generated(const std::string& text) {
  const Network network = generate_kernel(text);
  REQUIRE(network.banks.size() == 1);
  return divided(network.banks.front().layers.front());
}

/// The weight at (row, column) relative to the centre of a kernel of odd size.
double from_centre(const Layer& layer, std::int64_t down, std::int64_t right) {
  const std::int64_t row = layer.shape.kh / 2 + down, column = layer.shape.kw / 2 + right;
  return static_cast<double>(layer.weights.at(static_cast<std::size_t>(row * layer.shape.kw + column)));
}

double sum_of(const Layer& layer) {
  double sum = 0;
  for (const float weight : layer.weights) sum += static_cast<double>(weight);
  return sum;
}

/// Compares weights. `actual` was rounded to float, `expected` to nine decimals.
void check_close(double actual, double expected) {
  CAPTURE(actual);
  CAPTURE(expected);
  CHECK(std::fabs(actual - expected) <= 0.5e-9 + 0x1p-24 * std::fabs(actual));
}

void check_from_centre(const std::string& text, const std::vector<double>& to_the_right,
                       const std::vector<double>& to_lower_right) {
  CAPTURE(text);
  const Layer layer = generated(text);
  REQUIRE(layer.shape.kw == 2 * static_cast<std::int64_t>(to_the_right.size()) - 1);
  REQUIRE(layer.shape.kh == layer.shape.kw);
  for (std::size_t i = 0; i < to_the_right.size(); ++i) {
    CAPTURE(i);
    const auto k = static_cast<std::int64_t>(i);
    check_close(from_centre(layer, 0, k), to_the_right[i]);
    check_close(from_centre(layer, k, k), to_lower_right[i]);
  }
}

const std::vector<std::string> kSamples = {"gaussian",
                                           "gaussian:sigma=0.1",
                                           "gaussian:sigma=1000,size=9",
                                           "gaussian:size=4",
                                           "box:size=3x5",
                                           "log:sigma=0.75",
                                           "log:sigma=1000,size=1023",
                                           "log:sigma=2,size=6",
                                           "dog",
                                           "dog:ratio=1.01",
                                           "dog:sigma=0.1,size=2x3",
                                           "gabor",
                                           "gabor:theta=30",
                                           "gabor:psi=-90",
                                           "gabor:theta=-45,psi=10",
                                           "disk",
                                           "disk:radius=0.1",
                                           "disk:radius=3.7",
                                           "disk:radius=100.25",
                                           "disk:radius=511.5",
                                           "motion:angle=-60",
                                           "motion:length=1",
                                           "motion:length=20.5,angle=1",
                                           "motion:angle=45",
                                           "log",
                                           "motion:length=10,angle=60"};

TEST_CASE("gaussian: SciPy's values") {
  check_from_centre(
      "gaussian:sigma=1.4", {0.081211361, 0.062925602, 0.029272455, 0.008175458, 0.001370838, 0.000138001},
      {8.121136079e-02, 4.875711165e-02, 1.055119182e-02, 8.230143962e-04, 2.313959273e-05, 2.345018942e-07});
}

TEST_CASE("log: the response to a parabola is its Laplacian within 1 %, for the smallest sigma and larger ones") {
  for (const char* name : {"log:sigma=0.75", "log:sigma=0.8", "log", "log:sigma=3"}) {
    const Layer layer = generated(name);
    const std::int64_t half = layer.shape.kw / 2;
    double moment = 0;  // of x * x, whose negated Laplacian is -2
    for (std::int64_t y = 0; y < layer.shape.kh; ++y)
      for (std::int64_t x = 0; x < layer.shape.kw; ++x)
        moment += static_cast<double>(layer.weights[static_cast<std::size_t>(y * layer.shape.kw + x)]) *
                  static_cast<double>((x - half) * (x - half));
    CAPTURE(std::string(name));
    CHECK(std::fabs(moment + 2) < 0.0202);  // 1.01 %: kSmallestLogSigma
  }
}

TEST_CASE("log: the formula's values, positive at the centre, zero crossing at sqrt(2) sigma") {
  check_from_centre("log:sigma=1.4",
                    {8.285835832e-02, 4.782362407e-02, -6.098315836e-04, -1.080994983e-02, -4.310426360e-03,
                     -7.574761449e-04, -6.995817487e-05},
                    {8.285835832e-02, 2.436512719e-02, -1.120492849e-02, -3.016413152e-03, -1.694340273e-04,
                     -3.129272444e-06, -3.319419004e-07});
  const Layer layer = generated("log:sigma=5");
  CHECK(from_centre(layer, 0, 7) > 0);
  CHECK(from_centre(layer, 0, 8) < 0);  // sqrt(2) * 5 = 7.07
}

TEST_CASE("dog: SciPy's values, narrow minus wide") {
  check_from_centre(
      "dog:sigma=1,ratio=1.6", {0.096925635, 0.045343920, -0.006951375, -0.008961627, -0.002680775, -0.000470836},
      {9.692563525e-02, 1.644337494e-02, -1.012894749e-02, -1.830387342e-03, -1.201129184e-04, -3.571393197e-06});
}

TEST_CASE("disk: quad's values") {
  check_from_centre("disk:radius=2.6", {0.047087261, 0.047087261, 0.047087261, 0.003949880},
                    {0.047087261, 0.047087261, 0.010202437, 0});
  const Layer layer = generated("disk:radius=2.6");
  check_close(from_centre(layer, 3, 1), 0.000275629);
  check_close(from_centre(layer, -1, 2), 0.041131413);
}

TEST_CASE("disk: a pixel inside has weight 1 / (pi r^2), one outside 0, and the size just contains the circle") {
  const Layer layer = generated("disk:radius=20.5");
  CHECK(layer.shape.kw == 41);
  check_close(from_centre(layer, 0, 0), 1 / (std::numbers::pi * 20.5 * 20.5));
  check_close(from_centre(layer, 13, 13), from_centre(layer, 0, 0));
  CHECK(from_centre(layer, 15, 15) == 0);  // the nearest corner of its pixel is 14.5 * sqrt(2) = 20.506 away
  CHECK(generated("disk:radius=0.5").weights == std::vector<float>{1});
  CHECK(generated("disk:radius=1.5").shape.kw == 3);
  CHECK(generated("disk:radius=1.51").shape.kw == 5);
}

TEST_CASE("gabor: NumPy's values") {
  const Layer layer = generated("gabor:lambda=5,theta=30,sigma=1.5,gamma=0.7,psi=-60,size=5");
  const double expected[] = {-0.016871775, 0.040997234,  0.062699072,  0.011702389, -0.01450723,
                             -0.046323336, 0.005590922,  0.08838355,   0.056654443, -0.0068016,
                             -0.05092711,  -0.048921947, 0.055488903,  0.09134077,  0.021831597,
                             -0.027750218, -0.067150683, -0.010112903, 0.073186913, 0.047545955,
                             -0.004582581, -0.042036529, -0.042891142, 0.02234878,  0.043352419};
  REQUIRE(layer.weights.size() == 25);
  for (std::size_t i = 0; i < 25; ++i) {
    CAPTURE(i);
    check_close(static_cast<double>(layer.weights[i]), expected[i]);
  }
}

TEST_CASE("gabor: with psi -90 the response to a brightness that increases along theta is positive") {
  const Layer right = generated("gabor:psi=-90"), up = generated("gabor:psi=-90,theta=90");
  CHECK(from_centre(right, 0, 0) == 0);
  CHECK(from_centre(right, 0, 1) > 0);
  CHECK(from_centre(up, -1, 0) > 0);
  CHECK(right.shape.kh == up.shape.kw);
  CHECK(right.shape.kh > right.shape.kw);  // with gamma 0.5 it is longer across the wave than along it
}

TEST_CASE("motion: weights are the lengths of a line in each pixel; angles are counter-clockwise") {
  CHECK(generated("motion:length=5").weights == std::vector<float>(5, 0.2F));
  CHECK(generated("motion:length=5").shape == KernelShape{1, 1, 1, 5});
  for (const char* text : {"motion:length=5,angle=90", "motion:length=5,angle=-90", "motion:length=5,angle=270"})
    CHECK(generated(text).shape == KernelShape{1, 1, 5, 1});
  CHECK(generated("motion:length=5,angle=180").weights == generated("motion:length=5").weights);

  const Layer rising = generated("motion:length=5,angle=45");  // rises to the right; row numbers increase downwards
  REQUIRE(rising.shape == KernelShape{1, 1, 5, 5});
  for (std::int64_t k = -1; k <= 1; ++k) check_close(from_centre(rising, -k, k), std::numbers::sqrt2 / 5);
  check_close(from_centre(rising, -2, 2), (1 - 3 * std::numbers::sqrt2 / 5) / 2);
  CHECK(from_centre(rising, 1, 1) == 0);
  CHECK(from_centre(rising, 0, 1) == 0);

  // At 25 degrees the line crosses the centre pixel from its left to its right side, which is 1 / cos 25 long.
  const Layer flat = generated("motion:length=5.5,angle=25");
  REQUIRE(flat.shape == KernelShape{1, 1, 3, 5});
  check_close(from_centre(flat, 0, 0), 1 / std::cos(25 * std::numbers::pi / 180) / 5.5);
  CHECK(from_centre(flat, -1, 2) > 0);
  CHECK(from_centre(flat, 1, 2) == 0);

  // 10 cos 60 = 5, so the line ends on pixel borders.
  CHECK(generated("motion:length=10,angle=60").shape == KernelShape{1, 1, 9, 5});
}

TEST_CASE("box: equal weights, any size") {
  const Layer layer = generated("box:size=3x5");
  CHECK(layer.shape == KernelShape{1, 1, 3, 5});
  CHECK(layer.weights == std::vector<float>(15, static_cast<float>(1.0 / 15)));
  CHECK(generated("box").weights == std::vector<float>(9, static_cast<float>(1.0 / 9)));
}

TEST_CASE("sums are 1 for blurs and 0 for differences, and every weight is finite") {
  for (const std::string& text : kSamples) {
    CAPTURE(text);
    const Layer layer = generated(text);
    CHECK(std::all_of(layer.weights.begin(), layer.weights.end(), [](float w) { return std::isfinite(w); }));
    if (text.starts_with("log") || text.starts_with("dog")) {
      CHECK(sums_to_zero(layer));
    } else if (text.starts_with("gabor")) {
      double magnitude = 0;
      for (const float weight : layer.weights) magnitude += std::fabs(static_cast<double>(weight));
      CHECK(std::fabs(magnitude - 1) <= 0x1p-23);
    } else {
      CHECK(std::all_of(layer.weights.begin(), layer.weights.end(), [](float w) { return w >= 0; }));
      // Rounding to float changes each weight by at most 2^-24 of itself, and the weights sum to 1.
      CHECK(std::fabs(sum_of(layer) - 1) <= 0x1p-23);
    }
  }
}

TEST_CASE("all kernels stay the same when rotated by 180 degrees, except Gabor kernels whose phase is not 0") {
  for (const std::string& text : kSamples) {
    CAPTURE(text);
    const Layer layer = generated(text);
    std::vector<float> backwards(layer.weights.rbegin(), layer.weights.rend());
    if (text.find("psi=-90") != std::string::npos)
      for (float& weight : backwards) weight = -weight;
    CHECK((layer.weights == backwards) == (text.find("psi=10") == std::string::npos));
  }
}

TEST_CASE("round kernels stay the same when transposed") {
  for (const char* text :
       {"gaussian:sigma=2.3", "gaussian:size=4", "log", "dog", "disk:radius=7.3", "disk:radius=32.6"}) {
    CAPTURE(text);
    const Layer layer = generated(text);
    REQUIRE(layer.shape.kh == layer.shape.kw);
    for (std::int64_t i = 0; i < layer.shape.kh; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        const auto at = [&](std::int64_t y, std::int64_t x) {
          return layer.weights[static_cast<std::size_t>(y * layer.shape.kw + x)];
        };
        REQUIRE(at(i, j) == at(j, i));
      }
    }
  }
}

TEST_CASE("a generated kernel is named by its argument, has a description, and keeps the size of the picture") {
  for (const Generator& generator : generators()) {
    const std::string name(generator.name);
    CAPTURE(name);
    const Network network = generate_kernel(name);
    const Layer layer = network.banks.front().layers.front();
    CHECK(network.name == name);
    CHECK(network.banks.front().name == name);
    CHECK(layer.name == name + (network.banks.front().layers.size() > 1 ? "-x" : ""));
    CHECK(network.description == std::string(generator.description) + "; " + std::string(generator.origin));
    CHECK(layer.rank == 2);
    CHECK(layer.params.padding.rule == Padding::Rule::same);
    CHECK(layer.params.padding_mode == PaddingMode::replicate);
  }
  CHECK(generate_kernel("gaussian:sigma=1.4").name == "gaussian:sigma=1.4");
}

TEST_CASE("the documented defaults are the ones used") {
  int checked = 0;
  for (const Generator& generator : generators()) {
    for (const GeneratorParameter& parameter : generator.parameters) {
      const std::string meaning(parameter.meaning), name(generator.name);
      CAPTURE(name);
      CAPTURE(meaning);
      const std::size_t at = meaning.find("default ");
      if (at == std::string::npos) continue;
      const std::string value = meaning.substr(at + 8, meaning.find(',', at) - at - 8);
      if (value.find('*') != std::string::npos) continue;
      CHECK(generated(name + ":" + std::string(parameter.name) + "=" + value).weights == generated(name).weights);
      ++checked;
    }
  }
  CHECK(checked == 21);
}

TEST_CASE("default sizes follow the documented rules") {
  CHECK(generated("gaussian:sigma=1.1").shape.kw == 9);                   // 2 * ceil(3.3) + 1
  CHECK(generated("log:sigma=1.1").shape.kw == 11);                       // 2 * ceil(4.4) + 1
  CHECK(generated("dog:sigma=1,ratio=2").shape.kw == 13);                 // 2 * ceil(6) + 1
  CHECK(generated("gabor:lambda=4").shape == KernelShape{1, 1, 29, 15});  // 3 * 2.24 along, twice that across
  CHECK(generated("gabor:lambda=4").weights == generated("gabor:lambda=4,sigma=2.24").weights);
}

TEST_CASE("wrong parameters are refused with the reason") {
  const std::pair<const char*, const char*> refused[] = {
      {"guassian", "did you mean 'gaussian'?"},
      {"guassian:sigma=1", "did you mean 'gaussian'?"},
      {"roberts:size=3",
       "expected gaussian, binomial, unsharp, sharpen, emboss, sobel, laplacian, box, log, dog, gabor"},
      {"", "no kernel with parameters is called"},
      {"gaussian:", "'' is not of the form param=value"},
      {"gaussian:1.4", "'1.4' is not of the form param=value (the parameters of gaussian are sigma, order, size)"},
      {"gaussian:sigma=1,", "'' is not of the form param=value"},
      {"gaussian:sgima=1", "unknown parameter 'sgima' (expected sigma, order, size); did you mean 'sigma'?"},
      {"gaussian:sigma=1,sigma=1", "sigma is given twice"},
      {"dog:sigma=0", "sigma cannot be '0' (expected a number from 0.1 to 1000)"},
      {"gaussian:sigma=-1", "sigma cannot be '-1'"},
      {"log:sigma=0.74",
       "samples at the centres of pixels do not represent the Laplacian of so narrow a Gaussian (expected a sigma of "
       "at "
       "least 0.75)"},
      {"gaussian:sigma=", "sigma cannot be ''"},
      {"gaussian:sigma=1,4", "'4' is not of the form param=value"},
      {"gaussian:sigma=1.4px", "sigma cannot be '1.4px'"},
      {"gaussian:sigma=nan", "sigma cannot be 'nan'"},
      {"gaussian:sigma=inf", "sigma cannot be 'inf'"},
      {"gaussian:sigma=1e999", "sigma cannot be '1e999'"},
      {"gaussian:sigma=171",
       "its size would be 1027x1027 (expected at most 1023 each way); choose a smaller one with size=N"},
      {"gaussian:size=0", "size cannot be '0' (expected N or HxW, each from 1 to 1023)"},
      {"gaussian:size=1024", "size cannot be '1024'"},
      {"gaussian:size=3.5", "size cannot be '3.5'"},
      {"gaussian:size=3x", "size cannot be '3x'"},
      {"gaussian:size=3x3x3", "size cannot be '3x3x3'"},
      {"gaussian:size=99999999999999999999", "size cannot be"},
      {"log:size=1", "every weight is 0"},
      {"dog:size=2", "every weight is 0"},
      {"gabor:psi=90,size=9x1", "every weight is 0"},
      {"dog:ratio=1", "ratio cannot be '1' (expected a number from 1.01 to 100)"},
      {"gabor:lambda=1.9", "lambda cannot be '1.9' (expected a number from 2 to 1000)"},
      {"gabor:gamma=0", "gamma cannot be '0'"},
      {"gabor:theta=400", "theta cannot be '400' (expected a number from -360 to 360)"},
      {"disk:radius=0", "radius cannot be '0' (expected a number from 0.1 to 511.5)"},
      {"disk:size=3", "unknown parameter 'size' (expected radius)"},
      {"motion:length=0.5", "length cannot be '0.5' (expected a number from 1 to 1023)"},
  };
  for (const auto& entry : refused) {
    const std::string text = entry.first, reason = entry.second;
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(generate_kernel(text), Contains(reason.c_str()), Error);
    try {
      generate_kernel(text);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kernel);
      CHECK(error.where() == text);
    }
  }
}

}  // namespace
}  // namespace convtool
