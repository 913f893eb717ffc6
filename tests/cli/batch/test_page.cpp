// --report: what its page has, where it is written, and that it changes nothing else. Its look is tested in a browser.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/page_data.h"
#include "support/program.h"
#include "support/random.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using Arguments = std::vector<std::string>;

std::string noise(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::string bytes(static_cast<std::size_t>(count), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.between(0, 255));
  return bytes;
}

std::string pgm(std::int64_t width, std::int64_t height, std::uint64_t seed) {
  return "P5\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" + noise(width * height, seed);
}

std::string ppm(std::int64_t width, std::int64_t height, std::uint64_t seed) {
  return "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" + noise(3 * width * height, seed);
}

json page(const TempFolder& folder, const std::string& name = "page.html") {
  return page_data(read_text(folder.file(name)));
}

Arguments operator+(Arguments words, const Arguments& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

double total(const json& histogram) {
  double sum = 0;
  for (const json& colour : histogram.at("counts"))
    for (const json& count : colour) sum += count.get<double>();
  return sum;
}

/// The least and the largest value in a histogram.
std::pair<double, double> range(const json& histogram) {
  const double margin = histogram.at("is_whole").get<bool>() ? 0.5 : 0;
  return {histogram.at("low").get<double>() + margin, histogram.at("high").get<double>() - margin};
}

/// The file of a picture in a page, such as a PNG, is at least this long.
bool has_picture(const json& survey) {
  return survey.contains("picture") && survey["picture"].get<std::string>().size() > 60;
}

}  // namespace

TEST_CASE("the page of a batch has every input in order, whatever the number of jobs, and the failure") {
  const TempFolder folder;
  Arguments names;
  for (int i = 0; i < 12; ++i) {
    names.push_back("in/" + std::to_string(i) + ".pgm");
    fs::create_directories(folder.path() / "in");
    folder.write(names.back(), i == 7 ? "no picture" : pgm(40 + i, 30, static_cast<std::uint64_t>(i)));
  }
  const ProgramResult result = run_convtool(Arguments{"apply", "-k", "sobel-x", "--out-dir", "out", "--report",
                                                      "out/page.html", "--jobs", "3", "--map", "offset"} +
                                                names,
                                            folder);
  CHECK(result.code == 1);
  const json data = page(folder, "out/page.html");
  REQUIRE(data.at("inputs").size() == 12);
  CHECK(data.at("not_started") == 0);
  for (std::size_t i = 0; i < 12; ++i) {
    CAPTURE(i);
    const json& input = data["inputs"][i];
    CHECK(input.at("report").at("input") == names[i]);
    CHECK(input.at("report").at("status") == (i == 7 ? "error" : "ok"));
    CHECK(input.at("input_link") == "./../" + names[i]);
    CHECK(input.contains("output_link") == (i != 7));
    if (i == 7) continue;
    CHECK(input.at("output_link") == "./" + std::to_string(i) + ".sobel-x.png");
    CHECK(has_picture(input.at("before")));
    CHECK(has_picture(input.at("after")));
    CHECK(total(input.at("before").at("histogram")) == 30 * (40 + static_cast<double>(i)));
    CHECK(range(input.at("responses").at("histogram")) ==
          std::pair(input.at("report").at("min").get<double>(), input.at("report").at("max").get<double>()));
  }
  CHECK(data.at("head").at("command") == "convtool apply");
  REQUIRE(data.at("head").at("kernels").size() == 1);
  CHECK(data["head"]["kernels"][0].at("caption") == "sobel-x 3x3");
  CHECK(data.at("head").at("options").at("--jobs") == json{"3"});
}

TEST_CASE("a page of 200 pictures of noise has less than 5 MB, and one of 201 links to them") {
  const TempFolder folder;
  fs::create_directories(folder.path() / "in");
  for (int i = 0; i < 200; ++i)
    folder.write("in/" + std::to_string(i) + ".ppm", ppm(320, 240, static_cast<std::uint64_t>(i)));
  const Arguments command = {"apply", "in", "-r", "-k", "sharpen", "--out-dir", "out", "-q", "--report", "page.html"};
  CHECK(run_convtool(command, folder).code == 0);
  CHECK(fs::file_size(folder.file("page.html")) < 5'000'000);
  json data = page(folder);
  CHECK(data.at("linked") == false);
  for (const json& input : data.at("inputs"))
    CHECK((has_picture(input.at("before")) && has_picture(input.at("after"))));

  folder.write("in/more #1.ppm", ppm(320, 240, 200));
  CHECK(run_convtool(command, folder).code == 0);
  data = page(folder);
  CHECK(data.at("linked") == true);
  for (const json& input : data.at("inputs")) {
    CHECK_FALSE(input.at("after").contains("picture"));
    CHECK(total(input.at("after").at("histogram")) == 3 * 320 * 240);
  }
  CHECK(data.at("inputs").back().at("output_link") == "./out/more%20%231.sharpen.png");
}

TEST_CASE("a page of 200 pictures of noise and their sheets has less than 5 MB") {
  const TempFolder folder;
  fs::create_directories(folder.path() / "in");
  for (int i = 0; i < 200; ++i)
    folder.write("in/" + std::to_string(i) + ".ppm", ppm(120, 90, static_cast<std::uint64_t>(i)));
  CHECK(run_convtool({"apply", "in", "-r", "-k", "sharpen", "--out-dir", "out", "-q", "--sheet", "{stem}-sheet.png",
                      "--report", "page.html"},
                     folder)
            .code == 0);
  CHECK(fs::file_size(folder.file("page.html")) < 5'000'000);
  const json data = page(folder);
  for (const json& input : data.at("inputs"))
    CHECK((has_picture(input.at("before")) && has_picture(input.at("sheet"))));
}

TEST_CASE("a page of a stream of 60 pictures of noise has less than 5 MB, and shows them all") {
  const TempFolder folder;
  std::string stream;
  for (std::uint64_t i = 0; i < 60; ++i) stream += ppm(320, 240, i);
  CHECK(run_convtool({"apply", "-", "-k", "sharpen", "-o", "{n}.ppm", "-q", "--report", "page.html"}, folder, stream)
            .code == 0);
  CHECK(fs::file_size(folder.file("page.html")) < 5'000'000);
  const json data = page(folder);
  CHECK(data.at("inputs").size() == 60);
  for (const json& input : data.at("inputs"))
    for (const char* side : {"before", "after"}) {
      CHECK(has_picture(input.at(side)));
      CHECK(input[side].at("picture_size")[1] >= 70);
    }
}

TEST_CASE("of many inputs with several pictures, the page has the first ones of each, and links the others") {
  const TempFolder folder;
  for (int i = 0; i < 65; ++i) folder.write(std::to_string(i) + ".pgm", pgm(9, 8, static_cast<std::uint64_t>(i)));
  std::string stream;
  for (std::uint64_t i = 0; i < 5; ++i) stream += pgm(30, 20, i);
  Arguments command = {"apply", "-", "-k", "sharpen", "-o", "o-{stem}{n}.png", "-q", "--report", "page.html"};
  for (int i = 0; i < 65; ++i) command.push_back(std::to_string(i) + ".pgm");
  CHECK(run_convtool(command, folder, stream).code == 0);
  const json data = page(folder);
  CHECK(data.at("linked") == true);
  REQUIRE(data.at("inputs").size() == 70);
  for (std::size_t i = 0; i < 70; ++i) {
    CAPTURE(i);
    const json& input = data["inputs"][i];
    CHECK(input.contains("before") == (i < 3 || i >= 5));  // 200 / 66 of each
    CHECK(input.contains("output_link"));
  }
}

TEST_CASE("a page that cannot be written, or is another file of the run, is refused before work starts") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(8, 8, 1));
  folder.write("k.json", R"({"name":"k","weight":[[1]]})");
  folder.write("file", "");
  fs::create_directories(folder.path() / "folder.html");
  fs::create_symlink(folder.file("a.pgm"), folder.file("link.html"));
  fs::create_symlink(folder.file("k.json"), folder.file("kernel.html"));
  fs::create_symlink(folder.file("out.png"), folder.file("output.html"));
  const auto refused = [&](const std::string& report, const std::string& message) {
    CAPTURE(report);
    const ProgramResult result =
        run_convtool({"apply", "a.pgm", "-k", "k.json", "-o", "out.png", "--report", report}, folder);
    CHECK(result.code == 2);
    CHECK(result.err.find(message) != std::string::npos);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(folder.file("out.png")));
  };
  refused("-", "a page is not written to standard output");
  refused("page.txt", "is not the name of a page (expected FILE.html)");
  refused("folder.html", "is a folder");
  refused("file/page.html", "is not a writable folder");
  refused("/proc/page.html", "--report: /proc/page.html: ");  // a folder of its own kind, which takes no file
  refused("link.html", "which this run reads");
  refused("kernel.html", "which this run reads");
  refused("output.html", "is also an output ('out.png')");
  refused("out.png/page.html", "one would be a folder of the other");
}

TEST_CASE("a page is written into a folder that is created for it, and over an older page") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(8, 8, 1));
  for (int run = 0; run < 2; ++run) {
    CHECK(run_convtool({"apply", "a.pgm", "-k", "edge", "--report", "new/page.HTM"}, folder).code == 0);
    CHECK(page(folder, "new/page.HTM").at("inputs").size() == 1);
    folder.write("new/page.HTM", "old");
  }
}

TEST_CASE("a page that cannot be written in the end leaves the text report and the outputs") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(8, 8, 1));
  folder.write("b.pgm", pgm(8, 8, 2));
  const auto limited = [&](const std::string& command) {  // to files of 20 KiB, less than a page
    return run_shell("ulimit -f 20; $CONVTOOL " + command + " --report page.html", folder);
  };
  const ProgramResult batch = limited("apply a.pgm b.pgm -k edge");
  CHECK(batch.code == 1);
  CHECK(batch.out.find("a.pgm") != std::string::npos);
  CHECK(batch.out.find("b.edge.png") != std::string::npos);
  CHECK(batch.err.find("2 done") != std::string::npos);
  CHECK(batch.err.find("convtool: page.html: ") != std::string::npos);
  CHECK(fs::exists(folder.file("b.edge.png")));
  CHECK_FALSE(fs::exists(folder.file("page.html")));
  const ProgramResult learned = limited("learn --input a.pgm --target a.pgm --kernel-size 1");
  CHECK(learned.code == 1);
  CHECK(learned.out.find("weights [[1]]") != std::string::npos);
  const ProgramResult shaped = limited("shape 5x5 --kernel-size 3");
  CHECK(shaped.code == 1);
  CHECK(shaped.out.find("1x3x3") != std::string::npos);
}

TEST_CASE("a dry run writes no page") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(8, 8, 1));
  CHECK(run_convtool({"apply", "a.pgm", "-k", "edge", "--dry-run", "--report", "page.html"}, folder).code == 0);
  CHECK(folder.names() == Arguments{"a.pgm"});
}

TEST_CASE("a report changes neither outputs nor what is printed") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(50, 40, 1));
  const ProgramResult plain =
      run_convtool({"apply", "-", "-k", "edge", "-o", "-", "--format", "png"}, folder, read_text(folder.file("a.pgm")));
  const ProgramResult reported =
      run_convtool({"apply", "-", "-k", "edge", "-o", "-", "--format", "png", "--report", "page.html"}, folder,
                   read_text(folder.file("a.pgm")));
  CHECK(reported.code == 0);
  CHECK(reported.out == plain.out);
  CHECK(reported.err == plain.err);
  const json input = page(folder).at("inputs")[0];
  CHECK(input.at("report").at("input") == "-");
  CHECK_FALSE(input.contains("input_link"));
  CHECK(has_picture(input.at("after")));

  const ProgramResult quiet = run_convtool({"edges", "a.pgm", "-q", "--report", "page.html"}, folder);
  CHECK(quiet.out + quiet.err == "");
  CHECK(page(folder).at("head").at("command") == "convtool edges");
  const ProgramResult lines = run_convtool({"apply", "a.pgm", "-k", "edge", "--json", "--report", "page.html"}, folder);
  const json printed = json::parse(lines.out);
  CHECK(page(folder).at("inputs")[0].at("report") == printed);
}

TEST_CASE("--fail-fast leaves out the inputs after the failure") {
  const TempFolder folder;
  folder.write("b.pgm", "no picture");
  for (const char* name : {"a.pgm", "c.pgm", "d.pgm"}) folder.write(name, pgm(8, 8, 1));
  CHECK(run_convtool(
            {"apply", "a.pgm", "b.pgm", "c.pgm", "d.pgm", "-k", "edge", "--fail-fast", "--report", "page.html"}, folder)
            .code == 1);
  CHECK(page(folder).at("inputs").size() == 2);
  CHECK(page(folder).at("not_started") == 2);
}

TEST_CASE("inputs that a manifest skips are in the table") {
  const TempFolder folder;
  for (const char* name : {"a.pgm", "b.pgm"}) folder.write(name, pgm(8, 8, 1));
  const Arguments command = {"apply", "a.pgm", "b.pgm", "-k", "edge", "--manifest", "m.jsonl"};
  CHECK(run_convtool(command, folder).code == 0);
  const ProgramResult again = run_convtool(command + Arguments{"--json", "--report", "page.html"}, folder);
  CHECK(again.out.find("\"ok\"") == std::string::npos);  // --report is not among the options that are compared
  const json data = page(folder);
  CHECK(data.at("inputs").size() == 2);
  for (const json& input : data.at("inputs")) CHECK(input.at("report").at("status") == "skipped");
}

// A pipe has no bands.
TEST_CASE("a file that is filtered in bands has the surveys of a whole one") {
  const TempFolder folder;
  struct Case {
    std::string name, content;
    Arguments options;
  };
  std::string floats(4 * 2 * 700 * 300, '\0');
  Random random(3);
  for (std::size_t i = 0; i < floats.size(); i += 4) {
    const float value = random.rough();
    std::memcpy(floats.data() + i, &value, sizeof value);
  }
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 700, 300), }";
  header += std::string(117 - header.size(), ' ') + '\n';
  const std::vector<Case> cases = {
      {"a.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + floats, {"-k", "gaussian"}},
      {"a.pgm", pgm(301, 999, 1), {"-k", "sobel-x", "--map", "offset"}},
      {"a.ppm", ppm(401, 999, 2), {"-k", "sharpen", "--stride", "2"}},
      {"b.ppm", ppm(401, 999, 4), {"-k", "sobel", "--gray"}}};
  for (const Case& one : cases) {
    CAPTURE(one.name);
    folder.write(one.name, one.content);
    const std::string extension = fs::path(one.name).extension();
    const std::string out = one.name == "b.ppm" ? ".pgm" : extension;
    const auto surveys = [&](const std::string& input, const std::string& given) {
      const Arguments words = {"apply", input, "-o", "out" + out, "--report", "page.html", "--threads", "2"};
      CHECK(run_convtool(words + one.options, folder, given).code == 0);
      json found = page(folder).at("inputs")[0];
      CHECK((has_picture(found.at("before")) && has_picture(found.at("after"))));
      for (const char* key : {"input_link", "output_link", "report"}) found.erase(key);
      return found;
    };
    const json banded = surveys(one.name, "");
    CHECK(banded == surveys("-", one.content));
  }
}

TEST_CASE("the channels of a tensor are not colours") {
  const TempFolder folder;
  folder.write("a.ppm", ppm(30, 20, 1));
  CHECK(run_convtool({"apply", "a.ppm", "-k", "sharpen", "-o", "a.npy"}, folder).code == 0);
  for (const char* output : {"b.npy", "b.json"}) {
    CHECK(run_convtool({"apply", "a.npy", "-k", "sharpen", "-o", output, "--report", "page.html"}, folder).code == 0);
    const json input = page(folder).at("inputs")[0];
    for (const char* key : {"before", "after"}) {
      CHECK(input.at(key).at("shape") == json{1, 3, 20, 30});
      CHECK(input.at(key).at("histogram").at("counts").size() == 1);
    }
  }
}

TEST_CASE("the responses of every kind of plan are counted") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(60, 50, 1));
  folder.write("a.ppm", ppm(60, 50, 1));
  folder.write("net.json",
               R"({"name":"net","layers":[{"name":"a","weight":[[1,-1]]},{"pool":"max","size":2,"stride":2}]})");
  const std::vector<Arguments> runs = {{"apply", "a.pgm", "-k", "edge"},
                                       {"apply", "a.ppm", "-k", "edge", "--padding", "7"},  // taller than the kernel
                                       {"apply", "a.ppm", "-k", "net.json"},
                                       {"apply", "a.pgm", "-k", "edge", "--map", "signed"},
                                       {"apply", "a.pgm", "-k", "edge", "--depth", "f32"},
                                       {"edges", "a.pgm"},
                                       {"edges", "a.ppm", "--color", "max"},
                                       {"edges", "a.pgm", "--thin", "--hysteresis", "100,200"},
                                       {"edges", "a.pgm", "--output-kind", "components"},
                                       {"edges", "a.pgm", "--output-kind", "binary"},
                                       {"edges", "a.ppm", "--output-kind", "orientation"},
                                       {"edges", "a.ppm", "--output-kind", "overlay"}};
  for (const Arguments& run : runs) {
    std::string text;
    for (const std::string& word : run) text += word + " ";
    CAPTURE(text);
    CHECK(run_convtool(run + Arguments{"--report", "page.html"}, folder).code == 0);
    const json input = page(folder).at("inputs")[0];
    const json& histogram = input.at("responses").at("histogram");
    CHECK(range(histogram).first == doctest::Approx(input.at("report").at("min").get<double>()));
    CHECK(range(histogram).second == doctest::Approx(input.at("report").at("max").get<double>()));
    CHECK(total(histogram) > 100);
  }
}

// Weights of 2 make responses of 0 to 510, of which u8 stores those up to 255.5, exclusively since ties go to even.
TEST_CASE("the responses that were stored without clipping are known") {
  const TempFolder folder;
  folder.write("a.pgm", pgm(64, 64, 1));
  const auto kept = [&](const std::string& kernel, const std::string& map) {
    CHECK(run_convtool({"apply", "a.pgm", "-k", kernel, "--map", map, "--report", "page.html"}, folder).code == 0);
    return page(folder).at("inputs")[0].value("kept", json());
  };
  CHECK(kept("[[2]]", "clip") == json{-0.5, 255.5});
  CHECK(kept("[[-2]]", "abs") == json{-255.5, 255.5});
  CHECK(kept("[[2]]", "offset") == json{-257.0, 255.0});  // 128 + r / 2
  CHECK(kept("[[2]]", "signed").is_null());
}

TEST_CASE("the memory of a run in bands does not grow with the picture, with a report too") {
  if (!kMemoryIsTheProgramsOwn) return;
  const TempFolder folder;
  const std::int64_t width = 12000, height = 12000;
  {
    const std::string path = folder.file("big.pgm");
    folder.write("big.pgm", "P5\n12000 12000\n255\n");
    fs::resize_file(path, fs::file_size(path) + static_cast<std::uintmax_t>(width * height));
  }
  const ProgramResult result = run_convtool(
      {"apply", "big.pgm", "-k", "sharpen", "-o", "out.pgm", "--report", "page.html", "--threads", "2"}, folder);
  CHECK(result.code == 0);
  CHECK(result.peak_memory < 200'000'000);
  CHECK(total(page(folder).at("inputs")[0].at("after").at("histogram")) == static_cast<double>(width * height));
}

}  // namespace convtool
