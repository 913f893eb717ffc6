// What inputs take: foretold, and bounded for all in flight together.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "support/program.h"

namespace {

using nlohmann::json;

// More than the program takes without an input, and than the tests' own process, from which it is forked.
constexpr long kStart = 48L << 20;

/// Noise, which no codec makes small.
void put_noise(const TempFolder& folder, const std::string& name, int type, const std::vector<int>& parameters = {}) {
  cv::Mat noise(2000, 3000, type);
  cv::RNG(7).fill(noise, cv::RNG::UNIFORM, 0, CV_MAT_DEPTH(type) == CV_8U ? 256 : 65536);
  REQUIRE(cv::imwrite(folder.file(name), noise, parameters));
}

}  // namespace

TEST_CASE("no input takes more than was foretold, and a good part of it") {
  if (!kMemoryIsTheProgramsOwn) return;
  const TempFolder folder;
  put_noise(folder, "c.ppm", CV_8UC3);
  put_noise(folder, "a.png", CV_8UC4);
  put_noise(folder, "deep.tif", CV_16UC3);
  put_noise(folder, "progressive.jpg", CV_8UC3, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const std::vector<std::vector<std::string>> cases = {
      {"apply", "c.ppm", "-k", "sharpen", "-o", "o.tif"},
      {"apply", "c.ppm", "-k", "sharpen", "-o", "o.webp"},
      {"apply", "c.ppm", "-k", "sharpen", "-k", "binomial-5", "-o", "o.npy"},
      {"apply", "c.ppm", "-k", "sobel", "--normalize-percentile", "1,99", "-o", "o.png"},
      {"apply", "a.png", "-k", "sharpen", "-o", "o.png"},
      {"apply", "a.png", "-k", "binomial-5", "--alpha", "premultiply", "-o", "o.png"},
      {"apply", "deep.tif", "-k", "gaussian:sigma=20", "-o", "o.tif"},
      {"apply", "progressive.jpg", "-k", "sharpen", "-o", "o.ppm"},
      {"edges", "c.ppm", "--thin", "--hysteresis", "100,200", "--output-kind", "binary", "-o", "o.png"},
      {"edges", "a.png", "--output-kind", "orientation", "-o", "o.png"},
      {"edges", "c.ppm", "--color", "di-zenzo", "--thin", "--hysteresis", "auto", "-o", "o.npy"},
  };
  for (std::vector<std::string> arguments : cases) {
    const std::string what = arguments[1] + " -> " + arguments.back();
    CAPTURE(what);
    arguments.push_back("--json");
    const ProgramResult result = run_convtool(arguments, folder);
    REQUIRE(result.code == 0);
    const long needed = json::parse(result.out).at("memory_needed").get<long>();
    CHECK(result.peak_memory <= kStart + needed);
    CHECK(result.peak_memory >= needed / 5);
  }
}

TEST_CASE("inputs in flight stay within --memory-limit together") {
  if (!kMemoryIsTheProgramsOwn) return;
  const TempFolder folder;
  std::string all;
  for (int i = 0; i < 6; ++i) {
    put_noise(folder, std::to_string(i) + ".ppm", CV_8UC3);
    all += " " + std::to_string(i) + ".ppm";
  }
  const auto run = [&](const std::string& limit) {
    return run_shell("exec \"$CONVTOOL\" apply" + all + " -k sharpen --jobs 6 --threads 1 --out-dir out --format npy" +
                         " --memory-limit " + limit,
                     folder);
  };
  constexpr long kLimit = 180L << 20;  // room for one and a half
  const ProgramResult limited = run("180M"), free = run("8G");
  CHECK(limited.code == 0);
  CHECK(limited.peak_memory <= kStart + kLimit);
  CHECK(free.code == 0);
  CHECK(free.peak_memory > kStart + kLimit);  // else the limit would have had nothing to do
}

TEST_CASE("an input that takes more than --memory-limit is refused, the others go on") {
  const TempFolder folder;
  put_noise(folder, "large.ppm", CV_8UC3);
  folder.write("small.pgm", "P2\n2 2\n255\n1 2 3 4\n");
  const ProgramResult result = run_convtool(
      {"apply", "large.ppm", "small.pgm", "-k", "[[1]]", "--memory-limit", "40M", "--out-dir", "out"}, folder);
  CHECK(result.code == 1);
  CHECK(result.err.find("convtool: large.ppm: needs up to ") == 0);
  CHECK(result.err.find("(at most 40 MiB may be used); raise --memory-limit, or crop the input") != std::string::npos);
  CHECK(result.out.find("small.pgm") != std::string::npos);
}

TEST_CASE("no more is read of an input than --memory-limit") {
  const TempFolder folder;
  const ProgramResult result = run_shell("$CONVTOOL apply /dev/zero -k edge -o z.png --memory-limit 20M", folder);
  CHECK(result.code == 1);
  CHECK(result.err.find("/dev/zero: is larger than 20 MiB") != std::string::npos);
  if (kMemoryIsTheProgramsOwn) CHECK(result.peak_memory < (80 << 20));
}

TEST_CASE("sizes are bytes, or end in K, M, G or T") {
  const TempFolder folder;
  folder.write("small.pgm", "P2\n2 2\n255\n1 2 3 4\n");
  for (const char* size : {"100000000", "100000K", "100M", "1G", "1T"})
    CHECK(run_convtool({"apply", "small.pgm", "-k", "[[1]]", "--memory-limit", size}, folder).code == 0);
  for (const char* size : {"", "0", "-1", "M", "1.5G", "10X", "10MB", "9999999999T"}) {
    CAPTURE(size);
    const ProgramResult result = run_convtool({"apply", "small.pgm", "-k", "[[1]]", "--memory-limit", size}, folder);
    CHECK(result.code == 2);
    CHECK(result.err.find("--memory-limit: ") != std::string::npos);
  }
}
