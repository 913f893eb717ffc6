// Codecs that crash, hang or take too much memory: each fails one input, with one sentence. convtool_with_failing_webp
// is the program with a decoder of WebP that does so, by the width of the picture (failing_webp.cpp).
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "cli/job/forecast.h"
#include "support/program.h"
#include "support/skip.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

enum Failure { kCrash = 101, kLoop, kAllocate, kExit, kGarbage, kSleep, kOpen };

const std::string kAdvice = "; the file is damaged or malicious: leave it out, or save it again with another program\n";

void put_webp(const TempFolder& folder, const std::string& name, int width) {
  REQUIRE(cv::imwrite(folder.file(name), cv::Mat(5, width, CV_8UC3, cv::Scalar(10, 20, 30)),
                      {cv::IMWRITE_WEBP_QUALITY, 101}));
}

std::vector<std::string> failing_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {CONVTOOL_WITH_FAILING_WEBP, "apply"});
  return arguments;
}

ProgramResult run_failing(const TempFolder& folder, const std::vector<std::string>& arguments) {
  return RunningProgram(failing_command(arguments), folder).wait();
}

/// The processes whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string stat = read_text((entry.path() / "stat").string());
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    if (std::atoi(stat.c_str() + name_end + 4) == parent) children.push_back(std::atoi(stat.c_str()));
  }
  return children;
}

/// Whether a process has ended, if perhaps nobody has looked after it yet.
bool has_ended(pid_t pid) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || stat.substr(name_end, 3) == ") Z";
}

}  // namespace

TEST_CASE("of 20 inputs one makes a codec crash, one hang, and one take 10 GB: 17 outputs, and a sentence for each") {
  const TempFolder folder;
  std::vector<std::string> inputs;
  for (int i = 0; i < 20; ++i) {
    inputs.push_back(std::to_string(i) + ".webp");
    // The memory of a sanitizer has no limit: there the file is a whole one.
    put_webp(folder, inputs.back(),
             i == 4                               ? kCrash
             : i == 9                             ? kLoop
             : i == 14 && kMemoryIsTheProgramsOwn ? kAllocate
                                                  : 8);
  }
  if (!kMemoryIsTheProgramsOwn) skip("sanitizers have no limit of memory: one input less fails");
  const std::size_t failures = kMemoryIsTheProgramsOwn ? 3 : 2;
  for (const std::string jobs : {"1", "4"}) {
    CAPTURE(jobs);
    fs::remove_all(folder.file("out"));
    std::vector<std::string> arguments = {"-k", "edge", "--out-dir", "out", "--jobs", jobs};
    if (jobs == "4") arguments.push_back("--json");
    arguments.insert(arguments.end(), inputs.begin(), inputs.end());
    const ProgramResult result = run_failing(folder, arguments);
    CHECK(result.code == 1);
    const std::vector<std::string> lines = lines_of(result.err);
    REQUIRE(lines.size() == failures + 1);
    CHECK(lines[0] + "\n" == "convtool: 4.webp: the WebP decoder crashed (SIGABRT)" + kAdvice);
    CHECK(lines[1] + "\n" == "convtool: 9.webp: the WebP decoder took more than 5 s" + kAdvice);
    if (failures == 3)
      CHECK(lines[2] + "\n" == "convtool: 14.webp: the WebP decoder needed more than 128 MiB of memory" + kAdvice);
    CHECK(lines.back().find(std::to_string(20 - failures) + " done, 0 skipped, " + std::to_string(failures) +
                            " failed") != std::string::npos);
    const auto outputs = std::distance(fs::directory_iterator(folder.file("out")), fs::directory_iterator());
    CHECK(static_cast<std::size_t>(outputs) == 20 - failures);
    if (jobs == "1") continue;
    const std::vector<std::string> reports = lines_of(result.out);
    REQUIRE(reports.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) {
      const json report = json::parse(reports[i]);
      CHECK(report.at("input") == inputs[i]);
      const bool fails = i == 4 || i == 9 || (i == 14 && failures == 3);
      CHECK(report.at("status") == (fails ? "error" : "ok"));
      if (fails) CHECK(report.at("error").at("kind") == "input");
      if (i == 4)
        CHECK(report.at("error").at("message").get<std::string>() + "\n" ==
              "the WebP decoder crashed (SIGABRT)" + kAdvice);
    }
  }
}

TEST_CASE("a decoder that ends without an answer, or writes one of its own, fails its input") {
  const TempFolder folder;
  put_webp(folder, "exit.webp", kExit);
  put_webp(folder, "garbage.webp", kGarbage);
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"garbage.webp", "--out-dir", "."}}) {
    std::vector<std::string> arguments = {"exit.webp", "-k", "edge"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run_failing(folder, arguments);
    CHECK(result.code == 1);
    CHECK(result.err.find("convtool: exit.webp: the WebP decoder ended without a picture" + kAdvice) == 0);
    if (!more.empty())
      CHECK(result.err.find("convtool: garbage.webp: the WebP decoder gave an answer without meaning" + kAdvice) !=
            std::string::npos);
  }
}

TEST_CASE("a decoder cannot open a file, unless --isolate never") {
  if (!kMemoryIsTheProgramsOwn) return skip("sanitizers leave no sandbox");
  const TempFolder folder;
  put_webp(folder, "open.webp", kOpen);
  const ProgramResult isolated = run_failing(folder, {"open.webp", "-k", "edge", "-o", "o.png"});
  CHECK(isolated.code == 0);
  CHECK(fs::exists(folder.file("o.png")));
  CHECK(run_failing(folder, {"open.webp", "-k", "edge", "-o", "o.png", "--isolate", "never"}).code == 128 + SIGABRT);
}

TEST_CASE("without isolation a crash ends the whole run") {
  const TempFolder folder;
  put_webp(folder, "crash.webp", kCrash);
  CHECK(run_failing(folder, {"crash.webp", "-k", "edge", "--isolate", "never"}).code == 128 + SIGABRT);
}

TEST_CASE("learn, edges and standard input are isolated too") {
  const TempFolder folder;
  put_webp(folder, "crash.webp", kCrash);
  put_webp(folder, "whole.webp", 8);
  const std::string crashed = "the WebP decoder crashed (SIGABRT)" + kAdvice;
  const std::string program = std::string("'") + CONVTOOL_WITH_FAILING_WEBP + "'";
  const ProgramResult edges = run_shell(program + " edges crash.webp", folder);
  CHECK(edges.code == 1);
  CHECK(edges.err == "convtool: crash.webp: " + crashed);
  const ProgramResult piped = run_shell("cat crash.webp | " + program + " apply - -k edge -o o.png", folder);
  CHECK(piped.code == 1);
  CHECK(piped.err == "convtool: -: " + crashed);
  CHECK(run_shell("cat whole.webp | " + program + " apply - -k edge -o o.png", folder).code == 0);
  const ProgramResult learn =
      run_shell(program + " learn --input whole.webp --target crash.webp --kernel-size 3", folder);
  CHECK(learn.code == 1);
  CHECK(learn.err == "convtool: crash.webp: " + crashed);
}

TEST_CASE("outputs and reports do not depend on --isolate, also without standard streams") {
  const TempFolder folder;
  for (int i = 0; i < 3; ++i) {
    const cv::Mat picture(6 + i, 9, CV_8UC3, cv::Scalar(10 * i, 20, 200));
    for (const char* extension : {".png", ".jpg", ".tif", ".webp", ".bmp"})
      REQUIRE(cv::imwrite(folder.file(std::to_string(i) + extension), picture));
  }
  const auto run = [&](const std::string& options) {
    fs::remove_all(folder.file("out"));
    const ProgramResult result = run_shell(
        "$CONVTOOL apply *.* -k sharpen -o 'out/{name}.{ext}' -q " + options + " && cat out/* | sha256sum", folder);
    CHECK(result.code == 0);
    return result.out;
  };
  const std::string expected = run("--isolate never --jobs 1");
  CHECK(expected.size() > 64);
  for (const std::string isolate : {"auto", "always"})
    for (const std::string jobs : {"1", "3"}) {
      CHECK(run("--isolate " + isolate + " --jobs " + jobs) == expected);
      CHECK(run("--isolate " + isolate + " --jobs " + jobs + " <&- >&- 2>&-") == expected);
    }
}

TEST_CASE("--isolate always decodes pictures in processes that would be read in bands") {
  const TempFolder folder;
  folder.write("a.pgm", "P5 2000 2000 255\n" + std::string(4'000'000, 'x'));
  const auto run = [&](const std::string& isolate) {
    return run_convtool({"apply", "a.pgm", "-k", "sharpen", "-o", "b.pgm", "--isolate", isolate, "--memory-limit",
                         std::to_string(convtool::kEngineMemory + (8 << 20))},
                        folder);
  };
  CHECK(run("auto").code == 0);
  const ProgramResult always = run("always");
  CHECK(always.code == 1);
  CHECK(always.err.find("a.pgm: --isolate always needs the whole picture in memory") != std::string::npos);
}

TEST_CASE("a signal to the program, even SIGKILL, ends its decoders") {
  const TempFolder folder;
  put_webp(folder, "sleep.webp", kSleep);
  put_webp(folder, "more.webp", 8);
  for (const int signal : {SIGINT, SIGTERM, SIGKILL})
    for (const bool is_batch : {false, true}) {
      CAPTURE(signal);
      CAPTURE(is_batch);
      std::vector<std::string> arguments = {"-k", "edge", "--out-dir", "out", "sleep.webp"};
      if (is_batch) arguments.push_back("more.webp");
      RunningProgram program(failing_command(arguments), folder);
      std::vector<pid_t> children;  // the decoder, in a batch also the server
      wait_until("the decoder runs", [&] { return (children = children_of(program.pid())).size() >= 1U + is_batch; });
      program.send(signal);
      if (is_batch && signal == SIGINT) program.send(signal);  // the first waits for the input
      CHECK(program.wait().code == 128 + signal);
      wait_until("its processes end", [&] { return std::all_of(children.begin(), children.end(), has_ended); });
    }
}

TEST_CASE("a decoder that ends by a signal without a name fails its input") {
  const TempFolder folder;
  put_webp(folder, "sleep.webp", kSleep);
  RunningProgram program(failing_command({"sleep.webp", "-k", "edge", "-o", "o.png"}), folder);
  std::vector<pid_t> children;
  wait_until("the decoder runs", [&] { return !(children = children_of(program.pid())).empty(); });
  CHECK(kill(children.front(), SIGRTMIN) == 0);
  const ProgramResult result = program.wait();
  CHECK(result.code == 1);
  CHECK(result.err ==
        "convtool: sleep.webp: the WebP decoder crashed (signal " + std::to_string(SIGRTMIN) + ")" + kAdvice);
}

TEST_CASE("no process is left behind by a run that ends by itself") {
  const TempFolder folder;
  put_webp(folder, "crash.webp", kCrash);
  for (int i = 0; i < 10; ++i) put_webp(folder, std::to_string(i) + ".webp", 8);
  // Orphans become children of this process, which finds them as zombies or alive.
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  const std::vector<pid_t> before = children_of(getpid());
  const ProgramResult result =
      RunningProgram(failing_command({"-k", "edge", "--out-dir", "out", "--jobs", "4", "--recursive", "."}), folder)
          .wait();
  CHECK(result.code == 1);
  CHECK(children_of(getpid()) == before);
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

TEST_CASE("without memory for the process that decodes it, a whole file is not called damaged") {
  if (!kMemoryIsTheProgramsOwn) return skip("sanitizers map terabytes");
  const TempFolder folder;
  // This process has the file in memory once, the decoder, which is forked from it, three times with the pixels.
  constexpr int kNoCompression = 1, kMegabytes = 48;
  REQUIRE(cv::imwrite(folder.file("a.tif"), cv::Mat(kMegabytes << 10, 1 << 10, CV_8UC1, cv::Scalar(7)),
                      {cv::IMWRITE_TIFF_COMPRESSION, kNoCompression}));
  bool has_no_room = false;
  for (int megabytes = kMegabytes; megabytes <= 6 * kMegabytes; megabytes += kMegabytes / 4) {
    const ProgramResult result = run_shell(
        "ulimit -v " + std::to_string(megabytes << 10) + "; exec $CONVTOOL apply a.tif -k edge --threads 1 -o o.png",
        folder);
    CAPTURE(megabytes);
    CAPTURE(result.err);
    CHECK(result.err.find("damaged") == std::string::npos);
    has_no_room |=
        result.err.find("a.tif: not enough memory for a process that decodes it, beside this one") != std::string::npos;
  }
  CHECK(has_no_room);
}

TEST_CASE("where the process that starts decoders has ended, a batch says so once and stops") {
  const TempFolder folder;
  // The second one is read while the first is decoded.
  std::vector<std::string> command = {"-k", "edge", "--out-dir", "out", "--jobs", "1"};
  for (const std::string name : {"sleep.webp", "sleep too.webp", "a.webp", "b.webp", "c.webp"}) {
    put_webp(folder, name, name.starts_with("sleep") ? kSleep : 8);
    command.push_back(name);
  }
  RunningProgram program(failing_command(command), folder);
  std::vector<pid_t> children;
  const auto prints_into_pipe = [](pid_t pid) {
    std::error_code none;
    return fs::read_symlink("/proc/" + std::to_string(pid) + "/fd/1", none).string().starts_with("pipe:");
  };
  wait_until("the decoder runs without streams, and what the server prints goes to a pipe, not to its socket", [&] {
    children = children_of(program.pid());
    return children.size() == 2 && std::count_if(children.begin(), children.end(), prints_into_pipe) == 1;
  });
  for (const pid_t pid : children) CHECK(kill(pid, SIGKILL) == 0);
  const ProgramResult result = program.wait();
  CHECK(result.code == 1);
  CAPTURE(result.err);
  const std::vector<std::string> lines = lines_of(result.err);
  const auto count = [&](const std::string& words) {
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return line.find(words) != std::string::npos; });
  };
  // Of the first two, the one that was decoded may notice either end first. The other thread may have begun with a
  // third.
  const auto killed = count("the decoder was killed (SIGKILL), probably because the machine has no more memory");
  const auto ended = count("the process that starts decoders has ended; run again");
  const auto failed = killed + ended;
  CHECK(killed <= 1);
  CHECK((failed == 2 || failed == 3));
  CHECK(count("0 done, 0 skipped, " + std::to_string(failed) + " failed, " + std::to_string(5 - failed) +
              " not started") == 1);
}

TEST_CASE("a picture that needs more shared memory than 'ulimit -f' fails alone") {
  const TempFolder folder;
  put_webp(folder, "small.webp", 8);
  cv::imwrite(folder.file("large.tif"), cv::Mat(1100, 1500, CV_8UC3, cv::Scalar::all(7)));  // 4.7 MiB
  const auto run = [&](const std::string& more) {
    return run_shell(
        "ulimit -f 2000; exec \"$CONVTOOL\" apply small.webp large.tif -k box --stride 4 -o '{stem}.png' -q" + more,
        folder);
  };
  const ProgramResult failed = run("");
  CHECK(failed.code == 1);
  CHECK(failed.err ==
        "convtool: large.tif: the process that decodes it needs 5 MiB of shared memory, more than 'ulimit -f' allows; "
        "raise that limit, or decode pictures in the program itself with --isolate never\n");
  CHECK(fs::exists(folder.file("small.png")));
  CHECK(run(" --isolate never").code == 0);
  CHECK(fs::exists(folder.file("large.png")));
}

TEST_CASE("--isolate always is refused where the system grants no process; auto goes on") {
  if (!kMemoryIsTheProgramsOwn) return skip("the leak sanitizer needs a process of its own");
  const TempFolder folder;
  put_webp(folder, "a.webp", 8);
  put_webp(folder, "b.webp", 9);
  if (geteuid() == 0 && run_shell("command -v setpriv", folder).code != 0)
    return skip("needs setpriv, to be a user that has a limit of processes");
  fs::permissions(folder.path(), fs::perms::all);
  fs::copy_file(CONVTOOL_BINARY, folder.file("convtool"));  // the user may not reach that, in root's home
  const std::string as_user = geteuid() == 0 ? "exec setpriv --reuid 54321 --clear-groups " : "exec ";
  const auto run = [&](const std::string& options) {
    return run_shell(
        as_user + "bash -c 'ulimit -u 0; exec ./convtool apply a.webp b.webp -k edge --threads 1 " + options + "'",
        folder);
  };
  const ProgramResult always = run("--isolate always --out-dir always");
  CHECK(always.code == 2);
  CHECK(always.err.find("convtool: --isolate: the system grants no process for a decoder (") == 0);
  const ProgramResult quiet = run("-q --out-dir quiet");
  CHECK(quiet.err == "");
  CHECK(quiet.code == 0);
  const ProgramResult automatic = run("--out-dir auto");
  REQUIRE(lines_of(automatic.err).size() == 2);  // one warning, and the summary
  CHECK(automatic.err.find("convtool: warning: a.webp: decoded in the program itself, which a damaged file may crash: "
                           "the system grants no process for a decoder (") == 0);
  CHECK(automatic.code == 0);
  CHECK(fs::exists(folder.file("auto/b.edge.png")));
}
