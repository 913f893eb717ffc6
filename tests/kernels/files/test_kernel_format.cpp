// Kernels in the formats of other programs: reading, writing, and refusals.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/files/kernel_format.h"
#include "kernels/files/kernel_json.h"

namespace convtool {
namespace {

Network parse(KernelFormat format, const std::string& text) {
  return parse_kernel(format, std::as_bytes(std::span(text)), "file", "k");
}

const Layer& only(const Network& network) {
  REQUIRE(network.banks.size() == 1);
  REQUIRE(network.banks[0].layers.size() == 1);
  return network.banks[0].layers[0];
}

Network ours(const std::string& json) { return parse_kernel_json(json, "file", "k"); }

std::string written(KernelFormat format, const std::string& json) {
  const Bytes bytes = format_kernel(format, ours(json));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The message of the kernel error that `body` throws.
template <class Body>
std::string kernel_refusal(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    return error.what();
  }
  return "nothing was refused";
}

void refuses_text(KernelFormat format, const std::string& text, const std::string& part) {
  const std::string message = kernel_refusal([&] { parse(format, text); });
  CAPTURE(text);
  CAPTURE(message);
  CHECK(message.find(part) != std::string::npos);
}

void refuses_kernel(KernelFormat format, const std::string& json, const std::string& part) {
  const std::string message = kernel_refusal([&] { written(format, json); });
  CAPTURE(json);
  CAPTURE(message);
  CHECK(message.find(part) != std::string::npos);
  CHECK(message.starts_with("k: "));
}

const std::vector<float> kSix = {1, 2, 3, 4, 5, 6};
constexpr KernelFormat kForeign[] = {KernelFormat::vips, KernelFormat::magick, KernelFormat::sharp,
                                     KernelFormat::openeo};

}  // namespace

TEST_CASE("a vips matrix: its scale becomes the divisor, its offset the bias, and the border is repeated") {
  const Layer layer = only(parse(KernelFormat::vips, "3 2 8 128.5\n1 2 3\n4\t5 6\n\n"));
  CHECK(layer.rank == 2);
  CHECK(layer.shape == KernelShape{1, 1, 2, 3});
  CHECK(layer.weights == kSix);
  CHECK(layer.divisor == std::vector<double>{8});
  CHECK(layer.bias == std::vector<float>{128.5F});
  // vips centres a kernel on row height / 2, which is the lower of two rows.
  CHECK(layer.params.padding == Padding{Padding::Rule::same_lower, {}});
  CHECK(layer.params.padding_mode == PaddingMode::replicate);
  const Layer plain = only(parse(KernelFormat::vips, "3 1\n-1 0 1e-3"));
  CHECK(plain.divisor.empty());
  CHECK(plain.bias.empty());
  CHECK(only(parse(KernelFormat::vips, "1 1 4\n1")).divisor == std::vector<double>{4});
  CHECK(plain.params.padding == Padding{Padding::Rule::same, {}});
}

TEST_CASE("text that is not a vips matrix") {
  refuses_text(KernelFormat::vips, "", "0 numbers");
  refuses_text(KernelFormat::vips, "3 3 1 0 5\n", "5 numbers");
  refuses_text(KernelFormat::vips, "2 1\n1,2\n", "row 1 of the vips matrix has 1 number (expected 2");
  refuses_text(KernelFormat::vips, "3 2\n1 2 3\n", "has 1 row (expected 2");
  refuses_text(KernelFormat::vips, "2 2\n1 2\n3 4 5\n", "row 2 of the vips matrix has 3 numbers (expected 2");
  refuses_text(KernelFormat::vips, "2 1\n1 two\n", "row 1 of the vips matrix, column 2, is 'two'");
  refuses_text(KernelFormat::vips, "2 1\n1 nan\n", "'nan'");
  refuses_text(KernelFormat::vips, "2 1\n1 1e39\n", "within float32");
  refuses_text(KernelFormat::vips, "2.5 1\n1 1\n", "the width is 2.5");
  refuses_text(KernelFormat::vips, "0 1\n\n", "the width is 0");
  refuses_text(KernelFormat::vips, "99999999999999999999 1\n1\n", "the width is 9999");
  refuses_text(KernelFormat::vips, "1 1 0 0\n1\n", "divided by 0");
  refuses_text(KernelFormat::vips, "1 1 1e-30 0\n1e20\n", "beyond float32 after the division");
}

TEST_CASE("the origin of an ImageMagick kernel string becomes padding") {
  const Layer middle = only(parse(KernelFormat::magick, " 3x2:\n 1,2,3\n 4,5,6 ;\n"));
  CHECK(middle.shape == KernelShape{1, 1, 2, 3});
  CHECK(middle.weights == kSix);
  CHECK(middle.params.padding == Padding{Padding::Rule::same, {}});  // the origin is row (2 - 1) / 2 = 0
  CHECK(middle.params.padding_mode == PaddingMode::replicate);
  const auto padding = [](const std::string& text) { return only(parse(KernelFormat::magick, text)).params.padding; };
  CHECK(padding("3x2+1+1: 1 2 3 4 5 6") == Padding{Padding::Rule::same_lower, {}});
  CHECK(padding("3x2+2+0: 1 2 3 4 5 6") == Padding{Padding::Rule::fixed, {0, 2, 1, 0}});
  CHECK(padding("3: 1,1,1 1,1,1 1,1,1") == Padding{Padding::Rule::same, {}});
  const Layer old = only(parse(KernelFormat::magick, "0,-1,0, -1,4,-1, 0,-1,0"));
  CHECK(old.shape == KernelShape{1, 1, 3, 3});
  CHECK(old.weights[4] == 4);
}

TEST_CASE("ImageMagick kernel strings that are refused") {
  const auto refuses = [](const std::string& text, const std::string& part) {
    refuses_text(KernelFormat::magick, text, part);
  };
  refuses("", "empty");
  refuses("3x1: 1,nan,1", "value 2 of the kernel string is 'nan', a hole");
  refuses("3x1: 1,-,1", "value 2 of the kernel string is '-', a hole");
  refuses("3x3@: 1 2 3 4 5 6 7 8 9", "rotated kernels");
  refuses("3x3>: 1 2 3 4 5 6 7 8 9", "rotated kernels");
  refuses("3x3+1+1<: 1 2 3 4 5 6 7 8 9", "rotated kernels");
  refuses("1x1:1;1x1:2", "a list of kernels");
  refuses("Sobel", "'Sobel' names a kernel that is built into ImageMagick");
  refuses("Gaussian:0x2", "names a kernel");
  refuses("3x3+3+0: 1 2 3 4 5 6 7 8 9", "the origin in '3x3+3+0' is not inside");
  refuses("3x3-1+0: 1 2 3 4 5 6 7 8 9", "outside the kernel");
  refuses("3x3%: 1 2 3 4 5 6 7 8 9", "'%'");
  refuses("3x3: 1 2 3 4 5 6 7 8", "has 8 values (expected 3 x 3)");
  refuses("1073741824x1073741824: 1", "has 1 value");
  refuses("0x3: 1", "begins '0x3:'");
  refuses("1 2 3 4", "4 values has no size");
  refuses("1x1: x", "is 'x' (expected a number");
  refuses(": 1", "begins ':'");
}

TEST_CASE("sharp: the default scale is the sum of the weights, and at least 1") {
  const auto divisor = [](const std::string& text) { return only(parse(KernelFormat::sharp, text)).divisor; };
  const std::string kernel = R"({"width":3,"height":3,"kernel":[1,2,1,2,4,2,1,2,1])";
  CHECK(divisor(kernel + "}") == std::vector<double>{16});
  CHECK(divisor(kernel + R"(,"scale":4})") == std::vector<double>{4});
  CHECK(divisor(kernel + R"(,"scale":-3})").empty());
  CHECK(divisor(R"({"width":3,"height":3,"kernel":[0,-1,0,-1,4,-1,0,-1,0]})").empty());
  const Layer layer = only(parse(KernelFormat::sharp, kernel + R"(,"offset":-7})"));
  CHECK(layer.bias == std::vector<float>{-7});
  CHECK(layer.params.padding_mode == PaddingMode::replicate);
  refuses_text(KernelFormat::sharp, kernel + R"(,"scale":2.5})", "/scale: the number 2.5 (expected a whole number");
  refuses_text(KernelFormat::sharp, kernel + R"(,"offset":0.5})", "/offset");
  refuses_text(KernelFormat::sharp, kernel + R"(,"offset":1e300})", "/offset");
  refuses_text(KernelFormat::sharp, kernel + R"(,"scale":1e300})", "/scale");
  refuses_text(KernelFormat::sharp, kernel + R"(,"ofset":1})", "/ofset: unknown key; did you mean 'offset'?");
  refuses_text(KernelFormat::sharp, R"({"width":3,"height":4,"kernel":[1,2,1,2,4,2,1,2,1]})", "expected 12");
  refuses_text(KernelFormat::sharp, R"({"width":2,"height":3,"kernel":[1,2,1,2,4,2]})",
               "/width: 2 (expected 3 to 1001");
  refuses_text(KernelFormat::sharp, R"({"width":3,"height":1e300,"kernel":[1]})", "/height");
  refuses_text(KernelFormat::sharp, R"({"height":3,"kernel":[1]})", "/width");
  refuses_text(KernelFormat::sharp, R"({"width":3,"height":3,"kernel":[1,2,null]})",
               "/kernel/2: expected a number, got null");
  refuses_text(KernelFormat::sharp, "[[1]]", "not a kernel for sharp");
}

TEST_CASE("openEO: factor and border") {
  const Layer layer = only(parse(KernelFormat::openeo, R"({"kernel":[[1,2,3],[4,5,6],[7,8,9]],"factor":0.125})"));
  CHECK(layer.divisor == std::vector<double>{8});
  CHECK(layer.params.padding == Padding{Padding::Rule::same, {}});
  CHECK(layer.params.padding_mode == PaddingMode::zeros);
  const std::pair<const char*, PaddingMode> borders[] = {{"0", PaddingMode::zeros},
                                                         {"-2.5", PaddingMode::constant},
                                                         {"\"replicate\"", PaddingMode::replicate},
                                                         {"\"reflect\"", PaddingMode::symmetric},
                                                         {"\"reflect_pixel\"", PaddingMode::reflect},
                                                         {"\"wrap\"", PaddingMode::circular}};
  for (const auto& row : borders) {
    const char* border = row.first;  // Clang 14 captures no structured bindings
    const PaddingMode mode = row.second;
    CAPTURE(border);
    const std::string text = std::string(R"({"kernel":[[1,2,3]],"border":)") + border + "}";
    const Layer one = only(parse(KernelFormat::openeo, text));
    CHECK(one.params.padding_mode == mode);
    CHECK(one.params.padding_value == (mode == PaddingMode::constant ? -2.5F : 0));
    const Bytes bytes = format_kernel(KernelFormat::openeo, parse(KernelFormat::openeo, text));
    const std::string back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    CHECK(back == std::string(R"({"kernel":[[1,2,3]],"factor":1,"border":)") + border + "}\n");
  }
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1,2]]})", "odd sides");
  refuses_text(KernelFormat::openeo, R"({"kernel":[1,2,3]})", "rank 1");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1]],"factor":0})", "/factor");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1]],"factor":[1]})", "/factor: a list");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1]],"factor":1e-39})", "beyond float32");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1e20]],"factor":1e30})", "beyond float32");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1]],"border":"mirror"})", "/border: the string 'mirror'");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1]],"replace_invalid":-1})", "/replace_invalid");
  refuses_text(KernelFormat::openeo, R"({"kernel":[[1]],"faktor":1})", "did you mean 'factor'?");
}

TEST_CASE("formats with a divisor store it; others store quotients that read back as the same double") {
  const std::string box =
      R"({"weight":[[1,1,1],[1,1,1],[1,1,1]],"divisor":9,"padding":"same","padding_mode":"replicate"})";
  CHECK(written(KernelFormat::vips, box) == "3 3 9 0\n1 1 1\n1 1 1\n1 1 1\n");
  const std::string ninth = "0.1111111111111111";
  const std::string row = ninth + "," + ninth + "," + ninth;
  CHECK(written(KernelFormat::magick, box) == "3x3+1+1: " + row + " " + row + " " + row + "\n");
  CHECK(written(KernelFormat::sharp, box) ==
        R"({"width":3,"height":3,"kernel":[1,1,1,1,1,1,1,1,1],"scale":9,"offset":0})"
        "\n");
  CHECK(written(KernelFormat::openeo, box) ==
        R"({"kernel":[[1,1,1],[1,1,1],[1,1,1]],"factor":0.1111111111111111,"border":"replicate"})"
        "\n");
  CHECK(written(KernelFormat::vips, R"({"weight":[[0.1,-3e-7]],"bias":128})") == "2 1 1 128\n0.1 -3e-07\n");
  // A divisor that is not an integer. sharp would replace it by the sum of the weights.
  const std::string half =
      written(KernelFormat::sharp, R"({"weight":[[1,1,1],[1,1,1],[1,1,1]],"divisor":2.5,"padding_mode":"replicate"})");
  CHECK(half.find(R"("kernel":[0.4,0.4,)") != std::string::npos);
  CHECK(half.find(R"("scale":1,)") != std::string::npos);
}

TEST_CASE("every format reads back exactly what it wrote") {
  const std::string kernel =
      R"({"weight":[[0.1,-3.3333333e-7,16777215],[1e-40,2.5,-0.7],[3,1e30,0]],"divisor":12,
          "padding":"same","padding_mode":"replicate"})";
  const Layer before = only(ours(kernel));
  for (const KernelFormat format : kForeign) {
    if (format == KernelFormat::magick) continue;  // no divisor
    CAPTURE(kKernelFormats[static_cast<int>(format)]);
    const Layer after = only(parse(format, written(format, kernel)));
    CHECK(after.weights == before.weights);
    CHECK(after.divisor == before.divisor);
    CHECK(after.bias == before.bias);
    CHECK(after.params == before.params);
  }
  std::string whole = kernel;
  whole.erase(whole.find("\"divisor\":12,"), 13);
  CHECK(only(parse(KernelFormat::magick, written(KernelFormat::magick, whole))).weights == before.weights);
}

TEST_CASE("the numbers at the ends of the range of floats are read back as they were written") {
  constexpr float kLargest = std::numeric_limits<float>::max(), kSmallest = std::numeric_limits<float>::denorm_min();
  const std::vector<float> weights = {kLargest, -kLargest, kSmallest,       -kSmallest,    0.0F,
                                      -0.0F,    16777216,  1.17549435e-38F, 1.1754942e-38F};
  const auto same_bits = [](const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
  };
  for (std::size_t i = 0; i < std::size(kKernelFormats); ++i) {
    const auto format = static_cast<KernelFormat>(i);
    CAPTURE(std::string(kKernelFormats[i]));
    const bool has_bias =
        format == KernelFormat::convtool || format == KernelFormat::vips || format == KernelFormat::sharp;
    for (const float bias : {0.0F, kLargest, -kLargest, kSmallest}) {
      if (bias != 0 && (!has_bias || (format == KernelFormat::sharp && bias == kSmallest))) continue;  // whole offsets
      CAPTURE(bias);
      Layer layer;
      layer.shape = {.c_o = 1, .c_i_per_group = 1, .kh = 3, .kw = 3};
      layer.weights = weights;
      if (bias != 0) layer.bias = {bias};
      layer.params.padding = {.rule = Padding::Rule::same, .pads = {}};
      layer.params.padding_mode = PaddingMode::replicate;
      Network network{.name = "k"};
      network.banks.push_back({.name = "k", .layers = {layer}});
      const Layer back = only(parse_kernel(format, format_kernel(format, network), "file", "k"));
      CHECK(same_bits(back.weights, weights));
      CHECK(same_bits(back.bias, layer.bias));
    }
  }
  // Not a float: rounded to the nearest one.
  CHECK(only(parse(KernelFormat::vips, "1 1\n16777217\n")).weights == std::vector<float>{16777216});
  CHECK(only(ours("[[16777217]]")).weights == std::vector<float>{16777216});
  // Half a unit in the last place above the largest float, and just below that.
  refuses_text(KernelFormat::vips, "1 1\n3.4028235677973366e38\n", "within float32");
  CHECK(only(parse(KernelFormat::vips, "1 1\n3.4028235677973362e38\n")).weights == std::vector<float>{kLargest});
}

TEST_CASE("the quotients of extreme divisors are read back as they were written") {
  for (const std::string divisor : {"3.4028235e38", "-3.4028235e38", "1e-45", "-1e-40", "2", "0.3", "1e20"}) {
    const std::string kernel = R"({"weight":[[0,1e-45,0],[0,-0.0,0],[0,3e-7,0]],"divisor":)" + divisor +
                               R"(,"padding":"same","padding_mode":"replicate"})";
    const Layer before = only(ours(kernel));
    for (std::size_t i = 0; i < std::size(kKernelFormats); ++i) {
      const auto format = static_cast<KernelFormat>(i);
      CAPTURE(divisor);
      CAPTURE(std::string(kKernelFormats[i]));
      const Layer after = only(parse_kernel(format, format_kernel(format, ours(kernel)), "file", "k"));
      for (std::size_t at = 0; at < before.weights.size(); ++at) {
        const auto quotient = [at](const Layer& layer) {
          const double divisor_of_layer = layer.divisor.empty() ? 1 : layer.divisor.front();
          return static_cast<float>(static_cast<double>(layer.weights[at]) / divisor_of_layer);
        };
        CHECK(quotient(after) == quotient(before));
      }
    }
  }
}

TEST_CASE("formats with an origin store it") {
  const auto padded = [](const std::string& padding) {
    return R"({"weight":[[1,2,3],[4,5,6]],"padding_mode":"replicate",)" + padding + "}";
  };
  CHECK(written(KernelFormat::magick, padded(R"("padding":"same")")) == "3x2+1+0: 1,2,3 4,5,6\n");
  CHECK(written(KernelFormat::magick, padded(R"("padding":"same_lower")")) == "3x2+1+1: 1,2,3 4,5,6\n");
  CHECK(written(KernelFormat::magick, padded(R"("pads":[1,2,0,0])")) == "3x2+2+1: 1,2,3 4,5,6\n");
  CHECK(written(KernelFormat::vips, padded(R"("padding":"same_lower")")) == "3 2 1 0\n1 2 3\n4 5 6\n");
  CHECK(written(KernelFormat::vips, padded(R"("pads":[1,1,0,1])")) == "3 2 1 0\n1 2 3\n4 5 6\n");
  refuses_kernel(KernelFormat::vips, padded(R"("padding":"same")"), "column 1, row 0");
  refuses_kernel(KernelFormat::vips, padded(R"("pads":[1,2,0,0])"), "column 2, row 1");
  refuses_kernel(KernelFormat::vips, padded(R"("padding":"full")"), "a vips matrix cannot store padding full");
  refuses_kernel(KernelFormat::magick, padded(R"("padding":2)"), "changes the size of a picture");
}

TEST_CASE("options that a format cannot store are refused by name") {
  const std::string w = R"("weight":[[1,2,1],[2,4,2],[1,2,1]])";
  for (const KernelFormat format :
       {KernelFormat::npy, KernelFormat::vips, KernelFormat::magick, KernelFormat::sharp, KernelFormat::openeo}) {
    refuses_kernel(format, R"({"layers":[[[1]],[[2]]]})", "cannot store a network of 2 layers");
    refuses_kernel(format, R"({"bank":[[[1]],[[2]]]})", "cannot store a bank of 2 kernels");
    refuses_kernel(format, "{" + w + R"(,"stride":[1,2]})", "cannot store stride 1x2");
    refuses_kernel(format, "{" + w + R"(,"dilation":2})", "cannot store dilation 2x2");
    refuses_kernel(format, "{" + w + R"(,"activation":"relu"})", "cannot store activation relu");
    refuses_kernel(format, "{" + w + R"(,"map":"abs"})", "cannot store map abs");
    refuses_kernel(format, R"({"weight":[[[[1]]],[[[2]]]],"groups":2})", "cannot store groups 2");
    refuses_kernel(format, R"({"pool":"max","size":2})", "cannot store a max pool");
    refuses_kernel(format, R"({"pool":"mean","size":2})", "cannot store a mean pool");
    for (const std::string combine : {"magnitude", "l1"})
      refuses_kernel(format, R"({"bank":[{)" + w + R"(}],"combine":")" + combine + "\"}",
                     "cannot store combine " + combine);
    for (const std::string combine : {"max", "min", "sum", "mean"}) {  // of one response
      const std::string replicate = w + R"(,"padding":"same","padding_mode":"replicate")";
      CHECK(written(format, R"({"bank":[{)" + replicate + R"(}],"combine":")" + combine + "\"}") ==
            written(format, "{" + replicate + "}"));
    }
  }
  for (const KernelFormat format : kForeign) {
    refuses_kernel(format, "[[[1]],[[2]]]", "cannot store weights of rank 3, 2x1x1");
    refuses_kernel(format, "[[[[1]]]]", "cannot store weights of rank 4, 1x1x1x1");
    if (format == KernelFormat::openeo) continue;
    refuses_kernel(format, "{" + w + R"(,"padding":"same"})", "cannot store padding_mode zeros");
    refuses_kernel(format, "{" + w + R"(,"padding":1,"padding_mode":"reflect"})", "padding_mode reflect");
  }
  for (const KernelFormat format : {KernelFormat::vips, KernelFormat::sharp})
    refuses_kernel(format, "{" + w + R"(,"bias":[1,2]})", "cannot store a bias for each channel");
  for (const KernelFormat format : {KernelFormat::npy, KernelFormat::magick, KernelFormat::openeo})
    refuses_kernel(format, "{" + w + R"(,"bias":0.5})", "cannot store bias 0.5");
  refuses_kernel(KernelFormat::sharp, "{" + w + R"(,"bias":0.5})", "its offsets are whole numbers");
  refuses_kernel(KernelFormat::sharp, "[[1,-1]]", "sharp's JSON cannot store a kernel of 1x2");
  refuses_kernel(KernelFormat::openeo, "[[1,-1]]", "openEO's JSON cannot store a kernel of 1x2");
}

TEST_CASE(".npy stores weights of any rank, divided by the divisor") {
  const Bytes bytes = format_kernel(KernelFormat::npy, ours(R"({"weight":[[[[1,3]]],[[[2,6]]]],"divisor":4})"));
  const Layer layer = only(parse_kernel(KernelFormat::npy, bytes, "file", "k"));
  CHECK(layer.rank == 4);
  CHECK(layer.shape == KernelShape{2, 1, 1, 2});
  CHECK(layer.weights == std::vector<float>{0.25F, 0.75F, 0.5F, 1.5F});
  const Bytes each = format_kernel(KernelFormat::npy, ours(R"({"weight":[[[[1,3]]],[[[2,6]]]],"normalize":true})"));
  CHECK(only(parse_kernel(KernelFormat::npy, each, "file", "k")).weights ==
        std::vector<float>{0.25F, 0.75F, 0.25F, 0.75F});
}

TEST_CASE("a border that the format does not store is reported") {
  const Network bare = ours("[[1,2,1]]");
  CHECK(border_remark(KernelFormat::convtool, bare) == "");
  CHECK(border_remark(KernelFormat::npy, bare) == "");
  CHECK(border_remark(KernelFormat::vips, bare).ends_with("repeats its border"));
  CHECK(border_remark(KernelFormat::openeo, bare).ends_with("surrounds it with 0"));
  CHECK(border_remark(KernelFormat::vips, ours("[[2]]")) == "");
  const Network same = ours(R"({"weight":[[1,2,1]],"padding":"same","padding_mode":"constant","padding_value":3})");
  CHECK(border_remark(KernelFormat::openeo, same) == "");
  CHECK(border_remark(KernelFormat::npy, same).ends_with("--padding same --padding-mode constant --padding-value 3"));
  CHECK(border_remark(KernelFormat::npy, ours(R"({"weight":[[1]],"pads":[1,2,3,4]})"))  // which enlarges the picture
            .ends_with("--pads 1,2,3,4 --padding-mode zeros"));
  for (const char* const rule : {"same", "same_lower", "full", "valid"})
    CHECK(border_remark(KernelFormat::npy, ours(R"({"weight":[[1]],"padding":")" + std::string(rule) + "\"}")) == "");
  CHECK(border_remark(KernelFormat::npy, ours(R"({"weight":[[1,1]],"pads":[1,2,3,4]})"))
            .ends_with("--pads 1,2,3,4 --padding-mode zeros"));
}

TEST_CASE("formats are recognized by content, then by extension") {
  const auto guess = [](const std::string& text, const std::string& path = "") {
    return guess_kernel_format(std::as_bytes(std::span(text)), path);
  };
  CHECK(guess("[[1,2]]") == KernelFormat::convtool);
  CHECK(guess(R"({"kernel":[[1,2]]})") == KernelFormat::convtool);  // an alias of weight
  CHECK(guess(R"({"kernel":[[1,2]],"factor":2})") == KernelFormat::openeo);
  CHECK(guess(R"({"kernel":[[1,2]],"border":0})") == KernelFormat::openeo);
  CHECK(guess(R"({"width":3,"height":3,"kernel":[1]})") == KernelFormat::sharp);
  CHECK(guess("{not json") == KernelFormat::convtool);
  CHECK(guess("3x3: 1") == KernelFormat::magick);
  CHECK(guess(" 3x3+1+0>: 1") == KernelFormat::magick);
  CHECK(guess("2 1\n5 6\n") == KernelFormat::vips);
  CHECK(guess("2 1\n5\n", "k.mat") == KernelFormat::vips);
  CHECK(!guess("2 1\n5\n", "k.txt"));
  CHECK(!guess("sobel"));
  CHECK(guess("\x93NUMPY", "k.mat") == KernelFormat::npy);
  CHECK(guess("", "k.json") == KernelFormat::convtool);
}

}  // namespace convtool
