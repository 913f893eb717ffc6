// Raw files that are filtered in bands, by the real program. A pipe has no bands: what comes from standard input is
// filtered as a whole, which is what bands are compared with.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/program.h"
#include "support/random.h"
#include "support/skip.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

/// The header of an .npy file with this element type.
std::string npy_header(const std::string& type, const std::string& shape) {
  std::string text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  text += std::string(117 - text.size(), ' ') + '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + text;
}

std::string random_bytes(std::int64_t count, Random& random) {
  std::string bytes(static_cast<std::size_t>(count), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.between(0, 255));
  return bytes;
}

/// Floats between -1 and 1, in the byte order of this machine.
std::string random_floats(std::int64_t count, Random& random) {
  std::string bytes(static_cast<std::size_t>(4 * count), '\0');
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = random.rough();
    std::memcpy(bytes.data() + 4 * i, &value, sizeof value);
  }
  return bytes;
}

/// A raw file that is large enough for several bands, and the extensions that a result of one channel or of as many as
/// the input may have.
struct RawInput {
  std::string name, content;
  std::vector<std::string> outputs;
  bool is_tensor = false, is_integer = false;
  std::int64_t channels = 1;
};

RawInput random_input(Random& random) {
  const std::int64_t width = random.between(150, 400), height = random.between(900, 1200);
  const std::string size = std::to_string(width) + " " + std::to_string(height);
  const std::string rows = std::to_string(height) + ", " + std::to_string(width);
  const std::int64_t count = width * height;
  switch (random.between(0, 10)) {
    case 9:
      return {"x.pbm", "P4\n" + size + "\n" + random_bytes((width + 7) / 8 * height, random), {"pgm"}, false, true};
    case 10: {
      std::string doubles(static_cast<std::size_t>(8 * count), '\0');
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(random.rough()) / 3;
        std::memcpy(doubles.data() + 8 * i, &value, sizeof value);
      }
      return {"x.npy", npy_header("<f8", rows) + doubles, {"npy"}, true};
    }
    case 0: return {"x.npy", npy_header("<f4", rows) + random_floats(count, random), {"npy"}, true};
    case 1:
      return {"x.npy", npy_header("|u1", "3, " + rows) + random_bytes(3 * count, random), {"npy"}, true, false, 3};
    case 2:
      return {"x.npy", npy_header("<f4", "2, 2, " + rows) + random_floats(4 * count, random), {"npy"}, true, false, 2};
    case 3: return {"x.npy", npy_header(">i2", rows) + random_bytes(2 * count, random), {"npy"}, true};
    case 4: return {"x.pgm", "P5\n" + size + "\n255\n" + random_bytes(count, random), {"pgm", "npy"}, false, true};
    case 5:
      return {"x.ppm", "P6\n" + size + "\n65535\n" + random_bytes(6 * count, random), {"ppm", "npy"}, false, true, 3};
    case 6:
      return {
          "x.pgm", "P5\n" + size + "\n100\n" + std::string(static_cast<std::size_t>(count), 'A'), {"pgm"}, false, true};
    case 7:
      return {"x.pfm", "PF\n" + size + "\n-1.0\n" + random_floats(3 * count, random), {"pfm", "npy"}, false, false, 3};
    default:
      return {"x.ppm", "P6\n" + size + "\n255\n" + random_bytes(3 * count, random), {"ppm", "npy"}, false, true, 3};
  }
}

std::vector<std::string> random_filter(const RawInput& input, Random& random) {
  std::vector<std::string> words;
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  switch (random.between(0, 9)) {
    case 0: add({"-k", "sharpen"}); break;
    case 8: add({"-k", "sharpen", "-k", "[[0, 0, 0, 0, 0], [0, 0.5, 0, 0.5, 0], [0, 0, 0, 0, 0]]"}); break;
    case 9: add({"-k", "[[[0.2, 0.1], [0.1, 0.6]], [[0, 0.3], [1, 0]], [[0.1, 0.1], [0, 0.7]]]"}); break;
    case 1: add({"-k", "gaussian:sigma=2"}); break;
    case 2: add({"-k", "sobel-x", "-k", "sobel-y", "--combine", "magnitude"}); break;
    case 3: add({"-k", "box:size=15"}); break;
    case 4: add({"-k", "disk:radius=7"}); break;
    case 5: add({"-k", "[[1, 0.1], [-2, 0.3], [0.7, 0.2]]"}); break;
    case 6: add({"-k", "[[0, 1, 0], [1, -4, 1], [0, 1, 0]]"}); break;
    default: add({"-k", "sharpen", "--dilation", "2"}); break;
  }
  const std::string modes[] = {"zeros", "constant", "reflect", "symmetric", "replicate", "circular"};
  const std::string mode = random.pick(modes);
  add({"--padding-mode", mode});
  if (mode == "constant") add({"--padding-value", random.chance(2) ? "0.5" : "-3"});
  const std::string paddings[] = {"same", "valid", "full"};
  if (random.chance(3))
    add({"--pads", "1,0,0,3"});
  else
    add({"--padding", random.pick(paddings)});
  if (random.chance(4)) add({"--stride", "2"});
  switch (random.between(0, 5)) {
    case 0: add({"--map", "normalize"}); break;
    case 1: add({"--normalize-percentile", "1,99.5"}); break;
    case 2: add({"--threshold", "0.3"}); break;
    case 3: add({"--map", "abs"}); break;
    default: break;
  }
  if (!input.is_tensor && input.channels == 3 && random.chance(4)) add({"--gray"});
  return words;
}

/// A report without what depends on where the input comes from, and on the machine.
nlohmann::json comparable(const std::string& text) {
  nlohmann::json report = nlohmann::json::parse(text);
  for (const char* key : {"input", "output", "seconds", "memory_needed", "picture"}) report.erase(key);
  return report;
}

/// Runs filter `words` on a file, in bands, and on the same bytes from standard input, as a whole.
void check_same(const TempFolder& folder, const RawInput& input, const std::vector<std::string>& words,
                const std::string& extension, int& in_bands) {
  folder.write(input.name, input.content);
  const auto arguments = [&](const std::string& from, const std::string& to) {
    std::vector<std::string> all = {"apply", from, "-o", to, "--json"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  };
  const ProgramResult whole = run_convtool(arguments("-", "whole." + extension), folder, input.content);
  for (const char* threads : {"1", "2", "3", "16"}) {
    CAPTURE(threads);
    std::vector<std::string> all = arguments(input.name, "bands." + extension);
    all.insert(all.end(), {"--threads", threads});
    const ProgramResult bands = run_convtool(all, folder);
    CHECK(bands.code == whole.code);
    CAPTURE(bands.err);
    if (whole.code != 0) {
      // What is only known of pixels, such as lost digits, the whole run says before an error that shapes give.
      const std::string start = "convtool: ", name = start + input.name, stdin_name = start + "-";
      const std::size_t error = whole.err.rfind(stdin_name + ": ");
      REQUIRE(error != std::string::npos);
      REQUIRE(bands.err.starts_with(name));
      CHECK(bands.err.substr(name.size()) == whole.err.substr(error + stdin_name.size()));
      continue;
    }
    nlohmann::json report = comparable(bands.out), expected = comparable(whole.out);
    report.erase("threads");
    expected.erase("threads");
    CHECK(report == expected);
    CHECK(read_text(folder.file("bands." + extension)) == read_text(folder.file("whole." + extension)));
    in_bands += nlohmann::json::parse(bands.out)["seconds"]["encode"] == 0.0 ? 1 : 0;
  }
}

TEST_CASE("the memory that counts rounded values is in the need: one bit for each row") {
  constexpr long kRows = 200'000;
  const TempFolder folder;
  const auto needed = [&](const std::string& type, long bytes) {
    const std::string header = npy_header(type, std::to_string(kRows) + ", 1");
    folder.write("x.npy", header);
    fs::resize_file(folder.file("x.npy"), header.size() + static_cast<std::size_t>(bytes * kRows));
    const ProgramResult result = run_convtool(
        {"apply", "x.npy", "-k", "identity", "-o", "y.npy", "--json", "--dry-run", "--threads", "1"}, folder);
    REQUIRE(result.code == 0);
    return nlohmann::json::parse(result.out).at("memory_needed").get<long>();
  };
  CHECK(needed("<f8", 8) == needed("<f4", 4) + kRows / 8);
}

TEST_CASE("raw files in bands become the bytes, the report and the errors of whole ones") {
  int in_bands = 0;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    Random random(seed);
    const TempFolder folder;
    const RawInput input = random_input(random);
    const std::vector<std::string> words = random_filter(input, random);
    std::string command = input.name;
    for (const std::string& word : words) command += " " + word;
    CAPTURE(seed);
    CAPTURE(command);
    check_same(folder, input, words, random.pick(input.outputs), in_bands);
  }
  // Of 24 runs on four numbers of threads, all but a few that fail.
  CHECK(in_bands > 60);
}

TEST_CASE("edges in bands, signed colours, and large reductions") {
  Random random(5);
  const TempFolder folder;
  const RawInput grey{"x.pgm", "P5\n300 1000\n255\n" + random_bytes(300 * 1000, random), {}};
  int in_bands = 0;
  check_same(folder, grey, {"-k", "sobel-x", "--map", "signed"}, "ppm", in_bands);
  check_same(folder, grey, {"-k", "sobel-x", "--depth", "u16", "--map", "offset"}, "pgm", in_bands);
  check_same(folder, grey, {"-k", "sobel-x", "--depth", "f32"}, "pfm", in_bands);
  check_same(folder, grey, {"-k", "box:size=64", "--stride", "64", "--padding", "valid"}, "pgm", in_bands);
  check_same(folder, grey, {"-k", R"({"pool": "max", "size": [2, 2]})"}, "pgm", in_bands);
  CHECK(in_bands >= 16);

  const ProgramResult bands = run_convtool({"edges", "x.pgm", "-o", "bands.pgm", "--json"}, folder);
  const ProgramResult whole = run_convtool({"edges", "-", "-o", "whole.pgm", "--json"}, folder, grey.content);
  CHECK(comparable(bands.out) == comparable(whole.out));
  CHECK(read_text(folder.file("bands.pgm")) == read_text(folder.file("whole.pgm")));
}

TEST_CASE("a pipe and standard output get the bytes of a file, in order") {
  Random random(6);
  const TempFolder folder;
  folder.write("x.npy", npy_header("<f4", "900, 500") + random_floats(900 * 500, random));
  folder.write("c.npy", npy_header("<f4", "3, 900, 200") + random_floats(3 * 900 * 200, random));
  folder.write("x.pfm", "PF\n200 900\n-1.0\n" + random_floats(3 * 900 * 200, random));
  folder.write("x.ppm", "P6\n400 900\n255\n" + random_bytes(3 * 900 * 400, random));
  for (const std::string name : {"x.npy", "c.npy", "x.pfm", "x.ppm"}) {
    CAPTURE(name);
    const std::string to = "o" + name.substr(1);
    REQUIRE(run_convtool({"apply", name, "-k", "sharpen", "-o", to}, folder).code == 0);
    const std::string expected = read_text(folder.file(to));
    for (const char* threads : {"1", "5"}) {
      const ProgramResult result = run_convtool(
          {"apply", name, "-k", "sharpen", "-o", "-", "--format", name.substr(2), "--threads", threads}, folder);
      CHECK(result.code == 0);
      CHECK(result.out == expected);
    }
  }
}

/// A sparse file with this header, and `bytes` zeros after it.
void put_sparse(const TempFolder& folder, const std::string& name, const std::string& header, std::int64_t bytes) {
  folder.write(name, header);
  fs::resize_file(folder.file(name), header.size() + static_cast<std::size_t>(bytes));
}

/// A sparse .npy of this many rows of 100,000 zeros.
void put_sparse(const TempFolder& folder, const std::string& name, std::int64_t rows) {
  put_sparse(folder, name, npy_header("<f4", std::to_string(rows) + ", 100000"), rows * 400000);
}

TEST_CASE("a large, wide file takes less than 200 MB, whatever the kernel and the number of threads") {
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  Random random(7);
  const TempFolder folder;
  folder.write("k31.npy", npy_header("<f4", "31, 31") + random_floats(31 * 31, random));
  put_sparse(folder, "x.npy", 200);
  put_sparse(folder, "c.npy", npy_header("<f4", "3, 120, 100000"), 144'000'000);
  put_sparse(folder, "d.npy", npy_header("<f8", "3, 120, 100000"), 288'000'000);
  put_sparse(folder, "e.npy", npy_header("<f4", "2, 16, 40, 100000"), 512'000'000);
  put_sparse(folder, "b.pfm", "PF\n100000 120\n1.0\n", 144'000'000);  // big-endian
  folder.write("tiny.npy", npy_header("<f4", "8, 8") + std::string(256, '\0'));
  // What the program has at the start.
  const long at_start = run_convtool({"apply", "tiny.npy", "-k", "sharpen", "-o", "o.npy"}, folder).peak_memory;

  struct Run {
    std::string input, output;
    std::vector<std::string> words;
  };
  const std::vector<Run> runs = {
      {"x.npy", "o.npy", {"-k", "sharpen"}},
      {"x.npy", "o.npy", {"-k", "gaussian:sigma=5"}},
      {"x.npy", "o.npy", {"-k", "disk:radius=15"}},
      {"c.npy", "o.npy", {"-k", "k31.npy"}},
      {"c.npy", "o.npy", {"-k", "k31.npy", "--stride", "2"}},
      {"c.npy", "o.npy", {"-k", "k31.npy", "--stride", "1x2"}},
      {"d.npy", "o.npy", {"-k", "k31.npy", "--map", "normalize"}},
      {"e.npy", "o.npy", {"-k", "gaussian:sigma=5"}},  // one channel after another: together they need too much
      {"b.pfm", "o.pfm", {"-k", "k31.npy"}},
      {"b.pfm", "o.pfm", {"-k", "k31.npy", "--stride", "2"}},
  };
  for (const Run& run : runs) {
    for (const std::string threads : {"1", "16", "64"}) {
      std::vector<std::string> all = {"apply", run.input,   "-o",    run.output, "--memory-limit",
                                      "190M",  "--threads", threads, "--json"};
      all.insert(all.end(), run.words.begin(), run.words.end());
      CAPTURE(all);
      const ProgramResult result = run_convtool(all, folder);
      REQUIRE(result.code == 0);
      const nlohmann::json report = nlohmann::json::parse(result.out);
      CHECK(report["seconds"]["encode"] == 0.0);  // in bands
      CHECK(result.peak_memory < 200'000'000);
      CHECK(result.peak_memory <= at_start + report["memory_needed"].get<long>());
    }
  }
}

TEST_CASE("channels one after another have the statistics of all together") {
  Random random(9);
  const TempFolder folder;
  folder.write("x.npy", npy_header("<f4", "2, 3, 300, 200") + random_floats(6 * 300 * 200, random));
  REQUIRE(run_shell("mkfifo pipe", folder).code == 0);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"-k", "sharpen"}, {"-k", "gaussian:sigma=2", "--map", "normalize"}, {"-k", "sobel-x", "--stride", "2"}}) {
    std::vector<std::string> command = {"apply", "x.npy", "--json", "-o", "o.npy"};
    command.insert(command.end(), words.begin(), words.end());
    nlohmann::json together = comparable(run_convtool(command, folder).out);
    command[4] = "pipe";
    command.insert(command.end(), {"--format", "npy"});
    RunningProgram reader({"/bin/bash", "-c", "cat pipe > copy.npy"}, folder);
    nlohmann::json apart = comparable(run_convtool(command, folder).out);
    CHECK(reader.wait().code == 0);
    CHECK(read_text(folder.file("copy.npy")) == read_text(folder.file("o.npy")));
    // Means of n values up to m, added in another order, differ by at most n * 2^-52 * m; ten digits are printed.
    const double most = std::max(std::abs(together["min"].get<double>()), std::abs(together["max"].get<double>()));
    CHECK(std::abs(apart["mean"].get<double>() - together["mean"].get<double>()) <= most * (360000 * 0x1p-52 + 1e-9));
    for (nlohmann::json* report : {&together, &apart})
      for (const char* key : {"threads", "mean"}) report->erase(key);
    CHECK(apart == together);
  }
}

TEST_CASE("what needs the whole picture in memory is named where there is not enough") {
  const TempFolder folder;
  put_sparse(folder, "x.npy", 500);
  const std::string layers = "--dump-layers needs the whole picture in memory, up to ";
  const auto error_of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"apply", "x.npy", "--memory-limit", "100M"});
    return run_convtool(words, folder).err;
  };
  CHECK(error_of({"-k", "sharpen", "-o", "o.npy", "--dump-layers", "d"}).find(layers) != std::string::npos);
  CHECK(error_of({"-k", "sharpen", "-o", "o.tif"}).find("writing tiff needs the whole picture") != std::string::npos);
  CHECK(error_of({"-k", "sharpen", "-o", "o.npy", "--pads", "5,0,0,0", "--padding-mode", "zeros"})
            .find("padding taller than the kernel, or of several modes, needs the whole picture") != std::string::npos);
  CHECK(folder.names() == std::vector<std::string>{"x.npy"});
}

/// Waits until the program has begun to write.
void wait_for_temporary(const TempFolder& folder, const RunningProgram& program) {
  wait_until("a temporary file", [&] { return folder.names().size() > 1 || program.has_ended(); });
  REQUIRE_FALSE(program.has_ended());
}

TEST_CASE("an input that changes while it is read in bands is an error, and leaves no output") {
  const TempFolder folder;
  for (const bool shrinks : {false, true}) {
    put_sparse(folder, "x.npy", 2000);
    RunningProgram program(convtool_command({"apply", "x.npy", "-k", "sharpen", "-o", "o.npy"}), folder);
    wait_for_temporary(folder, program);
    fs::resize_file(folder.file("x.npy"), shrinks ? 1000 : 900000000);
    const ProgramResult result = program.wait();
    CHECK(result.code == 1);
    CHECK(result.err == "convtool: x.npy: changed while it was being read; run again when it is complete\n");
    CHECK(folder.names() == std::vector<std::string>{"x.npy"});
  }
}

TEST_CASE("--no-clobber keeps an output that another program writes meanwhile") {
  const TempFolder folder;
  put_sparse(folder, "x.npy", 2000);
  RunningProgram program(convtool_command({"apply", "x.npy", "-k", "sharpen", "-o", "o.npy", "--no-clobber"}), folder);
  wait_for_temporary(folder, program);
  folder.write("o.npy", "theirs");
  const ProgramResult result = program.wait();
  CHECK(result.code == 0);
  CHECK(result.out.find("exists") != std::string::npos);
  CHECK(read_text(folder.file("o.npy")) == "theirs");
  CHECK(folder.names() == std::vector<std::string>{"o.npy", "x.npy"});
}

TEST_CASE("a run in bands that is stopped, or finds the disk full, leaves no output and the old file") {
  const TempFolder folder;
  put_sparse(folder, "x.npy", 2000);
  folder.write("o.npy", "old");
  const std::vector<std::string> expected = {"o.npy", "x.npy"};
  for (const int signal : {SIGTERM, SIGINT}) {
    RunningProgram program(convtool_command({"apply", "x.npy", "-k", "sharpen", "-o", "o.npy"}), folder);
    wait_until("a temporary file", [&] { return folder.names().size() > 2 || program.has_ended(); });
    program.send(signal);
    CHECK(program.wait().code == 128 + signal);
    CHECK(folder.names() == expected);
  }
  const ProgramResult full =
      run_shell("trap '' XFSZ; ulimit -f 10000; exec $CONVTOOL apply x.npy -k sharpen -o o.npy", folder);
  CHECK(full.code == 1);
  CHECK(full.err.starts_with("convtool: o.npy: "));
  CHECK(folder.names() == expected);
  CHECK(read_text(folder.file("o.npy")) == "old");

  const ProgramResult device =
      run_convtool({"apply", "x.npy", "-k", "sharpen", "--format", "npy", "-o", "/dev/full"}, folder);
  CHECK(device.code == 1);
}

TEST_CASE("a manifest records runs in bands, and --no-clobber keeps their outputs") {
  Random random(8);
  const TempFolder folder;
  folder.write("x.npy", npy_header("<f4", "900, 500") + random_floats(900 * 500, random));
  const std::vector<std::string> command = {"apply", "x.npy", "-k", "sharpen", "-o", "o.npy", "--manifest", "m"};
  CHECK(run_convtool(command, folder).code == 0);
  const nlohmann::json entry = nlohmann::json::parse(read_text(folder.file("m")));
  const auto digest_of = [&](const std::string& name) { return run_shell("xxh128sum " + name, folder); };
  if (const ProgramResult sum = digest_of("o.npy"); sum.code == 0)
    CHECK(entry["output_digest"] == "xxh128:" + sum.out.substr(0, 32));
  CHECK(run_convtool(command, folder).out.find("up to date") != std::string::npos);
  fs::last_write_time(folder.file("x.npy"), fs::last_write_time(folder.file("x.npy")) + std::chrono::seconds(5));
  fs::last_write_time(folder.file("o.npy"), fs::last_write_time(folder.file("o.npy")) + std::chrono::seconds(5));
  CHECK(run_convtool(command, folder).out.find("up to date") != std::string::npos);  // by their digests
  folder.write("o.npy", "mine");
  CHECK(run_convtool({"apply", "x.npy", "-k", "sharpen", "-o", "o.npy", "--no-clobber"}, folder).code == 0);
  CHECK(read_text(folder.file("o.npy")) == "mine");
}

}  // namespace
}  // namespace convtool
