// The kernels in kernels/*.json: complete, valid, and with the coefficients from the literature.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "kernels/divided.h"
#include "kernels/files/kernel_json.h"
#include "kernels/shipped.h"

namespace convtool {
namespace {

Bank shipped_bank(const std::string& name) {
  const ShippedKernel* kernel = find_shipped_kernel(name);
  REQUIRE(kernel != nullptr);
  Network network = parse_kernel_json(kernel->json, name + ".json", "no name");
  REQUIRE(network.banks.size() == 1);
  Bank bank = network.banks.front();
  for (Layer& layer : bank.layers) layer = divided(layer);
  return bank;
}

Layer shipped_layer(const std::string& name) {
  const Bank bank = shipped_bank(name);
  REQUIRE(bank.layers.size() == 1);
  return bank.layers.front();
}

float weight_at(const Layer& layer, std::int64_t row, std::int64_t column) {
  return layer.weights.at(static_cast<std::size_t>(row * layer.shape.kw + column));
}

/// The response of a rank-2 kernel to brightness(x, y) around its centre, x to the right, y down.
template <class Brightness>
double response(const Layer& layer, Brightness&& brightness) {
  double sum = 0;
  for (std::int64_t row = 0; row < layer.shape.kh; ++row) {
    for (std::int64_t column = 0; column < layer.shape.kw; ++column) {
      const double x = static_cast<double>(column) - static_cast<double>(layer.shape.kw - 1) / 2;
      const double y = static_cast<double>(row) - static_cast<double>(layer.shape.kh - 1) / 2;
      sum += static_cast<double>(weight_at(layer, row, column)) * brightness(x, y);
    }
  }
  return sum;
}

std::vector<float> scaled(std::vector<float> weights, float factor) {
  for (float& weight : weights) weight *= factor;
  return weights;
}

std::vector<float> transposed(const Layer& layer) {
  std::vector<float> result;
  for (std::int64_t column = 0; column < layer.shape.kw; ++column) {
    for (std::int64_t row = 0; row < layer.shape.kh; ++row) result.push_back(weight_at(layer, row, column));
  }
  return result;
}

const std::vector<std::string>& all_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const ShippedKernel& kernel : shipped_kernels()) list.emplace_back(kernel.name);
    return list;
  }();
  return names;
}

TEST_CASE("the program contains every kernel file, unchanged and in sorted order") {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(PROJECT_DIR "/kernels")) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "kernel.schema.json") continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().stem().string()] = {std::istreambuf_iterator<char>(stream), {}};
  }
  CHECK(files.size() == 31);
  CHECK(files.size() == shipped_kernels().size());
  CHECK(std::is_sorted(all_names().begin(), all_names().end()));
  for (const ShippedKernel& kernel : shipped_kernels()) {
    CAPTURE(kernel.name);
    CHECK(files[std::string(kernel.name)] == kernel.json);
  }
}

TEST_CASE("a shipped kernel is found by its exact name only") {
  CHECK(find_shipped_kernel("sobel-x")->name == "sobel-x");
  CHECK(find_shipped_kernel("sobel-") == nullptr);
  CHECK(find_shipped_kernel("Sobel") == nullptr);
  CHECK(find_shipped_kernel("") == nullptr);
}

TEST_CASE("every shipped kernel has the name of its file, and a description with its source") {
  for (const std::string& name : all_names()) {
    CAPTURE(name);
    const Bank bank = shipped_bank(name);
    CHECK(bank.name == name);
    const std::size_t source = bank.description.find("; ");
    REQUIRE(source != std::string::npos);
    CHECK(source > 10);
    CHECK(bank.description.size() - source > 15);
  }
}

TEST_CASE("all but the 1x1 kernels keep the size of the picture and repeat its border") {
  for (const std::string& name : all_names()) {
    CAPTURE(name);
    for (const Layer& layer : shipped_bank(name).layers) {
      const bool single = layer.shape.kh == 1 && layer.shape.kw == 1;
      CHECK(layer.params.padding.rule == (single ? Padding::Rule::fixed : Padding::Rule::same));
      CHECK(layer.params.padding_mode == (single ? PaddingMode::zeros : PaddingMode::replicate));
      CHECK(layer.params.padding.pads == Pads{});
      CHECK(layer.params.stride == Extent{});
    }
  }
}

TEST_CASE("blurs and sharpeners keep flat areas, and edge kernels respond to them with 0") {
  const std::map<std::string, std::vector<double>> expected = {{"identity", {1}},
                                                               {"box", {1}},
                                                               {"gaussian-3", {1}},
                                                               {"gaussian-5", {1}},
                                                               {"binomial-5", {1}},
                                                               {"sharpen", {1}},
                                                               {"unsharp", {1}},
                                                               {"emboss", {1}},
                                                               {"luma", {1}},
                                                               {"edge", {0}},
                                                               {"outline", {0}},
                                                               {"sobel-x", {0}},
                                                               {"sobel-y", {0}},
                                                               {"sobel", {0}},
                                                               {"prewitt", {0}},
                                                               {"prewitt-x", {0}},
                                                               {"prewitt-y", {0}},
                                                               {"scharr-x", {0}},
                                                               {"scharr-y", {0}},
                                                               {"farid-x", {0}},
                                                               {"farid-y", {0}},
                                                               {"scharr", {0}},
                                                               {"farid", {0}},
                                                               {"roberts", {0}},
                                                               {"laplacian-4", {0}},
                                                               {"laplacian-8", {0}},
                                                               {"kirsch", {0}},
                                                               {"robinson", {0}},
                                                               {"log", {0}},
                                                               {"frei-chen", {0}},
                                                               {"sepia", {1.351, 1.203, 0.937}}};
  CHECK(expected.size() == all_names().size());
  for (const std::string& name : all_names()) {
    CAPTURE(name);
    REQUIRE(expected.count(name) == 1);
    for (const Layer& layer : shipped_bank(name).layers) {
      CAPTURE(layer.name);
      const auto taps = static_cast<std::size_t>(layer.shape.taps());
      REQUIRE(expected.at(name).size() == static_cast<std::size_t>(layer.shape.c_o));
      for (std::size_t o = 0; o < expected.at(name).size(); ++o) {
        double sum = 0, magnitude = 0;
        for (std::size_t t = 0; t < taps; ++t) {
          sum += static_cast<double>(layer.weights[o * taps + t]);
          magnitude += std::fabs(static_cast<double>(layer.weights[o * taps + t]));
        }
        // Each weight was rounded to float once, by at most 2^-24 of itself. The double sum adds a negligible error.
        CHECK(std::fabs(sum - expected.at(name)[o]) <= 0x1p-23 * magnitude);
        CHECK(sums_to_zero(layer) == (expected.at(name)[o] == 0));
      }
    }
  }
}

TEST_CASE("ranks and combinations") {
  const std::map<std::string, Combine> banks = {{"sobel", Combine::magnitude},   {"prewitt", Combine::magnitude},
                                                {"scharr", Combine::magnitude},  {"farid", Combine::magnitude},
                                                {"roberts", Combine::magnitude}, {"kirsch", Combine::max},
                                                {"robinson", Combine::max},      {"frei-chen", Combine::magnitude}};
  for (const std::string& name : all_names()) {
    CAPTURE(name);
    const Bank bank = shipped_bank(name);
    const auto entry = banks.find(name);
    CHECK((bank.layers.size() > 1) == (entry != banks.end()));
    CHECK(bank.combine == (entry == banks.end() ? Combine::none : entry->second));
    for (const Layer& layer : bank.layers) CHECK(layer.rank == (name == "luma" ? 3 : name == "sepia" ? 4 : 2));
  }
  CHECK(shipped_layer("luma").dimensions() == std::vector<std::int64_t>{3, 1, 1});
  CHECK(shipped_layer("sepia").dimensions() == std::vector<std::int64_t>{3, 3, 1, 1});
}

TEST_CASE("known coefficients") {
  using Weights = std::vector<float>;
  CHECK(shipped_layer("identity").weights == Weights{1});
  CHECK(shipped_layer("sobel-x").weights == Weights{-1, 0, 1, -2, 0, 2, -1, 0, 1});
  CHECK(shipped_layer("sobel-y").weights == Weights{-1, -2, -1, 0, 0, 0, 1, 2, 1});
  CHECK(shipped_layer("laplacian-4").weights == Weights{0, 1, 0, 1, -4, 1, 0, 1, 0});
  CHECK(shipped_layer("laplacian-8").weights == Weights{1, 1, 1, 1, -8, 1, 1, 1, 1});
  CHECK(shipped_layer("emboss").weights == Weights{-2, -1, 0, -1, 1, 1, 0, 1, 2});
  CHECK(shipped_layer("box").weights == Weights(9, 1.0F / 9));
  CHECK(shipped_layer("luma").weights == Weights{0.299F, 0.587F, 0.114F});
  CHECK(shipped_layer("sepia").weights ==
        Weights{0.393F, 0.769F, 0.189F, 0.349F, 0.686F, 0.168F, 0.272F, 0.534F, 0.131F});
  CHECK(shipped_layer("unsharp").weights[12] == 476.0F / 256);
  CHECK(shipped_layer("gaussian-5").weights[12] == static_cast<float>(41.0 / 273));
  CHECK(shipped_layer("log").weights[12] == 16);

  CHECK(shipped_bank("prewitt").layers[0].weights == Weights{-1, 0, 1, -1, 0, 1, -1, 0, 1});
  CHECK(shipped_bank("scharr").layers[0].weights == Weights{-3, 0, 3, -10, 0, 10, -3, 0, 3});
  CHECK(shipped_bank("roberts").layers[0].weights == Weights{1, 0, 0, -1});
  CHECK(shipped_bank("roberts").layers[1].weights == Weights{0, 1, -1, 0});
  CHECK(shipped_bank("kirsch").layers[0].weights == Weights{5, 5, 5, -3, 0, -3, -3, -3, -3});
  CHECK(shipped_bank("robinson").layers[0].weights == Weights{1, 2, 1, 0, 0, 0, -1, -2, -1});
}

TEST_CASE("farid is the product of the paper's interpolator and derivative") {
  // Table 1, 5 taps. The authors' program gives more digits than the table.
  constexpr double kInterpolator[] = {0.0376593171958126, 0.249153396177344, 0.426374573253687};
  constexpr double kDerivative[] = {-0.109603762960254, -0.276690988455557, 0};
  const Bank bank = shipped_bank("farid");
  REQUIRE(bank.layers.size() == 2);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      const double expected = kInterpolator[std::min(i, 4 - i)] * kDerivative[std::min(j, 4 - j)] * (j > 2 ? -1 : 1);
      CHECK(std::fabs(static_cast<double>(bank.layers[0].weights[i * 5 + j]) - expected) <=
            1e-9 * std::fabs(expected) + 0x1p-24 * std::fabs(expected));
    }
  CHECK(bank.layers[1].weights == transposed(bank.layers[0]));
  // The response to a ramp of slope 1 is about its slope: 2 * (2 * 0.1096 + 0.2767) = 0.9918.
  CHECK(std::fabs(response(bank.layers[0], [](double right, double) { return right; }) - 0.99179) < 1e-5);
}

TEST_CASE("gradients are positive to the right and downwards") {
  const auto x = [](double right, double) { return right; };
  const auto y = [](double, double down) { return down; };
  CHECK(response(shipped_layer("sobel-x"), x) == 8);
  CHECK(response(shipped_layer("sobel-x"), y) == 0);
  CHECK(response(shipped_layer("sobel-y"), x) == 0);
  CHECK(response(shipped_layer("sobel-y"), y) == 8);

  const std::map<std::string, double> slopes = {{"sobel", 8}, {"prewitt", 6}, {"scharr", 32}};
  for (const auto& entry : slopes) {
    const std::string name = entry.first;
    CAPTURE(name);
    const Bank bank = shipped_bank(name);
    REQUIRE(bank.layers.size() == 2);
    CHECK(response(bank.layers[0], x) == entry.second);
    CHECK(bank.layers[1].weights == transposed(bank.layers[0]));
  }
  CHECK(shipped_bank("sobel").layers[0].weights == shipped_layer("sobel-x").weights);
  CHECK(shipped_bank("sobel").layers[1].weights == shipped_layer("sobel-y").weights);
}

TEST_CASE("Laplacians respond to a paraboloid with the sum of its second derivatives, and to a plane with 0") {
  const auto bowl = [](double x, double y) { return (x * x + y * y) / 4; };  // second derivatives 1/2 + 1/2
  CHECK(response(shipped_layer("laplacian-4"), bowl) == 1);
  CHECK(response(shipped_layer("laplacian-8"), bowl) == 3);  // 1 from rows and columns, 2 from the diagonals
  CHECK(response(shipped_layer("log"), bowl) < 0);           // its sign is reversed
  for (const char* name : {"laplacian-4", "laplacian-8", "log", "edge", "outline"}) {
    CAPTURE(name);
    CHECK(response(shipped_layer(name), [](double x, double y) { return 3 * x - 5 * y + 7; }) == 0);
  }
}

TEST_CASE("kernels that are composed of others") {
  const Layer laplacian = shipped_layer("laplacian-4"), binomial = shipped_layer("binomial-5");
  CHECK(shipped_layer("edge").weights == scaled(laplacian.weights, -1));
  CHECK(shipped_layer("outline").weights == scaled(shipped_layer("laplacian-8").weights, -1));

  std::vector<float> sharpen = scaled(laplacian.weights, -1);
  sharpen[4] += 1;
  CHECK(shipped_layer("sharpen").weights == sharpen);

  std::vector<float> unsharp = scaled(binomial.weights, -1);  // sixteenths of sixteenths are exact in float
  unsharp[12] += 2;
  CHECK(shipped_layer("unsharp").weights == unsharp);

  const std::map<std::string, std::vector<float>> rows = {{"gaussian-3", {1, 2, 1}}, {"binomial-5", {1, 4, 6, 4, 1}}};
  for (const auto& entry : rows) {
    const std::string name = entry.first;
    const std::vector<float>& row = entry.second;
    CAPTURE(name);
    const Layer layer = shipped_layer(name);
    const auto side = static_cast<std::int64_t>(row.size());
    REQUIRE(layer.shape.kh == side);
    for (std::int64_t i = 0; i < side * side; ++i) {
      CAPTURE(i);
      const float product = row[static_cast<std::size_t>(i / side)] * row[static_cast<std::size_t>(i % side)];
      CHECK(layer.weights[static_cast<std::size_t>(i)] == product / (side == 3 ? 16 : 256));
    }
  }
}

TEST_CASE("kernels without a direction stay the same when rotated and mirrored") {
  for (const char* name : {"box", "gaussian-3", "gaussian-5", "binomial-5", "sharpen", "unsharp", "edge", "outline",
                           "laplacian-4", "laplacian-8", "log"}) {
    CAPTURE(name);
    const Layer layer = shipped_layer(name);
    std::vector<float> backwards(layer.weights.rbegin(), layer.weights.rend());
    CHECK(layer.weights == backwards);
    CHECK(layer.weights == transposed(layer));
  }
}

TEST_CASE("each compass mask is the previous one rotated by 45 degrees, clockwise from north") {
  constexpr std::size_t kRing[] = {0, 1, 2, 5, 8, 7, 6, 3};  // around the centre, clockwise
  const std::vector<std::string> directions = {"north", "north-east", "east", "south-east",
                                               "south", "south-west", "west", "north-west"};
  for (const std::string name : {"kirsch", "robinson"}) {
    const Bank bank = shipped_bank(name);
    REQUIRE(bank.layers.size() == 8);
    for (std::size_t k = 0; k < 8; ++k) {
      CAPTURE(bank.layers[k].name);
      CHECK(bank.layers[k].name == name + "-" + directions[k]);
      CHECK(bank.layers[k].weights[4] == 0);
      for (std::size_t i = 0; i < 8; ++i)
        CHECK(bank.layers[(k + 1) % 8].weights[kRing[(i + 1) % 8]] == bank.layers[k].weights[kRing[i]]);
    }
    CHECK(response(bank.layers[0], [](double, double down) { return -down; }) > 0);
  }
}

TEST_CASE("the masks of Frei and Chen are orthonormal") {
  const Bank bank = shipped_bank("frei-chen");
  REQUIRE(bank.layers.size() == 4);
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) {
      CAPTURE(a);
      CAPTURE(b);
      double product = 0;
      for (std::size_t i = 0; i < 9; ++i)
        product += static_cast<double>(bank.layers[a].weights[i]) * static_cast<double>(bank.layers[b].weights[i]);
      // Weights are 0, 1/2 and 1/sqrt(8). The last is rounded to float. Four of its squares are summed, and each is off
      // by up to 2 * 2^-24 / 8.
      CHECK(std::fabs(product - (a == b ? 1 : 0)) <= 4 * 2 * 0x1p-24 / 8);
    }
  }
}

}  // namespace
}  // namespace convtool
