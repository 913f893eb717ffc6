// convtool apply --sheet, and which channels may become colours.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "cli/picture_files.h"
#include "support/program.h"

using nlohmann::json;

namespace {

namespace fs = std::filesystem;

/// A folder with grey.png, colour.png and alpha.png of 40x60 pixels, a tensor t.npy of 3x40x60, and kernels named after
/// their outputs and inputs.
struct SheetWorkplace {
  TempFolder folder;

  SheetWorkplace() {
    cv::Mat colour(40, 60, CV_8UC3), alpha(40, 60, CV_8UC4);
    cv::randu(colour, 0, 255);
    cv::randu(alpha, 0, 255);
    cv::imwrite(folder.file("colour.png"), colour);
    cv::imwrite(folder.file("alpha.png"), alpha);
    cv::Mat grey;
    cv::extractChannel(colour, grey, 0);
    cv::imwrite(folder.file("grey.png"), grey);
    for (const auto& [outputs, inputs] :
         {std::pair(1, 1), {2, 1}, {3, 1}, {4, 1}, {8, 1}, {2, 3}, {3, 3}, {4, 3}, {4, 4}}) {
      json weight = json::array();
      for (int o = 0; o < outputs; ++o) {
        weight.push_back(json::array());
        for (int i = 0; i < inputs; ++i) weight.back().push_back({{o + 1, -1}, {i, -o}});
      }
      std::ofstream(folder.file("k" + std::to_string(outputs) + "x" + std::to_string(inputs) + ".json"))
          << json{{"weight", weight}};
    }
    CHECK(apply({"colour.png", "-k", "[[1]]", "--depth", "f32", "-o", "t.npy"}).code == 0);
  }

  ProgramResult apply(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "apply");
    return run_convtool(arguments, folder);
  }
  bool has(const std::string& name) const { return fs::exists(folder.file(name)); }
};

}  // namespace

TEST_CASE("feature maps never become colours or alpha by accident") {
  const SheetWorkplace at;
  const auto refused = [&](const std::string& input, const std::string& kernel, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {input, "-k", kernel, "-o", "out.png"});
    const ProgramResult result = at.apply(more);
    CAPTURE(input + " " + kernel);
    CHECK(result.code == 1);
    for (const char* way : {"--sheet", ".npy"}) CHECK(result.err.find(way) != std::string::npos);
    CHECK_FALSE(at.has("out.png"));
  };
  refused("grey.png", "k2x1.json");
  refused("grey.png", "k3x1.json");
  refused("grey.png", "k4x1.json");
  refused("colour.png", "k2x3.json");
  refused("colour.png", "k4x3.json");
  refused("colour.png", "k3x1.json", {"--gray"});
  refused("alpha.png", "k4x4.json", {"--alpha", "filter"});
  refused("t.npy", "k3x3.json", {"--map", "normalize"});

  const auto channels = [&](const std::string& input, const std::string& kernel, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {input, "-k", kernel, "-o", "kept.png"});
    CHECK(at.apply(more).code == 0);
    return cv::imread(at.folder.file("kept.png"), cv::IMREAD_UNCHANGED).channels();
  };
  CHECK(channels("colour.png", "k3x3.json") == 3);
  CHECK(channels("colour.png", "gaussian") == 3);
  CHECK(channels("alpha.png", "k3x3.json") == 4);
  CHECK(channels("alpha.png", "gaussian", {"--alpha", "filter"}) == 4);
  CHECK(channels("grey.png", "k1x1.json") == 1);
}

TEST_CASE("a float picture whose feature maps are no colours becomes .npy under its derived name") {
  const SheetWorkplace at;
  CHECK(at.apply({"grey.png", "-k", "k3x1.json", "--depth", "f32"}).code == 0);
  CHECK(at.has("grey.k3x1.npy"));
}

TEST_CASE("a sheet alone, in addition to a result, for each layer, and on standard output") {
  const SheetWorkplace at;
  const json alone = json::parse(at.apply({"grey.png", "-k", "k8x1.json", "--sheet", "s.png", "--json"}).out);
  CHECK(alone["output"] == "s.png");
  CHECK(alone["sheet"]["tiles"] == 8);
  const cv::Mat sheet = cv::imread(at.folder.file("s.png"), cv::IMREAD_UNCHANGED);
  CHECK(sheet.channels() == 3);
  CHECK(alone["output_shape"] == json({3, sheet.rows, sheet.cols}));
  CHECK(alone["sheet"]["result_shape"] == json({8, 39, 59}));
  CHECK(alone["sheet"]["result_dtype"] == "f32");
  const std::string line = at.apply({"grey.png", "-k", "k8x1.json", "--sheet", "s.png"}).out;
  CHECK(line.find("sheet of 8 tiles in 4 columns, showing 8x39x59 f32") != std::string::npos);
  CHECK_FALSE(at.has("grey.k8x1.png"));

  const json both =
      json::parse(at.apply({"grey.png", "-k", "k8x1.json", "-o", "y.npy", "--sheet", "b.png", "--dump-layers", "layers",
                            "--sheet-columns", "2", "--sheet-scale", "joint", "--json"})
                      .out);
  CHECK(both["output"] == "y.npy");
  CHECK(both["sheet"]["output"] == "b.png");
  CHECK(both["sheet"]["columns"] == 2);
  CHECK(both["output_shape"] == json({8, 39, 59}));
  const json rgba =
      json::parse(at.apply({"alpha.png", "-k", "box", "-o", "a.png", "--sheet", "a.sheet.png", "--json"}).out);
  CHECK(rgba["output_shape"] == json({4, 40, 60}));
  CHECK(rgba["output_dtype"] == "u8");
  CHECK(rgba["sheet"]["result_shape"] == json({3, 40, 60}));  // responses, which alpha has none of
  CHECK(rgba["sheet"]["result_dtype"] == "f32");
  at.folder.write("batch.json", "[[[[1, 2, 3], [4, 5, 6]]], [[[7, 8, 9], [1, 2, 3]]]]");
  const json batch = json::parse(at.apply({"batch.json", "-k", "box", "--sheet", "batch.png", "--json"}).out);
  CHECK(batch["input_shape"] == json({2, 1, 2, 3}));
  CHECK(batch["sheet"]["result_shape"] == json({2, 1, 2, 3}));
  CHECK(batch["output_shape"] == batch["sheet"]["shape"]);
  for (const char* name : {"y.npy", "b.png", "layers/grey.01-k8x1.npy", "layers/grey.01-k8x1.png"}) CHECK(at.has(name));
  CHECK(at.apply({PROJECT_DIR "/samples/camera.png", "-k", "box", "--sheet", "c.png"}).err == "");  // no metadata
  const std::string text =
      at.apply({"grey.png", "-k", "k8x1.json", "-o", "y.npy", "--sheet", "b.png", "--dump-layers", "layers"}).out;
  CHECK(text.find("their sheets layers/grey.01-k8x1.png,") != std::string::npos);

  const ProgramResult piped = at.apply({"grey.png", "-k", "k8x1.json", "--sheet", "-"});
  CHECK(piped.out.substr(1, 3) == "PNG");
  CHECK(piped.err.find("sheet of 8 tiles") != std::string::npos);
  CHECK(at.apply({"grey.png", "-k", "gaussian", "--sheet", "-", "-o", "-"}).code == 2);
}

TEST_CASE("a raw file, a batch, no-clobber, dry runs and manifests") {
  const SheetWorkplace at;
  CHECK(at.apply({"t.npy", "-k", "gaussian", "--sheet", "t.png"}).code == 0);  // not in bands
  CHECK(cv::imread(at.folder.file("t.png")).cols > 3 * 60);
  const ProgramResult batch = at.apply({"grey.png", "colour.png", "-k", "gaussian", "--sheet", "sheets/{stem}.{ext}"});
  CHECK(batch.code == 0);
  CHECK(at.has("sheets/grey.png"));
  CHECK(at.has("sheets/colour.png"));
  CHECK(at.apply({"grey.png", "-k", "gaussian", "--sheet", "sheets/grey.png", "-n"}).out.find("skipped") !=
        std::string::npos);
  CHECK(at.apply({"grey.png", "-k", "gaussian", "--sheet", "dry.png", "--dry-run"}).out.find("dry run") !=
        std::string::npos);
  CHECK_FALSE(at.has("dry.png"));
  const std::vector<std::string> recorded = {"grey.png", "-k", "gaussian", "--sheet", "m.png", "--manifest", "m.jsonl"};
  CHECK(at.apply(recorded).code == 0);
  CHECK(at.apply(recorded).out.find("up to date") != std::string::npos);
}

TEST_CASE("options that a sheet cannot follow, and names that it must not take, are refused before any work") {
  const SheetWorkplace at;
  const auto refused = [&](std::vector<std::string> more, const std::string& why) {
    more.insert(more.begin(), {"grey.png", "-k", "gaussian"});
    const ProgramResult result = at.apply(more);
    CAPTURE(why);
    CHECK(result.code == 2);
    CHECK(result.err.find(why) != std::string::npos);
  };
  refused({"--sheet", "grey.png"}, "grey.png");
  refused({"--sheet", "x.npy"}, "write .png");
  refused({"--sheet", "x.png", "--map", "abs"}, "--map");
  refused({"--sheet", "x.png", "--depth", "u16"}, "--depth");
  refused({"--sheet-columns", "3"}, "--sheet FILE");
  refused({"--sheet-scale", "joint"}, "--sheet FILE");
  refused({"--sheet", "x.png", "--sheet-columns", "0"}, "--sheet-columns");
  refused({"--sheet", "x.png", "-o", "x.png"}, "both the sheet");
  refused({"--sheet", "y.png/x.png", "-o", "y.png"}, "y.png");
  refused({"--sheet", "x.png", "-o", "x.png/y.png"}, "x.png");
  refused({"--sheet", "{dir}/grey.gaussian.png/x.png", "-o", "{dir}/{stem}.{kernel}.png"}, "gaussian.png");
  refused({"colour.png", "--sheet", "x.png"}, "2 inputs");
  refused({"--sheet", "x.png", "-o", "y.png", "--manifest", "m"}, "records one output");
  CHECK_FALSE(at.has("x.png"));
}

TEST_CASE("signed zero and the percentiles of signed maps") {
  const SheetWorkplace at;
  const auto zero = [&](const std::string& colour) {
    CHECK(at.apply({"grey.png", "-k", "[[0]]", "--map", "signed", "--signed-zero", colour, "-o", "z.png"}).code == 0);
    return cv::imread(at.folder.file("z.png")).at<cv::Vec3b>(5, 5);
  };
  CHECK(zero("white") == cv::Vec3b(255, 255, 255));
  CHECK(zero("grey") == cv::Vec3b(128, 128, 128));
  CHECK(zero("black") == cv::Vec3b(0, 0, 0));
  const ProgramResult cut = at.apply(
      {"grey.png", "-k", "sobel-x", "--map", "signed", "--normalize-percentile", "10,90", "-o", "c.png", "--json"});
  const json report = json::parse(cut.out);
  CHECK(report["signed_zero"] == "white");
  CHECK(report["clipped"]["low"].get<int>() + report["clipped"]["high"].get<int>() > 0);
  CHECK(at.apply({"grey.png", "-k", "sobel-x", "--signed-zero", "grey", "-o", "d.png"}).err.find("--map signed") !=
        std::string::npos);
}

TEST_CASE("auto makes small differences visible, and says by how much") {
  const SheetWorkplace at;
  const json report = json::parse(at.apply({"grey.png", "-k", "[[0.125,-0.125]]", "-o", "a.png", "--json"}).out);
  CHECK(report["map"] == "abs");
  CHECK(report["map_gain"] == 32);
  const json plain = json::parse(at.apply({"grey.png", "-k", "[[0.5,0,-0.5]]", "-o", "p.png", "--json"}).out);
  CHECK_FALSE(plain.contains("map_gain"));
}

TEST_CASE("kernels show draws kernels") {
  const SheetWorkplace at;
  CHECK(run_convtool({"kernels", "show", "sobel", "-o", "k.svg"}, at.folder).code == 0);
  CHECK(run_convtool({"kernels", "show", "gaussian:sigma=5", "-o", "k.png"}, at.folder).code == 0);
  CHECK(at.has("k.svg"));
  CHECK(cv::imread(at.folder.file("k.png")).cols > 200);
  CHECK(run_convtool({"kernels", "show", "sobel", "-o", "k.json"}, at.folder).code == 2);
}
