// Manifest files: written line by line, and read back even after a run was killed.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "cli/batch/inputs/manifest.h"
#include "core/error.h"
#include "files/digest.h"
#include "support/program.h"

namespace convtool {
namespace {

ManifestEntry entry(const std::string& input, const std::string& digest = "xxh128:1") {
  return {
      .input = {.path = input, .size = 5, .mtime = "2026-01-01T00:00:00.000000001Z", .digest = digest},
      .output = {.path = input + ".out", .size = 7, .mtime = "2026-01-01T00:00:00.000000002Z", .digest = "xxh128:2"},
      .options = {{"--kernel", {"a", "b"}}, {"command", {"apply"}}}};
}

TEST_CASE("the next run finds recorded entries; the last line of an input and output counts") {
  const TempFolder folder;
  const std::string path = folder.file("m.jsonl");
  {
    Manifest manifest(path, Manifest::Access::read_and_add);
    CHECK(manifest.find("a.png", "a.png.out") == nullptr);
    manifest.add(entry("a.png"));
    manifest.add(entry("b \"\n\xc3\xa9.png"));
    manifest.add(entry("a.png", "xxh128:9"));
    ManifestEntry elsewhere = entry("a.png", "xxh128:8");
    elsewhere.output.path = "elsewhere.png";
    manifest.add(elsewhere);
    CHECK(manifest.find("a.png", "a.png.out") == nullptr);  // entries added by this run are not found
  }
  const Manifest manifest(path, Manifest::Access::read_and_add);
  const ManifestEntry* found = manifest.find("a.png", "a.png.out");
  REQUIRE(found != nullptr);
  CHECK(found->input.digest == "xxh128:9");
  CHECK(manifest.find("a.png", "elsewhere.png") != nullptr);
  CHECK(found->input.size == 5);
  CHECK(found->input.mtime == "2026-01-01T00:00:00.000000001Z");
  CHECK(found->output.path == "a.png.out");
  CHECK(found->output.size == 7);
  CHECK(found->options == entry("a.png").options);
  CHECK(manifest.find("b \"\n\xc3\xa9.png", "b \"\n\xc3\xa9.png.out") != nullptr);
  CHECK(manifest.find("c.png", "c.png.out") == nullptr);
}

TEST_CASE("a line that a kill cut off is ignored, and the lines added after it are whole") {
  const TempFolder folder;
  std::string whole;
  {
    Manifest manifest(folder.file("whole"), Manifest::Access::read_and_add);
    manifest.add(entry("a.png"));
    whole = read_text(folder.file("whole"));
  }
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    CAPTURE(length);
    const std::string path = folder.write("cut", whole + whole.substr(0, length));
    {
      Manifest manifest(path, Manifest::Access::read_and_add);
      CHECK(manifest.find("a.png", "a.png.out") != nullptr);
      manifest.add(entry("b.png"));
    }
    const Manifest manifest(path, Manifest::Access::read);
    CHECK(manifest.find("a.png", "a.png.out") != nullptr);
    CHECK(manifest.find("b.png", "b.png.out") != nullptr);
  }
}

TEST_CASE("zeros that a file system leaves in place of unwritten data are ignored") {
  const TempFolder folder;
  const std::string path = folder.file("m.jsonl");
  {
    Manifest manifest(path, Manifest::Access::read_and_add);
    manifest.add(entry("a.png"));
  }
  const std::string whole = read_text(path);
  const std::size_t middle = whole.size() / 2;
  for (const std::string& damaged : {std::string(50, '\0') + whole, std::string(50, '\0') + whole.substr(middle),
                                     whole.substr(0, middle) + std::string(9, '\0') + whole.substr(middle)}) {
    folder.write("m.jsonl", damaged + whole);
    CHECK(Manifest(path, Manifest::Access::read).find("a.png", "a.png.out") != nullptr);
  }
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, std::size_t{30}, whole.size() / 2}) {
    CAPTURE(kept);
    folder.write("m.jsonl", whole + whole.substr(0, kept) + std::string(500, '\0'));
    {
      Manifest manifest(path, Manifest::Access::read_and_add);
      CHECK(manifest.find("a.png", "a.png.out") != nullptr);
      manifest.add(entry("b.png"));
    }
    const Manifest manifest(path, Manifest::Access::read);
    CHECK(manifest.find("a.png", "a.png.out") != nullptr);
    CHECK(manifest.find("b.png", "b.png.out") != nullptr);
  }
}

TEST_CASE("a line whose sizes are not those of a file is refused, not rounded") {
  const TempFolder folder;
  const auto line = [](const std::string& input_size, const std::string& output_size) {
    const auto file = [](const std::string& what, const std::string& size) {
      return "\"" + what + "\":\"" + what + ".png\",\"" + what + "_size\":" + size + ",\"" + what +
             "_mtime\":\"t\",\"" + what + "_digest\":\"d\",";
    };
    return "{\"version\":1," + file("input", input_size) + file("output", output_size) + "\"options\":{}}\n";
  };
  const auto found = [&](const std::string& text) {
    return *Manifest(folder.write("m.jsonl", text), Manifest::Access::read).find("input.png", "output.png");
  };
  CHECK(found(line("0", "9223372036854775807")).output.size == 9223372036854775807);
  for (const std::string size :
       {"1e300", "-1e300", "1e2", "1.0", "1.5", "-1", "-0", "9223372036854775808", "1e999", "18446744073709551615",
        "99999999999999999999", "\"1\"", "null", "true", "[1]", "{}"}) {
    CAPTURE(size);
    const bool is_json = size != "1e999";  // beyond double: as a line that a kill cut off
    for (const std::string& text : {line(size, "1"), line("1", size)}) {
      const std::string path = folder.write("m.jsonl", line("3", "4") + text);
      if (is_json)
        CHECK_THROWS_WITH_AS(Manifest(path, Manifest::Access::read),
                             doctest::Contains("is not a convtool manifest (line 2)"), Error);
      else
        CHECK(found(line("3", "4") + text).input.size == 3);
    }
  }
}

TEST_CASE("a line of deeply nested JSON is not a manifest") {
  const TempFolder folder;
  const std::string deep(1'000'000, '['), end(1'000'000, ']');
  for (const std::string& text : {"{\"version\":1,\"input\":" + deep + end + "}\n",
                                  "{\"version\":1,\"input\":\"a\",\"input_size\":" + deep + end + "}\n"})
    CHECK_THROWS_WITH_AS(Manifest(folder.write("m.jsonl", text), Manifest::Access::read),
                         doctest::Contains("is not a convtool manifest (line 1)"), Error);
  CHECK(Manifest(folder.write("m.jsonl", "{\"version\":1,\"input\":" + deep), Manifest::Access::read).find("a", "b") ==
        nullptr);  // cut off
}

TEST_CASE("a file that is not a manifest is refused with the line number, and not changed") {
  const TempFolder folder;
  for (const std::string text : {"hello\n", "{}\n", "[1]\n", "\n", "{\"version\":2,\"input\":\"a\"}\n", "\x89PNG\r\n",
                                 "{\"version\":1,\"input\":5}\n", "{\"version\":1,\"input\":\"a\"}\n"}) {
    CAPTURE(text);
    const std::string path = folder.write("other", text);
    try {
      const Manifest manifest(path, Manifest::Access::read_and_add);
      CHECK(text == "\n");  // an empty line loses nothing
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      CHECK(std::string(error.what()).find("is not a convtool manifest (line 1)") != std::string::npos);
    }
    CHECK(read_text(path) == text);
  }
  CHECK_THROWS_AS(Manifest(folder.file("other/m.jsonl"), Manifest::Access::read_and_add), Error);
  CHECK_THROWS_AS(Manifest(folder.path().string(), Manifest::Access::read_and_add), Error);
}

TEST_CASE("a manifest's folder is created when the manifest is written") {
  const TempFolder folder;
  Manifest(folder.file("a/b/m.jsonl"), Manifest::Access::read);
  CHECK(folder.names().empty());
  Manifest(folder.file("a/b/m.jsonl"), Manifest::Access::read_and_add);
  CHECK(std::filesystem::exists(folder.file("a/b/m.jsonl")));
}

TEST_CASE("a manifest opened for reading is neither created nor written") {
  const TempFolder folder;
  Manifest manifest(folder.file("m.jsonl"), Manifest::Access::read);
  manifest.add(entry("a.png"));
  CHECK(folder.names().empty());
}

TEST_CASE("threads, and two manifests of one file, add whole lines") {
  const TempFolder folder;
  const std::string path = folder.file("m.jsonl");
  {
    Manifest first(path, Manifest::Access::read_and_add), second(path, Manifest::Access::read_and_add);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) (t % 2 ? first : second).add(entry(std::to_string(t) + "-" + std::to_string(i)));
      });
  }
  const Manifest manifest(path, Manifest::Access::read);
  for (int t = 0; t < 4; ++t)
    for (int i = 0; i < 100; ++i) {
      const std::string name = std::to_string(t) + "-" + std::to_string(i);
      CHECK(manifest.find(name, name + ".out") != nullptr);
    }
}

TEST_CASE("a file that has just changed is not settled, an old one is; only regular files have a record") {
  const TempFolder folder;
  const std::string path = folder.write("x", "12345");
  // A minute ahead, so that the file is still new when a loaded machine looks at it.
  const timespec soon = {.tv_sec = std::time(nullptr) + 60, .tv_nsec = 1};
  const timespec ahead[2] = {soon, soon};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), ahead, 0) == 0);
  const std::optional<FileRecord> fresh = look_at_file(path);
  REQUIRE(fresh.has_value());
  CHECK(fresh->size == 5);
  CHECK(!fresh->settled);
  const timespec long_ago[2] = {{.tv_sec = 1000000000, .tv_nsec = 42}, {.tv_sec = 1000000000, .tv_nsec = 42}};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), long_ago, 0) == 0);
  const std::optional<FileRecord> old = look_at_file(path);
  REQUIRE(old.has_value());
  CHECK(old->settled);
  CHECK(old->mtime == "2001-09-09T01:46:40.000000042Z");
  for (const std::string& other :
       {folder.file("missing"), folder.path().string(), std::string("/dev/null"), std::string("-")})
    CHECK(!look_at_file(other));
  // The time of an unsettled file is not recorded.
  Manifest manifest(folder.file("m.jsonl"), Manifest::Access::read_and_add);
  manifest.add({.input = *fresh, .output = *fresh, .options = {}});
  const nlohmann::json line = nlohmann::json::parse(read_text(folder.file("m.jsonl")));
  CHECK(line.at("input_mtime") == "");
  CHECK(line.at("output_mtime") == fresh->mtime);
}

TEST_CASE("digests are equal to those of xxh128sum") {
  // xxHash 0.8.1, xxh128sum of the files "" and "abc".
  CHECK(digest_of({}) == "xxh128:99aa06d3014798d86001c324468d497f");
  const char text[] = {'a', 'b', 'c'};
  CHECK(digest_of(std::as_bytes(std::span(text))) == "xxh128:06b05ab6733a618578af5f94892f3950");
}

}  // namespace
}  // namespace convtool
