// Batches that are killed, and taken up again: nothing half written, nothing left behind, the same end.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <thread>

#include "support/program.h"

namespace {

namespace fs = std::filesystem;

/// Name to content of all files in a folder, hidden ones apart.
struct Files {
  std::map<std::string, std::string> visible;
  int hidden = 0;
};

Files files_in(const std::string& folder) {
  Files files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.'))
      ++files.hidden;
    else
      files.visible[name] = read_text(entry.path().string());
  }
  return files;
}

/// How a batch is taken up again.
enum class Again { no_clobber, manifest };

/// Runs a batch and sends it `signal` after so long, unless it ends before. Returns whether the signal ended it.
bool interrupted_batch(const TempFolder& folder, int signal, std::chrono::microseconds after,
                       Again again = Again::no_clobber) {
  const pid_t child = fork();
  if (child == 0) {
    const char* const option = again == Again::no_clobber ? "-n" : "--manifest=m.jsonl";
    if (chdir(folder.path().c_str()) == 0)
      execl(CONVTOOL_BINARY, "convtool", "apply", "in", "--recursive", "-k", "edge", "--out-dir", "out", option,
            "--jobs", "2", "-q", nullptr);
    _exit(127);
  }
  std::this_thread::sleep_for(after);
  kill(child, signal);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

}  // namespace

TEST_CASE("200 kills: every output that is there is whole, and the run resumed ends as one never disturbed") {
  const TempFolder folder;
  fs::create_directory(folder.file("in"));
  std::mt19937 random(4);
  for (int i = 0; i < 500; ++i) {
    cv::Mat picture(48, 64, CV_8U);
    cv::randu(picture, 0, 256);
    REQUIRE(cv::imwrite(folder.file("in/" + std::to_string(i) + ".png"), picture));
  }
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(run_convtool({"apply", "in", "--recursive", "-k", "edge", "--out-dir", "whole", "-q"}, folder).code == 0);
  const auto whole_run =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  const Files whole = files_in(folder.file("whole"));
  REQUIRE(whole.visible.size() == 500);

  int kills = 0, left_behind = 0, begun_anew = 0;
  std::size_t between = 0;
  while (kills < 200) {
    const Again again = random() % 2 == 0 ? Again::no_clobber : Again::manifest;
    const bool killed = interrupted_batch(folder, SIGKILL, whole_run * (random() % 256) / 1024, again);
    kills += killed;
    const Files now = files_in(folder.file("out"));
    left_behind += now.hidden;
    between += !now.visible.empty() && now.visible.size() < 500;
    for (const auto& [name, content] : now.visible) REQUIRE(content == whole.visible.at(name));
    if (now.visible.size() < 500) continue;
    fs::remove_all(folder.file("out"));
    ++begun_anew;
  }
  MESSAGE("temporaries seen after a kill: ", left_behind, "; batches begun anew: ", begun_anew);
  CHECK(between > 50);
  // A run that writes at least one file cleans up.
  const Files before = files_in(folder.file("out"));
  if (!before.visible.empty()) fs::remove(folder.file("out/" + before.visible.begin()->first));
  REQUIRE(run_convtool({"apply", "in", "--recursive", "-k", "edge", "--out-dir", "out", "--manifest", "m.jsonl", "-q"},
                       folder)
              .code == 0);
  const Files after = files_in(folder.file("out"));
  CHECK(after.visible == whole.visible);
  CHECK(after.hidden == 0);
}

// That a killed process's own machine removes them at once is seen above.
TEST_CASE("an old temporary is removed; another machine's new one, one in use, and what looks like one, are not") {
  const TempFolder folder;
  folder.write("a.json", "[[1,2],[3,4]]");
  folder.write(".convtool-0123456789abcdef", "abandoned");
  folder.write(".convtool-0123456789abcdeg", "no hexadecimal digit");
  folder.write(".convtool-notes", "mine");
  folder.write(".convtool-fedcba9876543210", "in use");
  folder.write(".convtool-0123456789abcde0", "new");
  const ProgramResult result = run_shell(
      "touch -d '2 hours ago' .convtool-*; touch .convtool-*0; touch -d '2 hours ago' .convtool-fe*; exec 9< "
      ".convtool-fedcba9876543210; flock 9; $CONVTOOL apply a.json -k '[[1]]' -o b.json",
      folder);
  CHECK(result.code == 0);
  CHECK(folder.names() == std::vector<std::string>{".convtool-0123456789abcde0", ".convtool-0123456789abcdeg",
                                                   ".convtool-fedcba9876543210", ".convtool-notes", "a.json",
                                                   "b.json"});
}

TEST_CASE("SIGINT ends a batch between two inputs: all that was begun is written, and the shell sees the signal") {
  const TempFolder folder;
  fs::create_directory(folder.file("in"));
  for (int i = 0; i < 300; ++i) cv::imwrite(folder.file("in/" + std::to_string(i) + ".png"), cv::Mat(64, 64, CV_8U));
  // In the foreground timeout(1) sends one signal; else a second goes to the whole group, and so to the program again.
  const ProgramResult result = run_shell(
      "timeout --foreground -s INT 0.15 $CONVTOOL apply in --recursive -k edge --out-dir out --jobs 2 --json > "
      "report.txt; echo $?",
      folder);
  const std::string report = read_text(folder.file("report.txt"));
  const auto lines = static_cast<std::size_t>(std::count(report.begin(), report.end(), '\n'));
  const Files out = files_in(folder.file("out"));
  CHECK(out.hidden == 0);
  CHECK(out.visible.size() == lines);
  if (lines < 300) CHECK(result.err.find("interrupted between two inputs") != std::string::npos);
  fs::remove_all(folder.file("out"));
  const bool by_signal = interrupted_batch(folder, SIGINT, std::chrono::milliseconds(40));
  if (files_in(folder.file("out")).visible.size() < 300) CHECK(by_signal);
  // Under nohup and in scripts' background SIGINT is ignored.
  fs::remove_all(folder.file("out"));
  run_shell("$CONVTOOL apply in --recursive -k edge --out-dir out -q & sleep 0.05; kill -INT $!; wait", folder);
  CHECK(files_in(folder.file("out")).visible.size() == 300);
}

TEST_CASE("SIGTERM and SIGINT leave no temporary") {
  const TempFolder folder;
  fs::create_directory(folder.file("in"));
  for (int i = 0; i < 100; ++i) cv::imwrite(folder.file("in/" + std::to_string(i) + ".png"), cv::Mat(64, 64, CV_8U));
  std::mt19937 random(5);
  for (int i = 0; i < 20; ++i) {
    fs::remove_all(folder.file("out"));
    interrupted_batch(folder, i % 2 == 0 ? SIGTERM : SIGINT, std::chrono::microseconds(5000 + random() % 20000));
    CHECK(files_in(folder.file("out")).hidden == 0);
  }
}

TEST_CASE("SIGTERM ends a batch at once, with its own exit code") {
  const TempFolder folder;
  for (int i = 0; i < 300; ++i) cv::imwrite(folder.file(std::to_string(i) + ".png"), cv::Mat(64, 64, CV_8U));
  const ProgramResult result = run_shell(
      "$CONVTOOL apply . --recursive -k edge --out-dir ../\"$(basename $PWD)\".out -q & until [ -e "
      "../\"$(basename $PWD)\".out ]; do :; done; kill -TERM $!; wait $!; echo $?; ls -A ../\"$(basename $PWD)\".out "
      "| grep -c '^[.]'; rm -r ../\"$(basename $PWD)\".out",
      folder);
  CHECK(result.out == "143\n0\n");
}

TEST_CASE("an input that vanishes once the run has begun is its own error; the others are written") {
  const TempFolder folder;
  for (const char* name : {"picture", "b.png", "c.png"})
    cv::imwrite(folder.file(std::string(name) + (name[1] == '.' ? "" : ".png")), cv::Mat(8, 8, CV_8U, cv::Scalar(7)));
  // The pipe can be opened once the run waits for it.
  const ProgramResult result = run_shell(
      "mkfifo a.png; $CONVTOOL apply a.png b.png c.png -k edge --out-dir out -q & exec 3> a.png; rm b.png; "
      "cat picture.png >&3; exec 3>&-; wait $!; echo $?; ls out",
      folder);
  CHECK(result.out == "1\na.edge.png\nc.edge.png\n");
  CHECK(result.err == "convtool: b.png: no such file\n");
}

TEST_CASE("an input that changes while it is read is an error of its own") {
  const TempFolder folder;
  const ProgramResult result = run_shell(
      "printf 'P5 8000 8000 255\\n' > a.pgm; head -c 64000000 /dev/zero >> a.pgm; printf 'P5 2 1 255\\n12' > b.pgm;"
      "size=$(stat -c %s a.pgm); head -c 500M /dev/zero >> a.pgm & until [ $(stat -c %s a.pgm) -gt $size ]; do :; done;"
      "$CONVTOOL apply a.pgm b.pgm -k edge --out-dir out -q; echo $?; kill $!; ls out",
      folder);
  CHECK(result.out == "1\nb.edge.png\n");
  CHECK(result.err.find("convtool: a.pgm: changed while it was being read; run again when it is complete\n") == 0);
}

TEST_CASE("a folder that cannot be written to is refused before any work; one that turns so fails the input") {
  const TempFolder folder;
  cv::imwrite(folder.file("a.png"), cv::Mat(8, 8, CV_8U, cv::Scalar(7)));
  if (run_shell("unshare -rm mount -t tmpfs none .", folder).code != 0) {
    MESSAGE("skipped: no file system may be mounted here");
    return;
  }
  const ProgramResult at_first = run_shell(
      "unshare -rm bash -c 'mkdir out; mount -t tmpfs -o ro none out; $CONVTOOL apply a.png -k edge --out-dir out'",
      folder);
  CHECK(at_first.code == 2);
  CHECK(at_first.err.find("not writable") != std::string::npos);
  const ProgramResult later = run_shell(
      "unshare -rm bash -c 'mount -t tmpfs none out; mkfifo p.png; $CONVTOOL apply p.png -k edge --out-dir out & "
      "exec 3> p.png; mount -o remount,ro out; cat a.png >&3; exec 3>&-; wait $!; echo $?; ls -A out'",
      folder);
  CHECK(later.out == "1\n");
  CHECK(later.err == "convtool: out/p.edge.png: the disk is read-only\n");
}

TEST_CASE("a reader that is slow gets every line; one that leaves ends the run quietly, by SIGPIPE") {
  const TempFolder folder;
  fs::create_directory(folder.file("in"));
  for (int i = 0; i < 300; ++i) cv::imwrite(folder.file("in/" + std::to_string(i) + ".png"), cv::Mat(8, 8, CV_8U));
  const std::string batch =
      "$CONVTOOL apply in --recursive -k edge --out-dir out --json 2> err ";  // 150 KB: a pipe has 64
  CHECK(run_shell(batch + "| (sleep 0.3; wc -l); echo ${PIPESTATUS[0]}", folder).out == "300\n0\n");
  fs::remove_all(folder.file("out"));
  CHECK(run_shell(batch + "| head -n 1 >/dev/null; echo ${PIPESTATUS[0]}; cat err", folder).out == "141\n");
  CHECK(files_in(folder.file("out")).hidden == 0);
}

TEST_CASE("many inputs leave no descriptor open and no memory behind") {
  const fs::path memory = "/dev/shm";  // flushing so many files to a disk may take a minute
  const TempFolder folder(fs::is_directory(memory) ? memory : fs::temp_directory_path());
  fs::create_directory(folder.file("in"));
  for (int i = 0; i < 10000; ++i) folder.write("in/" + std::to_string(i) + ".pgm", "P2\n3 2\n255\n1 2 3 4 5 6\n");
  const std::string batch = "ulimit -n 16; exec $CONVTOOL apply --recursive -k edge -q -o out/{stem}.{ext} --jobs 2 ";
  const ProgramResult few = run_shell(batch + "--include '1?.pgm' in", folder), all = run_shell(batch + "in", folder);
  CHECK(few.code == 0);
  CHECK(all.code == 0);
  CHECK(all.err == "");
  constexpr long kNames = 20 << 20;  // what is known of 10000 names before the first is filtered: 2 KiB each
  CHECK(all.peak_memory <= few.peak_memory + kNames);
}
