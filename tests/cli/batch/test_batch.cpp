// Many inputs in one run: folders, lists, output names from patterns, several jobs.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "support/program.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void put_picture(const TempFolder& folder, const std::string& name, int value) {
  fs::create_directories((folder.path() / name).parent_path());
  cv::Mat picture(9 + value % 7, 13, CV_8U, cv::Scalar(value));
  picture.colRange(5, 13).setTo(255 - value);
  REQUIRE(cv::imwrite(folder.file(name), picture));
}

ProgramResult apply_edge(const TempFolder& folder, std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), {"apply", "-k", "edge"});
  return run_convtool(arguments, folder, input);
}

/// The reports, without the timings.
std::vector<json> reports(const std::string& lines) {
  std::vector<json> all;
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) {
    all.push_back(json::parse(line));
    all.back().erase("seconds");
  }
  return all;
}

/// The files below a folder, by their path in it.
std::vector<std::string> files_in(const TempFolder& folder, const std::string& name) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path() / name))
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder.path() / name).string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("reports and files are the same for any number of jobs, in the order of the inputs") {
  const TempFolder folder;
  std::vector<std::string> inputs;
  for (int i = 0; i < 40; ++i) {
    inputs.push_back("in/" + std::to_string(97 * i % 40) + ".png");
    put_picture(folder, inputs.back(), i);
  }
  folder.write("in/7.png", "no picture");
  const auto run = [&](const std::string& jobs) {
    std::vector<std::string> arguments = inputs;
    arguments.insert(arguments.end(), {"--out-dir", "out" + jobs, "--jobs", jobs, "--json"});
    const ProgramResult result = apply_edge(folder, arguments);
    CHECK(result.code == 1);
    CHECK(result.err.find("in/7.png: neither a picture") != std::string::npos);
    CHECK(result.err.find("39 done, 0 skipped, 1 failed; ") != std::string::npos);
    std::vector<json> all = reports(result.out);
    REQUIRE(all.size() == inputs.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(all[i]["input"] == inputs[i]);
      CHECK(all[i]["status"] == (inputs[i] == "in/7.png" ? "error" : "ok"));
      all[i].erase("output");
      all[i].erase("threads");
    }
    return all;
  };
  const std::vector<json> one = run("1");
  for (const std::string jobs : {"2", "8", "0"}) {
    CHECK(run(jobs) == one);
    for (const std::string& name : files_in(folder, "out1"))
      CHECK(read_text(folder.file("out1/" + name)) == read_text(folder.file("out" + jobs + "/" + name)));
    CHECK(files_in(folder, "out" + jobs).size() == 39);
  }
}

TEST_CASE(
    "--recursive lists a folder's pictures, sorted, without hidden files and earlier outputs, and mirrors the "
    "folders") {
  const TempFolder folder;
  for (const char* name : {"in/b.png", "in/a/z.png", "in/a/c/d.pgm", "in/.hidden.png", "in/.git/x.png", "in/e.tif"})
    put_picture(folder, name, 30);
  folder.write("in/notes.txt", "not a picture");
  for (int round = 0; round < 2; ++round) {  // the second round must not read the outputs of the first
    const ProgramResult result = apply_edge(folder, {"in", "--recursive", "--out-dir", "in/out", "--json"});
    CHECK(result.code == 0);
    const std::vector<json> all = reports(result.out);
    REQUIRE(all.size() == 4);
    CHECK(all[0]["input"] == "in/a/c/d.pgm");
    CHECK(all[3]["input"] == "in/e.tif");
    CHECK(files_in(folder, "in/out") ==
          std::vector<std::string>{"a/c/d.edge.png", "a/z.edge.png", "b.edge.png", "e.edge.png"});
  }
  CHECK(reports(apply_edge(folder, {"in", "--recursive", "--include", "*.tif", "--include", "d.p*", "--out-dir", "o2",
                                    "--json"})
                    .out)
            .size() == 2);
  CHECK(files_in(folder, "o2") == std::vector<std::string>{"a/c/d.edge.png", "e.edge.png"});
  CHECK(apply_edge(folder, {"in", "--recursive", "--include", "*.TIF", "--out-dir", "o3"})
            .err.find("no pictures or tensors that match --include found in 'in'") != std::string::npos);
}

TEST_CASE("--files-from: lines or NUL-terminated names, from a file or standard input; the folders are mirrored") {
  const TempFolder folder;
  for (const char* name : {"p/a.png", "q/a.png", "two words.png", "line\nend.png"}) put_picture(folder, name, 60);
  folder.write("list", "\xEF\xBB\xBFp/a.png\r\nq/a.png\n\ntwo words.png");
  CHECK(apply_edge(folder, {"--files-from", "list", "--out-dir", "o"}).code == 0);
  CHECK(files_in(folder, "o") == std::vector<std::string>{"p/a.edge.png", "q/a.edge.png", "two words.edge.png"});
  const std::string names("line\nend.png\0./p/a.png\0", 23);
  CHECK(apply_edge(folder, {"--files-from", "-", "-0", "--out-dir", "z"}, names).code == 0);
  CHECK(files_in(folder, "z") == std::vector<std::string>{"line\nend.edge.png", "p/a.edge.png"});
  put_picture(folder, "\xEF\xBB\xBFz.png", 60);  // in a NUL-terminated list, a byte order mark is a part of the name
  CHECK(apply_edge(folder, {"--files-from", "-", "-0", "--out-dir", "y"}, "\xEF\xBB\xBFz.png").code == 0);
  // A missing file fails alone. A name outside the folder is written to the top of --out-dir.
  const ProgramResult missing =
      apply_edge(folder, {"p/a.png", "--files-from", "-", "--out-dir", "m"}, "gone.png\nq/a.png\n");
  CHECK(missing.code == 1);
  CHECK(missing.err.find("2 done, 0 skipped, 1 failed") != std::string::npos);
  fs::create_directory(folder.file("deep"));
  CHECK(run_shell("cd deep && echo ../p/a.png | $CONVTOOL apply -k edge --files-from - --out-dir o -q", folder).code ==
        0);
  CHECK(files_in(folder, "deep/o") == std::vector<std::string>{"a.edge.png"});
}

TEST_CASE("NUL-terminated names without -0 are an error, not one long name") {
  const TempFolder folder;
  for (const char* name : {"a.png", "b.png", "o/a.png"}) put_picture(folder, name, 90);
  const std::string before = read_text(folder.file("o/a.png"));
  const ProgramResult result =
      run_shell("printf 'a.png\\0b.png\\0' | $CONVTOOL apply -k edge --files-from - --out-dir o", folder);
  CHECK(result.code == 2);
  CHECK(result.err.find("add -0") != std::string::npos);
  CHECK(read_text(folder.file("o/a.png")) == before);
  CHECK(files_in(folder, "o") == std::vector<std::string>{"a.png"});
}

TEST_CASE("output names from a pattern") {
  const TempFolder folder;
  for (const char* name : {"p/a.png", "q/a.png", "b.png"}) put_picture(folder, name, 90);
  CHECK(apply_edge(folder, {"p/a.png", "q/a.png", "b.png", "-o", "{dir}/new/{stem}-{kernel}.{ext}"}).code == 0);
  for (const char* name : {"p/new/a-edge.png", "q/new/a-edge.png", "new/b-edge.png"})
    CHECK(fs::exists(folder.file(name)));
  CHECK(apply_edge(folder, {"b.png", "-o", "{name}.tif"}).code == 0);
  CHECK(fs::exists(folder.file("b.png.tif")));
  CHECK(apply_edge(folder, {"b.png", "-o", "{{{stem}}}{{{{.png"}).code == 0);
  CHECK(fs::exists(folder.file("{b}{{.png")));
  CHECK(apply_edge(folder, {"b.png", "--depth", "f32", "-o", "f/{stem}.{ext}"}).out.find("-> f/b.tif") !=
        std::string::npos);
  const auto refused = [&](std::vector<std::string> arguments) {
    const ProgramResult result = apply_edge(folder, arguments);
    CHECK(result.code == 2);
    return result.err;
  };
  CHECK(refused({"p/a.png", "q/a.png", "-o", "{stem}.png"}).find("same output") != std::string::npos);
  CHECK(refused({"b.png", "-o", "{stemm}.png"}).find("did you mean 'stem'") != std::string::npos);
  CHECK(refused({"b.png", "-o", "{stem.png"}).find("'{stem.png' in '{stem.png' has no }") != std::string::npos);
  CHECK(refused({"b.png", "-o", "{stem}"}).find("no extension") != std::string::npos);
  CHECK(refused({"b.png", "-o", "{dir}/{name}"}).find("which this run reads") != std::string::npos);
  CHECK(refused({"b.png", "-o", "{stem}.png", "--format", "tif"}).find("--format") != std::string::npos);
}

TEST_CASE("no input is overwritten and no output written twice, whatever path names the file") {
  const TempFolder folder;
  for (const char* name : {"a/a.png", "a/b.png", "a/a.edge.png", "b/p.png", "cwd/b/p.png"})
    put_picture(folder, name, 20);
  const std::string before = read_text(folder.file("a/a.png"));
  const auto refused = [&](std::vector<std::string> arguments) {
    const ProgramResult result = apply_edge(folder, arguments);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    return result.err.find("which this run reads") != std::string::npos ||
           result.err.find("same output") != std::string::npos;
  };
  CHECK(refused({"a/a.png", "-o", "new/../a/{stem}.png"}));
  CHECK(refused({"a/a.png", "b/a.png", "-o", "b/{name}"}));
  CHECK(run_shell("cd cwd && $CONVTOOL apply -k edge ../b/p.png b/p.png -o 'out/{dir}/{name}'", folder).code == 2);
  folder.write("list.json", "a/a.png\n");
  CHECK(refused({"--files-from", "list.json", "-o", "list.json"}));
  fs::create_directory(folder.file("e"));
  fs::create_symlink("b.k.png", folder.file("e/a.k.png"));
  CHECK(refused({"a/a.png", "a/b.png", "-o", "e/{stem}.k.png"}));
  put_picture(folder, "c/x.png", 30);
  cv::imwrite(folder.file("c/x.tif"), cv::Mat(4, 4, CV_32F, cv::Scalar(1)));
  CHECK(refused({"c/x.png", "c/x.tif", "--depth", "f32", "--out-dir", "o"}));
  for (const std::string redirected : {"- -o a/a.png < a/a.png", "- --out-dir a --files-from a/b.png <a/a.png"}) {
    const ProgramResult result = run_shell("$CONVTOOL apply -k edge " + redirected, folder);
    CHECK(result.code == 2);
  }
  CHECK(read_text(folder.file("a/a.png")) == before);
}

TEST_CASE("inputs with the wrong extension do not write each other's output, with any number of jobs") {
  for (const char* jobs : {"1", "2"}) {
    const TempFolder folder;
    put_picture(folder, "p.png", 40);
    REQUIRE(run_convtool({"apply", "p.png", "-k", "identity", "-o", "a.npy"}, folder).code == 0);
    fs::copy_file(folder.file("a.npy"), folder.file("a.png"));
    const ProgramResult result = apply_edge(folder, {"a.png", "a.npy", "--jobs", jobs, "--json"});
    CHECK(result.code == 1);
    const std::vector<json> all = reports(result.out);
    REQUIRE(all.size() == 2);
    CHECK(all[0]["status"] == "error");
    CHECK(result.err.find("may also be the output of 'a.npy': the content of 'a.png'") != std::string::npos);
    CHECK(all[1]["output"] == "a.edge.npy");
    CHECK(apply_edge(folder, {"a.png", "--json"}).code == 0);  // alone, it may use the extension of its content
  }
}

TEST_CASE("two inputs with unrelated extensions never share an output, with any number of jobs") {
  for (const char* jobs : {"1", "4"}) {
    const TempFolder folder;
    std::string numbers = "1";
    for (int i = 0; i < 200000; ++i) numbers += ",1";
    folder.write("a.png", "[[" + numbers + "]]");  // takes longer
    folder.write("a.pfm", "[[5,6],[7,8]]");
    const ProgramResult result =
        run_convtool({"apply", "a.png", "a.pfm", "-k", "identity", "--out-dir", "o", "--json", "--jobs", jobs}, folder);
    CHECK(result.code == 1);
    const std::vector<json> all = reports(result.out);
    REQUIRE(all.size() == 2);
    CHECK(all[0]["status"] == "ok");
    CHECK(all[1]["status"] == "error");
    CHECK(read_text(folder.file("o/a.identity.json")).size() > 200000);
  }
}

TEST_CASE("output names that are links to one file are not both written") {
  const TempFolder folder;
  for (const char* name : {"a.tif", "b.tif"})
    REQUIRE(cv::imwrite(folder.file(name), cv::Mat(4, 4, CV_32F, cv::Scalar(1))));
  fs::create_directory(folder.file("out"));
  for (const char* link : {"out/a.edge.tif", "out/b.edge.tif"}) fs::create_symlink("x.tif", folder.file(link));
  CHECK(apply_edge(folder, {"a.tif", "b.tif", "--out-dir", "out"}).code == 1);
  CHECK(!fs::exists(folder.file("out/x.tif")));
  CHECK(apply_edge(folder, {"a.tif", "--out-dir", "out"}).code == 0);
  CHECK(fs::exists(folder.file("out/x.tif")));
}

TEST_CASE("inputs with the same stem are allowed where their outputs differ") {
  const TempFolder folder;
  put_picture(folder, "p.png", 50);
  put_picture(folder, "b.tif", 50);
  REQUIRE(run_convtool({"apply", "p.png", "-k", "identity", "-o", "b.npy"}, folder).code == 0);
  REQUIRE(run_convtool({"apply", "p.png", "-k", "identity", "-o", "b.json"}, folder).code == 0);
  REQUIRE(run_convtool({"apply", "p.png", "-k", "identity", "--depth", "f32", "-o", "b.exr"}, folder).code == 0);
  CHECK(apply_edge(folder, {"b.tif", "b.npy", "b.json", "b.exr", "--out-dir", "o"}).code == 0);
  CHECK(files_in(folder, "o") == std::vector<std::string>{"b.edge.exr", "b.edge.json", "b.edge.npy", "b.edge.png"});
}

TEST_CASE("an output whose extension changes to hold floats must not be an input of the next run") {
  const TempFolder folder;
  fs::create_directory(folder.file("in"));
  REQUIRE(cv::imwrite(folder.file("in/x.tif"), cv::Mat(4, 4, CV_32F, cv::Scalar(1))));
  const std::vector<std::string> pattern = {"in", "--recursive", "--include", "*.tif", "-o", "{dir}/{stem}.2.{ext}"};
  const ProgramResult result = apply_edge(folder, pattern);
  CHECK(result.code == 1);
  CHECK(result.err.find("would be an input of the next run") != std::string::npos);
  CHECK(files_in(folder, "in") == std::vector<std::string>{"x.tif"});
  // Files in --out-dir and hidden files are not inputs. Layer dumps elsewhere in the folder would be.
  const std::vector<std::string> layers = {"in", "--recursive", "--out-dir", "in/out", "--dump-layers"};
  std::vector<std::string> beside = layers, hidden = layers;
  beside.push_back("in/layers");
  hidden.push_back("in/.layers");
  CHECK(apply_edge(folder, beside).code == 2);
  CHECK(apply_edge(folder, hidden).code == 0);
  CHECK(apply_edge(folder, hidden).code == 0);
}

TEST_CASE("a colour .ppm is written as .png, like other pictures") {
  const TempFolder folder;
  REQUIRE(cv::imwrite(folder.file("x.ppm"), cv::Mat(5, 6, CV_8UC3, cv::Scalar(1, 2, 3))));
  CHECK(apply_edge(folder, {"x.ppm", "--gray"}).code == 0);
  CHECK(fs::exists(folder.file("x.edge.png")));
}

TEST_CASE("links to folders are not followed") {
  const TempFolder folder;
  put_picture(folder, "in/a.png", 10);
  put_picture(folder, "elsewhere/b.png", 10);
  fs::create_directory_symlink("../elsewhere", folder.file("in/s"));
  fs::create_directory_symlink("../in", folder.file("in/loop"));
  CHECK(reports(apply_edge(folder, {"in", "--recursive", "--out-dir", "o", "--json"}).out).size() == 1);
}

TEST_CASE("reports go to standard error when a result goes to standard output") {
  const TempFolder folder;
  put_picture(folder, "a.png", 1);
  CHECK(run_shell("$CONVTOOL apply -k edge - a.png < a.png > out.bin 2> err.txt", folder).code == 0);
  CHECK(read_text(folder.file("out.bin")).find("->") == std::string::npos);
  CHECK(read_text(folder.file("err.txt")).find("a.png 1x10x13 u8 -> a.edge.png") != std::string::npos);
}

TEST_CASE("every input is in exactly one shard, for any number of shards") {
  const TempFolder folder;
  for (int i = 0; i < 11; ++i) put_picture(folder, "in/" + std::to_string(i) + ".png", i);
  for (const int shards : {1, 3, 11, 20}) {
    std::vector<std::string> seen;
    for (int shard = 1; shard <= shards; ++shard) {
      const ProgramResult result =
          apply_edge(folder, {"in", "--recursive", "--out-dir", "o" + std::to_string(shards), "--json", "--shard",
                              std::to_string(shard) + "/" + std::to_string(shards)});
      CHECK(result.code == 0);
      for (const json& report : reports(result.out)) seen.push_back(report["input"]);
    }
    CHECK(seen.size() == 11);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(files_in(folder, "o" + std::to_string(shards)).size() == 11);
  }
  for (const char* wrong : {"0/3", "4/3", "1", "1/0", "a/b", "/", ""})
    CHECK(apply_edge(folder, {"in/1.png", "--shard", wrong}).code == 2);
}

TEST_CASE("inputs and options that cannot work are refused before any work") {
  const TempFolder folder;
  put_picture(folder, "in/a.png", 90);
  fs::create_directory(folder.file("empty"));
  const auto refused = [&](std::vector<std::string> arguments) {
    const ProgramResult result = apply_edge(folder, arguments);
    CHECK(result.code == 2);
    return result.err;
  };
  CHECK(refused({}).find("no input given") != std::string::npos);
  CHECK(refused({"--files-from", "/dev/null"}) == "convtool: --files-from: the list '/dev/null' names no file\n");
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"--out-dir", "in"}, {"-o", "{dir}/{stem}.{kernel}.{ext}"}}) {
    std::vector<std::string> arguments = {"in", "--recursive"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    CHECK(refused(arguments).find("would be an input of the next run") != std::string::npos);
  }
  CHECK(refused({"empty", "--recursive", "--out-dir", "o"}).find("no pictures") != std::string::npos);
  CHECK(refused({"in/a.png", "-0"}).find("--files-from") != std::string::npos);
  CHECK(refused({"in/a.png", "--include", "*"}).find("--recursive") != std::string::npos);
  CHECK(refused({"--files-from", "gone"}).find("--files-from") != std::string::npos);
  CHECK(refused({"-", "--files-from", "-"}).find("only once") != std::string::npos);
  CHECK(refused({"in/a.png", "--jobs", "x"}).find("--jobs") != std::string::npos);
}

TEST_CASE("--fail-fast starts no input after a failure, and reports every input that was started") {
  constexpr std::size_t kOthers = 200;  // more than one job filters while the other is kept from running
  const TempFolder folder;
  std::vector<std::string> arguments = {"bad.png"};
  folder.write("bad.png", "no picture");
  for (std::size_t i = 0; i < kOthers; ++i) {
    arguments.push_back(std::to_string(i) + ".png");
    put_picture(folder, arguments.back(), static_cast<int>(i));
  }
  arguments.insert(arguments.end(), {"--fail-fast", "--out-dir", "o", "--json", "--jobs", "2"});
  const ProgramResult result = apply_edge(folder, arguments);
  CHECK(result.code == 1);
  const std::vector<json> all = reports(result.out);
  CHECK(all.front()["status"] == "error");
  CHECK(all.size() < kOthers + 1);
  CHECK(all.size() - 1 == (fs::exists(folder.file("o")) ? files_in(folder, "o").size() : 0));
  CHECK(result.err.find("1 failed, " + std::to_string(kOthers + 1 - all.size()) + " not started; ") !=
        std::string::npos);
}

TEST_CASE("the summary of several inputs goes to standard error, unless --quiet is given") {
  const TempFolder folder;
  for (const char* name : {"a.png", "b.png"}) put_picture(folder, name, 1);
  CHECK(apply_edge(folder, {"a.png", "b.png", "--out-dir", "o"})
            .err.find("2 done, 0 skipped, 0 failed; 0.0 megapixels") != std::string::npos);
  CHECK(apply_edge(folder, {"a.png", "b.png", "--out-dir", "o", "-n"}).err.find("0 done, 2 skipped") !=
        std::string::npos);
  CHECK(apply_edge(folder, {"a.png", "--out-dir", "o"}).err == "");
  CHECK(apply_edge(folder, {"a.png", "b.png", "--out-dir", "o", "-q"}).err == "");
}
