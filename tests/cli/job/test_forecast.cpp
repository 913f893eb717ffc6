// The memory that a run is forecast to need, against the memory that it takes, for every kind of output.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/job/forecast.h"
#include "pictures/picture_formats.h"
#include "support/picture_bytes.h"
#include "support/program.h"
#include "support/skip.h"

namespace convtool {
namespace {

constexpr std::uint32_t kWidth = 1200, kHeight = 900;

/// The part of the need that does not depend on the picture is left out: it would hide that a copy of a picture is
/// missing. In its place, a 3x3 kernel's plan and small blocks take a few MiB, which still hide a copy in u8, of 1 to 3
/// channels, but none in u16 and f32 of more than one.
constexpr long kSmall = 4 << 20;

/// Noise, which does not compress.
void put_noise(const TempFolder& folder, const std::string& name, unsigned channels, unsigned bits) {
  Bytes pixels(std::size_t{kWidth} * kHeight * channels * bits / 8);
  std::mt19937 random(channels);
  for (std::byte& byte : pixels) byte = static_cast<std::byte>(random() >> 8);
  const Bytes file =
      testing::tiff_file({.width = kWidth,
                          .height = kHeight,
                          .bits = bits,
                          .samples = channels,
                          .photometric = channels > 2 ? 2u : 1u,
                          .extra = channels % 2 == 0 ? std::vector<std::uint32_t>{2} : std::vector<std::uint32_t>(),
                          .blocks = {pixels}});
  std::ofstream(folder.file(name), std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), std::ssize(file));
}

struct Measured {
  int code = 0;
  long needed = 0, used = 0;
};

/// Inputs of 1 to 4 channels of 8 bits, and runs on them, in which the C library returns freed blocks to the system at
/// once (mallopt(3)): the peak is then that of the memory in use.
class Runs {
 public:
  Runs() {
    setenv("MALLOC_MMAP_THRESHOLD_", "65536", 1);
    setenv("MALLOC_TRIM_THRESHOLD_", "65536", 1);
    for (unsigned channels = 1; channels <= 4; ++channels) put_noise(folder_, input(channels), channels, 8);
    folder_.write("small.pgm", "P2\n2 2\n255\n1 2 3 4\n");
    long least = std::numeric_limits<long>::max();
    for (int i = 0; i < 3; ++i) least = std::min(least, run({"apply", "small.pgm", "-k", "sobel", "-o", "o.npy"}).used);
    start_ = least;
  }

  ~Runs() {
    unsetenv("MALLOC_MMAP_THRESHOLD_");
    unsetenv("MALLOC_TRIM_THRESHOLD_");
  }
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;

  static std::string input(unsigned channels) { return std::to_string(channels) + ".tif"; }

  /// In one process: the peak of several is that of the largest, not of their sum.
  Measured run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--json", "--threads", "1", "--isolate", "never"});
    const ProgramResult result = run_convtool(arguments, folder_);
    Measured measured{.code = result.code, .needed = 0, .used = result.peak_memory - start_};
    if (result.code == 0)
      measured.needed = nlohmann::json::parse(result.out).at("memory_needed").get<long>() - kEngineMemory;
    return measured;
  }

  /// Runs, and compares the need with what was taken. `times` is how much more may be needed at most.
  void check(const std::vector<std::string>& arguments, double times) {
    std::string command;
    for (const std::string& argument : arguments) command += argument + " ";
    const Measured measured = run(arguments);
    CAPTURE(command);
    CAPTURE(measured.used);
    CAPTURE(measured.needed);
    CHECK(measured.code == 0);
    CHECK(measured.used <= measured.needed + kSmall);
    CHECK(static_cast<double>(measured.needed) <= times * static_cast<double>(measured.used) + double{kSmall});
    ++count_;
  }

  int count() const { return count_; }

  void put(const std::string& name, const std::string& content) const { folder_.write(name, content); }

  void put_npy(const std::string& name, const std::vector<std::int64_t>& shape,
               const std::vector<float>& values) const {
    std::string sizes;
    for (const std::int64_t size : shape) sizes += std::to_string(size) + ",";
    const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }";
    put(name, std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(dict.size()) + '\0' + dict +
                  std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size()));
  }

  /// A file of this header and `size` zeros.
  void put_sparse(const std::string& name, const std::string& header, long size) const {
    folder_.write(name, header);
    std::filesystem::resize_file(folder_.file(name), header.size() + static_cast<std::size_t>(size));
  }

 private:
  TempFolder folder_;
  long start_ = 0;
  int count_ = 0;
};

/// Whether this process has run no other tests: their memory would count as the program's (ProgramResult::peak_memory).
/// If it has, runs `test_case` in a process of its own, and checks that it passes there.
bool is_fresh(const std::string& test_case) {
  constexpr const char* kMark = "CONVTOOL_TEST_IS_FRESH";
  if (std::getenv(kMark) != nullptr) return true;
  setenv(kMark, "1", 1);
  const ProgramResult result = RunningProgram({"/proc/self/exe", "--test-case=" + test_case}, TempFolder()).wait();
  unsetenv(kMark);
  CAPTURE(result.out);
  CHECK(result.code == 0);
  CHECK(result.out.find("1 passed") != std::string::npos);
  return false;
}

unsigned channels_of(PixelFormat pixels) { return static_cast<unsigned>(channel_count(pixels)); }

}  // namespace

TEST_CASE("pictures of every format and depth take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("pictures of every format and depth take what they were forecast to need")) return;
  Runs runs;
  for (const PictureFormat& format : picture_formats())
    for (const DType dtype : format.dtypes)
      for (const PixelFormat pixels : format.pixels) {
        const unsigned channels = channels_of(pixels);
        const std::string output = "o" + std::string(format.extensions.front()), depth(to_string(dtype));
        const auto run = [&](unsigned from, const std::vector<std::string>& options) {
          std::vector<std::string> arguments = {"apply", Runs::input(from), "-k", "sobel", "-o",
                                                output,  "--depth",         depth};
          arguments.insert(arguments.end(), options.begin(), options.end());
          runs.check(arguments, 2);
        };
        run(channels, {"--map", "clip"});
        if (channels <= 2) run(channels + 2, {"--map", "clip", "--gray"});
        if (channels <= 2) run(channels + 2, {"--map", "abs", "--gray", "--alpha", "keep"});
        if (channels == 1) run(2, {"--alpha", "drop"});
        if (channels % 2 == 0) run(channels, {"--alpha", "filter"});
        if (channels > 2 && is_integer(dtype)) {  // one response in two colours
          run(channels - 2, {"--map", "signed"});
          run(channels, {"--map", "signed", "--gray"});
        }
        if (format.name == "png" || format.name == "tiff") run(channels, {"--map", "normalize"});
        if (channels == 4 && format.name == "tiff")
          runs.check(
              {"apply", Runs::input(4), "-k", "sharpen", "-o", output, "--depth", depth, "--alpha", "premultiply"}, 2);
      }
  CHECK(runs.count() >= 100);
}

TEST_CASE("tensors and edges take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("tensors and edges take what they were forecast to need")) return;
  Runs runs;
  for (unsigned channels = 1; channels <= 4; ++channels) {
    const std::string input = Runs::input(channels);
    runs.check({"apply", input, "-k", "sobel", "-o", "o.npy", "--alpha", "filter"}, 2);
    // Up to 16 characters a number, of which these have about 4.
    runs.check({"apply", input, "-k", "sobel", "-o", "o.json", "--alpha", "drop"}, 5);
    for (const char* const kind : {"magnitude", "components", "orientation"})
      for (const char* const color : {"luma", "max", "di-zenzo"})
        runs.check({"edges", input, "--output-kind", kind, "--color", color, "--thin", "-o", "o.npy"}, 2);
    // Most is for the places that hysteresis may have to remember, which are few in these pictures.
    constexpr double kAny = std::numeric_limits<double>::infinity();
    for (const char* const kind : {"magnitude", "orientation", "binary", "overlay"})
      for (const char* const depth : {"u8", "u16", "f32"})
        runs.check({"edges", input, "--output-kind", kind, "--hysteresis", "auto", "--depth", depth, "-o", "o.tif"},
                   kAny);
  }
  CHECK(runs.count() >= 80);
}

TEST_CASE("sheets take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("sheets take what they were forecast to need")) return;
  Runs runs;
  for (const unsigned channels : {1U, 3U}) {  // 3 and 9 tiles of a megapixel
    const std::vector<std::string> start = {
        "apply", Runs::input(channels), "-k", "sobel-x", "-k", "box", "-k", "sharpen", "--sheet", "s.png"};
    for (const std::vector<std::string>& more : {std::vector<std::string>{},
                                                 {"--sheet-scale", "joint"},
                                                 {"-o", "o.npy"},
                                                 {"--normalize-percentile", "1,99"},
                                                 {"--normalize-percentile", "1,99", "--sheet-scale", "joint"},
                                                 {"--dump-layers", "layers", "-o", "o.npy"}}) {
      std::vector<std::string> arguments = start;
      arguments.insert(arguments.end(), more.begin(), more.end());
      // The percentiles of the result and of the sheet take a copy of the responses each, one after the other.
      const bool has_percentiles = std::find(more.begin(), more.end(), "1,99") != more.end();
      runs.check(arguments, has_percentiles ? 3 : 2);
    }
  }
  CHECK(runs.count() == 12);
}

TEST_CASE("sums and upsampling and pools take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("sums and upsampling and pools take what they were forecast to need")) return;
  Runs runs;
  const auto layers = [](const std::string& tail) {
    const std::string widen = R"({"name": "wide", "weight": [[[[1]]], [[[2]]], [[[3]]], [[[4]]], [[[5]]]]})";
    return R"({"layers": [)" + widen + R"(, {"name": "a", "weight": [[0.5]], "activation": "silu"}, )" + tail + "]}";
  };
  for (const char* const tail :
       {R"({"add": "wide"}, {"weight": [[2]]})",
        R"({"name": "b", "add": "wide"}, {"add": "wide"}, {"add": "a"}, {"weight": [[2]]})",
        R"({"add": "a"}, {"weight": [[1, 2]]})",
        R"({"from": "wide", "weight": [[3]]}, {"from": "a", "add": "wide"}, {"weight": [[2]]})",
        R"({"upsample": "bilinear", "scale": 2})", R"({"pool": "mean", "size": 3, "ceil_mode": true}, [[1]])",
        R"({"pool": "max", "size": 2, "dilation": 2}, [[1]])"})
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--dump-layers", "layers"}}) {
      std::vector<std::string> arguments = {"apply", Runs::input(1), "-k", layers(tail), "-o", "o.npy"};
      arguments.insert(arguments.end(), more.begin(), more.end());
      runs.check(arguments, 2);
    }
  CHECK(runs.count() == 14);
}

TEST_CASE("a large kernel on a small picture takes what it was forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("a large kernel on a small picture takes what it was forecast to need")) return;
  Runs runs;
  for (const char* const input : {"[[1, 2], [3, 4]]", "small.pgm"})
    for (const char* const kernel : {"disk:radius=500", "log:sigma=90"})
      runs.check({"apply", input, "-k", kernel, "-o", "o.npy"}, 3);
  CHECK(runs.count() == 4);
}

TEST_CASE("banks of many kernels that are combined take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("banks of many kernels that are combined take what they were forecast to need")) return;
  Runs runs;
  std::string kernels = "[[2]]";
  for (int i = 1; i < 3000; ++i) kernels += ", [[2]]";
  const std::string bank = R"({"combine": "sum", "bank": [)" + kernels + "]}";
  for (const char* const input : {"[[1, 2], [3, 4]]", "[[[1]], [[2]]]"})
    runs.check({"apply", input, "-k", bank, "-o", "o.npy"}, 4);
  CHECK(runs.count() == 2);
}

TEST_CASE("layers of many groups take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("layers of many groups take what they were forecast to need")) return;
  constexpr int kGroups = 20'000, kInputs = 8, kTaps = 9;
  Runs runs;
  runs.put_npy("w.npy", {kGroups, kInputs, 3, 3}, std::vector<float>(kGroups * kInputs * kTaps, 0.3F));
  runs.put_npy("x.npy", {1, kGroups * kInputs, 2, 2}, std::vector<float>(kGroups * kInputs * 4, 1.0F));
  const std::string layer = R"({"weight": "w.npy", "groups": 20000, "padding": "same"})";
  const std::string widen = R"({"weight": "wide.npy", "groups": 20000})";
  runs.put_npy("wide.npy", {kGroups * kInputs, 1, 1, 1}, std::vector<float>(kGroups * kInputs, 1.0F));
  for (const std::string& layers : {layer, layer + "," + widen + "," + layer})
    runs.check({"apply", "x.npy", "-k", R"({"layers": [)" + layers + "]}", "-o", "o.npy"}, 8);  // of any algorithm
  CHECK(runs.count() == 2);
}

TEST_CASE("JSON of short lists takes what it was forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("JSON of short lists takes what it was forecast to need")) return;
  Runs runs;
  for (const std::string value : {"1", "[1]", "[[[1]]]", "[[[1]],[[1]],[[1]]]", "[1,1,1,1]"}) {
    std::string text = "[" + value;
    while (text.size() < 4 << 20) text += "," + value;
    runs.put("x.json", (value == "1" ? "[" : "") + text + (value == "1" ? "]]" : "]"));
    runs.check({"apply", "x.json", "-k", "identity", "-o", "o.npy"}, 2);
  }
  CHECK(runs.count() == 5);
}

TEST_CASE("bands take what they were forecast to need") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  if (!is_fresh("bands take what they were forecast to need")) return;
  constexpr long kPicture = 100000L * 600 * 4;
  Runs runs;
  runs.put_sparse("x.pfm", "Pf\n100000 600\n-1.0\n", kPicture);
  for (const std::string kernel : {"gaussian:sigma=5", "disk:radius=15"}) {
    runs.check({"apply", "x.pfm", "-k", kernel, "-o", "o.pfm"}, 2);
    runs.check({"apply", "x.pfm", "-k", kernel, "-o", "o.pgm", "--normalize-percentile", "1,99"}, 2);
    CHECK(runs.run({"apply", "x.pfm", "-k", kernel, "-o", "o.pfm"}).needed < kPicture / 2);
  }
}

TEST_CASE("the refusal of a file that is larger than the limit names the whole need") {
  const TempFolder folder;
  put_noise(folder, "large.tif", 3, 8);
  const std::vector<std::string> arguments = {"apply", "large.tif", "-k", "sobel", "-o", "o.tif", "--depth", "f32"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return run_convtool(all, folder);
  };
  const ProgramResult unlimited = with({"--json", "--dry-run"});
  REQUIRE(unlimited.code == 0);
  const long needed = nlohmann::json::parse(unlimited.out).at("memory_needed").get<long>();
  REQUIRE(needed > 20 << 20);
  const std::string message = "needs up to " + std::to_string((needed + (1 << 20) - 1) >> 20) + " MiB of memory";
  for (const char* const limit : {"1M", "20M"}) {  // below and above the size of the file
    const ProgramResult refused = with({"--memory-limit", limit});
    CAPTURE(refused.err);
    CHECK(refused.code == 1);
    CHECK(refused.err.find(message) != std::string::npos);
  }
  CHECK(with({"--memory-limit", std::to_string(needed)}).code == 0);
}

TEST_CASE("a result of more elements than any memory holds is refused, whatever the limits") {
  const TempFolder folder;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"-o", "o.npy"}, {"--sheet", "s.png"}, {"-o", "o.npy", "--memory-limit", "8000000T"},
        {"--sheet", "s.png", "--memory-limit", "8000000T"}, {"-o", "o.npy", "--dry-run"}}) {
    std::vector<std::string> arguments = {"apply", "[[1]]", "-k", "[[1]]", "-k", "[[2]]", "--padding", "536870911",
                                          "--padding-mode", "replicate", "--max-pixels", "1152921504606846976"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult refused = run_convtool(arguments, folder);
    CHECK(refused.code == 1);
    CHECK(refused.err == "convtool: inline: the result of 2x1073741823x1073741823 needs more memory than there is\n");
  }
}
}  // namespace convtool
