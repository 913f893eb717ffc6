// Bad input on the real binary: one clear line, the right exit code, and nothing left behind.

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>

#include "support/program.h"

namespace {

/// A folder with a small grey picture, ok.png, and a kernel, edge.json.
class Bench : public TempFolder {
 public:
  Bench() {
    cv::Mat picture(12, 16, CV_8UC1);
    for (int y = 0; y < picture.rows; ++y) {
      for (int x = 0; x < picture.cols; ++x)
        picture.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(37 * x + 11 * y * x);
    }
    cv::imwrite(file("ok.png"), picture);
    write("edge.json", "[[0,-1,0],[-1,4,-1],[0,-1,0]]");
  }

  /// Runs convtool and requires: the exit code, nothing on standard output, one line on standard error that begins
  /// "convtool: " and holds each of `parts`, and no file that was not there before.
  void refuses(const std::vector<std::string>& arguments, int code, const std::vector<std::string>& parts,
               const std::string& input = "") {
    std::string command;
    for (const std::string& argument : arguments) command += argument.substr(0, 200) + " ";
    CAPTURE(command);
    const std::vector<std::string> before = names();
    const ProgramResult result = run_convtool(arguments, *this, input);
    CAPTURE(result.err);
    CHECK(result.code == code);
    CHECK(result.out == "");
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(result.err.starts_with("convtool: "));
    for (const std::string& part : parts) {
      CAPTURE(part);
      CHECK(result.err.find(part) != std::string::npos);
    }
    for (const std::string& leak : std::vector<std::string>{"OpenCV", "exception", "Assertion", "terminate",
                                                            "json.exception", "libpng", "what()"}) {
      CAPTURE(leak);
      CHECK(result.err.find(leak) == std::string::npos);
    }
    CHECK(names() == before);
  }

  /// The same for a kernel given inline, found before any work.
  void refuses_kernel(const std::string& kernel, const std::vector<std::string>& parts) {
    refuses({"apply", "ok.png", "-k", kernel, "-o", "y.png"}, 2, parts);
  }

  std::string bytes_of(const std::string& extension, const std::vector<int>& parameters = {}) const {
    const cv::Mat picture = cv::imread(file("ok.png"), cv::IMREAD_UNCHANGED);
    std::vector<std::uint8_t> bytes;
    cv::imencode(extension, picture, bytes, parameters);
    return {bytes.begin(), bytes.end()};
  }
};

}  // namespace

TEST_CASE("inputs that cannot be read fail alone, with exit 1") {
  Bench bench;
  const auto refuses = [&](const std::string& input, const std::vector<std::string>& parts) {
    bench.refuses({"apply", input, "-k", "edge.json", "-o", "y.png"}, 1, parts);
  };
  refuses("missing.png", {"missing.png: ", "no such file"});
  std::filesystem::create_directory(bench.path() / "folder");
  refuses("folder", {"folder: ", "folder"});
  bench.write("empty.png", "");
  refuses("empty.png", {"empty.png: ", "empty"});
  bench.write("text.png", "this is not a picture\n");
  refuses("text.png", {"text.png: ", "not a picture"});
  bench.write("object.json", "{\"a\": 1}");
  refuses("object.json", {"object.json: ", "nested lists"});
  bench.write("ragged.json", "[[1,2],[3]]");
  refuses("ragged.json", {"ragged.json: /1: ragged", "expected 2"});
  bench.write("half.json", "[[1,2],\n[3,");
  refuses("half.json", {"half.json: line 2, column 4"});
  bench.write("bad.npy", "\x93NUMPY\x01");
  refuses("bad.npy", {"bad.npy: ", "truncated"});
}

TEST_CASE("a truncated picture is an error in every format, never half a picture") {
  Bench bench;
  for (const char* extension : {".png", ".jpg", ".tif", ".bmp", ".webp", ".pgm"}) {
    const std::string whole = bench.bytes_of(extension);
    const std::string name = std::string("half") + extension;
    bench.write(name, whole.substr(0, whole.size() / 2));
    bench.refuses({"apply", name, "-k", "edge.json", "-o", "y.png"}, 1, {name + ": "});
  }
  bench.write("half.jpg", bench.bytes_of(".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}).substr(0, 400));
  bench.refuses({"apply", "half.jpg", "-k", "edge.json", "-o", "y.png"}, 1, {"half.jpg: "});
}

TEST_CASE("zero-sized and gigantic headers are refused before decoding") {
  Bench bench;
  bench.write("huge.pgm", "P5\n100000 100000\n255\nxxxx");
  bench.refuses({"apply", "huge.pgm", "-k", "edge.json"}, 1, {"huge.pgm: ", "100000x100000", "at most 1073741824"});
  bench.write("zero.pgm", "P5\n0 5\n255\n");
  bench.refuses({"apply", "zero.pgm", "-k", "edge.json"}, 1, {"zero.pgm: "});
  bench.refuses({"apply", "ok.png", "-k", "edge.json", "--max-pixels", "100"}, 1,
                {"ok.png: ", "192", "100", "--max-pixels"});
}

TEST_CASE("one bad input does not stop the others") {
  Bench bench;
  const ProgramResult result =
      run_convtool({"apply", "missing.png", "ok.png", "-k", "edge.json", "--out-dir", "out"}, bench);
  CHECK(result.code == 1);
  CHECK(result.err.find("missing.png: ") != std::string::npos);
  CHECK(std::filesystem::exists(bench.file("out/ok.edge.png")));
  CHECK(result.out.starts_with("ok.png 1x12x16 u8 -> out/ok.edge.png 1x10x14 u8"));

  const ProgramResult fast =
      run_convtool({"apply", "missing.png", "ok.png", "-k", "edge.json", "--out-dir", "other", "--fail-fast"}, bench);
  CHECK(fast.code == 1);
  CHECK(!std::filesystem::exists(bench.file("other/ok.edge.png")));
}

TEST_CASE("kernels that are not kernels") {
  Bench bench;
  bench.refuses_kernel("[[1,2],[3]]", {"/1: ragged", "expected 2"});
  bench.refuses_kernel("{\"weight\": [[1,2],[3,4,5]]}", {"/weight/1: ragged"});
  bench.refuses_kernel("{\"weight\": 3}", {"/weight: ", "rank 2, 3 or 4"});
  bench.refuses_kernel("[1,2]", {"rank 1", "[[...]]"});
  bench.refuses_kernel("[[[[[1]]]]]", {"rank 5"});
  bench.refuses_kernel("[]", {"empty list"});
  bench.refuses_kernel("[[]]", {"/0: ", "empty list"});
  bench.refuses_kernel("[[NaN]]", {"line 1, column", "NaN"});
  bench.refuses_kernel("[[-Infinity]]", {"line 1, column", "Infinity"});
  bench.refuses_kernel("[[1e39]]", {"/0/0: ", "float32"});
  bench.refuses_kernel("[[1e999]]", {"line 1, column", "1e999"});
  bench.refuses_kernel("[[null]]", {"/0/0: null"});
  bench.refuses_kernel("[[\"1\"]]", {"/0/0: ", "where a number belongs"});
  bench.refuses_kernel("{\"weight\":[[1]],\"weight\":[[2]]}", {"weight", "twice"});
  bench.refuses_kernel("{\"weight\":[[1]],\"strid\":2}", {"/strid: unknown key; did you mean 'stride'?"});
  bench.refuses_kernel("{\"weight\":[[1]],\"weights\":[[1]]}", {"weight and weights"});
  bench.refuses_kernel("{\"weight\":[[1]],\"stride\":0}", {"/stride: ", "from 1"});
  bench.refuses_kernel("{\"weight\":[[1]],\"stride\":1.5}", {"/stride: "});
  bench.refuses_kernel("{\"weight\":[[1]],\"dilation\":[1,0]}", {"/dilation/1: ", "from 1"});
  bench.refuses_kernel("{\"weight\":[[1]],\"padding\":-1}", {"/padding: ", "from 0"});
  bench.refuses_kernel("{\"weight\":[[1]],\"padding\":[1,1,1,1]}", {"/padding: ", "pads"});
  bench.refuses_kernel("{\"weight\":[[1]],\"padding\":\"sam\"}", {"/padding: ", "did you mean 'same'?"});
  bench.refuses_kernel("{\"weight\":[[1]],\"padding\":1,\"pads\":[1,1,1,1]}", {"both padding and pads"});
  bench.refuses_kernel("{\"weight\":[[1]],\"padding_mode\":\"mirror\"}", {"/padding_mode: ", "reflect", "symmetric"});
  bench.refuses_kernel("{\"weight\":[[1,-1]],\"normalize\":true}", {"/weight: ", "sum", "0"});
  bench.refuses_kernel("{\"weight\":[[1]],\"divisor\":0}", {"/divisor: ", "0"});
  bench.refuses_kernel("{\"weight\":[[1]],\"groups\":2}", {"/groups: ", "rank 4"});
  bench.refuses_kernel("{\"weight\":[[[[1]]],[[[1]]],[[[1]]]],\"groups\":2}", {"/groups: ", "do not divide the 3"});
  bench.refuses_kernel("{\"weight\":[[[1]]],\"bias\":[1,2]}", {"/bias: ", "expected 1"});
  bench.refuses_kernel("{}", {"no weight"});
  bench.refuses_kernel("[[1,\n2],\n[3,,4]]", {"line 3, column 4"});
  bench.refuses_kernel("{\"bank\":[[[1]],[[1,2]]],\"combine\":\"max\"}", {"differ in size"});
  bench.refuses_kernel(std::string(40, '[') + "1" + std::string(40, ']'), {"nested deeper than 16"});
  bench.refuses_kernel("sobell", {"sobell", "did you mean 'sobel'?"});
  bench.refuses_kernel("nowhere/edge.json", {"nowhere/edge.json: ", "no such file"});
  bench.refuses_kernel("gaussian:sgma=1", {"sgma", "sigma"});
  bench.write("empty.json", "");
  bench.refuses({"apply", "ok.png", "-k", "empty.json"}, 2, {"empty.json: ", "empty"});
  bench.write("large.json", "[[1" + std::string(std::size_t{65} << 20, ' ') + "]]");
  bench.refuses({"apply", "ok.png", "-k", "large.json"}, 2, {"large.json: ", "67108864 bytes"});
}

TEST_CASE("kernels that do not fit the input") {
  Bench bench;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"apply", "ok.png", "-o", "y.png", "-k"});
    bench.refuses(options, 1, parts);
  };
  refuses({"[[[1]],[[1]],[[1]]]"}, {"ok.png: ", "expected 3 channels", "got 1"});
  refuses({"[[[[1]],[[1]]]]"}, {"expected 2 channels", "got 1"});
  refuses({"box:size=13", "--padding", "0"}, {"13x13", "12x16", "--padding same"});
  refuses({"box", "--padding", "12", "--padding-mode", "reflect"}, {"reflect", "12"});
  refuses({"{\"weight\":[[1]],\"bias\":[1,2]}"}, {"bias", "expected 1", "got 2"});
  refuses({"[[[[1]]],[[[1]]]]"}, {"2 channels of u8", "png does not hold", ".npy", "--combine"});
  refuses({"edge.json", "--depth", "f32"}, {"f32", "png does not hold", ".tif", ".npy"});
}

TEST_CASE("option values that do not fit") {
  Bench bench;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"apply", "ok.png", "-k", "edge.json"});
    bench.refuses(options, 2, parts);
  };
  refuses({"--stride", "0"}, {"--stride: '0'", "at least 1"});
  refuses({"--stride", "2x2x2"}, {"--stride: '2x2x2'", "HxW"});
  refuses({"--stride", "abc"}, {"--stride: 'abc'"});
  refuses({"--dilation", "-1"}, {"--dilation: '-1'"});
  refuses({"--padding", "sme"}, {"--padding: 'sme'", "did you mean 'same'?"});
  refuses({"--padding", "-2"}, {"--padding: '-2'"});
  refuses({"--padding", "99999999999999999999"}, {"--padding"});
  refuses({"--pads", "1,2,3"}, {"--pads: '1,2,3'", "T,L,B,R"});
  refuses({"--pads", "1,1,1,1", "--padding", "1"}, {"--pads", "--padding"});
  refuses({"--padding-mode", "mirror"}, {"--padding-mode: 'mirror'", "reflect"});
  refuses({"--padding-value", "3"}, {"--padding-value", "constant"});
  refuses({"--groups", "2"}, {"--groups", "rank 4"});
  refuses({"--bias", "nan"}, {"--bias"});
  refuses({"--map", "absolute"}, {"--map: 'absolute'", "abs"});
  refuses({"--depth", "u32"}, {"--depth: 'u32'", "u16"});
  refuses({"--combine", "avg"}, {"--combine: 'avg'", "mean"});
  refuses({"--alpha", "no"}, {"--alpha: 'no'", "drop"});
  refuses({"--algorithm", "fast"}, {"--algorithm: 'fast'", "direct"});
  refuses({"--threads", "-1"}, {"--threads: '-1'"});
  refuses({"--max-pixels", "0"}, {"--max-pixels: '0'"});
  refuses({"--format", "gif"}, {"--format", "gif", "png"});
  refuses({"--strid", "2"}, {"unknown option '--strid'; did you mean '--stride'?"});
  refuses({"-q", "--json"}, {"--json"});
  bench.refuses({"apply", "ok.png"}, 2, {"--kernel"});
  bench.refuses({"apply", "-k", "edge.json"}, 2, {"INPUT"});
  bench.refuses({}, 2, {"no command"});
  bench.refuses({"aply"}, 2, {"unknown command 'aply'; did you mean 'apply'?"});
  bench.refuses({"shape", "8by8", "-k", "edge.json"}, 1, {"8by8"});
  bench.refuses({"shape", "8x0", "-k", "edge.json"}, 2, {"8x0"});
  bench.refuses({"shape", "8x8"}, 2, {"--kernel-size"});
  bench.refuses({"shape", "2x2", "-k", "edge.json"}, 1, {"3x3", "2x2"});
  bench.refuses({"kernels", "show", "nothing-like-it"}, 2, {"nothing-like-it"});
}

TEST_CASE("outputs that cannot be are refused before any work") {
  Bench bench;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"apply", "-k", "edge.json"});
    bench.refuses(options, 2, parts);
  };
  std::filesystem::create_directory(bench.path() / "folder");
  refuses({"ok.png", "-o", "nowhere/y.png"}, {"nowhere/y.png: ", "does not exist"});
  refuses({"ok.png", "-o", "y.gif"}, {"y.gif: ", "unknown extension '.gif'", "png"});
  refuses({"ok.png", "-o", "y"}, {"no extension"});
  refuses({"ok.png", "-o", "folder"}, {"folder: ", "--out-dir"});
  refuses({"ok.png", "-o", "ok.png/y.png"}, {"is not a folder"});
  refuses({"ok.png", "--out-dir", "ok.png"}, {"not a folder"});
  refuses({"ok.png", "edge.json", "-o", "y.png"}, {"--output", "--out-dir"});
  refuses({"ok.png", "-o", "ok.png"}, {"the output is the input"});
  refuses({"ok.png", "-o", "./folder/../ok.png"}, {"the output is the input"});
  std::filesystem::create_symlink("ok.png", bench.path() / "link.png");
  refuses({"ok.png", "-o", "link.png"}, {"the output is the input"});
  refuses({"ok.png", "ok.png"}, {"twice"});
  bench.write("ok.pgm", "x");
  refuses({"ok.png", "ok.pgm"}, {"same output"});
  CHECK(read_text(bench.file("ok.pgm")) == "x");

  if (geteuid() == 0) {
    MESSAGE("running as root, whom no folder refuses: the unwritable folder is not tested");
  } else {
    std::filesystem::permissions(bench.path() / "folder",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    refuses({"ok.png", "-o", "folder/y.png"}, {"not writable"});
  }
}

TEST_CASE("an existing output survives a failure, and -n leaves it alone") {
  Bench bench;
  bench.write("y.png", "precious");
  bench.write("text.png", "not a picture");
  bench.refuses({"apply", "text.png", "-k", "edge.json", "-o", "y.png"}, 1, {"text.png: "});
  CHECK(read_text(bench.file("y.png")) == "precious");

  const ProgramResult skipped = run_convtool({"apply", "ok.png", "-k", "edge.json", "-o", "y.png", "-n"}, bench);
  CHECK(skipped.code == 0);
  CHECK(skipped.out == "ok.png skipped: y.png exists\n");
  CHECK(read_text(bench.file("y.png")) == "precious");
}

TEST_CASE("a full disk is an error, and leaves nothing") {
  Bench bench;
  const ProgramResult device = run_shell("$CONVTOOL apply ok.png -k edge.json -o - > /dev/full", bench);
  CHECK(device.code == 1);
  CHECK(device.err.find("disk is full") != std::string::npos);
  const ProgramResult report = run_shell("$CONVTOOL apply ok.png -k edge.json -o y.png > /dev/full", bench);
  CHECK(report.code == 1);

  const ProgramResult mounted = run_shell("mkdir small && mount -t tmpfs -o size=64k none small", bench);
  if (mounted.code != 0) {
    MESSAGE("no tmpfs can be mounted here: a full file system is not tested");
    return;
  }
  bench.write("small/y.npy", "precious");
  const ProgramResult full =
      run_shell("$CONVTOOL apply ok.png -k box:size=1 --pads 200,200,200,200 -o small/y.npy", bench);
  const std::string kept = read_text(bench.file("small/y.npy"));
  const ProgramResult listing = run_shell("ls -A small", bench);
  run_shell("umount small", bench);
  CHECK(full.code == 1);
  CHECK(full.err.find("disk is full") != std::string::npos);
  CHECK(kept == "precious");
  CHECK(listing.out == "y.npy\n");
}

TEST_CASE("a closed pipe downstream ends quietly") {
  Bench bench;
  const ProgramResult result = run_shell("$CONVTOOL kernels list | head -n 1 > /dev/null", bench);
  CHECK(result.code == 0);
  CHECK(result.err == "");
}
