// Bad input: the program prints one clear line, exits with the right code, and leaves no files.

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <opencv2/imgcodecs.hpp>

#include "support/program.h"
#include "support/skip.h"

namespace {

/// A folder with a small grey picture, ok.png, and a kernel, edge.json.
class Workplace : public TempFolder {
 public:
  Workplace() {
    cv::Mat picture(12, 16, CV_8UC1);
    for (int y = 0; y < picture.rows; ++y) {
      for (int x = 0; x < picture.cols; ++x)
        picture.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(37 * x + 11 * y * x);
    }
    cv::imwrite(file("ok.png"), picture);
    write("edge.json", "[[0,-1,0],[-1,4,-1],[0,-1,0]]");
  }

  /// Runs convtool and checks its exit code, that standard output is empty, that standard error is one line that begins
  /// with "convtool: " and contains each of `parts`, and that the folder has the same files as before.
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

  /// Checks that an inline kernel is refused before any work.
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

TEST_CASE("inputs that cannot be read fail separately, with exit code 1") {
  Workplace workplace;
  const auto refuses = [&](const std::string& input, const std::vector<std::string>& parts) {
    workplace.refuses({"apply", input, "-k", "edge.json", "-o", "y.png"}, 1, parts);
  };
  refuses("missing.png", {"missing.png: ", "no such file"});
  std::filesystem::create_directory(workplace.path() / "folder");
  refuses("folder", {"folder: ", "is a folder", "--recursive"});
  workplace.write("empty.png", "");
  refuses("empty.png", {"empty.png: ", "empty"});
  workplace.write("text.png", "this is not a picture\n");
  refuses("text.png", {"text.png: ", "neither a picture", "nor a tensor"});
  workplace.write("object.json", "{\"a\": 1}");
  refuses("object.json", {"object.json: ", "nested lists"});
  workplace.write("ragged.json", "[[1,2],[3]]");
  refuses("ragged.json", {"ragged.json: /1: ragged", "expected 2"});
  workplace.write("half.json", "[[1,2],\n[3,");
  refuses("half.json", {"half.json: line 2, column 4"});
  workplace.write("bad.npy", "\x93NUMPY\x01");
  refuses("bad.npy", {"bad.npy: ", "truncated"});
}

TEST_CASE("a truncated picture is an error in every format, never half a picture") {
  Workplace workplace;
  for (const char* extension : {".png", ".jpg", ".tif", ".bmp", ".webp", ".pgm"}) {
    const std::string whole = workplace.bytes_of(extension);
    const std::string name = std::string("half") + extension;
    workplace.write(name, whole.substr(0, whole.size() / 2));
    workplace.refuses({"apply", name, "-k", "edge.json", "-o", "y.png"}, 1, {name + ": "});
  }
  workplace.write("half.jpg", workplace.bytes_of(".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}).substr(0, 400));
  workplace.refuses({"apply", "half.jpg", "-k", "edge.json", "-o", "y.png"}, 1, {"half.jpg: "});
}

TEST_CASE("zero-sized and gigantic headers are refused before decoding") {
  Workplace workplace;
  workplace.write("huge.pgm", "P5\n100000 100000\n255\nxxxx");
  workplace.refuses({"apply", "huge.pgm", "-k", "edge.json"}, 1, {"huge.pgm: ", "100000x100000", "at most 1073741824"});
  workplace.write("zero.pgm", "P5\n0 5\n255\n");
  workplace.refuses({"apply", "zero.pgm", "-k", "edge.json"}, 1, {"zero.pgm: "});
  workplace.refuses({"apply", "ok.png", "-k", "edge.json", "--max-pixels", "100"}, 1,
                    {"ok.png: ", "192", "100", "--max-pixels"});
}

TEST_CASE("one bad input does not stop the others") {
  Workplace workplace;
  const ProgramResult result =
      run_convtool({"apply", "missing.png", "ok.png", "-k", "edge.json", "--out-dir", "out"}, workplace);
  CHECK(result.code == 1);
  CHECK(result.err.find("missing.png: ") != std::string::npos);
  CHECK(std::filesystem::exists(workplace.file("out/ok.edge.png")));
  CHECK(result.out.starts_with("ok.png 1x12x16 u8 -> out/ok.edge.png 1x10x14 u8"));

  const ProgramResult fast = run_convtool(
      {"apply", "missing.png", "ok.png", "-k", "edge.json", "--out-dir", "other", "--fail-fast"}, workplace);
  CHECK(fast.code == 1);
  CHECK(!std::filesystem::exists(workplace.file("other/ok.edge.png")));
}

TEST_CASE("kernels that are not kernels") {
  Workplace workplace;
  workplace.refuses_kernel("[[1,2],[3]]", {"/1: ragged", "expected 2"});
  workplace.refuses_kernel("{\"weight\": [[1,2],[3,4,5]]}", {"/weight/1: ragged"});
  workplace.refuses_kernel("{\"weight\": 3}", {"/weight: ", "rank 2, 3 or 4"});
  workplace.refuses_kernel("[1,2]", {"rank 1", "[[...]]"});
  workplace.refuses_kernel("[[[[[1]]]]]", {"rank 5"});
  workplace.refuses_kernel("[]", {"empty list"});
  workplace.refuses_kernel("{\"layers\": []}", {"/layers: an empty list (expected a list of at least one kernel)"});
  workplace.refuses_kernel("{\"weight\": [[[[1]]]], \"bias\": [1,2]}", {"/bias: 2 numbers (expected one number)"});
  workplace.refuses_kernel("{\"weight\": [[[[1]]], [[[1]]]], \"bias\": [1,2,3]}",
                           {"/bias: 3 numbers (expected 1 or 2 numbers; give one number, or one per output channel)"});
  workplace.refuses_kernel("[[]]", {"/0: ", "empty list"});
  workplace.refuses_kernel("[[NaN]]", {"line 1, column", "NaN"});
  workplace.refuses_kernel("[[-Infinity]]", {"line 1, column", "Infinity"});
  workplace.refuses_kernel("[[1e39]]", {"/0/0: ", "float32"});
  workplace.refuses_kernel("[[1e999]]", {"line 1, column", "float32", "1e999"});
  workplace.refuses_kernel("[[null]]", {"/0/0: expected a number, got null"});
  workplace.refuses_kernel("[[\"1\"]]", {"/0/0: ", "expected a number"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"weight\":[[2]]}", {"duplicate key 'weight'"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"strid\":2}", {"/strid: unknown key; did you mean 'stride'?"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"weights\":[[1]]}", {"weight and weights"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"stride\":0}", {"/stride: ", "from 1"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"stride\":1.5}", {"/stride: "});
  workplace.refuses_kernel("{\"weight\":[[1]],\"dilation\":[1,0]}", {"/dilation/1: ", "from 1"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"padding\":-1}", {"/padding: ", "from 0"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"padding\":[1,1,1,1]}", {"/padding: ", "pads"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"auto_pad\":\"same\"}", {"/auto_pad: ", "SAME_UPPER"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"padding\":\"sam\"}", {"/padding: ", "did you mean 'same'?"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"padding\":1,\"pads\":[1,1,1,1]}", {"both padding and pads"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"padding_mode\":\"mirror\"}",
                           {"/padding_mode: unknown padding mode 'mirror'; did you mean 'reflect'?"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"padding_mode\":\"BORDER\"}",
                           {"/padding_mode: ", "reflect", "symmetric"});
  workplace.refuses_kernel("{\"weight\":[[1,-1]],\"normalize\":true}", {"/weight: ", "sum", "0"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"divisor\":0}", {"/divisor: ", "0"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"groups\":2}", {"/groups: ", "rank 4"});
  workplace.refuses_kernel("{\"weight\":[[[[1]]],[[[1]]],[[[1]]]],\"groups\":2}", {"/groups: ", "do not divide the 3"});
  workplace.refuses_kernel("{\"weight\":[[[1]]],\"bias\":[1,2]}", {"/bias: ", "expected one number"});
  workplace.refuses_kernel("{}", {"no weight"});
  workplace.refuses_kernel("[[1,\n2],\n[3,,4]]", {"line 3, column 4"});
  workplace.refuses_kernel("{\"bank\":[[[1]],[[1,2]]],\"combine\":\"max\"}", {"differ in size"});
  workplace.refuses_kernel("{\"bank\":[[[1]],{\"weight\":[[1]],\"stride\":2}]}", {"differ in stride"});
  workplace.refuses_kernel(std::string(40, '[') + "1" + std::string(40, ']'), {"nested deeper than 16"});
  workplace.refuses_kernel("sobell", {"sobell", "did you mean 'sobel'?"});
  workplace.refuses_kernel("nowhere/edge.json", {"nowhere/edge.json: ", "no such file"});
  workplace.refuses_kernel("gaussian:sgma=1", {"sgma", "sigma"});
  workplace.write("empty.json", "");
  workplace.refuses({"apply", "ok.png", "-k", "empty.json"}, 2, {"empty.json: ", "empty"});
  workplace.write("large.json", "[[1" + std::string(std::size_t{65} << 20, ' ') + "]]");
  workplace.refuses({"apply", "ok.png", "-k", "large.json"}, 2, {"large.json: ", "64 MiB"});
}

TEST_CASE("kernels that are almost right suggest the intended kernel") {
  Workplace workplace;
  workplace.refuses_kernel("ok.png", {"'ok.png' is a picture; -k takes a kernel, such as -k sobel or -k edge.json"});
  workplace.refuses_kernel("blur", {"did you mean 'gaussian'?"});
  workplace.refuses_kernel("gauss", {"did you mean 'gaussian'?"});
  workplace.refuses_kernel("canny", {"edges --thin --hysteresis auto", "is a Canny detector"});
  workplace.refuses_kernel("gaussian sigma=2", {"did you mean gaussian:sigma=2?"});
  workplace.refuses_kernel("[[1,.5]]", {"line 1, column 5", "write 0.5 instead of .5"});
  workplace.refuses_kernel("[[1,1/9]]", {"line 1, column", "write the numerator and \"divisor\": 9"});
  workplace.refuses_kernel("{'weight': [[1]]}", {"line 1, column 2", "JSON needs double quotes"});
  workplace.refuses_kernel("{weight: [[1]]}", {"keys need double quotes", "single quotes"});
  workplace.refuses_kernel("[[1,", {"do not close", "single quotes"});
  workplace.refuses_kernel("weight:[[1,-1]]", {"a piece of JSON", "single quotes"});
}

TEST_CASE("kernels that do not fit the input") {
  Workplace workplace;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"apply", "ok.png", "-o", "y.png", "-k"});
    workplace.refuses(options, 1, parts);
  };
  refuses({"[[[1]],[[1]],[[1]]]"}, {"ok.png: the picture is grey", "takes three channels", "a kernel for one channel"});
  refuses({"[[[[1]],[[1]]]]"}, {"expected 2 channels", "got 1"});
  refuses({"box:size=13", "--padding", "0"}, {"13x13", "12x16", "pad more"});
  refuses({"box", "--padding", "12", "--padding-mode", "reflect"}, {"reflect", "12"});
  refuses({"{\"weight\":[[1]],\"bias\":[1,2]}"}, {"bias", "expected one number", "got 2"});
  refuses({"[[[[1]]],[[[1]]]]"}, {"2 channels of u8", "not colours that png could store", ".npy", "--sheet"});
  refuses({"edge.json", "--depth", "f32"}, {"f32", "png cannot store", ".tif", ".npy"});
}

TEST_CASE("option values that do not fit") {
  Workplace workplace;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"apply", "ok.png", "-k", "edge.json"});
    workplace.refuses(options, 2, parts);
  };
  refuses({"--stride", "0"}, {"--stride: '0'", "from 1 to 1073741824"});
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
  refuses({"--map", "nrmalize"}, {"--map: 'nrmalize'", "abs", "did you mean 'normalize'?"});
  refuses({"--depth", "u32"}, {"--depth: 'u32'", "u16"});
  refuses({"--combine", "avg"}, {"--combine: 'avg'", "mean"});
  refuses({"--alpha", "no"}, {"--alpha: 'no'", "drop"});
  refuses({"--algorithm", "fast"}, {"--algorithm: 'fast'", "direct"});
  refuses({"--threads", "-1"}, {"--threads: '-1'"});
  refuses({"--max-pixels", "0"}, {"--max-pixels: '0'"});
  refuses({"--format", "gif"}, {"--format", "gif", "png"});
  refuses({"--format", "pgn"}, {"did you mean 'png'?"});
  refuses({"-q", "-v"}, {"--verbose", "--quiet"});
  refuses({"--strid", "2"}, {"unknown option '--strid'; did you mean '--stride'?"});
  refuses({"-q", "--json"}, {"--json"});
  workplace.refuses({"apply", "ok.png"}, 2, {"no kernel given"});
  workplace.refuses({"apply", "-k", "edge.json"}, 2, {"INPUT"});
  workplace.refuses({}, 2, {"no command"});
  workplace.refuses({"aply"}, 2, {"unknown command 'aply'; did you mean 'apply'?"});
  workplace.refuses({"shape", "8by8", "-k", "edge.json"}, 1, {"8by8"});
  workplace.refuses({"shape", "8x0", "-k", "edge.json"}, 2, {"8x0"});
  workplace.refuses({"shape", "8x8"}, 2, {"--kernel-size"});
  workplace.refuses({"shape", "2x2", "-k", "edge.json"}, 1, {"3x3", "2x2"});
  workplace.refuses({"shape", "3x8x8", "--kernel-size", "3", "--combine", "max"}, 2, {"--combine"});
  workplace.refuses({"shape", "3x8x8", "-k", "sobel", "--out-channels", "7"}, 2, {"--out-channels"});
  workplace.refuses({"shape", "3x8x8", "-k", "{\"weight\":[[1]],\"bias\":[1,2]}"}, 1, {"expected 1 or 3", "got 2"});
  workplace.refuses({"kernels", "lst"}, 2, {"unknown command 'lst'; did you mean 'list'?"});
  workplace.refuses({"kernels", "show", "nothing-like-it"}, 2, {"NAME: no kernel is called 'nothing-like-it'"});
  workplace.refuses({"kernels", "show", "[]"}, 2, {"NAME: an empty list"});
  workplace.refuses({"kernels", "convert", "[]"}, 2, {"SOURCE: an empty list"});
}

TEST_CASE("impossible outputs are refused before any work") {
  Workplace workplace;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), {"apply", "-k", "edge.json"});
    workplace.refuses(options, 2, parts);
  };
  std::filesystem::create_directory(workplace.path() / "folder");
  refuses({"ok.png", "-o", "nowhere/y.png"}, {"nowhere/y.png: ", "does not exist"});
  refuses({"ok.png", "-o", "y.gif"}, {"y.gif: ", ".gif cannot be written", "png"});
  refuses({"ok.png", "-o", "y"}, {"no extension"});
  refuses({"ok.png", "-o", "folder"}, {"folder: ", "--out-dir"});
  refuses({"ok.png", "-o", "ok.png/y.png"}, {"is not a folder"});
  refuses({"ok.png", "--out-dir", "ok.png"}, {"not a folder"});
  refuses({"ok.png", "edge.json", "-o", "y.png"}, {"--output", "--out-dir"});
  refuses({"ok.png", "-o", "ok.png"}, {"which this run reads"});
  refuses({"ok.png", "-o", "./folder/../ok.png"}, {"which this run reads"});
  std::filesystem::create_symlink("ok.png", workplace.path() / "link.png");
  refuses({"ok.png", "-o", "link.png"}, {"which this run reads"});
  refuses({"ok.png", "-o", "edge.json"}, {"which this run reads"});
  std::filesystem::create_directory_symlink(".", workplace.path() / "same");
  refuses({"ok.png", "same/ok.png"}, {"same output"});
  refuses({"ok.png", "ok.png"}, {"twice"});
  workplace.write("ok.pgm", "x");
  refuses({"ok.png", "ok.pgm"}, {"same output"});
  CHECK(read_text(workplace.file("ok.pgm")) == "x");
}

TEST_CASE("a folder that cannot be written to is detected before any work") {
  Workplace workplace;
  std::filesystem::create_directory(workplace.path() / "folder");
  std::filesystem::permissions(workplace.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(workplace.path() / "folder", std::filesystem::perms(0555));
  // root may write to every folder, so the test runs as another user.
  const std::string as_user = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  for (const std::string output : {"-o folder/y.png", "--out-dir folder/new"}) {
    const ProgramResult result = run_shell(as_user + "\"$CONVTOOL\" apply ok.png -k edge.json " + output, workplace);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(result.err.starts_with("convtool: folder"));
    CHECK(std::filesystem::is_empty(workplace.path() / "folder"));
  }
}

TEST_CASE("an existing output survives a failure, and -n does not replace it") {
  Workplace workplace;
  workplace.write("y.png", "precious");
  workplace.write("text.png", "not a picture");
  workplace.refuses({"apply", "text.png", "-k", "edge.json", "-o", "y.png"}, 1, {"text.png: "});
  CHECK(read_text(workplace.file("y.png")) == "precious");

  const ProgramResult skipped = run_convtool({"apply", "ok.png", "-k", "edge.json", "-o", "y.png", "-n"}, workplace);
  CHECK(skipped.code == 0);
  CHECK(skipped.out == "ok.png skipped: y.png exists\n");
  CHECK(read_text(workplace.file("y.png")) == "precious");
}

TEST_CASE("OpenCV's environment variables change nothing") {
  Workplace workplace;
  const ProgramResult plain = run_shell("$CONVTOOL apply ok.png -k edge.json -o plain.png", workplace);
  REQUIRE(plain.code == 0);
  for (const char* variable :
       {"OPENCV_IO_MAX_IMAGE_PIXELS=1", "OPENCV_IO_MAX_IMAGE_WIDTH=1", "OPENCV_IO_MAX_IMAGE_HEIGHT=1",
        "OPENCV_LOG_LEVEL=DEBUG", "OPENCV_DUMP_CONFIG=1", "OPENCV_DUMP_ERRORS=1", "OPENCV_TRACE=1",
        "OPENCV_CPU_DISABLE=SSE2", "OPENCV_PARALLEL_BACKEND=nonsense", "OPENCV_IO_ENABLE_OPENEXR=0"}) {
    CAPTURE(variable);
    const ProgramResult result = run_shell(
        "env A=1 " + std::string(variable) + " B=2 $CONVTOOL apply ok.png -k edge.json -o plain.png", workplace);
    CHECK(result.code == 0);
    CHECK(result.out == plain.out);
    CHECK(result.err == plain.err);
  }
  CHECK(workplace.names() == std::vector<std::string>{"edge.json", "ok.png", "plain.png"});
  const ProgramResult exr = run_shell(
      "$CONVTOOL apply ok.png -k edge.json --depth f32 -o f.exr -q && "
      "OPENCV_IO_ENABLE_OPENEXR=0 $CONVTOOL apply f.exr -k edge.json -q -o g.exr",
      workplace);
  CHECK(exr.code == 0);
}

TEST_CASE("a full disk is an error, and leaves no partial file") {
  Workplace workplace;
  const ProgramResult device = run_shell("$CONVTOOL apply ok.png -k edge.json -o - > /dev/full", workplace);
  CHECK(device.code == 1);
  CHECK(device.err.find("disk is full") != std::string::npos);
  const ProgramResult report = run_shell("$CONVTOOL apply ok.png -k edge.json -o y.png > /dev/full", workplace);
  CHECK(report.code == 1);

  // A limit on file sizes fails like a full disk, in the middle of a write.
  workplace.write("y.npy", "precious");
  const ProgramResult limited =
      run_shell("ulimit -f 8 && $CONVTOOL apply ok.png -k box --pads 200,200,200,200 -o y.npy", workplace);
  CHECK(limited.code == 1);
  CHECK(limited.err.starts_with("convtool: y.npy: "));
  CHECK(read_text(workplace.file("y.npy")) == "precious");
  CHECK(workplace.names() == std::vector<std::string>{"edge.json", "ok.png", "y.npy", "y.png"});
}

TEST_CASE("a full file system is an error, and leaves the old file") {
  Workplace workplace;
  std::filesystem::create_directory(workplace.path() / "small");
  if (run_shell("unshare -m mount -t tmpfs none small", workplace).code != 0) {
    skip("needs the right to mount a file system");
    return;
  }
  // The mount namespace ends with the shell.
  const ProgramResult full = run_shell(
      "unshare -m bash -c 'mount -t tmpfs -o size=64k none small && printf precious > small/y.npy && "
      "{ \"$CONVTOOL\" apply ok.png -k box --pads 200,200,200,200 -o small/y.npy; echo $?; ls -A small; cat "
      "small/y.npy; }'",
      workplace);
  CHECK(full.out == "1\ny.npy\nprecious");
  CHECK(full.err.find("disk is full") != std::string::npos);
}

TEST_CASE("a closed output pipe ends the program quietly") {
  Workplace workplace;
  // The output is larger than a pipe's buffer. The parent ignores SIGPIPE, as some programs do.
  const ProgramResult result =
      run_shell("trap '' PIPE; $CONVTOOL kernels show box:size=301 | head -c 1; exit ${PIPESTATUS[0]}", workplace);
  CHECK(result.code == 128 + SIGPIPE);
  CHECK(result.out == "b");
  CHECK(result.err == "");
}

TEST_CASE("numbers that are too large to compute with are refused and do not overflow") {
  Workplace workplace;
  workplace.refuses(
      {"shape", "1x8x8", "--kernel-size", "1073741824", "--out-channels", "1073741824", "--padding", "full"}, 1,
      {"more weights"});
  const ProgramResult deep = run_convtool(
      {"shape", "1x1x1", "--kernel-size", "3", "--padding", "same", "--stride", "2", "--repeat", "100"}, workplace);
  CHECK(deep.code == 1);
  CHECK(deep.err.find("the receptive field exceeds 64-bit numbers") != std::string::npos);
  CHECK(deep.out.find(" -1x-1") == std::string::npos);
  // Regions in the padding grow with each stride, fields by the windows behind them.
  const std::string too_deep = "the receptive field exceeds 64-bit numbers; use fewer layers or smaller strides\n";
  workplace.refuses({"explain", "1x1x1", "--layers", "maxpool 5 x46 same"}, 1, {"1x1x1: " + too_deep});
  workplace.refuses({"explain", "1x1x1", "--layers", "maxpool 2 x92 same"}, 1, {"1x1x1: " + too_deep});
  const ProgramResult broad =
      run_convtool({"shape", "1x1x1", "--layers", "maxpool 2 x58 same, maxpool 2 s1 same x40"}, workplace);
  CHECK(broad.code == 1);
  CHECK(broad.err == "convtool: layer 61 on 1x1x1: " + too_deep);
  const ProgramResult wide = run_convtool(
      {"shape", "1x1x1", "--kernel-size", "1", "--out-channels", "1073741824", "--padding", "1073741823"}, workplace);
  CHECK(wide.code == 0);
  CHECK(wide.out.find("1.981e28 bytes") != std::string::npos);  // 2^30 * (2^31 - 1)^2 * 4
  workplace.refuses({"shape", "1x1x1", "--layers", "relu x1000", "--repeat", "101"}, 2,
                    {"--repeat: 101 times 1000 layers are more than 100000; repeat fewer times"});
  workplace.refuses({"apply", "ok.png", "-k", "edge.json", "--padding", "1073741824"}, 1, {"--max-pixels"});
  workplace.refuses({"apply", "ok.png", "-k", "edge.json", "--dilation", "1073741824"}, 1,
                    {"larger than the padded input"});
  workplace.refuses({"explain", "1x1x1", "--layers", "conv 1073741824x1 1 d1073741824x1 full x20"}, 1,
                    {"the padded input is larger than 64-bit numbers; pad less, or in fewer layers"});
  workplace.refuses({"explain", "1073741824x1073741824", "--layers", "upsample 64", "-o", "o.gif"}, 1,
                    {"an output of 68719476736x68719476736 is too large for an animation"});
  workplace.refuses_kernel("{\"weight\":[[3e38,-3e38]],\"divisor\":1e-300}", {"beyond float32"});
}

TEST_CASE("JSON nested a million levels deep is refused") {
  Workplace workplace;
  constexpr std::size_t kDepth = 1'000'000;
  const std::string lists = std::string(kDepth, '[') + "1" + std::string(kDepth, ']');
  std::string objects;
  for (std::size_t i = 0; i < kDepth; ++i) objects += R"({"weight":)";
  const std::string too_deep = "nested deeper than 16 levels";
  for (const std::string& text : {lists, objects, std::string(kDepth, '['), R"({"weight":)" + lists + "}"}) {
    workplace.write("deep.json", text);
    workplace.refuses({"apply", "ok.png", "-k", "deep.json", "-o", "y.png"}, 2, {too_deep});
    workplace.refuses({"kernels", "convert", "deep.json", "--to", "vips"}, 2, {too_deep});
    workplace.refuses({"kernels", "convert", "-", "--from", "openeo"}, 2, {too_deep}, text);
    if (text[0] == '[') workplace.refuses({"apply", "deep.json", "-k", "edge.json", "-o", "y.npy"}, 1, {too_deep});
  }
  // Almost the longest argument that Linux passes on.
  constexpr std::size_t kShallow = 60'000;
  workplace.refuses_kernel(std::string(kShallow, '[') + "1" + std::string(kShallow, ']'), {too_deep});
  workplace.refuses_kernel(std::string(2 * kShallow, '['), {"do not close"});
  std::string header = R"({"a":{"dtype":"F32","shape":[1,1,1,1],"data_offsets":[0,4],"x":)" + lists + "}}";
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> 8 * i);
  workplace.write("deep.safetensors", length + header + "1234");
  workplace.refuses({"kernels", "import", "deep.safetensors"}, 2, {too_deep});
  workplace.write("refers.json", R"({"weight":"deep.safetensors#a"})");
  workplace.refuses({"apply", "ok.png", "-k", "refers.json"}, 2, {too_deep});
}

TEST_CASE("nothing that a message quotes cuts it, breaks its line or steers the terminal") {
  Workplace workplace;
  workplace.refuses_kernel(R"({"weight":[[1]],"\u0000x":1})", {"convtool: --kernel: /\\x00x: unknown key (known: "});
  workplace.refuses_kernel(R"({"weight":[[1]],"padding":"\u0000"})",
                           {"/padding: the string '\\x00' (expected one of "});
  workplace.refuses_kernel(R"({"weight":"\u001b[2J\u0000.npy"})", {"'\\x1b[2J\\x00.npy' contains a zero byte"});
  workplace.refuses_kernel(R"({"weight":[[1]],"\u009b2J":1})", {"/\\xc2\\x9b2J: unknown key"});         // CSI
  workplace.refuses_kernel(R"({"weight":[[1]],"\u202egnp":1})", {"/\\xe2\\x80\\xaegnp: unknown key"});  // reads png
  workplace.refuses_kernel(R"({"weight":[[1]],"\u2028\u0085":1})", {"/\\xe2\\x80\\xa8\\xc2\\x85: unknown key"});
  workplace.refuses_kernel("\x1b]0;title\x07", {"'\\x1b]0;title\\x07'"});
  workplace.refuses({"apply", "\xff\x9b\x1b[2J\r.png", "-k", "edge.json"}, 1,
                    {"convtool: \\xff\\x9b\\x1b[2J\\x0d.png: no such file"});
  workplace.refuses({"apply", "ok.png", "-k", "edge.json", "--padding-mode", "\x1b[31m\nx"}, 2, {"'\\x1b[31m\\nx'"});
  workplace.refuses({"\x1b[31m\n"}, 2, {"unknown command '\\x1b[31m\\n'"});
  workplace.refuses({"apply", "--a\x1b[31m\n"}, 2, {"unknown option '--a\\x1b[31m\\n'"});

  // Reports, in text and in JSON.
  const std::string named = R"({"name":"\u009b2J\u202e\u0000\u001b[2J\n","weight":[[1]]})";
  const auto is_clean = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
  };
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"apply", "ok.png", "-k", named, "-o", "o.png", "-v"},
        {"apply", "ok.png", "-k", named, "-o", "o.png", "--json"},
        {"kernels", "show", named},
        {"kernels", "show", named, "--json"},
        {"kernels", "convert", named},
        {"shape", "1x9x9", "-k", named},
        {"shape", "1x9x9", "-k", named, "--json"},
        {"apply", "\u009b2J.png", "-k", "edge.json", "--json"}}) {
    const ProgramResult result = run_convtool(arguments, workplace);
    CAPTURE(result.out);
    CAPTURE(result.err);
    CHECK((is_clean(result.out) && is_clean(result.err)));
    CHECK(result.out.find("2J") != std::string::npos);
  }
}

TEST_CASE("messages about unusual names stay on one line") {
  Workplace workplace;
  workplace.refuses({"apply", "new\nline.png", "-k", "edge.json"}, 1, {"new\\nline.png: no such file"});
  workplace.refuses({"apply", "", "-k", "edge.json"}, 2, {"convtool: INPUT: is an empty name"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"a\\nb\":1}", {"/a\\nb: unknown key"});
  workplace.refuses_kernel("{\"weight\":[[1]],\"a/b~c\":1}", {"/a~1b~0c: unknown key"});
  const ProgramResult named =
      run_convtool({"apply", "ok.png", "-k", "{\"name\":\"two\\nlines\",\"weight\":[[1]]}"}, workplace);
  CHECK(named.code == 0);
  CHECK(std::count(named.out.begin(), named.out.end(), '\n') == 1);
}
