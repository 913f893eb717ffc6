// The memory that inputs need: estimated beforehand, and limited for all that are processed at the same time.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#include "support/program.h"
#include "support/skip.h"

namespace {

using nlohmann::json;

const char* const kNotMeasured = "memory is not measured under sanitizers and QEMU";

/// The peak memory of a run on almost nothing: that of the program itself, or of the tests' process, which counts too.
long memory_at_start() {
  const TempFolder folder;
  folder.write("small.pgm", "P2\n2 2\n255\n1 2 3 4\n");
  const ProgramResult result = run_convtool({"apply", "small.pgm", "-k", "sharpen", "--threads", "1"}, folder);
  REQUIRE(result.code == 0);
  CHECK(result.peak_memory < (64 << 20));
  return result.peak_memory;
}

/// Noise, which does not compress.
void put_noise(const TempFolder& folder, const std::string& name, int type, const std::vector<int>& parameters = {}) {
  cv::Mat noise(1500, 2000, type);
  cv::RNG(7).fill(noise, cv::RNG::UNIFORM, 0, CV_MAT_DEPTH(type) == CV_8U ? 256 : 65536);
  REQUIRE(cv::imwrite(folder.file(name), noise, parameters));
}

}  // namespace

TEST_CASE("no input needs more memory than estimated, and each needs a good part of it") {
  if (!kMemoryIsTheProgramsOwn) return skip(kNotMeasured);
  const long start = memory_at_start();
  const TempFolder folder;
  put_noise(folder, "c.ppm", CV_8UC3);
  put_noise(folder, "a.png", CV_8UC4);
  put_noise(folder, "deep.tif", CV_16UC3);
  put_noise(folder, "progressive.jpg", CV_8UC3, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  std::string row = "[0", rows = "[", kernels = "[[[[1,2],[3,4]]]";  // 500x800, and 40 kernels for it
  for (int i = 1; i < 800; ++i) row += "," + std::to_string(i % 10);
  for (int i = 0; i < 500; ++i) rows += (i > 0 ? "," : "") + row + "]";
  for (int i = 1; i < 40; ++i) kernels += ",[[[1,2],[3,4]]]";
  folder.write("t.json", rows + "]");
  folder.write("many.json", kernels + "]");
  const std::vector<std::vector<std::string>> cases = {
      {"apply", "c.ppm", "-k", "sharpen", "-o", "o.tif"},
      {"apply", "c.ppm", "-k", "sharpen", "-o", "o.webp"},
      {"apply", "c.ppm", "-k", "sharpen", "-k", "binomial-5", "-o", "o.npy"},
      {"apply", "c.ppm", "-k", "sobel", "--normalize-percentile", "1,99", "-o", "o.png"},
      {"apply", "a.png", "-k", "sharpen", "-o", "o.png"},
      {"apply", "a.png", "-k", "binomial-5", "--alpha", "premultiply", "-o", "o.png"},
      {"apply", "deep.tif", "-k", "gaussian:sigma=20", "-o", "o.tif"},
      {"apply", "progressive.jpg", "-k", "sharpen", "-o", "o.ppm"},
      {"apply", "t.json", "-k", "[[1,2],[3,4]]", "-o", "o.npy"},
      {"apply", "t.json", "-k", "many.json", "-o", "o.npy"},
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
    CHECK(result.peak_memory <= start + needed);
    CHECK(result.peak_memory >= needed / 5);
  }
}

// What threads take with large kernels is more than the pixels.
TEST_CASE("many threads need no more memory than estimated, and a good part of it") {
  if (!kMemoryIsTheProgramsOwn) return skip(kNotMeasured);
  const long start = memory_at_start();
  const TempFolder folder;
  put_noise(folder, "deep.png", CV_16UC3);
  put_noise(folder, "progressive.jpg", CV_8UC3, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  put_noise(folder, "g.jpg", CV_8UC1);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"deep.png", "-k", "gaussian:sigma=60", "-o", "o.png"},  // strip by strip
           {"deep.png", "-k", "gaussian:sigma=60", "-o", "o.tif"},
           {"deep.png", "-k", "gaussian:sigma=60", "--then", "gaussian:sigma=40", "-o", "o.png"},
           {"deep.png", "-k", "disk:radius=60", "-o", "o.png"},
           {"progressive.jpg", "-k", "disk:radius=40", "-o", "o.jpg"},
           {"g.jpg", "-k", "sharpen", "-o", "o.jpg", "--quality", "100"}})
    for (const char* const threads : {"1", "4", "16"}) {
      std::vector<std::string> arguments = {"apply", "--json", "--padding", "same", "--threads", threads};
      arguments.insert(arguments.end(), words.begin(), words.end());
      CAPTURE(arguments);
      const ProgramResult result = run_convtool(arguments, folder);
      REQUIRE(result.code == 0);
      const long needed = json::parse(result.out).at("memory_needed").get<long>();
      CHECK(result.peak_memory <= start + needed);
      CHECK(result.peak_memory >= needed / 5);
    }
}

// The outputs are named pipes that nobody reads at first, so that every input whose turn has come keeps its memory.
TEST_CASE("inputs in flight stay within --memory-limit together") {
  if (!kMemoryIsTheProgramsOwn) return skip(kNotMeasured);
  constexpr int kInputs = 6;
  constexpr long kLimit = 150L << 20;                       // enough for one and a half
  constexpr std::streamsize kOutput = 3 * 1500 * 2000 * 4;  // bytes, and the header of .npy
  const long start = memory_at_start();
  const TempFolder folder;
  put_noise(folder, "0.ppm", CV_8UC3);
  std::filesystem::create_directory(folder.file("out"));
  std::vector<std::string> arguments = {"apply", "-k",        "sharpen", "--jobs",   "6",   "--threads",
                                        "1",     "--out-dir", "out",     "--format", "npy", "--memory-limit"};
  std::vector<std::string> inputs, outputs;
  for (int i = 0; i < kInputs; ++i) {
    inputs.push_back(std::to_string(i) + ".ppm");
    outputs.push_back(folder.file("out/" + std::to_string(i) + ".sharpen.npy"));
    if (i > 0) std::filesystem::copy_file(folder.file("0.ppm"), folder.file(inputs.back()));
    REQUIRE(mkfifo(outputs.back().c_str(), 0600) == 0);
  }
  const auto run = [&](const std::string& limit) {
    std::vector<std::string> all = arguments;
    all.push_back(limit);
    all.insert(all.end(), inputs.begin(), inputs.end());
    RunningProgram program(convtool_command(all), folder);
    program.wait_until_idle();
    CHECK(!program.has_ended());
    // All pipes are read at the same time: which input comes first is up to the threads.
    std::vector<std::streamsize> counts(kInputs);
    {
      std::vector<std::jthread> readers;
      for (std::size_t i = 0; i < outputs.size(); ++i)
        readers.emplace_back([&, i] {
          counts[i] = std::ifstream(outputs[i]).ignore(std::numeric_limits<std::streamsize>::max()).gcount();
        });
    }
    for (const std::streamsize count : counts) CHECK(count > kOutput);
    return program.wait();
  };
  const ProgramResult limited = run("150M"), unlimited = run("8G");
  CHECK(limited.code == 0);
  CHECK(limited.peak_memory <= start + kLimit);
  CHECK(unlimited.code == 0);
  CHECK(unlimited.peak_memory > start + kLimit);  // otherwise the limit would have had no effect
}

TEST_CASE("an input that needs more than --memory-limit is refused; the others are processed") {
  const TempFolder folder;
  put_noise(folder, "large.ppm", CV_8UC3);
  folder.write("small.pgm", "P2\n2 2\n255\n1 2 3 4\n");
  const ProgramResult result = run_convtool(
      {"apply", "large.ppm", "small.pgm", "-k", "[[1]]", "--memory-limit", "40M", "--out-dir", "out"}, folder);
  CHECK(result.code == 1);
  CHECK(result.err.find("convtool: large.ppm: writing png needs the whole picture in memory, up to ") == 0);
  CHECK(result.err.find("(at most 40 MiB may be used); raise --memory-limit, or crop the input") != std::string::npos);
  CHECK(result.out.find("small.pgm") != std::string::npos);
}

/// A little-endian TIFF of 1x1 grey pixel in one strip or tile. `entries` are further ones of the directory, each with
/// its tag, type, count and value or position; entries of the same tag replace those of the picture. `tail` follows the
/// directory, at byte 1000.
std::string small_tiff(std::map<unsigned, std::array<unsigned, 3>> entries, const std::string& tail) {
  const std::map<unsigned, std::array<unsigned, 3>> common = {
      {256, {4, 1, 1}}, {257, {4, 1, 1}}, {258, {3, 1, 8}}, {259, {3, 1, 1}}, {262, {3, 1, 1}}};
  entries.insert(common.begin(), common.end());
  std::string file("II*\0\x08\0\0\0", 8);
  const auto number = [&](unsigned value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) file += static_cast<char>(value >> 8 * i);
  };
  number(static_cast<unsigned>(entries.size()), 2);
  for (const auto& [tag, entry] : entries) {
    number(tag, 2);
    number(entry[0], 2);
    number(entry[1], 4);
    number(entry[2], 4);
  }
  number(0, 4);
  file.resize(1000);
  return file + tail;
}

/// Files whose headers give a table of 20 million values, one table many times, or one huge tile.
void put_greedy_files(const TempFolder& folder) {
  constexpr unsigned kMany = 20'000'000;
  const std::string bytes(kMany, '\7');  // as offsets and sizes: 7
  std::map<unsigned, std::array<unsigned, 3>> repeated = {{273, {4, 1, 1000}}, {279, {4, 1, 1}}};
  for (unsigned tag = 50000; tag < 50030; ++tag) repeated[tag] = {7, kMany, 1000};
  folder.write("offsets.tif", small_tiff({{273, {1, kMany, 1000}}, {279, {4, 1, 1}}}, bytes));
  folder.write("sizes.tif", small_tiff({{273, {4, 1, 1000}}, {279, {1, kMany, 1000}}}, bytes));
  folder.write("bits.tif", small_tiff({{258, {1, kMany, 1000}}, {273, {4, 1, 1000}}, {279, {4, 1, 1}}}, bytes));
  folder.write(
      "samples.tif",
      small_tiff({{258, {1, kMany, 1000}}, {277, {4, 1, kMany}}, {273, {4, 1, 1000}}, {279, {4, 1, 1}}}, bytes));
  folder.write("tags.tif", small_tiff(repeated, bytes));
  folder.write(
      "tile.tif",
      small_tiff(
          {{259, {3, 1, 8}}, {322, {4, 1, 32768}}, {323, {4, 1, 32768}}, {324, {4, 1, 1000}}, {325, {4, 1, 1000}}},
          bytes.substr(0, 1000)));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (unsigned i = 0; i < kMany / 2; ++i) header += "1,";
  header += "), }\n";
  std::string npy("\x93NUMPY\2\0", 8);
  for (unsigned i = 0; i < 4; ++i) npy += static_cast<char>(header.size() >> 8 * i);
  folder.write("axes.npy", npy + header + "1234");
}

TEST_CASE("a header cannot make the program take more than --memory-limit") {
  const TempFolder folder;
  put_greedy_files(folder);
  const std::string too_much = "raise --memory-limit, or crop the input";
  const std::pair<std::string, std::string> files[] = {{"offsets.tif", ""},  // the one value that counts is read
                                                       {"sizes.tif", ""},
                                                       {"bits.tif", too_much},  // libtiff loads it
                                                       {"samples.tif", "cannot be read"},
                                                       {"tags.tif", too_much},
                                                       {"tile.tif", too_much},
                                                       {"axes.npy", "has a damaged header"}};
  const long start = kMemoryIsTheProgramsOwn ? memory_at_start() : 0;
  for (const auto& [file, message] : files) {
    const std::string name = file;
    CAPTURE(name);
    const ProgramResult result =
        run_convtool({"apply", name, "-k", "identity", "-o", "o.npy", "--memory-limit", "60M"}, folder);
    CAPTURE(result.err);
    CHECK(result.code == (message.empty() ? 0 : 1));
    CHECK(result.err.find(message) != std::string::npos);
    if (kMemoryIsTheProgramsOwn) CHECK(result.peak_memory <= start + (60 << 20));
  }
}

TEST_CASE("at most --memory-limit bytes of an input are read") {
  const TempFolder folder;
  const ProgramResult result = run_shell("$CONVTOOL apply /dev/zero -k edge -o z.png --memory-limit 20M", folder);
  CHECK(result.code == 1);
  CHECK(result.err.find("/dev/zero: is larger than 20 MiB") != std::string::npos);
  if (!kMemoryIsTheProgramsOwn) return skip(kNotMeasured);
  CHECK(result.peak_memory <= memory_at_start() + (40 << 20));  // a buffer that has grown to twice the limit
}

TEST_CASE("sizes are in bytes, or end in K, M, G or T") {
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
