// The guide to everyday jobs: each of its commands runs, and the results of the three programs are as close as it says.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "cli/picture_files.h"
#include "support/program.h"
#include "support/skip.h"

namespace {

const std::string kGuide = std::string(PROJECT_DIR) + "/samples/everyday.md";

/// Runs a command line in which convtool is the binary under test.
ProgramResult run_line(const std::string& line, const TempFolder& folder) {
  return run_shell("convtool() { \"$CONVTOOL\" \"$@\"; }; " + line, folder);
}

std::string printed_by(const std::string& line, const TempFolder& folder) {
  const ProgramResult result = run_line(line, folder);
  CAPTURE(line);
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  return result.out;
}

/// The other program that a line of the guide runs, or "".
std::string other_program(const std::string& line) {
  for (const char* program : {"convert", "mogrify", "vips"})
    if (line.starts_with(std::string(program) + " ") || line.find("; do " + std::string(program) + " ") != line.npos)
      return program;
  return "";
}

bool is_installed(const std::string& program) {
  const TempFolder folder;
  return run_shell("command -v " + program, folder).code == 0;
}

/// The pictures that the guide speaks of.
void write_pictures(const TempFolder& folder) {
  const cv::Mat photo = cv::imread(std::string(PROJECT_DIR) + "/samples/coffee.png");
  cv::imwrite(folder.file("photo.png"), photo);
  std::filesystem::create_directory(folder.file("photos"));
  cv::imwrite(folder.file("photos/one.jpg"), photo);
  cv::imwrite(folder.file("photos/two.jpg"), photo(cv::Rect(100, 100, 200, 150)));
}

/// Runs all lines of the guide whose programs are installed. Returns the lines.
std::vector<std::string> run_guide(const TempFolder& folder) {
  std::vector<std::string> lines;
  for (const std::string& text : lines_of(read_text(kGuide))) {
    if (!text.starts_with("    ")) continue;
    const std::string line = text.substr(4), program = other_program(line);
    if (!program.empty() && !is_installed(program)) continue;
    printed_by(line, folder);
    lines.push_back(line);
  }
  return lines;
}

/// The row of a job in the last table of the guide: the largest differences from ImageMagick's and vips' results.
std::array<int, 2> stated_differences(const std::string& job) {
  for (const std::string& line : lines_of(read_text(kGuide))) {
    std::istringstream row(line);
    std::string bar, name, second_bar, magick, third_bar, vips;
    row >> bar >> name >> second_bar >> magick >> third_bar >> vips;
    if (bar == "|" && name == job) return {std::stoi(magick), std::stoi(vips)};
  }
  FAIL("no row for ", job);
  return {};
}

/// Weights by row and column, counted from the middle.
using Weights = std::map<std::array<int, 2>, double>;

Weights sum_of(double a, const Weights& first, double b, const Weights& second) {
  Weights sum;
  for (const auto& [place, weight] : first) sum[place] += a * weight;
  for (const auto& [place, weight] : second) sum[place] += b * weight;
  return sum;
}

const Weights kUnit = {{{0, 0}, 1}};

/// The product of a column and a row, both with these weights divided by their sum.
Weights square_of(const std::vector<double>& row) {
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  const auto size = static_cast<int>(row.size()), middle = size / 2;
  Weights weights;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      weights[{y - middle, x - middle}] =
          row[static_cast<std::size_t>(y)] / sum * row[static_cast<std::size_t>(x)] / sum;
  return weights;
}

/// The kernel that convtool applies.
Weights convtool_weights(const std::string& spec, const TempFolder& folder) {
  const nlohmann::json report = nlohmann::json::parse(printed_by("convtool kernels show " + spec + " --json", folder));
  const nlohmann::json& kernel = report["layers"][0]["kernels"][0];
  const double divisor = kernel["divisor"].empty() ? 1 : kernel["divisor"][0].get<double>();
  const int middle_y = kernel["shape"][0].get<int>() / 2, middle_x = kernel["shape"][1].get<int>() / 2;
  Weights weights;
  for (int y = 0; y < kernel["shape"][0]; ++y)
    for (int x = 0; x < kernel["shape"][1]; ++x)
      weights[{y - middle_y, x - middle_x}] =
          kernel["weight"][static_cast<std::size_t>(y)][static_cast<std::size_t>(x)].get<double>() / divisor;
  return weights;
}

std::vector<double> numbers_in(const std::string& text) {
  std::istringstream stream(text);
  std::vector<double> numbers;
  for (double number; stream >> number;) numbers.push_back(number);
  return numbers;
}

/// The Gaussian that -blur applies in both directions.
Weights magick_gaussian(const std::string& sigma, const TempFolder& folder) {
  const std::string text = printed_by(
      "convert xc: -define morphology:showkernel=1 -morphology Convolve Blur:0x" + sigma + " null: 2>&1", folder);
  return square_of(numbers_in(text.substr(text.find(" 0:") + 3)));
}

/// The Gaussian of vips gaussblur.
Weights vips_gaussian(const std::string& sigma, const std::string& least, const TempFolder& folder) {
  const std::string text = printed_by(
      "vips gaussmat g.mat " + sigma + " " + least + " --separable --precision float && tail -n 1 g.mat", folder);
  return square_of(numbers_in(text));
}

/// The most by which two results of any picture can differ, in whole grey levels.
///
/// The weights of both kernels have the same sum. So those of their difference d sum to 0, and values of 0 to 255 give
/// it a response of at most 255/2 * sum |d|. convtool rounds to the nearest level, by at most 1/2; the others round
/// down, by less than 1. ImageMagick also rounds after each of its at most four passes, to 1/257 of a level. Therefore
/// the difference is less than the response + 4/2/257 + 3/2.
int largest_difference(const Weights& ours, const Weights& theirs) {
  double sum = 0;
  for (const auto& [place, weight] : sum_of(1, ours, -1, theirs)) sum += std::abs(weight);
  return static_cast<int>(std::ceil(255.0 / 2 * sum + 4.0 / 2 / 257 + 1.5)) - 1;
}

/// Checks what the guide says of a job for which `program`, the one in this column of its table, has other weights.
void compare(const std::string& job, const std::string& program, std::size_t column, int most,
             const TempFolder& folder) {
  CAPTURE(job);
  CAPTURE(program);
  CHECK(stated_differences(job)[column] == most);
  const cv::Mat ours = read(folder, job + ".png"), theirs = read(folder, job + "-" + program + ".png");
  REQUIRE(ours.size() == theirs.size());
  REQUIRE(ours.type() == theirs.type());
  CHECK(cv::norm(ours.reshape(1), theirs.reshape(1), cv::NORM_INF) <= most);
}

constexpr int kSameWeights = 1;  // largest_difference() of a kernel and itself

}  // namespace

TEST_CASE("the guide to everyday jobs: every command runs, and the results are as close as it says") {
  const TempFolder folder;
  write_pictures(folder);
  const std::vector<std::string> lines = run_guide(folder);
  CHECK(lines.size() > 15);
  for (const char* name : {"sharpen", "blur", "unsharp", "canny", "emboss", "motion", "dog", "contrast", "own"})
    CHECK(read(folder, name + std::string(".png")).size() == read(folder, "photo.png").size());
  CHECK(equal(read(folder, "own.png"), read(folder, "own-json.png")));
  CHECK(std::filesystem::exists(folder.file("sharper/two.sharpen-amount=0.5.jpg")));
  CHECK(largest_difference(kUnit, kUnit) == kSameWeights);

  const auto ours = [&](const std::string& spec) { return convtool_weights(spec, folder); };
  const Weights narrow = ours("gaussian:sigma=2"), dog = ours("dog:sigma=1,ratio=1.6");
  const Weights unsharp = ours("unsharp:sigma=1.5,amount=0.8"), contrast = ours("unsharp:sigma=50,amount=0.3");
  const auto raised = [](double amount, const Weights& blur) { return sum_of(1 + amount, kUnit, -amount, blur); };

  if (is_installed("convert")) {
    const auto check = [&](const char* job, int most) { compare(job, "magick", 0, most, folder); };
    const auto blur = [&](const char* sigma) { return magick_gaussian(sigma, folder); };
    for (const char* job : {"sharpen", "emboss", "motion", "own"}) check(job, kSameWeights);
    check("blur", largest_difference(narrow, blur("2")));
    check("unsharp", largest_difference(unsharp, raised(0.8, blur("1.5"))));
    check("contrast", largest_difference(contrast, raised(0.3, blur("50"))));
    check("dog", largest_difference(sum_of(0.5, dog, 0, {}), sum_of(0.5, blur("1"), -0.5, blur("1.6"))));
    CHECK(printed_by("identify -format '%m %Q' sharper/one.*.jpg", folder) == "JPEG 85");
    CHECK(std::filesystem::exists(folder.file("sharper-magick/two.jpg")));
  } else {
    skip("ImageMagick is not installed");
  }
  if (is_installed("vips")) {
    const auto check = [&](const char* job, int most) { compare(job, "vips", 1, most, folder); };
    const auto blur = [&](const char* sigma, const char* least = "0.01") {
      return vips_gaussian(sigma, least, folder);
    };
    for (const char* job : {"sharpen", "emboss", "motion", "own"}) check(job, kSameWeights);
    check("blur", largest_difference(narrow, blur("2")));
    check("unsharp", largest_difference(unsharp, raised(0.8, blur("1.5"))));
    check("contrast", largest_difference(contrast, raised(0.3, blur("50"))));
    check("dog", largest_difference(sum_of(0.5, dog, 0, {}), sum_of(0.5, blur("1", "0.001"), -0.5, blur("1.6"))));
    CHECK(std::filesystem::exists(folder.file("sharper-vips/two.jpg")));
  } else {
    skip("vips is not installed");
  }
}
