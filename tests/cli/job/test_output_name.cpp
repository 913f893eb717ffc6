// The names and formats of outputs: --format same, and the words of patterns.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/picture_files.h"
#include "support/program.h"

namespace {

using Names = std::vector<std::string>;

/// A picture in colours with soft changes, as a photograph has them.
cv::Mat soft_colours() {
  cv::Mat picture(24, 32, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<uchar>(60 + 4 * y), static_cast<uchar>(50 + 5 * x),
                                     static_cast<uchar>(200 - 2 * x - 3 * y)};
  return picture;
}

/// The format that the content shows: its first bytes.
std::string format_of(const TempFolder& folder, const std::string& name) {
  const std::string start = read_text(folder.file(name)).substr(0, 12);
  if (start.starts_with("\x89PNG")) return "png";
  if (start.starts_with("\xff\xd8")) return "jpeg";
  if (start.starts_with("II*") || start.starts_with("MM")) return "tiff";
  if (start.starts_with("BM")) return "bmp";
  if (start.starts_with("RIFF")) return "webp";
  if (start.starts_with("P5")) return "pgm";
  if (start.starts_with("P6")) return "ppm";
  if (start.starts_with("\x93NUMPY")) return "npy";
  return start.starts_with('[') ? "json" : "unknown";
}

/// Runs `arguments` and returns standard error.
std::string run(const TempFolder& folder, const Names& arguments) {
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  return result.err;
}

}  // namespace

TEST_CASE("--format same keeps the format of each input, and the spelling of its extension") {
  const TempFolder folder;
  Names arguments = {"apply", "-k", "sharpen", "--format", "same", "-q"};
  for (const char* name : {"a.png", "b.jpg", "c.jpeg", "d.tif", "e.TIFF", "f.bmp", "g.webp", "h.ppm"}) {
    const std::string lower = std::string(name) == "e.TIFF" ? "e.tiff" : name;
    cv::imwrite(folder.file(lower), soft_colours());
    if (lower != name) std::filesystem::rename(folder.file(lower), folder.file(name));
    arguments.emplace_back(name);
  }
  cv::imwrite(folder.file("i.pgm"), soft_colours().reshape(1));
  folder.write("j.json", "[[1,2],[3,4]]");
  arguments.insert(arguments.end(), {"i.pgm", "j.json"});
  const Names sources = folder.names();
  CHECK(run(folder, arguments) == "");
  for (const std::string& name : sources) {
    const std::filesystem::path path(name);
    const std::string output = path.stem().string() + ".sharpen" + path.extension().string();
    CAPTURE(output);
    REQUIRE(std::filesystem::exists(folder.file(output)));
    CHECK(format_of(folder, output) == format_of(folder, name));
  }
  CHECK(folder.names().size() == 2 * sources.size());
  CHECK(run(folder, arguments) == "");  // and again over them
  CHECK(folder.names().size() == 2 * sources.size());
}

TEST_CASE("float pictures keep their format and their type, with a map too") {
  const TempFolder folder;
  const cv::Mat floats = (cv::Mat_<float>(2, 2) << 1.5F, -2, 300, 4);
  cv::imwrite(folder.file("a.tif"), floats);
  cv::imwrite(folder.file("b.pfm"), floats);
  for (const Names& options : {Names{}, {"--map", "clip"}, {"--map", "abs", "--depth", "same"}}) {
    for (const char* output : {"a.identity.tif", "b.identity.pfm"}) std::filesystem::remove(folder.file(output));
    Names arguments = {"apply", "a.tif", "b.pfm", "-k", "identity", "-q"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    CHECK(run(folder, arguments) == "");
    CHECK(folder.names() == Names{"a.identity.tif", "a.tif", "b.identity.pfm", "b.pfm"});
    const cv::Mat result = cv::imread(folder.file("a.identity.tif"), cv::IMREAD_UNCHANGED);
    REQUIRE(result.type() == CV_32F);
    const cv::Mat expected = options.size() > 2 ? cv::Mat(cv::abs(floats)) : floats;
    CHECK(cv::norm(result, expected, cv::NORM_INF) == 0);
    CHECK(cv::norm(result, cv::imread(folder.file("b.identity.pfm"), cv::IMREAD_UNCHANGED), cv::NORM_INF) == 0);
  }
  for (const Names& options : {Names{"--depth", "u8"}, {"--map", "signed"}, {"--threshold", "10"}}) {
    std::filesystem::remove(folder.file("a.identity.png"));
    CHECK(run(folder, {"apply", "a.tif", "-k", "identity", options[0], options[1], "-q"}) == "");
    CHECK(format_of(folder, "a.identity.png") == "png");
  }
}

TEST_CASE("--format same goes by the content where the extension is wrong or missing") {
  const TempFolder folder;
  cv::imwrite(folder.file("a.png"), soft_colours());
  cv::imwrite(folder.file("b.jpg"), soft_colours());
  std::filesystem::copy_file(folder.file("a.png"), folder.file("c.jpg"));
  std::filesystem::copy_file(folder.file("b.jpg"), folder.file("d"));
  CHECK(run(folder, {"apply", "c.jpg", "d", "-k", "sharpen", "--format", "SAME", "-q"}) == "");
  CHECK(folder.names() == Names{"a.png", "b.jpg", "c.jpg", "c.sharpen.png", "d", "d.sharpen.jpg"});
  CHECK(run_shell("\"$CONVTOOL\" apply - -k sobel --format same -o - -q < b.jpg > e", folder).code == 0);
  CHECK(format_of(folder, "e") == "jpeg");
  CHECK(run_shell("\"$CONVTOOL\" edges - --format same -q < b.jpg > f", folder).code == 0);
  CHECK(format_of(folder, "f") == "jpeg");
}

TEST_CASE("--format same: a result that the format cannot store is written in another, with a sentence") {
  const TempFolder folder;
  cv::imwrite(folder.file("a.jpg"), soft_colours());
  cv::imwrite(folder.file("b.ppm"), soft_colours());
  folder.write("c.csv", "1,2\n3,4\n");
  const auto same = [&](const std::string& name, Names options) {
    options.insert(options.begin(), {"apply", name, "--format", "same", "-q"});
    return run(folder, options);
  };
  CHECK(same("a.jpg", {"-k", "sharpen", "--depth", "u16"}) == "");  // quiet
  CHECK(format_of(folder, "a.sharpen.png") == "png");
  const auto warning = [&](const std::string& name, Names options) {
    options.insert(options.begin(), {"apply", name, "--format", "same", "--json"});
    const ProgramResult result = run_convtool(options, folder);
    REQUIRE(result.code == 0);
    const nlohmann::json report = nlohmann::json::parse(result.out);
    REQUIRE(report["warnings"].size() == 1);
    const std::string output = report["output"];
    return output + ": " + report["warnings"][0].get<std::string>();
  };
  CHECK(warning("a.jpg", {"-k", "sharpen", "--depth", "u16"}) ==
        "a.sharpen.png: jpeg cannot store RGB in u16; the result is written as png");
  CHECK(warning("a.jpg", {"-k", "sharpen", "--depth", "f32"}) ==
        "a.sharpen.tif: jpeg cannot store RGB in f32; the result is written as tiff");
  CHECK(warning("a.jpg", {"-k", "box", "-k", "sharpen"}) ==
        "a.box+sharpen.npy: jpeg cannot store such channels in u8; the result is written as npy");
  CHECK(warning("b.ppm", {"-k", "sobel", "--gray"}) ==
        "b.sobel.pnm: ppm cannot store grey in u8; the result is written as pnm");
  CHECK(warning("c.csv", {"-k", "sharpen"}) ==
        "c.sharpen.json: .csv is not the extension of a format that is written; the result is written as json");
}

TEST_CASE("--format same: options for one format have no effect on the others") {
  const TempFolder folder;
  cv::imwrite(folder.file("a.png"), soft_colours());
  cv::imwrite(folder.file("b.jpg"), soft_colours());
  const auto size_of = [&](const char* quality) {
    run(folder, {"apply", "a.png", "b.jpg", "-k", "sharpen", "--format", "same", "--quality", quality, "-q"});
    return std::filesystem::file_size(folder.file("b.sharpen.jpg"));
  };
  CHECK(size_of("30") < size_of("95"));
  CHECK(format_of(folder, "a.sharpen.png") == "png");
}

TEST_CASE("the words of a pattern") {
  const TempFolder folder;
  std::filesystem::create_directory(folder.file("in"));
  cv::imwrite(folder.file("in/a.b.jpg"), soft_colours());
  const auto output = [&](const std::string& pattern, Names options = {}) {
    options.insert(options.begin(), {"apply", "in/a.b.jpg", "-k", "gaussian:sigma=1", "-o", pattern, "--json"});
    const ProgramResult result = run_convtool(options, folder);
    REQUIRE(result.code == 0);
    const std::string path = nlohmann::json::parse(result.out)["output"];
    CHECK(std::filesystem::exists(folder.file(path)));
    return path;
  };
  CHECK(output("{dir}/x.png") == "in/x.png");
  CHECK(output("{stem}.png") == "a.b.png");
  CHECK(output("{name}.png") == "a.b.jpg.png");
  CHECK(output("{kernel}.png") == "gaussian-sigma=1.png");
  CHECK(output("out/{stem}.{ext}") == "out/a.b.png");
  CHECK(output("out/{stem}.{ext}", {"--format", "same"}) == "out/a.b.jpg");
  CHECK(output("out/{stem}.{ext}", {"--format", "tiff"}) == "out/a.b.tif");
  CHECK(output("{{{stem}}}.png") == "{a.b}.png");
}

TEST_CASE("no part of a pattern becomes the folder above") {
  const TempFolder folder;
  cv::imwrite(folder.file("in.png"), soft_colours());
  for (const char* const name : {"...png", "..png"})
    std::filesystem::copy_file(folder.file("in.png"), folder.file(name));
  const auto output = [&](const Names& options) {
    Names arguments = {"apply", "--json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const ProgramResult result = run_convtool(arguments, folder);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    const std::string path = nlohmann::json::parse(result.out)["output"];
    CHECK(std::filesystem::exists(folder.file(path)));
    return path;
  };
  CHECK(output({"...png", "-k", "sobel", "-o", "out/{stem}/x.png"}) == "out/--/x.png");
  CHECK(output({"..png", "-k", "sobel", "-o", "out/{stem}/x.png"}) == "out/-/x.png");
  const auto named = [](const std::string& name) { return R"({"weight": [[1]], "name": ")" + name + "\"}"; };
  CHECK(output({"in.png", "-k", named(".."), "-o", "out/{kernel}/y.png"}) == "out/--/y.png");
  CHECK(output({"in.png", "-k", named("."), "-o", "out/{kernel}/y.png"}) == "out/-/y.png");
  // U+202E turns the text after it around. Letters stay.
  CHECK(output({"in.png", "-k", named("a\\u202Eb"), "-o", "out/{kernel}.png"}) == "out/a-b.png");
  CHECK(output({"in.png", "-k", named("grö\\u200Fße\\t"), "-o", "out/{kernel}.png"}) == "out/grö-ße-.png");
  CHECK(output({"in.png", "-k", named("gr\u00f6\u00dfe"), "-o", "out/{kernel}.png"}) == "out/gr\u00f6\u00dfe.png");
}

TEST_CASE("--format that has no effect, or is not known") {
  const TempFolder folder;
  cv::imwrite(folder.file("a.png"), soft_colours());
  const auto refusal = [&](Names options) {
    options.insert(options.begin(), {"apply", "a.png", "-k", "sobel"});
    const ProgramResult result = run_convtool(options, folder);
    CHECK(result.code == 2);
    return result.err;
  };
  CHECK(refusal({"-o", "b.png", "--format", "same"}).find("leave it out") != std::string::npos);
  CHECK(refusal({"-o", "{stem}.png", "--format", "tiff"}).find("end the name in {ext}") != std::string::npos);
  CHECK(refusal({"--format", "sam"}).find("(expected same, or one of png") != std::string::npos);
}
