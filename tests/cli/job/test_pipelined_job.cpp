// Pictures that are decoded, filtered and encoded side by side, by the real program. With --isolate always a picture is
// decoded as a whole, in another process, which is what the others are compared with.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "support/program.h"
#include "support/random.h"

namespace convtool {
namespace {

/// A file of noise around a gradient, with a size that is no multiple of anything.
std::string picture_file(const std::string& extension, int type, int height, int width, Random& random,
                         const std::vector<int>& parameters = {}) {
  cv::Mat pixels(height, width, type);
  cv::RNG noise(random.seed());
  noise.fill(pixels, cv::RNG::UNIFORM, 0, pixels.depth() == CV_8U ? 200 : 60000);
  std::vector<uchar> file;
  REQUIRE(cv::imencode(extension, pixels, file, parameters));
  return std::string(file.begin(), file.end());
}

std::vector<std::string> random_options(Random& random) {
  std::vector<std::string> words;
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  switch (random.between(0, 9)) {
    case 0: add({"-k", "gaussian:sigma=6"}); break;
    case 1: add({"-k", "box:size=21"}); break;
    case 2: add({"-k", "[[1, 0.1], [-2, 0.3], [0.7, 0.2]]"}); break;
    case 3: add({"-k", "disk:radius=9"}); break;
    case 4: add({"-k", "sharpen", "--dilation", "3"}); break;
    case 5: add({"-k", "sobel-x", "-k", "sobel-y", "--combine", "magnitude"}); break;
    case 6: add({"-k", R"({"pool": "max", "size": [3, 2], "stride": 2})"}); break;
    case 7: add({"-k", "motion:length=31"}); break;
    default: add({"-k", "sharpen"}); break;
  }
  const bool is_pool = words.back().starts_with("{");
  if (!is_pool) {
    const std::string modes[] = {"zeros", "constant", "reflect", "symmetric", "replicate", "circular"};
    add({"--padding-mode", random.pick(modes)});
    const std::string paddings[] = {"same", "valid", "full", "same_lower"};
    add({"--padding", random.pick(paddings)});
    if (random.chance(3)) add({"--stride", random.chance(2) ? "2" : "5x3"});
  }
  switch (random.between(0, 7)) {
    case 0: add({"--map", "normalize"}); break;
    case 1: add({"--threshold", "60"}); break;
    case 2: add({"--map", "abs"}); break;
    case 3: add({"--depth", "u16"}); break;
    default: break;
  }
  if (random.chance(4)) add({"--gray"});
  return words;
}

/// A report without what depends on the time and the number of threads.
nlohmann::json without_timings(const std::string& text) {
  nlohmann::json report = nlohmann::json::parse(text);
  for (const char* key : {"output", "seconds", "threads", "memory_needed"}) report.erase(key);
  return report;
}

/// Returns whether the filter fits the picture.
bool check_same_as_whole(const TempFolder& folder, const std::string& input, const std::string& extension,
                         const std::vector<std::string>& words) {
  const auto run = [&](const std::string& output, std::vector<std::string> more) {
    more.insert(more.begin(), {"apply", input, "-o", output, "--json"});
    more.insert(more.end(), words.begin(), words.end());
    return run_convtool(more, folder);
  };
  const ProgramResult whole = run("whole." + extension, {"--isolate", "always"});
  for (const char* threads : {"1", "2", "3", "16"}) {
    CAPTURE(threads);
    const ProgramResult rows = run("rows." + extension, {"--threads", threads});
    CHECK(rows.code == whole.code);
    CHECK(rows.err == whole.err);
    if (whole.code != 0) continue;
    CHECK(without_timings(rows.out) == without_timings(whole.out));
    CHECK(read_text(folder.file("rows." + extension)) == read_text(folder.file("whole." + extension)));
  }
  return whole.code == 0;
}

TEST_CASE("pictures row by row become the bytes, the report and the errors of whole ones") {
  int fitting = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const TempFolder folder;
    const bool is_jpeg = random.chance(3);
    const int types[] = {CV_8UC1, CV_8UC3, CV_16UC1, CV_16UC3, CV_8UC4};
    const int type = is_jpeg ? (random.chance(2) ? CV_8UC1 : CV_8UC3) : random.pick(types);
    const auto height = static_cast<int>(random.between(300, 900)), width = static_cast<int>(random.between(400, 1200));
    const std::string input = is_jpeg ? "x.jpg" : "x.png";
    std::vector<int> parameters;
    if (is_jpeg && random.chance(2)) parameters = {cv::IMWRITE_JPEG_PROGRESSIVE, 1};
    folder.write(input, picture_file(input.substr(1), type, height, width, random, parameters));
    const std::vector<std::string> words = random_options(random);
    std::string command = input;
    for (const std::string& word : words) command += " " + word;
    CAPTURE(seed);
    CAPTURE(command);
    const bool is_deep = type == CV_16UC1 || type == CV_16UC3;
    const std::string outputs[] = {"png", "png", "png", "jpg", "tif", "bmp"};  // no strips of the last two
    const std::string output = random.pick(outputs);
    fitting += check_same_as_whole(folder, input, is_deep && output != "tif" ? "png" : output, words) ? 1 : 0;
  }
  CHECK(fitting > 30);
}

TEST_CASE("edges row by row") {
  Random random(4);
  const TempFolder folder;
  folder.write("x.png", picture_file(".png", CV_8UC3, 500, 700, random));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"--edge-threshold", "50"}, {"--thin"}, {"--operator", "scharr"}, {"--operator", "laplacian"}}) {
    CAPTURE(words);
    const auto run = [&](const std::string& output, std::vector<std::string> more) {
      more.insert(more.begin(), {"edges", "x.png", "-o", output, "--json"});
      more.insert(more.end(), words.begin(), words.end());
      return run_convtool(more, folder);
    };
    const ProgramResult whole = run("whole.png", {"--isolate", "always"}), rows = run("rows.png", {"--threads", "3"});
    CHECK(rows.code == whole.code);
    CHECK(rows.err == whole.err);
    if (whole.code != 0) continue;
    CHECK(without_timings(rows.out) == without_timings(whole.out));
    CHECK(read_text(folder.file("rows.png")) == read_text(folder.file("whole.png")));
  }
}

TEST_CASE("damage in the last row of a file is an error, and leaves no output") {
  Random random(5);
  const TempFolder folder;
  for (const std::string name : {"x.png", "x.jpg"}) {
    CAPTURE(name);
    std::string file = picture_file(name.substr(1), CV_8UC3, 700, 900, random);
    file.resize(file.size() - 40);
    folder.write(name, file);
    for (const char* threads : {"1", "4"}) {
      const ProgramResult result = run_convtool(
          {"apply", name, "-k", "sharpen", "--stride", "7", "--padding", "valid", "-o", "o.png", "--threads", threads},
          folder);
      CHECK(result.code == 1);
      CHECK(result.err.find("damaged or truncated") != std::string::npos);
      CHECK(folder.names() == std::vector<std::string>{name});
    }
    std::filesystem::remove(folder.file(name));
  }
}

}  // namespace
}  // namespace convtool
