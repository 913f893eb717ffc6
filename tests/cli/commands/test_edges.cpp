// Runs convtool edges: kinds of output, reports and refusals. OpenCV reads the results back.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>

#include "cli/picture_files.h"
#include "support/program.h"

namespace {

using nlohmann::json;

constexpr const char* kOperators[] = {"sobel", "scharr", "prewitt", "roberts", "farid", "kirsch", "frei-chen", "log"};

/// A picture of blobs, which have edges in all directions.
cv::Mat blobs(int type) {
  cv::Mat picture(48, 64, type);
  cv::RNG random(11);
  random.fill(picture, cv::RNG::UNIFORM, 0, type == CV_16UC3 ? 65536 : 256);
  cv::GaussianBlur(picture, picture, {9, 9}, 3);
  cv::normalize(picture, picture, 0, type == CV_16UC3 ? 65535 : 255, cv::NORM_MINMAX);
  return picture;
}

std::string photograph(const char* name) { return std::string(PROJECT_DIR) + "/samples/" + name; }

std::string run(const TempFolder& folder, const char* command, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), command);
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  return result.out;
}

std::string edges(const TempFolder& folder, std::vector<std::string> arguments) {
  return run(folder, "edges", std::move(arguments));
}

}  // namespace

TEST_CASE("edges and apply agree for every operator") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), blobs(CV_8UC3));
  for (const char* name : kOperators)
    for (const char* depth : {"same", "u16"}) {
      CAPTURE(std::string(name));
      edges(folder, {"c.png", "--operator", name, "--depth", depth, "-o", "e.png"});
      run(folder, "apply", {"c.png", "-k", name, "--gray", "--depth", depth, "-o", "a.png"});
      // Strengths whose sums are not exact are floats before they are stored. That is 2^-24 of 65535 at most, and so a
      // level where it meets the middle between two.
      const bool is_exact = std::string(name) != "farid" && std::string(name) != "frei-chen";
      CHECK(equal(read(folder, "e.png"), read(folder, "a.png"), is_exact ? 0 : 1));
    }
  edges(folder, {"c.png", "--norm", "l1", "-o", "e.png"});
  run(folder, "apply", {"c.png", "-k", "sobel-x", "-k", "sobel-y", "--combine", "l1", "--gray", "-o", "a.png"});
  CHECK(equal(read(folder, "e.png"), read(folder, "a.png")));
  edges(folder, {"c.png", "--padding-mode", "reflect", "-o", "e.png"});
  run(folder, "apply", {"c.png", "-k", "sobel", "--padding-mode", "reflect", "--gray", "-o", "a.png"});
  CHECK(equal(read(folder, "e.png"), read(folder, "a.png")));
}

TEST_CASE("the examples in the help give the names and shapes of their outputs, and a Canny detector") {
  const TempFolder folder;
  std::filesystem::copy_file(photograph("camera.png"), folder.file("img.png"));
  CHECK(edges(folder, {"img.png"})
            .starts_with("img.png 1x512x512 u8 -> img.sobel-magnitude.png 1x512x512 u8; sobel 2x3x3, clipped "));
  CHECK(edges(folder, {"img.png", "--sigma", "1.4", "--thin", "--hysteresis", "auto"})
            .find("-> img.sobel-sigma=1.4-thin.png") != std::string::npos);
  edges(folder, {"img.png", "--operator", "scharr", "--depth", "f32", "-o", "gradient.npy"});
  CHECK(std::filesystem::file_size(folder.file("gradient.npy")) > 512 * 512 * 4);

  const std::string report = edges(
      folder, {"img.png", "--thin", "--hysteresis", "100,200", "--output-kind", "binary", "-o", "canny.png", "-v"});
  CHECK(report.find("thin binary, thresholds 100 and 200, ") != std::string::npos);
  CHECK(report.find("    -1  0  1\n    -2  0  2\n    -1  0  1\n") != std::string::npos);
  CHECK(report.find("the same edges as cv::Canny(low, high, 3, L2gradient=true)") != std::string::npos);
  cv::Mat wanted;
  cv::Canny(read(folder, "img.png"), wanted, 100, 200, 3, true);
  CHECK(equal(read(folder, "canny.png"), wanted));
}

TEST_CASE("the report as JSON: the recipe, thresholds and edge pixels") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), blobs(CV_8UC3));
  const auto report = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"c.png", "--json", "-o", "e.png"});
    return json::parse(edges(folder, options));
  };
  const json canny = report({"--thin", "--hysteresis", "p70,p90", "--color", "max", "--sigma", "1"});
  CHECK(canny["kernel"]["name"] == "sobel:sigma=1");
  CHECK(canny["combine"] == "magnitude");
  CHECK(canny["edges"]["output_kind"] == "magnitude");
  CHECK(canny["edges"]["color"] == "max");
  CHECK(canny["edges"]["thin"] == true);
  CHECK(canny["edges"]["angle"] == nullptr);
  CHECK(canny["edges"]["thresholds"]["source"] == "percentiles");
  CHECK(canny["edges"]["thresholds"]["low"] < canny["edges"]["thresholds"]["high"]);
  CHECK(canny["edges"]["edge_pixels"] == cv::countNonZero(read(folder, "e.png")));
  CHECK(canny["edges"]["canny"].get<std::string>().find("the kernels of sobel:sigma=1") != std::string::npos);
  CHECK(canny["warnings"] == json::array());
  const json plain = report({});
  CHECK(plain["edges"]["thresholds"] == nullptr);
  CHECK(plain["edges"]["edge_pixels"] == nullptr);
  CHECK(plain["edges"]["canny"] == nullptr);
  CHECK(plain["map"] == "clip");
  CHECK(report({"--output-kind", "orientation"})["edges"]["angle"] == "wheel");
  CHECK(report({"--output-kind", "binary"})["map"] == "none");
}

TEST_CASE("every kind with every operator and color rule runs, or suggests one that does") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), blobs(CV_8UC3));
  int ran = 0, refused = 0;
  for (const char* name : kOperators)
    for (const char* kind : {"magnitude", "orientation", "components", "binary", "overlay"})
      for (const char* color : {"luma", "max", "sum", "di-zenzo"}) {
        const ProgramResult result = run_convtool(
            {"edges", "c.png", "--operator", name, "--output-kind", kind, "--color", color, "--out-dir", "o"}, folder);
        CAPTURE(result.err);
        result.code == 0 ? ++ran : ++refused;
        if (result.code != 0) CHECK(result.err.find("; ") != std::string::npos);
        CHECK(result.code <= 2);
      }
  CHECK(ran == 8 * 5 * 4 - refused);
  // The operators of Kirsch and of Frei and Chen, and log, have no orientation and no structure tensor. They have
  // components for luma only.
  CHECK(refused == 3 * (4 + 3 + 3));
}

TEST_CASE("orientation: a colour wheel for pictures, radians for floats, degrees on request") {
  const TempFolder folder;
  cv::Mat ramp(9, 9, CV_8U);
  for (int x = 0; x < 9; ++x) ramp.col(x).setTo(20 * x);
  cv::imwrite(folder.file("r.png"), ramp.t());  // brighter downwards
  CHECK(edges(folder, {"r.png", "--output-kind", "orientation", "-o", "w.png"}).find("-> w.png 3x9x9 u8") !=
        std::string::npos);
  CHECK(read(folder, "w.png").at<cv::Vec3b>(4, 4) == cv::Vec3b(255, 0, 128));  // B, G, R; between blue and magenta
  CHECK(edges(folder, {"r.png", "--output-kind", "orientation", "--depth", "f32"})
            .find("-> r.sobel-orientation.tif 1x9x9 f32") != std::string::npos);
  CHECK(read(folder, "r.sobel-orientation.tif").at<float>(4, 4) == doctest::Approx(-CV_PI / 2));
  CHECK(edges(folder, {"r.png", "--output-kind", "orientation", "--angle", "degrees"})
            .find("-> r.sobel-orientation.tif 1x9x9 f32; ") != std::string::npos);
  CHECK(read(folder, "r.sobel-orientation.tif").at<float>(4, 4) == -90);
}

TEST_CASE("an overlay keeps the picture's colours, depth and alpha") {
  const TempFolder folder;
  const cv::Mat picture = blobs(CV_16UC3);
  cv::Mat with_alpha;
  cv::cvtColor(picture, with_alpha, cv::COLOR_BGR2BGRA);
  for (int y = 0; y < with_alpha.rows; ++y)
    for (int x = 0; x < with_alpha.cols; ++x)
      with_alpha.at<cv::Vec4w>(y, x)[3] = static_cast<std::uint16_t>(1000 * y + x);
  cv::imwrite(folder.file("c.png"), with_alpha);
  edges(folder, {"c.png", "--output-kind", "overlay", "--thin", "--overlay-color", "00ff00", "-o", "o.png"});
  edges(folder, {"c.png", "--output-kind", "binary", "--thin", "--alpha", "drop", "-o", "b.png"});
  const cv::Mat overlay = read(folder, "o.png"), marks = read(folder, "b.png");
  REQUIRE(overlay.type() == CV_16UC4);
  REQUIRE(marks.type() == CV_16UC1);
  cv::Mat wanted = with_alpha.clone();
  for (int y = 0; y < wanted.rows; ++y)
    for (int x = 0; x < wanted.cols; ++x)
      if (marks.at<std::uint16_t>(y, x) != 0) {
        cv::Vec4w& pixel = wanted.at<cv::Vec4w>(y, x);
        pixel = {0, 65535, 0, pixel[3]};
      }
  CHECK(cv::countNonZero(marks) > 50);
  CHECK(equal(overlay, wanted));
}

TEST_CASE("tensors: luma needs one channel; several channels need a rule that combines them") {
  const TempFolder folder;
  folder.write("x.json", "[[[0,0,9],[0,0,9],[0,0,9]],[[0,0,0],[0,0,0],[7,7,7]]]");
  const ProgramResult refused = run_convtool({"edges", "x.json", "-o", "-"}, folder);
  CHECK(refused.code == 1);
  CHECK(refused.err.find("choose --color max, sum or di-zenzo") != std::string::npos);
  CHECK(edges(folder, {"x.json", "--color", "max", "-o", "-"}).find("[[0,36,36],") != std::string::npos);
  const ProgramResult overlay =
      run_convtool({"edges", "x.json", "--color", "max", "--output-kind", "overlay", "-o", "-"}, folder);
  CHECK(overlay.err.find("needs a picture to be painted on") != std::string::npos);
}

TEST_CASE("standard output of a JPEG is lossless unless a lossy format is named") {
  const TempFolder folder;
  cv::imwrite(folder.file("in.jpg"), blobs(CV_8UC3));
  CHECK(
      run_shell("$CONVTOOL edges - -o - < in.jpg > out.bin 2> err.txt && head -c 4 out.bin | tail -c 3", folder).out ==
      "PNG");
  CHECK(run_shell("$CONVTOOL edges - --format jpg -o - < in.jpg 2> err.txt | head -c 2 | od -An -tx1", folder).out ==
        " ff d8\n");
}

TEST_CASE("options that contradict each other are refused before any work") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), blobs(CV_8UC3));
  const auto refused = [&](std::vector<std::string> options, const char* why) {
    options.insert(options.begin(), {"edges", "c.png", "-o", "e.png"});
    const ProgramResult result = run_convtool(options, folder);
    CAPTURE(result.err);
    return result.code == 2 && result.err.find(why) != std::string::npos &&
           !std::filesystem::exists(folder.file("e.png"));
  };
  CHECK(refused({"--operator", "sobble"}, "sobel"));
  CHECK(refused({"--operator", "kirsch", "--thin"}, "--thin"));
  CHECK(refused({"--operator", "log", "--output-kind", "orientation"}, "orientation"));
  CHECK(refused({"--operator", "kirsch", "--norm", "l1"}, "--norm"));
  CHECK(refused({"--angle", "degrees"}, "--output-kind orientation"));
  CHECK(refused({"--overlay-color", "ff0000"}, "--output-kind overlay"));
  CHECK(refused({"--output-kind", "overlay", "--overlay-color", "red"}, "RRGGBB"));
  CHECK(refused({"--output-kind", "binary", "--map", "abs"}, "--map"));
  CHECK(refused({"--output-kind", "binary", "--threshold", "9"}, "--threshold"));
  CHECK(refused({"--alpha", "filter"}, "--alpha"));
  CHECK(refused({"--sigma", "-1"}, "--sigma"));
  for (const char* wrong : {"1e-300", "0.01", "1e9", "x"}) CHECK(refused({"--sigma", wrong}, "--sigma"));
  CHECK(refused({"--sigma", "600"}, "1023"));
  CHECK(refused({"--output-kind", "components", "--map", "signed"}, "choose --map offset"));
  CHECK(refused({"--operator", "log", "--output-kind", "components", "--hysteresis", "1,2"}, "--hysteresis"));
  for (const char* wrong :
       {"5", "200,100", "-1,5", "p50,90", "50,p90", "p50,p101", "nan,5", "a,b", ",", "1,2,3", "p,p"})
    CHECK(refused({"--hysteresis", wrong}, "--hysteresis"));
}

TEST_CASE("outputs that a format cannot store are refused, with a suggestion that suits edges") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), blobs(CV_8UC1));
  cv::Mat floats;
  blobs(CV_8UC1).convertTo(floats, CV_32F);
  cv::imwrite(folder.file("f.tif"), floats, {cv::IMWRITE_TIFF_COMPRESSION, 1});
  const auto refusal = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "edges");
    const ProgramResult result = run_convtool(arguments, folder);
    CHECK(result.code == 1);
    return result.err;
  };
  CHECK(refusal({"c.png", "--output-kind", "components", "-o", "o.png"}).ends_with("could store; write .npy\n"));
  CHECK(refusal({"c.png", "--output-kind", "orientation", "--angle", "degrees", "-o", "o.png"})
            .ends_with("or choose --angle wheel\n"));
  CHECK(refusal({"f.tif", "--output-kind", "binary", "-o", "o.png"}).ends_with("or choose --depth u8\n"));
  CHECK(refusal({"f.tif", "-o", "o.png"}).find("--depth u8 (with --map normalize") != std::string::npos);
}

TEST_CASE("an input is skipped if its own output exists, but not if one of another kind does") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), blobs(CV_8UC1));
  edges(folder, {"c.png"});
  CHECK(edges(folder, {"c.png", "-n"}).find("skipped: c.sobel-magnitude.png exists") != std::string::npos);
  CHECK(edges(folder, {"c.png", "-n", "--output-kind", "components"}).find("-> c.sobel-components.npy") !=
        std::string::npos);
  CHECK(edges(folder, {"c.png", "-n", "--output-kind", "components"}).find("c.sobel-components.npy exists") !=
        std::string::npos);
  CHECK(edges(folder, {"c.png", "-n", "--depth", "f32"}).find("-> c.sobel-magnitude.tif") != std::string::npos);
  CHECK(edges(folder, {"c.png", "-n", "--depth", "f32"}).find("c.sobel-magnitude.tif exists") != std::string::npos);
}

TEST_CASE("reports: given thresholds in a dry run, NaN before thinning, and the equivalent Canny detector") {
  const TempFolder folder;
  cv::imwrite(folder.file("g.png"), blobs(CV_8UC1));
  const json dry =
      json::parse(edges(folder, {"g.png", "--thin", "--hysteresis", "3,4.5", "--dry-run", "--json", "-o", "e.png"}));
  CHECK(dry["edges"]["thresholds"]["high"] == 4.5);
  for (const char* color : {"luma", "max", "sum", "di-zenzo"})  // one colour has no ties and needs no combining
    CHECK(edges(folder, {"g.png", "--thin", "--hysteresis", "100,200", "--color", color, "-v", "-o", "e.png"})
              .find("the same edges as cv::Canny") != std::string::npos);
  cv::Mat nan(4, 5, CV_32F, cv::Scalar(1));
  nan.at<float>(1, 2) = std::numeric_limits<float>::quiet_NaN();
  cv::imwrite(folder.file("nan.tif"), nan, {cv::IMWRITE_TIFF_COMPRESSION, 1});
  for (const char* thin : {"--color", "--thin"}) {
    std::vector<std::string> options = {"nan.tif", "--json", "-o", "e.npy", thin};
    if (options.back() == "--color") options.push_back("max");
    CHECK(json::parse(edges(folder, options))["nan_count"] == 9);
  }
}

TEST_CASE("strengths whose squares are outside the range of floats") {
  const TempFolder folder;
  for (const char* unit : {"e-24", "e30"}) {
    const std::string zero = "0", nine = std::string("9") + unit;
    folder.write("x.json", "[[0,0," + nine + "],[0,0," + nine + "],[0,0," + nine + "]]");
    const json plain = json::parse(edges(folder, {"x.json", "-o", "-"}));
    CHECK(plain[1][1] == json::parse("36" + std::string(unit)));
    const json thin = json::parse(edges(folder, {"x.json", "--thin", "-o", "-"}));
    CHECK(thin[1][1] == plain[1][1]);
    CHECK(thin[1][0] == 0);
  }
}

TEST_CASE("a picture without edges, one pixel, and infinite strengths") {
  const TempFolder folder;
  cv::imwrite(folder.file("flat.png"), cv::Mat(5, 7, CV_8U, cv::Scalar(9)));
  cv::imwrite(folder.file("dot.png"), cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3)));
  for (const char* file : {"flat.png", "dot.png"})
    for (const char* kind : {"magnitude", "orientation", "binary"})
      for (const char* name : {"sobel", "log"}) {
        if (std::string(kind) == "orientation" && std::string(name) == "log") continue;
        edges(folder,
              {file, "--thin", "--hysteresis", "auto", "--output-kind", kind, "--operator", name, "-o", "e.png"});
        CHECK(cv::countNonZero(read(folder, "e.png").reshape(1)) == 0);
      }
  cv::Mat infinite(4, 4, CV_32F, cv::Scalar(1));
  infinite.at<float>(1, 1) = std::numeric_limits<float>::infinity();
  cv::imwrite(folder.file("inf.tif"), infinite, {cv::IMWRITE_TIFF_COMPRESSION, 1});
  const ProgramResult refused = run_convtool({"edges", "inf.tif", "--hysteresis", "auto", "-o", "e.tif"}, folder);
  CHECK(refused.code == 1);
  CHECK(refused.err.find("give them as numbers") != std::string::npos);
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--hysteresis", "p80,p95"}, {"--output-kind", "orientation", "--angle", "wheel"}}) {
    std::vector<std::string> arguments = {"edges", "inf.tif", "-o", "e.tif"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    CHECK(run_convtool(arguments, folder).err.find("infinite strength") != std::string::npos);
  }
  edges(folder, {"inf.tif", "--output-kind", "orientation", "--angle", "wheel", "--normalize-percentile", "1,50", "-o",
                 "e.tif"});
  cv::imwrite(folder.file("nan.tif"), cv::Mat(4, 4, CV_32F, cv::Scalar(std::numeric_limits<float>::quiet_NaN())),
              {cv::IMWRITE_TIFF_COMPRESSION, 1});
  edges(folder, {"nan.tif", "--output-kind", "orientation", "--angle", "wheel", "-o", "e.tif"});
  CHECK(run_convtool({"edges", "flat.png", "--operator", "log", "--output-kind", "components", "--thin"}, folder).err ==
        "convtool: --thin: keeps zero crossings of log, which have no components; leave it out\n");
}
