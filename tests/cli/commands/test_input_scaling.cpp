// --input-scale, --mean, --std and --channel-order, and "input" in kernel files.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "support/program.h"
#include "support/random.h"
#include "support/safetensors.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr std::int64_t kScaledWidth = 37, kScaledHeight = 23;

/// A picture of noise, x.ppm, and a kernel for its colours, k.json, that is padded with zeros.
class ScalingFolder : public TempFolder {
 public:
  ScalingFolder() {
    Random random(3);
    pixels_.resize(static_cast<std::size_t>(3 * kScaledWidth * kScaledHeight));
    for (char& pixel : pixels_) pixel = static_cast<char>(random.between(0, 255));
    write("x.ppm", "P6 " + std::to_string(kScaledWidth) + " " + std::to_string(kScaledHeight) + " 255\n" + pixels_);
    for (int i = 0; i < 2 * 27; ++i) weights_.push_back(static_cast<float>(random.between(-8, 8)) / 8);
    write("k.json", kernel(R"("padding": 1)").dump());
  }

  /// A kernel [2][3][3][3] with further members.
  json kernel(const std::string& members) const {
    json object = json::parse("{" + members + "}");
    for (std::size_t o = 0; o < 2; ++o)
      for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t u = 0; u < 3; ++u)
          for (std::size_t v = 0; v < 3; ++v) object["weight"][o][c][u][v] = weights_[((o * 3 + c) * 3 + u) * 3 + v];
    return object;
  }

  ProgramResult run(std::vector<std::string> arguments) const {
    const ProgramResult result = run_convtool(arguments, *this);
    CAPTURE(result.err);
    CHECK(result.code == 0);
    return result;
  }

  std::vector<float> values(const std::string& name) const {
    const std::string text = read_text(file(name));
    const RankedTensor tensor = parse_npy(std::as_bytes(std::span(text)));
    const auto* const data = tensor.tensor.data<float>();
    return {data, data + tensor.tensor.shape().count()};
  }

  /// Checks that standard error is this line.
  void refuses(const std::vector<std::string>& arguments, int code, const std::string& message) const {
    const ProgramResult result = run_convtool(arguments, *this);
    CHECK(result.code == code);
    CHECK(result.err == "convtool: " + message + "\n");
  }

  /// The scaled value of a pixel, 0 outside.
  double scaled(int c, std::int64_t y, std::int64_t x, bool is_bgr = false) const {
    constexpr double kMean[] = {0.485, 0.456, 0.406}, kDeviation[] = {0.229, 0.224, 0.225};
    if (y < 0 || x < 0 || y >= kScaledHeight || x >= kScaledWidth) return 0;
    const int from = is_bgr ? 2 - c : c;
    const auto pixel = static_cast<unsigned char>(pixels_[static_cast<std::size_t>((y * kScaledWidth + x) * 3 + from)]);
    return (pixel / 255.0 - kMean[from]) / kDeviation[from];
  }

  /// The response of the kernel to the scaled picture, padded with 0 after it was scaled.
  double response(int o, std::int64_t y, std::int64_t x, bool is_bgr = false) const {
    double sum = 0;
    for (int c = 0; c < 3; ++c)
      for (int u = 0; u < 3; ++u)
        for (int v = 0; v < 3; ++v)
          sum += static_cast<double>(weights_[static_cast<std::size_t>(((o * 3 + c) * 3 + u) * 3 + v)]) *
                 scaled(c, y + u - 1, x + v - 1, is_bgr);
    return sum;
  }

 private:
  std::string pixels_;
  std::vector<float> weights_;
};

const std::vector<std::string> kScaling = {"--input-scale",     "1/255", "--mean",
                                           "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"};

std::vector<std::string> with_scaling(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), kScaling.begin(), kScaling.end());
  return arguments;
}

/// 28 numbers below 5 in size, each with a few roundings to float, are added.
constexpr double kScaledBound = 28 * 28 * 5 * 0x1p-24;

}  // namespace

TEST_CASE("pixels are scaled before the padding of the first layer, as in torchvision's Normalize") {
  const ScalingFolder folder;
  folder.write("inside.json", folder.kernel(R"("padding": 0)").dump());
  for (const bool is_bgr : {false, true}) {
    CAPTURE(is_bgr);
    std::vector<std::string> padded = with_scaling({"apply", "x.ppm", "-k", "k.json", "-o", "y.npy", "-v"});
    if (is_bgr) padded.insert(padded.end(), {"--channel-order", "bgr"});
    CHECK(folder.run(padded).out.find("folded") == std::string::npos);
    const std::vector<float> outer = folder.values("y.npy");
    padded[3] = "inside.json";
    CHECK(folder.run(padded).out.find("layers 1 to 2 are folded into one") != std::string::npos);
    const std::vector<float> inner = folder.values("y.npy");
    REQUIRE(outer.size() == 2 * kScaledHeight * kScaledWidth);
    REQUIRE(inner.size() == 2 * (kScaledHeight - 2) * (kScaledWidth - 2));
    for (int o = 0; o < 2; ++o)
      for (std::int64_t y = 0; y < kScaledHeight; ++y)
        for (std::int64_t x = 0; x < kScaledWidth; ++x) {
          const double expected = folder.response(o, y, x, is_bgr);
          const auto at = static_cast<std::size_t>((o * kScaledHeight + y) * kScaledWidth + x);
          REQUIRE(std::fabs(static_cast<double>(outer[at]) - expected) < kScaledBound);
          if (y == 0 || x == 0 || y + 1 == kScaledHeight || x + 1 == kScaledWidth) continue;
          const auto within = static_cast<std::size_t>((o * (kScaledHeight - 2) + y - 1) * (kScaledWidth - 2) + x - 1);
          REQUIRE(std::fabs(static_cast<double>(inner[within]) - expected) < kScaledBound);
        }
  }
}

TEST_CASE("a grey picture is repeated to the three channels that a network takes, with a word about it") {
  const ScalingFolder folder;
  folder.write("inside.json", folder.kernel(R"("padding": 0)").dump());
  folder.run({"apply", "x.ppm", "-k", "luma", "-o", "grey.pgm", "-q"});
  const std::string size = std::to_string(kScaledWidth) + " " + std::to_string(kScaledHeight),
                    pgm = read_text(folder.file("grey.pgm"));
  std::string ppm = "P6 " + size + " 255\n";
  for (const char pixel : pgm.substr(pgm.size() - static_cast<std::size_t>(kScaledWidth * kScaledHeight)))
    ppm += std::string(3, pixel);
  folder.write("three.ppm", ppm);
  const std::string remark = "grey.pgm: is grey, which is repeated to the three channels that the network takes";
  for (const std::string kernel : {"k.json", "inside.json"}) {
    for (const std::string more : {"--std", "--mean", "--channel-order"}) {
      CAPTURE(kernel + " " + more);
      std::vector<std::string> grey = {"apply", "grey.pgm", "-k", kernel, "-o", "grey.npy", "--input-scale", "1/255"};
      grey.insert(grey.end(), {more, more == "--channel-order" ? "bgr" : "0.485,0.456,0.406"});
      std::vector<std::string> three = grey;
      three[1] = "three.ppm";
      three[5] = "three.npy";
      CHECK(folder.run(grey).err.find(remark) != std::string::npos);
      CHECK(folder.run(three).err.empty());
      const std::vector<float> from_grey = folder.values("grey.npy"), from_three = folder.values("three.npy");
      REQUIRE(from_grey.size() == from_three.size());
      for (std::size_t i = 0; i < from_grey.size(); ++i)
        CHECK(std::fabs(static_cast<double>(from_grey[i]) - static_cast<double>(from_three[i])) < kScaledBound);
    }
  }
  const json explained = json::parse(folder.run(with_scaling({"explain", "grey.pgm", "-k", "k.json", "--json"})).out);
  CHECK(explained.at("input_shape") == json{1, kScaledHeight, kScaledWidth});
  const ProgramResult plain = run_convtool({"apply", "grey.pgm", "-k", "k.json", "-o", "y.npy"}, folder);
  CHECK(plain.code == 1);
  CHECK(
      plain.err ==
      "convtool: grey.pgm: the picture is grey, but 'k' takes three channels, the colours; use a kernel for one "
      "channel, "
      "or add --input-scale, such as 1/255: a scaled input repeats grey to three channels, and 1 leaves the pixels as "
      "they are\n");
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--input-scale", "1/255"}}) {
    std::vector<std::string> arguments = {"apply", "x.ppm", "-k", "k.json", "--gray", "-o", "y.npy"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    folder.refuses(arguments, 1,
                   "x.ppm: --gray leaves one channel, but 'k' takes three, the colours; leave --gray out");
  }
}

TEST_CASE("the kernel file may say how its input is scaled, and options replace it member by member") {
  const ScalingFolder folder;
  folder.run(with_scaling({"apply", "x.ppm", "-k", "k.json", "-o", "by-options.npy", "-q"}));
  json kernel = folder.kernel(R"("padding": 1)");
  kernel["input"] = {{"scale", 1.0 / 255}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}};
  folder.write("scaled.json", kernel.dump());
  folder.run({"apply", "x.ppm", "-k", "scaled.json", "-o", "by-file.npy", "-q"});
  CHECK(folder.values("by-file.npy") == folder.values("by-options.npy"));
  folder.write("network.json", json{{"layers", {folder.kernel(R"("padding": 1)")}}, {"input", kernel["input"]}}.dump());
  folder.run({"apply", "x.ppm", "-k", "network.json", "-o", "by-network.npy", "-q"});
  CHECK(folder.values("by-network.npy") == folder.values("by-options.npy"));

  kernel["input"]["mean"] = 0.5;
  kernel["input"]["order"] = "bgr";
  folder.write("other.json", kernel.dump());
  folder.run({"apply", "x.ppm", "-k", "other.json", "--mean", "0.485,0.456,0.406", "--channel-order", "rgb", "-o",
              "replaced.npy", "-q"});
  CHECK(folder.values("replaced.npy") == folder.values("by-options.npy"));
  CHECK(json::parse(folder.run({"kernels", "convert", "other.json", "-o", "-"}).out).at("input") == kernel["input"]);
}

TEST_CASE("the scaled input is layer 1 of dumps and explanations, and reports say how it was scaled") {
  const ScalingFolder folder;
  const json report = json::parse(
      folder.run(with_scaling({"apply", "x.ppm", "-k", "k.json", "-o", "y.npy", "--dump-layers", "d", "--json"})).out);
  CHECK(report.at("layer_outputs") == json{"d/x.01-input.npy", "d/x.02-k.npy"});
  CHECK(report.at("input_scaling") ==
        json{{"scale", 1.0 / 255}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}, {"order", "rgb"}});
  const std::vector<float> input = folder.values("d/x.01-input.npy");
  for (int c = 0; c < 3; ++c)
    for (std::int64_t y = 0; y < kScaledHeight; ++y)
      for (std::int64_t x = 0; x < kScaledWidth; ++x)
        REQUIRE(
            std::fabs(static_cast<double>(input[static_cast<std::size_t>((c * kScaledHeight + y) * kScaledWidth + x)]) -
                      folder.scaled(c, y, x)) < 4 * 5 * 0x1p-24);
  CHECK(folder.values("d/x.02-k.npy") == folder.values("y.npy"));
  const std::string text = folder.run(with_scaling({"apply", "x.ppm", "-k", "k.json", "-o", "y.npy"})).out;
  CHECK(text.find("k 2x3x3x3, input scale 0.00392157, mean 0.485,0.456,0.406, std 0.229,0.224,0.225") !=
        std::string::npos);
  CHECK(folder.run({"apply", "x.ppm", "-k", "k.json", "--channel-order", "bgr", "-o", "y.npy"}).out.find("input bgr") !=
        std::string::npos);

  const json explained =
      json::parse(folder.run(with_scaling({"explain", "x.ppm", "-k", "k.json", "--at", "5,7", "--json"})).out);
  REQUIRE(explained.at("layers").size() == 2);
  CHECK(explained.at("layers")[1].at("name") == "input");
  CHECK(std::fabs(explained.at("layers")[0].at("response").get<double>() - folder.response(0, 5, 7)) < kScaledBound);
  const json alone =
      json::parse(folder.run({"explain", "x.ppm", "-k", "sobel", "--input-scale", "1/255", "--json"}).out);
  CHECK(alone.at("map") == "normalize");
}

TEST_CASE("a scaling that keeps the values of pixels keeps the map and the units") {
  const ScalingFolder folder;
  const auto report = [&](const std::string& kernel, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"apply", "x.ppm", "-k", kernel, "--depth", "u16", "-o", "y.ppm", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(folder.run(arguments).out);
  };
  for (const char* kernel : {"identity", "[[0.1, -0.1]]"}) {
    CAPTURE(kernel);
    const json plain = report(kernel, {});
    const std::string bytes = read_text(folder.file("y.ppm"));
    for (const std::vector<std::string>& options : {std::vector<std::string>{"--channel-order", "rgb"},
                                                    {"--input-scale", "1"},
                                                    {"--mean", "0"},
                                                    {"--mean", "0,0,0", "--std", "1,1,1"}}) {
      CAPTURE(options.front());
      CHECK(report(kernel, options).at("map") == plain.at("map"));
      CHECK(read_text(folder.file("y.ppm")) == bytes);
    }
    CHECK(report(kernel, {"--channel-order", "bgr"}).at("map") == plain.at("map"));
  }
  CHECK(report("identity", {}).at("map") == "clip");
  CHECK(report(R"({"weight": [[1]], "input": {}})", {}).at("map") == "clip");
  CHECK(report("identity", {"--std", "2"}).at("map") == "normalize");
}

TEST_CASE("responses to scaled pixels fit a picture by normalize, are in no units, and other maps are kept") {
  const ScalingFolder folder;
  const auto report = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"apply", "x.ppm", "-k", "gaussian", "--input-scale", "1/255", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(folder.run(arguments).out);
  };
  CHECK(report({"-o", "y.png"}).at("map") == "normalize");
  CHECK(report({"-o", "y.npy"}).at("map") == "none");
  CHECK(report({"-o", "y.png", "--map", "clip"}).at("map") == "clip");
  CHECK(report({"-o", "y.png", "--threshold", "0.5"}).at("map") == "clip");
  CHECK(report({"-o", "y.tif", "--depth", "f32"}).at("map") == "none");
  // 16 bits of a picture of 8: values in the units of the input would be multiplied by 257.
  folder.run({"apply", "x.ppm", "-k", "identity", "--input-scale", "2", "--map", "clip", "--depth", "u16", "-o",
              "two.ppm", "-q"});
  folder.run({"apply", "two.ppm", "-k", "identity", "--map", "clip", "-o", "two.npy", "-q"});
  folder.run({"apply", "x.ppm", "-k", "identity", "-o", "one.npy", "-q"});
  std::vector<float> twice = folder.values("one.npy");
  for (float& value : twice) value *= 2;
  CHECK(folder.values("two.npy") == twice);
}

TEST_CASE("files in bands, streams, batches and alpha are scaled alike") {
  const ScalingFolder folder;
  for (const char* const kernel : {"k.json", "gaussian", "identity", "sobel"})
    for (const char* const output : {"npy", "ppm"}) {
      if (std::string(kernel) == "k.json" && std::string(output) == "ppm") continue;
      CAPTURE(kernel);
      CAPTURE(output);
      std::vector<std::string> arguments =
          with_scaling({"apply", "x.ppm", "-k", kernel, "-q", "-o", std::string("banded.") + output});
      folder.run(arguments);
      std::string command = "cat x.ppm | $CONVTOOL apply - -q -k " + std::string(kernel) + " -o whole." + output;
      for (const std::string& word : kScaling) command += " " + word;
      CHECK(run_shell(command, folder).code == 0);
      CHECK(read_text(folder.file(std::string("banded.") + output)) ==
            read_text(folder.file(std::string("whole.") + output)));
    }

  // Many bands of a large file of noise, of which a part is in memory.
  Random random(9);
  std::string large(3000 * 3000, '\0');
  for (char& pixel : large) pixel = static_cast<char>(random.between(0, 255));
  folder.write("large.pgm", "P5 3000 3000 255\n" + large);
  folder.write("padded.json", R"({"weight": [[1, 2, 1], [2, 4, 2], [1, 2, 1]], "divisor": 16, "padding": 1})");
  const std::string scaling = " --input-scale 1/255 --mean 0.1307 --std 0.3081 -q -k padded.json --threads 2";
  CHECK(run_shell("$CONVTOOL apply large.pgm --memory-limit 48M" + scaling + " -o banded.npy", folder).code == 0);
  CHECK(run_shell("cat large.pgm | $CONVTOOL apply -" + scaling + " -o whole.npy", folder).code == 0);
  CHECK(read_text(folder.file("banded.npy")) == read_text(folder.file("whole.npy")));

  folder.write("batch.json", "[[[[1, 2]], [[3, 4]]], [[[5, 6]], [[7, 8]]]]");
  CHECK(json::parse(
            folder.run({"apply", "batch.json", "-k", "[[2]]", "--input-scale", "2", "--mean", "1,0", "-o", "-"}).out) ==
        json::parse("[[[[2, 6]], [[12, 16]]], [[[18, 22]], [[28, 32]]]]"));

  folder.run({"apply", "x.ppm", "-k", "identity", "-o", "x.png", "-q"});
  cv::imwrite(folder.file("rgba.png"), cv::Mat(1, 1, CV_8UC4, cv::Scalar(30, 20, 10, 128)));
  const json kept = json::parse(folder
                                    .run({"apply", "rgba.png", "-k", "identity", "--input-scale", "3",
                                          "--channel-order", "bgr", "--map", "clip", "--json", "-o", "alpha.png"})
                                    .out);
  CHECK(kept.at("output_shape") == json{4, 1, 1});
  folder.run({"apply", "alpha.png", "-k", "identity", "--alpha", "filter", "-o", "alpha.npy", "-q"});
  CHECK(folder.values("alpha.npy") == std::vector<float>{90, 60, 30, 128});
}

TEST_CASE("scalings that do not fit are refused in one line") {
  const ScalingFolder folder;
  const auto refuses = [&](const std::vector<std::string>& options, const std::string& message, int code = 2) {
    std::vector<std::string> arguments = {"apply", "x.ppm", "-k", "k.json", "-o", "y.npy"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    folder.refuses(arguments, code, message);
  };
  for (const char* const scale : {"x", "0", "1/0", "0/255", "1/2/3", "", "inf", "1/", "/2"})
    refuses({"--input-scale", scale},
            "--input-scale: '" + std::string(scale) +
                "' is not valid (expected a number other than 0, or a fraction such as 1/255)");
  for (const char* const mean : {"x", "1,", "1,,2", "", "nan", "1 2"})
    refuses({"--mean", mean}, "--mean: '" + std::string(mean) +
                                  "' is not valid (expected a number, or one per channel separated by commas, such as "
                                  "0.485,0.456,0.406)");
  refuses({"--std", "1,0,1"}, "--std: pixels are divided by it, so it has to be above 0 (got 0)");
  refuses({"--std", "1,2", "--mean", "1,2,3"}, "--std: 2 numbers, but mean has 3; give both one number per channel");
  folder.write("own.json", R"({"weight": [[1]], "input": {"mean": [1, 2, 3], "std": [4, 5, 6]}})");
  folder.refuses({"apply", "x.ppm", "-k", "own.json", "-o", "y.npy", "--mean", "1,2,3,4"}, 2,
                 "--mean: 4 numbers, but the std in 'own' has 3; give one number, as many, or --std as well");
  folder.refuses({"apply", "x.ppm", "-k", "own.json", "-o", "y.npy", "--std", "1,2"}, 2,
                 "--std: 2 numbers, but the mean in 'own' has 3; give one number, as many, or --mean as well");
  refuses({"--channel-order", "gbr"},
          "--channel-order: 'gbr' is not valid (expected one of rgb, bgr); did you mean 'bgr'?");
  refuses({"--std", "1e-38", "--input-scale", "1e38"}, "--std: scaled pixels are beyond float32");
  refuses(
      {"--mean", "1,2"},
      "k: the input is scaled with 2 numbers of mean or std, but its first layer takes 3 channels; give one number, or "
      "one per channel");
  folder.refuses(
      {"apply", "x.ppm", "-k", "gaussian", "--gray", "--mean", "1,2,3", "-o", "y.npy"}, 1,
      "x.ppm: the input has 1 channel, but is scaled with 3 numbers of mean or std; give one number, or one per "
      "channel");
  folder.refuses({"apply", "x.ppm", "-k", "gaussian", "--gray", "--channel-order", "bgr", "-o", "y.npy"}, 1,
                 "x.ppm: the input has 1 channel, but the order bgr is one of three colours; leave the order out");
  folder.write("scaled.json", R"({"weight": [[1]], "input": {"scale": 2}})");
  folder.refuses({"apply", "x.ppm", "-k", "sobel", "--then", "scaled.json"}, 2,
                 "scaled: scales its input, which only the first kernel of a chain can; name it with -k, or remove "
                 "\"input\" from its file");
  folder.refuses(
      {"apply", "x.ppm", "-k", "box", "-k", "scaled.json"}, 2,
      "scaled: scales its input in another way than the kernels before it; give all the same \"input\", or none");
  folder.refuses(
      {"learn", "--input", "x.ppm", "--target", "x.ppm", "--init", "scaled.json"}, 2,
      "--init: 'scaled' scales its input, but learn fits a kernel to the files' own values; remove \"input\" from "
      "its file, and scale the files before");
  folder.refuses({"kernels", "convert", "scaled.json", "--to", "magick"}, 2,
                 "scaled: an ImageMagick kernel string cannot store the scaling of the input; remove it");
  folder.refuses({"explain", "3x5x5", "-k", "box", "--mean", "1"}, 2,
                 "--mean: needs numbers, but '3x5x5' is a shape; leave it out");
  for (const char* const command : {"edges", "learn", "shape", "bench"}) {
    const ProgramResult result = run_convtool({command, "--input-scale", "1/255"}, folder);
    CHECK(result.code == 2);
    CHECK(result.err.starts_with("convtool: unknown option '--input-scale'; "));
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  }
  cv::imwrite(folder.file("rgba.png"), cv::Mat(1, 1, CV_8UC4, cv::Scalar(30, 20, 10, 128)));
  folder.refuses(
      {"apply", "rgba.png", "-k", "box", "--alpha", "premultiply", "--input-scale", "2"}, 1,
      "rgba.png: --alpha premultiply weights the picture's own colours, but the input is scaled; choose --alpha "
      "keep");
}

TEST_CASE("weights of a model on pixels as they are give one warning, which a scaling silences") {
  const ScalingFolder folder;
  folder.write("net.safetensors", safetensors(R"({"w":{"dtype":"F32","shape":[3,1,2],"data_offsets":[0,24]}})",
                                              raw_bytes(std::vector<float>{1, 2, 3, 4, 5, 6})));
  folder.write("net.json", R"({"weight": "net.safetensors#w"})");
  const std::string warning = "the weights of 'net.safetensors' are a model's, and run on pixels from 0 to 255";
  CHECK(folder.run({"apply", "x.ppm", "-k", "net.json", "-o", "y.npy"}).err.find(warning) != std::string::npos);
  CHECK(folder.run({"explain", "x.ppm", "-k", "net.json"}).err.find(warning) != std::string::npos);
  CHECK(folder.run({"apply", "x.ppm", "-k", "net.json", "-o", "y.npy", "--input-scale", "1"}).err.empty());
  CHECK(folder.run(with_scaling({"apply", "x.ppm", "-k", "net.json", "-o", "y.npy"})).err.empty());
}

TEST_CASE(
    "options that do not fit the scaling of the file, and pixels of 16 bits, give a warning that says what fits") {
  const ScalingFolder folder;
  folder.write("net.json", R"({"weight": [[1]], "input": {"mean": [123.675, 116.28, 103.53], "std": 58.395}})");
  const auto warning = [&](std::vector<std::string> arguments) {
    for (const char* const more : {"-k", "net.json"}) arguments.emplace_back(more);
    return folder.run(arguments).err;
  };
  CHECK(warning({"apply", "x.ppm", "-o", "y.npy"}).empty());
  const std::string mixed = warning({"apply", "x.ppm", "-o", "y.npy", "--input-scale", "1/255"});
  CHECK(mixed.find("the mean of 123.675 that is subtracted lies far beyond it") != std::string::npos);
  CHECK(warning({"explain", "x.ppm", "--input-scale", "1/255"}).find("lies far beyond it") != std::string::npos);
  folder.run({"apply", "x.ppm", "-k", "[[1]]", "--depth", "u16", "-o", "deep.ppm", "-q"});
  CHECK(warning({"apply", "deep.ppm", "-o", "deep.npy"}).find("; add --input-scale 1/257 to") != std::string::npos);
  CHECK(warning({"apply", "deep.ppm", "-o", "deep.npy", "--input-scale", "1/257"}).empty());
  warning({"apply", "x.ppm", "-o", "y.npy", "-q"});
  // 257 times a byte, over 257: the same input, but for a few roundings to float32 of numbers below 3.
  const std::vector<float> bytes = folder.values("y.npy"), deep = folder.values("deep.npy");
  REQUIRE(bytes.size() == deep.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) CHECK(deep[i] == doctest::Approx(bytes[i]).epsilon(1e-6));
}

}  // namespace convtool
