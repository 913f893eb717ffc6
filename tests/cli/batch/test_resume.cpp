// --manifest: which inputs a second run filters again, and which it skips.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/batch/resume.h"
#include "files/digest.h"
#include "support/program.h"

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const std::string kPicture = "P2\n3 2\n255\n1 2 3 4 5 6\n", kOther = "P2\n3 2\n255\n9 2 3 4 5 6\n";

/// Sets the time to long ago, so that the next change to the file shows in it.
void make_old(const TempFolder& folder, const std::string& name, long seconds = 1000000000) {
  const timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 5}, {.tv_sec = seconds, .tv_nsec = 5}};
  REQUIRE(utimensat(AT_FDCWD, folder.file(name).c_str(), times, 0) == 0);
}

struct Batch {
  TempFolder folder;
  std::vector<std::string> options = {"-k", "sharpen", "--out-dir", "out", "--manifest", "m.jsonl"};

  Batch() {
    for (const char* name : {"a.pgm", "b.pgm", "c.pgm"}) {
      folder.write(name, kPicture);
      make_old(folder, name);
    }
  }

  /// Runs the batch. Returns the first letter of each input's status, such as "oss".
  std::string run(const std::vector<std::string>& more = {}, int code = 0) const {
    std::vector<std::string> arguments = {"apply", "a.pgm", "b.pgm", "c.pgm", "--json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run_convtool(arguments, folder);
    CHECK(result.code == code);
    std::string statuses;
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);)
      statuses += json::parse(line).at("status").get<std::string>().front();
    return statuses;
  }

  std::vector<json> manifest() const {
    std::vector<json> all;
    std::istringstream lines(read_text(folder.file("m.jsonl")));
    for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
    return all;
  }
};

}  // namespace

TEST_CASE("an output of a given name is not that of a run without the name") {
  const TempFolder folder;
  folder.write("a.pgm", kPicture);
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"apply", "a.pgm", "-k", "sharpen", "--manifest", "m.jsonl"});
    return run_convtool(more, folder).out;
  };
  run({"-o", "a.sharpen.npy"});
  CHECK(run({}).starts_with("a.pgm 1x2x3 u8 -> a.sharpen.png "));
  CHECK(run({}) == "a.pgm skipped: a.sharpen.png is up to date\n");
  CHECK(run({"-o", "a.sharpen.npy"}) == "a.pgm skipped: a.sharpen.npy is up to date\n");
}

TEST_CASE("a file is digested as it was recorded, or not at all") {
  const TempFolder folder;
  folder.write("a.pgm", kPicture);
  make_old(folder, "a.pgm");
  const std::optional<convtool::FileRecord> before = convtool::look_at_file(folder.file("a.pgm"));
  REQUIRE(before);
  const std::optional<convtool::FileRecord> same = convtool::digested(*before);
  REQUIRE(same);
  CHECK(same->digest == convtool::digest_of_file(folder.file("a.pgm")));
  do {
    folder.write("a.pgm", kOther);
    make_old(folder, "a.pgm");                                                     // of the same size and time
  } while (convtool::look_at_file(folder.file("a.pgm"))->ctime == before->ctime);  // which advances every few ms
  CHECK_FALSE(convtool::digested(*before));
  fs::remove(folder.file("a.pgm"));
  CHECK_FALSE(convtool::digested(*before));
}

TEST_CASE("a second run with the same manifest skips everything") {
  const Batch batch;
  CHECK(batch.run() == "ooo");
  const std::vector<json> lines = batch.manifest();
  REQUIRE(lines.size() == 3);
  const auto of_a =
      std::find_if(lines.begin(), lines.end(), [](const json& line) { return line.at("input") == "a.pgm"; });
  REQUIRE(of_a != lines.end());  // inputs may end in another order than they begin
  const json& line = *of_a;
  CHECK(line.at("version") == 1);
  CHECK(line.at("input_size") == kPicture.size());
  CHECK(line.at("input_mtime") == "2001-09-09T01:46:40.000000005Z");
  CHECK(line.at("input_digest").get<std::string>().starts_with("xxh128:"));
  CHECK(line.at("output") == "out/a.sharpen.png");
  CHECK(line.at("output_size") == fs::file_size(batch.folder.path() / "out/a.sharpen.png"));
  CHECK(line.at("options").at("--kernel") == json::array({"sharpen"}));
  CHECK(line.at("options").at("command") == json::array({"apply"}));

  CHECK(batch.run() == "sss");
  CHECK(batch.run({"--jobs", "3", "--threads", "1", "--progress", "never", "--memory-limit", "1G"}) == "sss");
  CHECK(batch.manifest() == lines);
}

TEST_CASE("an input is filtered again when its content, output, options or kernel changed") {
  Batch batch;
  CHECK(batch.run() == "ooo");

  batch.folder.write("b.pgm", kOther);
  CHECK(batch.run() == "sos");
  CHECK(batch.run() == "sss");

  fs::remove(batch.folder.path() / "out/c.sharpen.png");
  CHECK(batch.run() == "sso");
  CHECK(batch.run() == "sss");

  const std::string whole = read_text(batch.folder.file("out/a.sharpen.png"));
  batch.folder.write("out/a.sharpen.png", whole.substr(0, 20));
  CHECK(batch.run() == "oss");
  CHECK(read_text(batch.folder.file("out/a.sharpen.png")) == whole);
  batch.folder.write("out/a.sharpen.png", std::string(whole.size(), 'x'));  // of the same length
  make_old(batch.folder, "out/a.sharpen.png");
  CHECK(batch.run() == "oss");
  CHECK(read_text(batch.folder.file("out/a.sharpen.png")) == whole);

  CHECK(batch.run({"--map", "abs"}) == "ooo");
  CHECK(batch.run({"--map", "abs"}) == "sss");
  CHECK(batch.run() == "ooo");  // the output there is from --map abs

  batch.options[1] = "k.json";
  batch.folder.write("k.json", "[[1,2]]");
  CHECK(batch.run() == "ooo");
  CHECK(batch.run() == "sss");
  batch.folder.write("k.json", "[[1, 2]]");  // the same kernel
  CHECK(batch.run() == "sss");
  for (const char* kernel : {"[[1,3]]", R"({"weight":[[1,3]],"bias":1})", R"({"weight":[[1,3]],"stride":2})",
                             R"({"weight":[[1,3]],"divisor":2})", R"({"weight":[[1,3]],"padding":"same"})",
                             R"({"weight":[[1,3]],"padding":"same","padding_mode":"reflect"})",
                             R"({"weight":[[1,3]],"activation":"relu"})", R"({"weight":[[1,3]],"map":"abs"})"}) {
    CAPTURE(kernel);
    batch.folder.write("k.json", kernel);
    CHECK(batch.run() == "ooo");
    CHECK(batch.run() == "sss");
  }
}

TEST_CASE("a file with a new time and the same content is not filtered again") {
  const Batch batch;
  CHECK(batch.run() == "ooo");
  make_old(batch.folder, "b.pgm", 1100000000);
  make_old(batch.folder, "out/c.sharpen.png", 1100000000);
  CHECK(batch.run() == "sss");
  const std::vector<json> lines = batch.manifest();
  REQUIRE(lines.size() == 5);  // with the new times
  const auto count_new = [&](const char* key) {
    return std::count_if(lines.begin() + 3, lines.end(),
                         [&](const json& line) { return line.at(key) == "2004-11-09T11:33:20.000000005Z"; });
  };
  CHECK(count_new("input_mtime") == 1);
  CHECK(count_new("output_mtime") == 1);
  CHECK(batch.run() == "sss");
  CHECK(batch.manifest().size() == 5);
}

TEST_CASE("files of the same size and time that swapped names are filtered again") {
  const Batch batch;
  batch.folder.write("b.pgm", kOther);
  make_old(batch.folder, "b.pgm");
  CHECK(batch.run() == "ooo");
  CHECK(run_shell("mv a.pgm c && mv b.pgm a.pgm && mv c b.pgm", batch.folder).code == 0);
  CHECK(batch.run() == "oos");
}

TEST_CASE("files with a time in the future are recorded at most twice") {
  const Batch batch;
  for (const char* name : {"a.pgm", "b.pgm", "c.pgm"}) make_old(batch.folder, name, 4000000000);
  CHECK(batch.run() == "ooo");
  CHECK(batch.run() == "sss");
  CHECK(batch.run() == "sss");
  CHECK(batch.manifest().size() <= 6);  // the first run may have come too soon after the change of time
}

TEST_CASE("a failed input is not recorded, and is tried again") {
  const Batch batch;
  batch.folder.write("b.pgm", "no picture");
  CHECK(batch.run({}, 1) == "oeo");
  CHECK(batch.run({}, 1) == "ses");
  batch.folder.write("b.pgm", kPicture);
  CHECK(batch.run() == "sos");
}

TEST_CASE("the concatenated manifests of all shards are a manifest of the whole") {
  const Batch batch;
  for (const std::string k : {"1", "2", "3"}) {
    std::vector<std::string> arguments = {"apply",     "a.pgm", "b.pgm",      "c.pgm",      "-k",      "sharpen",
                                          "--out-dir", "out",   "--manifest", k + ".jsonl", "--shard", k + "/3"};
    CHECK(run_convtool(arguments, batch.folder).code == 0);
  }
  CHECK(run_shell("cat 3.jsonl 1.jsonl 2.jsonl > m.jsonl", batch.folder).code == 0);
  CHECK(batch.run() == "sss");
}

TEST_CASE("one manifest can record several outputs of an input") {
  Batch batch;
  CHECK(batch.run() == "ooo");
  std::vector<std::string> first = batch.options;
  batch.options = {"-k", "sobel", "--out-dir", "other", "--manifest", "m.jsonl"};
  CHECK(batch.run() == "ooo");
  CHECK(batch.run() == "sss");
  batch.options = first;
  CHECK(batch.run() == "sss");
}

TEST_CASE("a manifest and a kernel may be in the input folder, and the manifest in a new output folder") {
  for (const std::string manifest : {"f/m.json", "f/new/m.json"}) {
    const TempFolder folder;
    fs::create_directory(folder.path() / "f");
    folder.write("f/a.pgm", kPicture);
    folder.write("f/k.json", "[[1,2]]");
    const std::vector<std::string> arguments = {"apply",  "f",         "--recursive", "-k",         "f/k.json",
                                                "--json", "--out-dir", "f/new",       "--manifest", manifest};
    for (const char* status : {"ok", "skipped"}) {
      const ProgramResult result = run_convtool(arguments, folder);
      CHECK(result.code == 0);
      CHECK(json::parse(result.out).at("status") == status);  // one line: nothing else is an input
    }
  }
}

TEST_CASE("when the manifest cannot be extended, the output is reported, and filtered again by the next run") {
  const Batch batch;
  CHECK(batch.run({"-q"}, 2) == "");  // --json excludes -q; nothing is started
  std::string command = "trap '' XFSZ; ulimit -f 1; exec $CONVTOOL apply a.pgm b.pgm c.pgm";
  for (const std::string& option : batch.options) command += " " + option;
  const ProgramResult result = run_shell(command, batch.folder);
  CHECK(result.code == 1);
  CHECK(result.err.find("'out/c.sharpen.png' was written, and will be written again next time") != std::string::npos);
  CHECK(fs::exists(batch.folder.path() / "out/c.sharpen.png"));
  const std::string statuses = batch.run();
  CHECK(statuses.ends_with("o"));
  CHECK(batch.run() == "sss");
}

TEST_CASE("an output whose derived extension changed to hold floats is found again") {
  const TempFolder folder;
  folder.write("a.pfm", std::string("Pf\n1 1\n-1\n\0\0\0\0", 14));  // floats, which PNG cannot store
  const std::vector<std::string> arguments = {"apply",      "a.pfm", "-k",    "[[1]]", "-o", "{stem}.{ext}2.{ext}",
                                              "--manifest", "m",     "--json"};
  CHECK(json::parse(run_convtool(arguments, folder).out).at("status") == "ok");
  const json second = json::parse(run_convtool(arguments, folder).out);
  CHECK(second.at("status") == "skipped");
  CHECK(fs::exists(folder.path() / second.at("output").get<std::string>()));
}

TEST_CASE("a dry run reports what would be filtered, and records nothing") {
  const Batch batch;
  CHECK(batch.run({"--dry-run"}) == "ooo");
  CHECK(!fs::exists(batch.folder.path() / "m.jsonl"));
  CHECK(batch.run() == "ooo");
  batch.folder.write("b.pgm", kOther);
  CHECK(batch.run({"--dry-run"}) == "sos");
  CHECK(batch.manifest().size() == 3);
}

TEST_CASE("a manifest that cannot be used is refused before any work") {
  const Batch batch;
  const auto refusal = [&](std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"apply", "-k", "sharpen"});
    const ProgramResult result = run_convtool(arguments, batch.folder, input);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    return result.err;
  };
  const std::string kNoStreams = "convtool: --manifest: cannot record standard input or output; name files\n";
  CHECK(refusal({"-", "--manifest", "m"}, kPicture) == kNoStreams);
  CHECK(refusal({"a.pgm", "-o", "-", "--manifest", "m"}) == kNoStreams);
  CHECK(refusal({"a.pgm", "--manifest", "a.pgm"}).find("which this run reads") != std::string::npos);
  CHECK(refusal({"a.pgm", "-o", "m.png", "--manifest", "m.png"}).find("which this run reads") != std::string::npos);
  CHECK(refusal({"a.pgm", "--manifest", "b.pgm"}).find("is not a convtool manifest") != std::string::npos);
  CHECK(refusal({"a.pgm", "--manifest", "a.pgm/m"}).find("a.pgm: the folder cannot be created") != std::string::npos);
  CHECK(refusal({"a.pgm", "--manifest", "/dev/null"}).find("is not a regular file") != std::string::npos);
  CHECK(refusal({"a.pgm", "--manifest", ""}).find("needs the name of a file") != std::string::npos);
  CHECK(refusal({"a.pgm", "--manifest", "-"}).find("needs the name of a file") != std::string::npos);
  CHECK(refusal({"a.pgm", "--manifest", "m", "--no-clobber"}).find("cannot be used together") != std::string::npos);
  CHECK(read_text(batch.folder.file("a.pgm")) == kPicture);
  CHECK(read_text(batch.folder.file("b.pgm")) == kPicture);
}

TEST_CASE("what goes to a device is written, and recorded nowhere") {
  const TempFolder folder;
  folder.write("a.pgm", "P5 10 10 255\n" + std::string(100, 'x'));
  for (const std::string format : {"pgm", "png"}) {  // in bands; as a whole
    const ProgramResult result = run_convtool(
        {"apply", "a.pgm", "-k", "sharpen", "-o", "/dev/null", "--format", format, "--manifest", "m.jsonl"}, folder);
    CAPTURE(result.err);
    CHECK(result.code == 0);
    CHECK(result.out.find("a.pgm 1x10x10 u8 -> /dev/null") != std::string::npos);
  }
  CHECK(read_text(folder.file("m.jsonl")).find("/dev/null") == std::string::npos);
}
