// Batches that are killed and resumed: no output is half written, no temporary stays, and the result is the same.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <thread>

#include "support/page_data.h"
#include "support/program.h"
#include "support/skip.h"

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

/// Writes `count` pictures of noise, in/0.png and so on.
void put_noise(const TempFolder& folder, int count, int height, int width) {
  fs::create_directory(folder.file("in"));
  for (int i = 0; i < count; ++i) {
    cv::Mat picture(height, width, CV_8U);
    cv::RNG(static_cast<std::uint64_t>(i) + 1).fill(picture, cv::RNG::UNIFORM, 0, 256);
    REQUIRE(cv::imwrite(folder.file("in/" + std::to_string(i) + ".png"), picture));
  }
}

/// What happens to the files of a folder, as it happens.
class FolderWatch {
 public:
  /// `events` as of inotify(7), such as IN_CREATE.
  FolderWatch(const std::string& folder, std::uint32_t events) : descriptor_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    REQUIRE(inotify_add_watch(descriptor_, folder.c_str(), events) >= 0);
  }
  ~FolderWatch() { close(descriptor_); }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  /// Returns after `count` more events, or when `program` has ended.
  void wait_for(int count, const RunningProgram& program) const {
    alignas(inotify_event) std::array<char, 4096> buffer;
    while (count > 0) {
      const ssize_t size = read(descriptor_, buffer.data(), buffer.size());
      for (ssize_t at = 0; at < size; --count)
        at += static_cast<ssize_t>(sizeof(inotify_event)) +
              reinterpret_cast<const inotify_event*>(buffer.data() + at)->len;
      if (size > 0) continue;
      if (program.has_ended()) return;
      pollfd readable = {.fd = descriptor_, .events = POLLIN, .revents = 0};
      poll(&readable, 1, 2);
    }
  }

 private:
  int descriptor_;
};

/// The end of a named pipe that a program reads from: the program is known to read, and gets nothing until the test
/// writes.
class Feed {
 public:
  Feed(const TempFolder& folder, const std::string& name) : path_(folder.file(name)) {
    REQUIRE(mkfifo(path_.c_str(), 0600) == 0);
  }
  ~Feed() { end(); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  void wait_for_reader() {
    wait_until(path_ + " has a reader",
               [&] { return (descriptor_ = open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0; });
  }

  /// Writes everything, and closes the pipe. `content` is less than a pipe holds.
  void finish(const std::string& content) {
    REQUIRE(write(descriptor_, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    end();
  }

 private:
  void end() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }

  std::string path_;
  int descriptor_ = -1;
};

const std::string kSmallPicture = "P2\n3 2\n255\n1 2 3 4 5 6\n";

/// A batch of three pictures before and 30 after one that comes through `feed`; the test decides when it ends.
constexpr std::size_t kBefore = 3, kInBatch = 34;
std::vector<std::string> put_batch_with_pipe(const TempFolder& folder) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kInBatch; ++i) {
    names.push_back(i == kBefore ? "pipe.pgm" : std::to_string(i) + ".pgm");
    if (i != kBefore) folder.write(names.back(), kSmallPicture);
  }
  return names;
}

std::vector<std::string> batch_command(const std::vector<std::string>& names, const std::string& jobs) {
  std::vector<std::string> arguments = {"apply", "-k", "edge", "--out-dir", "out", "--json", "--jobs", jobs};
  arguments.insert(arguments.end(), names.begin(), names.end());
  return convtool_command(arguments);
}

}  // namespace

// The runs are killed at moments of their work, not of the clock: as a temporary appears, as an output gets its name,
// as a line is added to the manifest, and up to a millisecond later; some just after their start. On a loaded machine
// many runs end before their moment is noticed, so there are as many runs as it takes.
TEST_CASE("200 kills: every output that exists is whole, and the resumed run ends as an undisturbed one") {
  constexpr int kPictures = 40, kKills = 200, kMoments = 4, kMostRuns = 20 * kKills;
  const TempFolder folder;
  put_noise(folder, kPictures, 128, 128);
  const std::vector<std::string> run = {"apply", "in", "--recursive", "-k", "edge", "--format", "npy", "-q"};
  const auto with = [&](std::vector<std::string> options) {
    options.insert(options.begin(), run.begin(), run.end());
    return options;
  };
  REQUIRE(run_convtool(with({"--out-dir", "whole"}), folder).code == 0);
  const Files whole = files_in(folder.file("whole"));
  REQUIRE(whole.visible.size() == kPictures);

  std::mt19937 random(4);
  int kills = 0, with_temporaries = 0, in_the_middle = 0;
  std::array<int, kMoments> kills_at = {};
  const auto enough = [&] {
    return kills >= kKills && in_the_middle >= kKills / 2 && with_temporaries >= kKills / 20 &&
           *std::min_element(kills_at.begin(), kills_at.end()) >= kKills / kMoments / 2;
  };
  for (int tries = 0; !enough(); ++tries) {
    CAPTURE(kills);
    CAPTURE(in_the_middle);
    CAPTURE(with_temporaries);
    REQUIRE(tries < kMostRuns);
    fs::create_directory(folder.file("out"));
    const auto moment = static_cast<std::size_t>(tries % kMoments);
    const bool by_manifest = moment == 2 || random() % 2 == 0;
    if (by_manifest)
      folder.write("m.jsonl", fs::exists(folder.file("m.jsonl")) ? read_text(folder.file("m.jsonl")) : "");
    const FolderWatch watch = moment == 2 ? FolderWatch(folder.file("m.jsonl"), IN_MODIFY)
                                          : FolderWatch(folder.file("out"), moment == 1 ? IN_MOVED_TO : IN_CREATE);
    RunningProgram batch(convtool_command(with(
                             {"--out-dir", "out", "--jobs", "2", by_manifest ? "--manifest=m.jsonl" : "--no-clobber"})),
                         folder);
    if (moment < 3) watch.wait_for(1 + static_cast<int>(random() % 8), batch);
    if (moment == 3 || tries % 8 >= 4) std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
    kill(batch.pid(), SIGKILL);
    const ProgramResult result = batch.wait();
    CAPTURE(result.err);
    REQUIRE((result.code == 128 + SIGKILL || result.code == 0));
    kills += result.code != 0;
    kills_at[moment] += result.code != 0;
    const Files now = files_in(folder.file("out"));
    with_temporaries += now.hidden > 0;
    in_the_middle += !now.visible.empty() && now.visible.size() < kPictures;
    for (const auto& [name, content] : now.visible) REQUIRE((content == whole.visible.at(name)));
    if (now.visible.size() == kPictures) fs::remove_all(folder.file("out"));
  }
  MESSAGE("kills: ", kills, "; that left a temporary: ", with_temporaries,
          "; that left some of the outputs: ", in_the_middle);

  // A run that writes at least one file cleans up.
  const Files before = files_in(folder.file("out"));
  if (!before.visible.empty()) fs::remove(folder.file("out/" + before.visible.begin()->first));
  REQUIRE(run_convtool(with({"--out-dir", "out", "--manifest", "m.jsonl"}), folder).code == 0);
  const Files after = files_in(folder.file("out"));
  CHECK((after.visible == whole.visible));
  CHECK(after.hidden == 0);
}

// The test above shows that temporaries of a killed process are removed at once on the same machine.
TEST_CASE("an old temporary is removed; another machine's new one, one in use, and similar names are not") {
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

TEST_CASE("SIGINT ends a batch between two inputs: those that have begun are written, and the shell sees the signal") {
  const TempFolder folder;
  const std::vector<std::string> names = put_batch_with_pipe(folder);
  Feed feed(folder, "pipe.pgm");
  std::vector<std::string> command = batch_command(names, "2");
  command.insert(command.end(), {"--report", "page.html"});
  RunningProgram batch(command, folder);
  feed.wait_for_reader();
  batch.send(SIGINT);
  CHECK(!batch.has_ended());
  feed.finish(kSmallPicture);
  const ProgramResult result = batch.wait();
  CHECK(result.code == 128 + SIGINT);
  const auto lines = static_cast<std::size_t>(std::count(result.out.begin(), result.out.end(), '\n'));
  CHECK(lines > kBefore);
  CHECK(lines < kInBatch);
  const Files out = files_in(folder.file("out"));
  CHECK(out.hidden == 0);
  CHECK(out.visible.size() == lines);
  CHECK(out.visible.contains("pipe.edge.png"));
  CHECK(result.err.find(std::to_string(lines) + " done, 0 skipped, 0 failed, " + std::to_string(kInBatch - lines) +
                        " not started") != std::string::npos);
  CHECK(result.err.find("interrupted between two inputs") != std::string::npos);
  const nlohmann::json page = page_data(read_text(folder.file("page.html")));
  CHECK(page.at("inputs").size() == lines);
  CHECK(page.at("not_started") == kInBatch - lines);
}

TEST_CASE("a second SIGINT, and the first SIGTERM, end a batch at once") {
  if (!kSignalsEndReads) return skip("ThreadSanitizer delays signals");
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const TempFolder folder;
    const std::vector<std::string> names = put_batch_with_pipe(folder);
    Feed feed(folder, "pipe.pgm");
    RunningProgram batch(batch_command(names, "1"), folder);
    feed.wait_for_reader();
    // While one of the two threads of one job waits for the pipe, the other ends the input that it has begun. If that
    // has not been read yet, it waits, too: one thread reads at a time.
    batch.wait_until_idle();
    if (signal == SIGINT) batch.send(signal);
    CHECK(!batch.has_ended());
    batch.send(signal);
    CHECK(batch.wait().code == 128 + signal);  // although the pipe gave it nothing
    const Files out = files_in(folder.file("out"));
    CHECK(out.visible.size() >= kBefore - 1);
    CHECK(out.visible.size() < kInBatch - 1);
    CHECK(!out.visible.contains("pipe.edge.png"));
    CHECK(out.hidden == 0);
  }
}

// As under nohup, and of a script's background jobs.
TEST_CASE("an ignored SIGINT stays ignored") {
  const TempFolder folder;
  const std::vector<std::string> names = put_batch_with_pipe(folder);
  Feed feed(folder, "pipe.pgm");
  std::vector<std::string> command = {"/bin/bash", "-c", "trap '' INT; exec \"$@\"", "bash"};
  for (const std::string& word : batch_command(names, "2")) command.push_back(word);
  RunningProgram batch(command, folder);
  feed.wait_for_reader();
  batch.send(SIGINT);
  batch.send(SIGINT);
  feed.finish(kSmallPicture);
  CHECK(batch.wait().code == 0);
  CHECK(files_in(folder.file("out")).visible.size() == kInBatch);
}

TEST_CASE("SIGTERM and two SIGINT leave no temporary") {
  constexpr int kEnded = 5, kMostRuns = 1000;
  const TempFolder folder;
  put_noise(folder, 8, 700, 700);  // 2 MB of floats each: a temporary that is written for a while
  std::array<int, 2> ended = {};   // by SIGTERM, by SIGINT
  for (int i = 0; std::min(ended[0], ended[1]) < kEnded; ++i) {
    REQUIRE(i < kMostRuns);  // on a loaded machine, some runs end before their signal
    const int signal = i % 2 == 0 ? SIGTERM : SIGINT;
    fs::remove_all(folder.file("out"));
    fs::create_directory(folder.file("out"));
    const FolderWatch watch(folder.file("out"), IN_CREATE);
    RunningProgram batch(convtool_command({"apply", "in", "--recursive", "-k", "edge", "--out-dir", "out", "--format",
                                           "npy", "--jobs", "2", "-q"}),
                         folder);
    watch.wait_for(1 + i / 2 % 4, batch);
    if (signal == SIGINT) batch.send(signal);
    batch.send(signal);
    const int code = batch.wait().code;
    CHECK((code == 128 + signal || code == 0));
    ended[static_cast<std::size_t>(i % 2)] += code != 0;
    CHECK(files_in(folder.file("out")).hidden == 0);
  }
}

TEST_CASE("an input that vanishes during the run is an error; those before it are written") {
  const TempFolder folder;
  Feed feed(folder, "a.pgm");
  for (const char* name : {"b.pgm", "c.pgm"}) folder.write(name, kSmallPicture);
  // With --fail-fast, an input begins after the one before it.
  RunningProgram batch(convtool_command({"apply", "a.pgm", "b.pgm", "c.pgm", "-k", "edge", "--out-dir", "out", "-q",
                                         "--jobs", "1", "--fail-fast"}),
                       folder);
  feed.wait_for_reader();
  fs::remove(folder.file("c.pgm"));
  feed.finish(kSmallPicture);
  const ProgramResult result = batch.wait();
  CHECK(result.code == 1);
  CHECK(result.err == "convtool: c.pgm: no such file\n");
  const Files out = files_in(folder.file("out"));
  CHECK(out.visible.size() == 2);
  CHECK((out.visible.contains("a.edge.png") && out.visible.contains("b.edge.png")));
}

TEST_CASE("--no-clobber keeps an output that another program writes while the input is filtered") {
  const TempFolder folder;
  folder.write("a.pgm", "P2 2 1 255 10 30\n");
  fs::create_directory(folder.file("layers"));
  const std::string layer = folder.file("layers/a.01-sobel-x.npy");
  REQUIRE(mkfifo(layer.c_str(), 0666) == 0);  // the program waits here for a reader, after its look at the output
  RunningProgram program(convtool_command({"apply", "a.pgm", "-k", "sobel-x", "--padding", "same", "-o", "out.png",
                                           "--dump-layers", "layers", "-n", "--json"}),
                         folder);
  program.wait_until_idle();
  folder.write("out.png", "theirs");
  CHECK(read_text(layer).starts_with("\x93NUMPY"));
  const ProgramResult result = program.wait();
  CHECK(result.code == 0);
  CHECK(result.out.find(R"("status":"skipped")") != std::string::npos);
  CHECK(read_text(folder.file("out.png")) == "theirs");
}

TEST_CASE("an output that becomes a link to the input while it is filtered is not written") {
  const TempFolder folder;
  const std::string picture = "P2 2 1 255 10 30\n";
  folder.write("a.pgm", picture);
  fs::create_directory(folder.file("layers"));
  const std::string layer = folder.file("layers/a.01-sobel-x.npy");
  REQUIRE(mkfifo(layer.c_str(), 0666) == 0);  // the program waits here for a reader, after its look at the output
  RunningProgram program(convtool_command({"apply", "a.pgm", "-k", "sobel-x", "--padding", "same", "-o", "out.pgm",
                                           "--dump-layers", "layers"}),
                         folder);
  program.wait_until_idle();
  fs::create_symlink("a.pgm", folder.file("out.pgm"));
  CHECK(read_text(layer).starts_with("\x93NUMPY"));
  const ProgramResult result = program.wait();
  CHECK(result.code == 1);
  CHECK(result.err.find("a.pgm', which this run reads") != std::string::npos);
  CHECK(read_text(folder.file("a.pgm")) == picture);
}

TEST_CASE("no kind of output follows a link to an input that was made during the run") {
  const std::string matrix = "[[1, 2]]\n", video = "YUV4MPEG2 W2 H2 F1:1 Cmono\nFRAME\nabcd";
  const struct {
    std::string pipe, content;  // for which the program waits after its look at the outputs
    std::vector<std::string> more;
    std::string output;
  } cases[] = {{"p.json", matrix, {"a.npy"}, "a.inline.npy"},  // in bands
               {"p.json", matrix, {"a.pgm", "--dump-layers", "layers"}, "layers/a.01-inline.npy"},
               {"v.y4m", video, {}, "v.inline.y4m"},
               {"p.json", matrix, {"s.tif", "--pages", "all"}, "s.inline.tif"}};
  for (const auto& each : cases) {
    CAPTURE(each.output);
    const TempFolder folder;
    folder.write("a.pgm", "P2 2 1 255 10 30\n");
    REQUIRE(cv::imwritemulti(folder.file("s.tif"), std::vector<cv::Mat>(2, cv::Mat(2, 2, CV_8U, cv::Scalar(1)))));
    for (const char* name : {"a.npy", "keep.npy"})
      REQUIRE(run_convtool({"apply", "[[1, 2]]", "-k", "[[1]]", "-o", name}, folder).code == 0);
    fs::create_directory(folder.file("layers"));
    const std::string kept = read_text(folder.file("keep.npy"));
    REQUIRE(mkfifo(folder.file(each.pipe).c_str(), 0666) == 0);
    std::vector<std::string> arguments = {"apply", each.pipe, "keep.npy", "-k", "[[2]]", "--jobs", "1"};
    arguments.insert(arguments.begin() + 2, each.more.begin(), each.more.end());
    RunningProgram program(convtool_command(arguments), folder);
    program.wait_until_idle();
    fs::create_symlink(folder.file("keep.npy"), folder.file(each.output));
    std::ofstream(folder.file(each.pipe)) << each.content;
    const ProgramResult result = program.wait();
    CHECK(result.code == 1);
    CHECK(result.err.find("keep.npy', which this run reads") != std::string::npos);
    CHECK(read_text(folder.file("keep.npy")) == kept);
  }
}

TEST_CASE("an input that changes while it is read is an error of its own") {
  const TempFolder folder;
  // The program stops while it has the file open, and goes on when the file has grown. Where it was through with the
  // file by then, the test tries again.
  for (int tries = 0;; ++tries) {
    REQUIRE(tries < 1000);
    folder.write("a.pgm", "P5 8000 8000 255\n");
    fs::resize_file(folder.path() / "a.pgm", 17 + 64000000);
    folder.write("b.pgm", kSmallPicture);
    fs::remove_all(folder.file("out"));
    RunningProgram batch(
        convtool_command({"apply", "a.pgm", "b.pgm", "-k", "edge", "--out-dir", "out", "-q", "--jobs", "1"}), folder);
    const fs::path descriptors = "/proc/" + std::to_string(batch.pid()) + "/fd";
    const fs::path changed = fs::canonical(folder.path() / "a.pgm");
    const auto is_open = [&] {
      std::error_code ended;
      for (fs::directory_iterator at(descriptors, ended); !ended && at != fs::directory_iterator(); at.increment(ended))
        if (fs::read_symlink(at->path(), ended) == changed) return true;
      return false;
    };
    while (!is_open() && !batch.has_ended()) continue;
    batch.send(SIGSTOP);
    const bool in_time = is_open();
    fs::resize_file(folder.path() / "a.pgm", 17 + 64000001);
    batch.send(SIGCONT);
    const ProgramResult result = batch.wait();
    if (!in_time || result.code == 0) continue;
    CHECK(result.code == 1);
    CHECK(result.err == "convtool: a.pgm: changed while it was being read; run again when it is complete\n");
    CHECK(fs::exists(folder.file("out/b.edge.png")));
    CHECK(!fs::exists(folder.file("out/a.edge.png")));
    break;
  }
}

TEST_CASE("a folder that is read-only is refused before any work; one that becomes so fails the input") {
  const TempFolder folder;
  cv::imwrite(folder.file("a.png"), cv::Mat(8, 8, CV_8U, cv::Scalar(7)));
  if (run_shell("unshare -rm mount -t tmpfs none .", folder).code != 0) {
    skip("needs the right to mount a file system");
    return;
  }
  const ProgramResult at_first = run_shell(
      "unshare -rm bash -c 'mkdir out; mount -t tmpfs -o ro none out; $CONVTOOL apply a.png -k edge --out-dir out'",
      folder);
  CHECK(at_first.code == 2);
  CHECK(at_first.err.find("not writable") != std::string::npos);
  const ProgramResult later = run_shell(
      "unshare -rm bash -c 'mount -t tmpfs none out; mkfifo p.png; $CONVTOOL apply p.png -k edge --out-dir out & "
      "exec 3> p.png; mount -o remount,ro none out; cat a.png >&3; exec 3>&-; wait $!; echo $?; ls -A out'",
      folder);
  CHECK(later.out == "1\n");
  CHECK(later.err == "convtool: out/p.edge.png: the disk is read-only\n");
}

TEST_CASE("a slow reader gets every line; one that leaves ends the run quietly, by SIGPIPE") {
  constexpr std::size_t kInputs = 40;
  const TempFolder folder;
  put_noise(folder, kInputs, 8, 8);
  for (const bool leaves : {false, true}) {
    CAPTURE(leaves);
    fs::remove_all(folder.file("out"));
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const int capacity = fcntl(ends[1], F_SETPIPE_SZ, 4096);  // less than ten lines
    REQUIRE(capacity > 0);
    RunningProgram batch(
        convtool_command({"apply", "in", "--recursive", "-k", "edge", "--map", "clip", "--out-dir", "out", "--json"}),
        folder, -1, ends[1]);
    close(ends[1]);
    int held = 0;
    wait_until("the pipe is full", [&] { return ioctl(ends[0], FIONREAD, &held) == 0 && held > capacity - 1024; });
    batch.wait_until_idle();
    CHECK(!batch.has_ended());
    std::string text;
    char buffer[512];
    for (ssize_t size = 1; !leaves && size > 0; text.append(buffer, static_cast<std::size_t>(size)))
      size = read(ends[0], buffer, sizeof buffer);
    close(ends[0]);
    const ProgramResult result = batch.wait();
    CHECK(files_in(folder.file("out")).hidden == 0);
    if (leaves) {
      CHECK(result.code == 128 + SIGPIPE);
      CHECK(result.err == "");
    } else {
      CHECK(result.code == 0);
      CHECK(std::count(text.begin(), text.end(), '\n') == kInputs);
    }
  }
}

TEST_CASE("many inputs leave no descriptor open and no memory behind") {
  const TempFolder folder;
  fs::create_directory(folder.file("in"));
  for (int i = 0; i < 10000; ++i) folder.write("in/" + std::to_string(i) + ".pgm", "P2\n3 2\n255\n1 2 3 4 5 6\n");
  const std::string batch = "ulimit -n 16; exec $CONVTOOL apply --recursive -k edge -q -o out/{stem}.{ext} --jobs 2 ";
  const ProgramResult few = run_shell(batch + "--include '1?.pgm' in", folder), all = run_shell(batch + "in", folder);
  CHECK(few.code == 0);
  CHECK(all.code == 0);
  CHECK(all.err == "");
  if (!kMemoryIsTheProgramsOwn) return skip("memory is not measured under sanitizers and QEMU");
  constexpr long kNames = 20 << 20;  // the program keeps up to 2 KiB for each of the 10000 names
  CHECK(all.peak_memory <= few.peak_memory + kNames);
}
