// What convtool answers to common slips: each in one line that says what to type instead.

#include <doctest/doctest.h>

#include <algorithm>

#include "support/program.h"

namespace {

struct Slip {
  std::vector<std::string> arguments;
  int code;
  std::string message;  ///< on standard error, after "convtool: "; its beginning
};

/// Runs every row in a folder with a grey picture img.pgm, a colour picture rgb.ppm, and a kernel file edge.json.
void check(const std::vector<Slip>& slips) {
  const TempFolder folder;
  folder.write("img.pgm", "P5\n4 4\n255\n0123456789abcdef");
  folder.write("rgb.ppm", "P6\n4 4\n255\n" + std::string(48, '7'));
  folder.write("edge.json", "[[0,-1,0],[-1,4,-1],[0,-1,0]]");
  const std::vector<std::string> before = folder.names();
  for (const Slip& slip : slips) {
    std::string command;
    for (const std::string& argument : slip.arguments) command += argument + " ";
    CAPTURE(command);
    const ProgramResult result = run_convtool(slip.arguments, folder);
    CHECK(result.code == slip.code);
    CAPTURE(result.err);
    CAPTURE(slip.message);
    CHECK(result.err.starts_with("convtool: " + slip.message));
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    if (slip.code != 0) CHECK(result.out == "");
    CHECK(folder.names() == before);
  }
}

}  // namespace

TEST_CASE("a message that quotes a long name keeps its start and its end") {
  const TempFolder folder;
  const std::string key(1'000'000, 'k');
  folder.write("k.json", R"({"weight": [[1]], ")" + key + R"(": 1})");
  const ProgramResult result = run_convtool({"apply", "[[1]]", "-k", "k.json"}, folder);
  CHECK(result.code == 2);
  CHECK(result.err.size() < 11'000);
  CHECK(result.err.starts_with("convtool: k.json: /kkkk"));
  CHECK(result.err.find("kkk ... ") != std::string::npos);
  CHECK(result.err.ends_with(", $schema)\n"));
}

TEST_CASE("commands by another name, or none") {
  const std::vector<Slip> slips = {
      {{}, 2, "no command given (expected one of apply, edges, "},
      {{"img.pgm"}, 2, "'img.pgm' is a file; try: convtool apply img.pgm -k KERNEL\n"},
      {{"filter", "img.pgm"}, 2, "unknown command 'filter'; did you mean 'apply'?\n"},
      {{"convolve", "img.pgm", "-k", "sobel"}, 2, "unknown command 'convolve'; did you mean 'apply'?\n"},
      {{"canny", "img.pgm"}, 2, "unknown command 'canny'; did you mean 'edges'?\n"},
      {{"train"}, 2, "unknown command 'train'; did you mean 'learn'?\n"},
      {{"aply"}, 2, "unknown command 'aply'; did you mean 'apply'?\n"},
      {{"kernels", "lst"}, 2, "unknown command 'lst'; did you mean 'list'?\n"},
      {{"kernels", "sobel"}, 2, "unknown command 'sobel'; did you mean 'kernels show sobel'?\n"},
      {{"help", "aply"}, 2, "unknown command 'aply'; did you mean 'apply'?\n"},
      {{"-v", "apply", "img.pgm"},
       2,
       "unknown option '-v'; options follow the command, as in 'convtool apply --quiet'"}};
  CHECK(slips.size() >= 10);
  check(slips);
}

TEST_CASE("an address is not a file") {
  check({{{"apply", "https://example.org/a.png", "-k", "sobel"},
          2,
          "'https://example.org/a.png' is an address, not a file; try: curl -sL https://example.org/a.png | convtool "
          "apply - ...\n"}});
}

TEST_CASE("inputs that are something else") {
  const std::vector<Slip> slips = {
      {{"apply", "img.pgm"}, 2, "no kernel given; add one, such as -k sobel ('convtool kernels' lists them)\n"},
      {{"apply", "img.pgm", "sobel"}, 2, "'sobel' is a kernel, not a file: -k sobel\n"},
      {{"apply", "img.pgm", "-k", "sobel-x", "sobel-y"},
       2,
       "'sobel-y' is a kernel, not a file; a second kernel needs its own option: -k sobel-x -k sobel-y\n"},
      {{"edges", "img.pgm", "scharr"}, 2, "'scharr' is a kernel, not a file: --operator scharr\n"},
      {{"apply", "img.pgm", "-k", "gaussian", "sigma=2"},
       2,
       "'sigma=2' is not a file; did you mean -k gaussian:sigma=2?\n"},
      {{"apply", "img.pgm", "-k", "gaussian:sigma=2", "size=5"},
       2,
       "'size=5' is not a file; did you mean -k gaussian:sigma=2,size=5?\n"},
      {{"apply", "img.pgm", "-k", "gaussian:sigma=2,", "size=5"},
       2,
       "'size=5' is not a file; did you mean -k gaussian:sigma=2,size=5?\n"},
      {{"apply", "img.pgm", "-k", "[[1,", "2]]"},
       2,
       "the shell has split the kernel [[1, at a space; put the JSON in single quotes\n"},
      {{"apply", "img.pgm", "-k", "[[1,", "-1]]"},
       2,
       "the shell has split the kernel [[1, at a space; put the JSON in single quotes\n"},
      {{"shape", "1x9x9", "-k", "[[1,", "2]]"},
       2,
       "unexpected argument '2]]'; put JSON in single quotes, such as -k '[[1, -1]]'\n"},
      {{"apply", "img.pgm", "out.png", "-k", "sobel"},
       2,
       "'out.png' does not exist; to name the output, write -o out.png\n"},
      {{"apply", "img.pgm", "out.png"}, 2, "'out.png' does not exist; to name the output, write -o out.png\n"},
      {{"apply", "*.jpg", "-k", "sobel"},
       2,
       "no file matches '*.jpg'; with a folder: --recursive FOLDER --include '*.jpg'\n"},
      {{"learn", "a.png", "b.png"},
       2,
       "unexpected argument 'a.png'; name the files with options: --input a.png --target b.png\n"}};
  CHECK(slips.size() >= 13);
  check(slips);
}

TEST_CASE("options by another name") {
  const auto apply = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"apply", "img.pgm"});
    return options;
  };
  const std::vector<Slip> slips = {
      {apply({"--kernal", "sobel"}), 2, "unknown option '--kernal'; did you mean '--kernel'?\n"},
      {{"apply", "--kernal", "sobel"}, 2, "unknown option '--kernal'; did you mean '--kernel'?\n"},
      {apply({"--kernal=sobel"}), 2, "unknown option '--kernal=sobel'; did you mean '--kernel'?\n"},
      {apply({"-kernel", "sobel"}), 2, "-kernel: long options have two dashes: --kernel\n"},
      {apply({"-k", "sobel", "-padding=same"}), 2, "-padding=same: long options have two dashes: --padding\n"},
      {{"apply", "-help"}, 2, "-help: long options have two dashes: --help\n"},
      {apply({"-k", "sobel", "-q1"}), 2, "unknown option '-1'"},
      {apply({"\u2014kernel", "sobel"}), 2, "'\u2014kernel' begins with a typographic dash; type --kernel\n"},
      {apply({"\u2013k", "sobel"}), 2, "'\u2013k' begins with a typographic dash; type -k\n"},
      {apply({"-k", "sobel", "\u2212-json"}), 2, "'\u2212-json' begins with a typographic dash; type --json\n"},
      {apply({"-k", "sobel", "--out", "x.png"}), 2,
       "unknown option '--out'; did you mean --output (-o) for one file, or --out-dir for a folder?\n"},
      {apply({"-k", "sobel", "--border", "reflect"}), 2, "unknown option '--border'; did you mean --padding-mode?\n"},
      {apply({"-k", "sobel", "--force"}), 2,
       "unknown option '--force'; existing outputs are overwritten by default; leave it out\n"},
      {apply({"-k", "sobel", "--resize", "50%"}), 2, "unknown option '--resize'; convtool does not resize"},
      {{"edges", "img.pgm", "-k", "sobel"}, 2, "unknown option '-k'; edges takes --operator sobel\n"},
      {{"edges", "img.pgm", "--kernel=scharr"}, 2, "unknown option '--kernel=scharr'; edges takes --operator scharr\n"},
      {{"explain", "img.pgm", "-k", "box", "--pages", "2"},
       2,
       "unknown option '--pages'; 'convtool apply' has --pages, 'convtool explain' does not\n"},
      {{"shape", "img.pgm", "-k", "box", "--strip"}, 2, "unknown option '--strip'; 'convtool apply' has --strip"},
      {{"edges", "img.pgm", "--divisor=2"}, 2, "unknown option '--divisor=2'; 'convtool apply' has --divisor"},
      {{"learn", "--divisor", "2"}, 2, "unknown option '--divisor'; 'convtool apply' has --divisor"},
      {{"kernels", "show", "box", "--depth", "f32"}, 2, "unknown option '--depth'; 'convtool apply' has --depth"},
      {{"kernels", "show", "box", "--to", "vips"}, 2, "unknown option '--to'; 'convtool kernels convert' has --to"},
      {apply({"--thin", "-k", "sobel"}), 2, "unknown option '--thin'; 'convtool edges' has --thin"},
      {{"apply", "--help=then"}, 2, "--help: takes no value; 'convtool apply --help' explains all options\n"},
      {apply({"-k", "sobel", "--then", "--stride", "3", "sobel"}), 2, "--then: needs a value, K, got '--stride'\n"},
      {apply({"-k", "--then", "sobel"}), 2, "--kernel: needs a value, K, got '--then'\n"},
      {apply({"-k", "box", "--then", "-o", "o.png"}), 2, "--then: needs a value, K, got '-o'\n"},
      {apply({"--divisor", "-k", "box"}), 2, "--divisor: needs a value, D, got '-k'\n"},
      {apply({"-qk", "--map=abs"}), 2, "--kernel: needs a value, K, got '--map=abs'\n"},
      {apply({"-k", "--help"}), 2, "--kernel: needs a value, K, got '--help'\n"},
      {apply({"-k"}), 2, "--kernel: needs a value, K; see 'convtool apply --help'\n"},
      {apply({"-k", "sobel", "--stride"}), 2, "--stride: needs a value, S; see 'convtool apply --help'\n"},
      {apply({"-k", "sobel", "--map", "clip", "--map", "abs"}), 2, "--map: is given more than once; keep one\n"},
      {apply({"-k", "sobel", "-q", "-v"}), 2, "--verbose: cannot be used together with --quiet; keep one\n"},
      {{"learn", "--target", "b.png"}, 2, "--input: is required; see 'convtool learn --help'\n"},
      {{"kernels", "show"}, 2, "NAME: is missing; see 'convtool kernels show --help'\n"}};
  CHECK(slips.size() >= 18);
  check(slips);
}

TEST_CASE("a file whose name begins with a dash") {
  const TempFolder folder;
  folder.write("-x.pgm", "P5\n1 1\n255\n0");
  CHECK(run_convtool({"apply", "-x.pgm", "-k", "box"}, folder).err ==
        "convtool: unknown option '-x.pgm'; for the file of that name write ./-x.pgm\n");
  CHECK(run_convtool({"apply", "./-x.pgm", "-k", "box"}, folder).code == 0);
  CHECK(run_convtool({"apply", "-k", "box", "--", "-x.pgm"}, folder).code == 0);
}

TEST_CASE("values by another name") {
  const auto apply = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"apply", "img.pgm", "-k", "edge.json"});
    return options;
  };
  const std::string modes = "(expected one of zeros, constant, reflect, symmetric, replicate, circular); did you mean ";
  const std::vector<Slip> slips = {
      {apply({"--padding", "1,1"}), 2,
       "--padding: '1,1' is not valid (expected valid, same, same_lower, full, a number, or HxW per side; four sides "
       "go "
       "to --pads); did you mean 1x1 (height x width)?\n"},
      {apply({"--padding", "SAMEE"}), 2,
       "--padding: 'SAMEE' is not valid (expected valid, same, same_lower, full, a number, or HxW per side; four sides "
       "go to --pads); did you mean 'same'?\n"},
      {apply({"--stride", "2,2"}), 2,
       "--stride: '2,2' is not valid (expected a whole number from 1 to 1073741824, or two as HxW such as 3x4); did "
       "you "
       "mean 2x2?\n"},
      {apply({"--padding-mode", "mirror"}), 2, "--padding-mode: 'mirror' is not valid " + modes + "'reflect'?\n"},
      {apply({"--padding-mode", "edge"}), 2, "--padding-mode: 'edge' is not valid " + modes + "'replicate'?\n"},
      {apply({"--padding-mode", "nearest"}), 2, "--padding-mode: 'nearest' is not valid " + modes + "'replicate'?\n"},
      {apply({"--padding-mode", "wrap"}), 2, "--padding-mode: 'wrap' is not valid " + modes + "'circular'?\n"},
      {apply({"--combine", "l2"}), 2,
       "--combine: 'l2' is not valid (expected one of none, magnitude, l1, max, min, sum, mean); did you mean "
       "'magnitude'?\n"},
      {apply({"--depth", "uint8"}), 2,
       "--depth: 'uint8' is not valid (expected one of same, u8, u16, f32); did you mean 'u8'?\n"},
      {apply({"-o", "out.gif"}), 2, "out.gif: .gif cannot be written; the formats are png, jpeg, "},
      {apply({"-o", "out.pngg"}), 2, "out.pngg: .pngg cannot be written; the formats are png, jpeg, "},
      {apply({"-o", "out.png", "--quality", "90"}), 1,
       "img.pgm: --quality has no effect on png; leave it out, or write a .jpg or .webp"},
      {{"edges", "img.pgm", "--hysteresis", "200,100"},
       2,
       "--hysteresis: LOW is above HIGH (got 200,100); swap them\n"},
      {{"edges", "img.pgm", "--hysteresis", "p95,p80"},
       2,
       "--hysteresis: LOW is above HIGH (got p95,p80); swap them\n"},
      {{"edges", "img.pgm", "--operator", "canny"},
       2,
       "--operator: 'edges --thin --hysteresis auto' is a Canny detector\n"},
      {{"apply", "rgb.ppm", "-k", "[[[1]]]", "-o", "out.png"},
       1,
       "rgb.ppm: the kernel's channels do not match the input (expected 1 channel, got 3); add --gray, or use a rank-2 "
       "kernel, which filters each channel alone\n"},
      {{"apply", "rgb.ppm", "-k", "[[[[1]]],[[[2]]],[[[3]]]]", "-o", "out.png"},
       1,
       "rgb.ppm: the kernel's channels do not match the input (expected 1 channel, got 3); add --gray, or --groups 3 "
       "to "
       "filter each channel alone\n"},
      {{"shape", "224x224x3", "--kernel-size", "3"},
       0,
       "warning: SHAPE: shapes are C x H x W (got 224x224x3); did you mean 3x224x224?\n"}};
  CHECK(slips.size() >= 18);
  check(slips);
}

TEST_CASE("layers and models that are something else") {
  const std::string words =
      " (expected conv, dwconv, tconv, maxpool, avgpool, upsample, bn, linear, add, relu, relu6, leaky_relu, sigmoid, "
      "tanh, silu, hardswish)";
  const std::vector<Slip> slips = {
      {{"shape", "1x9x9", "--layers", "typo"}, 2, "--layers: 'typo' is neither a file nor a layer" + words + "\n"},
      {{"shape", "1x9x9", "--layers", "rellu"},
       2,
       "--layers: 'rellu' is neither a file nor a layer" + words + "; did you mean 'relu'?\n"},
      {{"shape", "1x9x9", "--layers", "gelu"},
       2,
       "--layers: 'gelu' is neither a file nor a layer" + words + "; convtool does not compute it\n"},
      {{"shape", "1x9x9", "--layers", "img.pgm"},
       2,
       "--layers: 'img.pgm' is a picture; --layers takes layers as text, such as 'conv 3 64 p1, relu', or JSON\n"},
      {{"shape", "1x9x9", "--layers", "[]"}, 2, "--layers: an empty list (expected layers, such as [{"},
      {{"explain", "1x9x9"},
       2,
       "no kernel given; add one, such as -k sobel ('convtool kernels' lists them), or for a shape --kernel-size 3 or "
       "--layers 'conv 3 8, relu'\n"},
      {{"apply", "rgb.ppm", "-k", R"({"batch_norm": {"weight": [1, 2]}})", "-o", "out.npy"},
       1,
       "rgb.ppm: the batch normalisation has numbers for 2 channels, but its input has 3; give one number per channel "
       "of "
       "the input\n"},
      {{"apply", "rgb.ppm", "-k", "[[[[1]]],[[[1]]]]", "--gray", "--map", "signed", "-o", "out.png"},
       1,
       "rgb.ppm: --map signed shows one channel in two colours (got 2 channels); write them as tiles, in the same "
       "colours, with --sheet FILE.png\n"},
      {{"apply", "rgb.ppm", "-k", "edge", "--map", "signed", "-o", "out.png"},
       1,
       "rgb.ppm: --map signed shows one channel in two colours (got 3 channels); add --gray\n"},
      {{"apply", "rgb.ppm", "-k", "[[[[1]]],[[[1]]]]", "--gray", "--dump-layers", "layers"},
       1,
       "rgb.ppm: the result has 2 channels of u8, which are not colours that png could store; write .npy, or show the "
       "channels as tiles with --sheet FILE.png; the layers of --dump-layers are written together with it\n"}};
  CHECK(slips.size() >= 10);
  check(slips);
}

TEST_CASE("layers from a file with a byte order mark, and from standard input") {
  const TempFolder folder;
  const std::string mark = "\xef\xbb\xbf";
  folder.write("net.layers", mark + "conv 3 4, relu\n");
  folder.write("net.json", mark + "[{\"kernel_size\": 3, \"out_channels\": 4}]");
  for (const char* const file : {"net.layers", "net.json"}) {
    const ProgramResult result = run_convtool({"shape", "1x9x9", "--layers", file}, folder);
    CAPTURE(result.err);
    CHECK(result.out.starts_with("4x7x7\n"));
  }
  CHECK(run_convtool({"shape", "1x9x9", "--layers", "-"}, folder, "conv 3 5").out.starts_with("5x7x7\n"));
  folder.write("binary.layers", std::string("conv 3 4\0", 9));
  CHECK(run_convtool({"shape", "1x9x9", "--layers", "binary.layers"}, folder)
            .err.starts_with("convtool: --layers: 'binary.layers' contains bytes that are not text (UTF-8); "));
}

TEST_CASE("short forms, and words in any case") {
  const TempFolder folder;
  folder.write("img.pgm", "P5\n4 4\n255\n0123456789abcdef");
  std::filesystem::create_directory(folder.path() / "more");
  folder.write("more/img.pgm", "P5\n4 4\n255\n0123456789abcdef");
  CHECK(run_convtool({"apply", "img.pgm", "-k", "edge", "-j", "2"}, folder).code == 0);
  CHECK(run_convtool({"apply", "more", "-r", "-k", "edge", "--out-dir", "out"}, folder).code == 0);
  CHECK(std::filesystem::exists(folder.file("out/img.edge.png")));
  const std::string same = run_convtool({"shape", "1x9x9", "--kernel-size", "3", "--padding", "SAME"}, folder).out;
  CHECK(same == run_convtool({"shape", "1x9x9", "--kernel-size", "3", "--padding", "same"}, folder).out);
  CHECK(same.starts_with("1x9x9"));
  CHECK(run_convtool({"apply", "img.pgm", "-k", "edge", "--padding-mode", "REFLECT", "-q"}, folder).code == 0);
}
