// Inputs that an earlier run of the same command has written.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/picture_files.h"
#include "support/program.h"

namespace {

using Names = std::vector<std::string>;

/// A folder of two pictures, in which `command` runs as in a shell.
class Pictures {
 public:
  Pictures() {
    write("a.png");
    write("b.png");
  }

  void write(const std::string& name) const { write_picture(folder.file(name), 9, 7); }

  ProgramResult run(const std::string& command) const { return run_shell("\"$CONVTOOL\" " + command, folder); }

  const TempFolder folder;
};

}  // namespace

TEST_CASE("a second run over all pictures of a folder filters the sources, and says so once") {
  const Pictures pictures;
  const Names sources = pictures.folder.names();
  CHECK(pictures.run("apply *.png -k sobel").code == 0);
  const Names after = pictures.folder.names();
  CHECK(after == Names{"a.png", "a.sobel.png", "b.png", "b.sobel.png"});
  const std::string first = read_text(pictures.folder.file("a.sobel.png"));
  for (const std::string options : {"", " -n", " -v", " --jobs 2", " --manifest m.jsonl", " --dry-run"}) {
    CAPTURE(options);
    const ProgramResult again = pictures.run("apply *.png -k sobel" + options);
    CHECK(again.code == 0);
    CHECK(again.err.starts_with(
        "convtool: 2 inputs are earlier outputs of this command, such as 'a.sobel.png' of 'a.png': skipped (to filter "
        "such a file, name it without its source)\n"));
    CHECK(again.err.find(options == " -n" ? "0 done, 2 skipped" : "2 done, 0 skipped") != std::string::npos);
    CHECK(again.out.find("a.sobel.png ") != 0);
    CHECK(again.out.find("\na.sobel.png ") == std::string::npos);
    std::filesystem::remove(pictures.folder.file("m.jsonl"));
    CHECK(pictures.folder.names() == after);
  }
  CHECK(read_text(pictures.folder.file("a.sobel.png")) == first);
  CHECK(pictures.run("apply *.png -k sobel -q").err == "");
}

TEST_CASE("outputs of earlier outputs, in other folders, formats and by patterns") {
  const Pictures pictures;
  const TempFolder& folder = pictures.folder;
  const auto is_repeatable = [&](const std::string& command) {
    CAPTURE(command);
    CHECK(pictures.run(command).code == 0);
    const Names names = folder.names();
    CHECK(pictures.run(command).code == 0);
    CHECK(folder.names() == names);
    for (const std::string& name : names)
      if (name != "a.png" && name != "b.png") std::filesystem::remove_all(folder.file(name));
  };
  is_repeatable("apply ./*.png -k sobel");
  is_repeatable("apply \"$PWD\"/*.png -k sobel --out-dir .");
  is_repeatable("apply *.png -k sobel -o '{dir}/{stem}.edges.{ext}'");
  is_repeatable("apply a.png b.png $(ls *.tif) -k sobel --depth f32");
  is_repeatable("apply *.png -k sobel --sheet '{stem}.sheet.png' --format png");
  is_repeatable("apply a.png b.png $(ls *.jpg) -k sobel --format jpg");
  is_repeatable("edges *.png");
  is_repeatable("edges *.png --thin --hysteresis 10,20 --output-kind binary");
  for (const std::string format : {"jpg", "tif", "bmp", "webp", "pgm", "pfm", "exr", "npy", "json"}) {
    const std::string depth = format == "pfm" || format == "exr" ? " --depth f32" : "";
    is_repeatable("apply a.png b.png $(ls *." + format + ") -k sobel --format " + format + depth);
  }
  is_repeatable("apply *.png -k sobel --sheet '{stem}.sheet.png'");
  is_repeatable("apply a.png b.png $(ls *.npy) -k sobel --then box --dump-layers .");
  pictures.write("a.sobel.png");
  pictures.write("a.sobel.sobel.png");
  CHECK(pictures.run("apply *.png -k sobel").code == 0);
  CHECK(folder.names() == Names{"a.png", "a.sobel.png", "a.sobel.sobel.png", "b.png", "b.sobel.png"});
}

TEST_CASE("a file with the name of an output that no run can have written is not replaced") {
  const Pictures pictures;
  const std::string other = pictures.folder.file("a.sobel.png");
  const auto is_kept = [&](const std::string& command) {
    CAPTURE(command);
    const std::string before = read_text(other);
    const ProgramResult result = pictures.run(command);
    CHECK(result.code == 2);
    CHECK(result.err ==
          "convtool: a.sobel.png: is an input that the output of 'a.png' would replace, and is not an earlier one: its "
          "size, channels or depth are others; write to another folder with --out-dir\n");
    CHECK(read_text(other) == before);
  };
  write_picture(other, 9, 8);
  is_kept("apply a.png a.sobel.png -k sobel");
  is_kept("apply *.png -k '[[1]]' -o '{stem}.sobel.{ext}'");
  is_kept("apply *.png -k sobel --sheet '{stem}.sobel.png'");
  CHECK(pictures.run("apply a.png -k sobel --depth u16 -o a.sobel.png").code == 0);
  is_kept("apply *.png -k sobel");
  CHECK(pictures.run("edges a.png --output-kind overlay -o a.sobel.png").code == 0);  // colours
  is_kept("apply *.png -k sobel");
  pictures.folder.write("a.sobel.png", "notes");
  is_kept("apply *.png -k sobel");
}

TEST_CASE("videos that a run has written are passed over, and others are not replaced") {
  const Pictures pictures;
  const auto video = [](const std::string& size) {
    return "YUV4MPEG2 " + size + " F25:1 Cmono\nFRAME\n0123456789abcdef";
  };
  pictures.folder.write("v.y4m", video("W4 H4"));
  for (int run = 0; run < 2; ++run) {
    CHECK(pictures.run("apply *.y4m -k sobel -q").code == 0);
    CHECK(pictures.folder.names() == Names{"a.png", "b.png", "v.sobel.y4m", "v.y4m"});
  }
  for (const std::string& other : {video("W8 H2"), std::string("notes")}) {
    pictures.folder.write("v.sobel.y4m", other);
    CHECK(pictures.run("apply v.y4m v.sobel.y4m -k sobel").code == 2);
    CHECK(read_text(pictures.folder.file("v.sobel.y4m")) == other);
  }
}

TEST_CASE("an earlier output that is named without its source is an input") {
  const Pictures pictures;
  CHECK(pictures.run("apply *.png -k sobel").code == 0);
  const ProgramResult alone = pictures.run("apply a.sobel.png -k sobel --map normalize");
  CHECK(alone.err == "");
  CHECK(alone.out.starts_with("a.sobel.png 1x9x7 u8 -> a.sobel.sobel.png"));
  const ProgramResult others = pictures.run("apply a.sobel.png b.png -k sobel --map normalize");
  CHECK(others.err.starts_with("convtool: 2 done"));
  // With another kernel it is an input like any other.
  const ProgramResult scharr = pictures.run("apply a.png a.sobel.png -k scharr --map normalize --json");
  CHECK(scharr.err.starts_with("convtool: 2 done"));
  CHECK(std::count(scharr.out.begin(), scharr.out.end(), '\n') == 2);
}

TEST_CASE("a name that is both source and output of itself is still refused") {
  const Pictures pictures;
  const ProgramResult result = pictures.run("apply *.png -k sobel -o '{stem}.{ext}'");
  CHECK(result.code == 2);
  CHECK(result.err.find("which this run reads") != std::string::npos);
}

TEST_CASE("edges and apply do not write the same files") {
  const Pictures pictures;
  CHECK(pictures.run("apply a.png -k sobel").code == 0);
  for (const char* kind : {"magnitude", "orientation", "components", "binary", "overlay"})
    CHECK(pictures.run(std::string("edges a.png --output-kind ") + kind).code == 0);
  CHECK(pictures.run("edges a.png --thin").code == 0);
  CHECK(pictures.run("edges a.png -o '{kernel}.png'").code == 0);
  CHECK(pictures.folder.names() == Names{"a.png", "a.sobel-binary.png", "a.sobel-components.npy",
                                         "a.sobel-magnitude.png", "a.sobel-orientation.png", "a.sobel-overlay.png",
                                         "a.sobel-thin.png", "a.sobel.png", "b.png", "sobel-magnitude.png"});
}

TEST_CASE("a report that is redirected to a file with the name of a picture is pointed out") {
  const Pictures pictures;
  const ProgramResult wrong = pictures.run("apply a.png -k sobel --map normalize > out.png");
  CHECK(wrong.code == 0);
  CHECK(wrong.err ==
        "convtool: warning: standard output is 'out.png', which gets the report, not the result; to write the result "
        "there, add -o -\n");
  CHECK(pictures.run("edges a.png > out.TIFF").err.starts_with("convtool: warning: standard output is 'out.TIFF'"));
  for (const char* right :
       {"apply a.png -k sobel --map normalize -o - -q > out.png",
        "apply - -k sobel --map normalize -q < a.png > out.png", "apply a.png -k sobel --map normalize -q > out.png",
        "apply a.png -k sobel --map normalize > report.txt",
        "apply a.png -k sobel --map normalize --json > report.json", "apply a.png -k sobel --map normalize > /dev/null",
        "apply a.png -k sobel --map normalize | cat > out.png"}) {
    CAPTURE(right);
    CHECK(pictures.run(right).err == "");
  }
}
