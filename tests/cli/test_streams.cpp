// Standard streams, reports and file names of the real binary, which scripts rely on.

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "support/program.h"
#include "support/skip.h"

namespace {

using nlohmann::json;

void write_picture(const TempFolder& folder, const std::string& name) {
  cv::imwrite(folder.file(name), cv::Mat(6, 8, CV_8UC3, cv::Scalar(10, 20, 30)));
}

}  // namespace

TEST_CASE("a tensor result has as many dimensions as its input") {
  const TempFolder folder;
  const auto apply = [&](const std::string& input, std::vector<std::string> options) {
    options.insert(options.begin(), {"apply", "-", "-o", "-", "-q"});
    return run_convtool(options, folder, input).out;
  };
  CHECK(apply("[[1,2],[3,4]]", {"-k", "[[1]]"}) == "[[1,2],[3,4]]\n");
  CHECK(apply("[[1,2],[3,4]]", {"-k", "[[1]]", "-k", "[[2]]"}) == "[[[1,2],[3,4]],[[2,4],[6,8]]]\n");
  CHECK(apply("[[[1,2],[3,4]]]", {"-k", "[[1]]"}) == "[[[1,2],[3,4]]]\n");
  CHECK(apply("[[[[1]]],[[[2]]]]", {"-k", "[[0.5]]"}) == "[[[[0.5]]],[[[1]]]]\n");
  CHECK(apply("[[1,-2]]", {"-k", "[[0.1]]"}) == "[[0.1,-0.2]]\n");
  CHECK(apply(" \n[[1e3]]", {"-k", "[[1]]"}) == "[[1000]]\n");
}

TEST_CASE("printouts and tables are tensors, and --pretty aligns those in JSON") {
  const TempFolder folder;
  const std::vector<std::string> pretty = {"apply", "-", "-k", "[[0.5, 1]]", "-o", "-", "-q", "--pretty"};
  const std::string expected = "[[2.5, 4],\n [7,   8.5]]\n";
  CHECK(run_convtool(pretty, folder, "tensor([[1., 2., 3.],\n        [4., 5., 6.]])\n").out == expected);
  CHECK(run_convtool(pretty, folder, "[[1 2 3]\n [4 5 6]]\n").out == expected);
  CHECK(run_convtool(pretty, folder, "1,2,3\n4,5,6\n").out == expected);

  folder.write("x.csv", "1;2;3\n4;5;6\n");
  CHECK(run_convtool({"apply", "x.csv", "-k", "[[0.5, 1]]", "--pretty"}, folder).code == 0);
  CHECK(read_text(folder.file("x.inline.json")) == expected);
  CHECK(run_convtool({"edges", "x.csv", "-o", "-", "-q", "--pretty"}, folder)
            .out.starts_with("[[12.649111, 14.422205, 12.649111],\n ["));
  folder.write("t.csv", "r,g\n1,2\n");
  CHECK(
      run_convtool({"apply", "t.csv", "-k", "sobel"}, folder).err ==
      "convtool: t.csv: line 1, column 1: expected a number, got 'r'; delete the line of titles, or begin it with #\n");

  write_picture(folder, "x.png");
  const ProgramResult picture = run_convtool({"apply", "x.png", "-k", "sobel", "--pretty", "-o", "y.png"}, folder);
  CHECK(picture.code == 1);
  CHECK(picture.err == "convtool: x.png: --pretty has no effect on png; leave it out, or write a tensor in .json\n");
}

TEST_CASE("apply - -o - reads and writes bytes, and reports on standard error") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  const std::string bytes = read_text(folder.file("x.png"));
  const ProgramResult result = run_convtool({"apply", "-", "-k", "identity", "-o", "-"}, folder, bytes);
  CHECK(result.code == 0);
  CHECK(result.out.starts_with("\x89PNG"));
  CHECK(result.err.starts_with("- 3x6x8 u8 -> - 3x6x8 u8; identity 1x1, clipped 0\n"));
  CHECK(run_convtool({"apply", "-", "-k", "identity", "-o", "-", "--format", "ppm"}, folder, bytes)
            .out.starts_with("P6"));
  CHECK(run_convtool({"apply", "x.png", "-k", "identity", "-o", "-", "--format", "npy"}, folder)
            .out.starts_with("\x93NUMPY"));
  CHECK(run_convtool({"apply", "-", "-k", "identity"}, folder, bytes).out.starts_with("\x89PNG"));
  CHECK(
      run_shell("cat x.png | $CONVTOOL apply - -k edge -o - -q | $CONVTOOL apply - -k box -o - -q | head -c 4", folder)
          .out == "\x89PNG");
  CHECK(folder.names() == std::vector<std::string>{"x.png"});
}

TEST_CASE("commands that use one picture say that others follow it") {
  const TempFolder folder;
  const std::string pgm = "P5 3 2 255\nabcdef", text = "P2 3 2 255 1 2 3 4 5 6\n";
  const std::vector<std::vector<std::string>> commands = {
      {"explain", "-", "-k", "[[1]]"},
      {"shape", "-", "-k", "[[1]]"},
      {"learn", "--input", "-", "--target", "t.pgm", "--kernel-size", "1", "--method", "lstsq", "-o", "k.json"}};
  folder.write("t.pgm", pgm);
  for (const std::string format : {"png", "jpg", "pgm", "bmp"}) {
    const std::string picture =
        run_convtool({"apply", "t.pgm", "-k", "identity", "-o", "-", "-q", "--format", format}, folder).out;
    folder.write("two." + format, picture + picture);
    const std::string warning = ": only the first of its 2 pictures is read\n";
    for (const std::vector<std::string>& command : commands) {
      CAPTURE(command.front());
      CAPTURE(format);
      CHECK(run_convtool(command, folder, picture).err.find("is read") == std::string::npos);
      const ProgramResult two = run_convtool(command, folder, picture + picture);
      CHECK(two.code == 0);
      CHECK(two.err.find("convtool: warning: -" + warning) != std::string::npos);
      CHECK(run_convtool(command, folder, picture + text + picture).err.find("first of its 3 pictures") !=
            std::string::npos);
    }
    const ProgramResult file = run_convtool({"apply", "two." + format, "-k", "identity", "-o", "o.png"}, folder);
    CHECK(file.code == 0);
    CHECK(file.err == "convtool: warning: two." + format + warning);
  }
}

TEST_CASE("an input that is opened as standard output, too, is read before it is overwritten") {
  const TempFolder folder;
  const std::string picture = "P5 100 100 255\n" + std::string(10'000, 'x');
  folder.write("a.pgm", picture);
  REQUIRE(run_convtool({"apply", "a.pgm", "-k", "sharpen", "-o", "b.pgm"}, folder).code == 0);
  CHECK(run_shell("exec $CONVTOOL apply a.pgm -k sharpen -o - --format pgm 1<>a.pgm", folder).code == 0);
  CHECK(read_text(folder.file("a.pgm")) == read_text(folder.file("b.pgm")));
}

TEST_CASE("a device or pipe without an extension gets the format of --format, by default the input's") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  CHECK(run_convtool({"apply", "x.png", "-k", "edge", "-o", "/dev/null"}, folder).code == 0);
  CHECK(run_shell("$CONVTOOL apply x.png -k edge -o /dev/stdout -q | head -c 4", folder).out == "\x89PNG");
  CHECK(run_shell("$CONVTOOL apply x.png -k edge -o /dev/stdout >out; head -c 4 out", folder).out == "\x89PNG");
  CHECK(run_shell("$CONVTOOL apply x.png -k edge -n -o /dev/null --json | grep -c skipped", folder).out == "0\n");
  CHECK(run_shell("bash -c '$CONVTOOL apply x.png -k edge -q -o >(head -c 4 > begin; echo > ended)'; "
                  "until [ -e ended ]; do sleep 0.01; done; cat begin",
                  folder)
            .out == "\x89PNG");
  CHECK(run_shell("mkfifo pipe; head -c 2 pipe & $CONVTOOL apply x.png -k edge -q -o pipe --format ppm; wait", folder)
            .out == "P6");
}

TEST_CASE("picture bytes are not written to a terminal") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  if (run_shell("command -v script", folder).code != 0) return skip("needs script");  // which gives it a terminal
  const ProgramResult result =
      run_shell("script -qec '\"$CONVTOOL\" apply x.png -k edge -o - 2>message' transcript > /dev/null", folder);
  CHECK(result.code == 1);
  CHECK(read_text(folder.file("message")).find("not written to a terminal") != std::string::npos);
  CHECK(read_text(folder.file("transcript")).find("PNG") == std::string::npos);
}

TEST_CASE("output names are derived from input and kernel") {
  const TempFolder folder;
  write_picture(folder, "a.png");
  write_picture(folder, "b.v2.jpg");
  folder.write("t.json", "[[1,2],[3,4]]");
  folder.write("my kernel.json", "{\"name\": \"a/b: c\", \"weight\": [[1]]}");
  const auto apply = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "apply");
    CHECK(run_convtool(arguments, folder).code == 0);
  };
  apply({"a.png", "b.v2.jpg", "t.json", "-k", "edge"});
  apply({"a.png", "-k", "gaussian:sigma=1.4,size=5"});
  apply({"a.png", "-k", "my kernel.json", "--out-dir", "new/folder"});
  apply({"a.png", "-k", "[[1]]", "--format", "tif"});
  apply({"./a.png", "-k", "box", "-o", "chosen.bmp"});
  CHECK(folder.names() == std::vector<std::string>{"a.edge.png", "a.gaussian-sigma=1.4-size=5.png", "a.inline.tif",
                                                   "a.png", "b.v2.edge.png", "b.v2.jpg", "chosen.bmp", "my kernel.json",
                                                   "new", "new/folder", "new/folder/a.a-b--c.png", "t.edge.json",
                                                   "t.json"});
}

TEST_CASE("the JSON report has every documented key") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  const ProgramResult result =
      run_convtool({"apply", "x.png", "missing.png", "-k", "sobel-x", "--stride", "2x1", "--pads", "1,2,0,3",
                    "--padding-mode", "reflect", "--out-dir", "o", "--json", "--threads", "1", "--algorithm", "rows"},
                   folder);
  CHECK(result.code == 1);
  const std::size_t newline = result.out.find('\n');
  const json done = json::parse(result.out.substr(0, newline)), failed = json::parse(result.out.substr(newline + 1));
  json seconds = done.at("seconds");
  CHECK(seconds.at("decode").get<double>() >= 0);
  CHECK(seconds.at("convolve").get<double>() >= 0);
  CHECK(seconds.at("encode").get<double>() >= 0);
  json rest = done;
  rest.erase("seconds");
  CHECK(rest.at("instruction_set").is_string());
  CHECK(rest.at("memory_needed").get<std::int64_t>() > 1 << 25);
  rest.erase("memory_needed");
  rest.erase("instruction_set");
  CHECK(rest == json::parse(R"({
    "version": 1, "input": "x.png", "output": "o/x.sobel-x.png", "status": "ok",
    "input_shape": [3, 6, 8], "output_shape": [3, 3, 11], "input_dtype": "u8", "output_dtype": "u8",
    "kernel": {"name": "sobel-x", "shape": [3, 3]}, "stride": [2, 1], "pads": [1, 2, 0, 3], "padding_mode": "reflect",
    "dilation": [1, 1], "groups": 3, "map": "abs", "combine": "none", "clipped": {"low": 0, "high": 0, "share": 0},
    "min": 0, "max": 0, "mean": 0, "nan_count": 0, "warnings": [], "algorithm": "rows", "threads": 1})"));
  CHECK(failed.at("version") == 1);
  CHECK(failed.at("input") == "missing.png");
  CHECK(failed.at("status") == "error");
  CHECK(failed.at("error").at("kind") == "input");
  CHECK(failed.at("error").at("message").get<std::string>().find("no such file") != std::string::npos);

  const ProgramResult skipped =
      run_convtool({"apply", "x.png", "-k", "sobel-x", "--out-dir", "o", "--json", "-n"}, folder);
  CHECK(skipped.code == 0);
  CHECK(json::parse(skipped.out).at("status") == "skipped");
}

TEST_CASE("the JSON report is valid with NaN and infinite responses") {
  const TempFolder folder;
  const ProgramResult made = run_shell(
      "python3 -c \"import struct,sys; h=b\\\"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }\\\"; "
      "sys.stdout.buffer.write(b'\\x93NUMPY\\x01\\x00'+struct.pack('<H',len(h))+h+struct.pack('<3f',float('nan'),float("
      "'inf'),1))\" > x.npy",
      folder);
  REQUIRE(made.code == 0);
  const ProgramResult result = run_convtool({"apply", "x.npy", "-k", "[[1]]", "--json", "-o", "y.npy"}, folder);
  CHECK(result.code == 0);
  const json report = json::parse(result.out);
  CHECK(report.at("nan_count") == 1);
  CHECK(report.at("min") == 1);
  CHECK(report.at("max").is_null());
  CHECK(report.at("map") == "none");
  const ProgramResult refused = run_convtool({"apply", "x.npy", "-k", "[[1]]", "-o", "y.json"}, folder);
  CHECK(refused.code == 1);
  CHECK(refused.err.find(".npy") != std::string::npos);
}

TEST_CASE("a tensor is recognised under any name") {
  const TempFolder folder;
  folder.write("t.dat", "[[1,2],[3,4]]");
  CHECK(run_shell("$CONVTOOL apply t.dat -k '[[1]]' && cat t.dat | $CONVTOOL apply - -k '[[2]]' --out-dir o", folder)
            .code == 0);
  CHECK(read_text(folder.file("t.inline.json")) == "[[1,2],[3,4]]\n");
  CHECK(read_text(folder.file("o/stdin.inline.json")) == "[[2,4],[6,8]]\n");
}

TEST_CASE("the report of kernels of different sizes has no shape and no pads") {
  const TempFolder folder;
  const ProgramResult result =
      run_convtool({"apply", "-", "-k", "box", "-k", "gaussian-5", "-o", "-", "--json"}, folder, "[[1,2],[3,4]]");
  const json report = json::parse(result.err);
  CHECK(report.at("kernel") == json({{"name", "box+gaussian-5"}, {"shape", nullptr}}));
  CHECK(report.at("pads").is_null());
  CHECK(report.at("stride") == json({1, 1}));
}

TEST_CASE("a divisor divides exact sums, and ties are rounded to even") {
  const TempFolder folder;
  folder.write("x.pgm", std::string("P5\n1 1\n255\n") + static_cast<char>(91));
  for (const char* kernel : {R"({"weight":[[1]],"divisor":14})",
                             R"({"weight":[[1,1,1,1,1,1,1,1,1,1,1,1,1,1]],"normalize":true,"pads":[0,0,0,13]})"}) {
    const ProgramResult result =
        run_convtool({"apply", "x.pgm", "-k", kernel, "-o", "-", "--format", "pgm", "-q"}, folder);
    CHECK(result.out == std::string("P5\n1 1\n255\n") + static_cast<char>(6));  // 6.5
  }
}

TEST_CASE("the command line overrides the kernel file") {
  const TempFolder folder;
  const auto apply = [&](const std::string& kernel, std::vector<std::string> options) {
    options.insert(options.begin(), {"apply", "-", "-o", "-", "-q", "-k", kernel});
    return run_convtool(options, folder, "[[1,2,3,4,5]]").out;
  };
  CHECK(apply("[[1,-1]]", {"--dilation", "1x3"}) == "[[-3,-3]]\n");
  CHECK(apply(R"({"weight":[[1,-1]],"dilation":2,"stride":2,"padding":"same","bias":7,"activation":"abs"})", {}) ==
        "[[5,5,11]]\n");
  CHECK(apply(R"({"weight":[[1,-1]],"dilation":2,"stride":2,"padding":"same"})",
              {"--dilation", "1", "--stride", "1", "--padding", "valid", "--bias", "1"}) == "[[0,0,0,0]]\n");
  CHECK(apply(R"({"weight":[[1,1]],"padding":1,"padding_mode":"replicate"})",
              {"--pads", "0,1,0,0", "--padding-mode", "constant", "--padding-value", "9"}) == "[[10,3,5,7,9]]\n");
  CHECK(apply(R"({"weight":[[1,-1]],"map":"normalize"})", {}) == "[[0,0,0,0]]\n");
  CHECK(apply(R"({"weight":[[1,-1]],"map":"normalize"})", {"--map", "auto"}) == "[[-1,-1,-1,-1]]\n");
  const ProgramResult groups = run_convtool({"apply", "-", "-o", "-", "-q", "-k", "[[[[2]]],[[[3]]]]", "--groups", "2"},
                                            folder, "[[[1]],[[10]]]");
  CHECK(groups.out == "[[[2]],[[30]]]\n");
}

TEST_CASE("a dry run reports everything and writes nothing") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  const ProgramResult text = run_convtool({"apply", "x.png", "-k", "edge", "--out-dir", "o", "--dry-run"}, folder);
  CHECK(text.code == 0);
  CHECK(text.out.starts_with("x.png 3x6x8 u8 -> o/x.edge.png 3x6x8 u8; edge 3x3, map abs, dry run, nothing written\n"));
  const json report =
      json::parse(run_convtool({"apply", "x.png", "-k", "edge", "--out-dir", "o", "--dry-run", "--json"}, folder).out);
  CHECK(report.at("dry_run") == true);
  CHECK(report.at("output_shape") == json({3, 6, 8}));
  CHECK(report.at("min").is_null());
  CHECK(folder.names() == std::vector<std::string>{"x.png"});
}

TEST_CASE("-q prints nothing, -v prints the algorithm and timings") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  CHECK(run_convtool({"apply", "x.png", "-k", "edge", "-q"}, folder).out == "");
  const std::string verbose = run_convtool({"apply", "x.png", "-k", "edge", "--algorithm", "rows", "-v"}, folder).out;
  CHECK(verbose.find("u8 n1 ci3 ih6 iw8 co3 kh3 kw3 g3 s1x1 d1x1 p1,1,1,1 replicate; rows, ") != std::string::npos);
  CHECK(verbose.find("decode ") != std::string::npos);
  CHECK(run_convtool({"apply", "x.png", "-k", "edge", "--algorithm", "reference", "-v"}, folder)
            .out.find("; reference, ") != std::string::npos);
}

TEST_CASE("networks run one layer after another") {
  const TempFolder folder;
  const std::string network = R"({"name": "two", "layers": [{"weight": [[1, -1]], "activation": "relu"}, [[0.5]]]})";
  CHECK(run_convtool({"apply", "-", "-k", network, "-o", "-", "-q"}, folder, "[[1,3,2,2]]").out == "[[0,0.5,0]]\n");
  const ProgramResult report = run_convtool({"apply", "-", "-k", network, "-o", "-", "--json"}, folder, "[[1,3,2,2]]");
  CHECK(json::parse(report.err).at("layers").size() == 2);
  const ProgramResult refused =
      run_convtool({"apply", "-", "-k", network, "-o", "-", "--stride", "2"}, folder, "[[1]]");
  CHECK(refused.code == 2);
  CHECK(refused.err.find("--stride") != std::string::npos);
}

TEST_CASE("help and version go to standard output with exit 0") {
  const TempFolder folder;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"apply", "--help"},
                                                    {"shape", "-h"},
                                                    {"kernels", "show", "--help"},
                                                    {"--version"}}) {
    const ProgramResult result = run_convtool(arguments, folder);
    CHECK(result.code == 0);
    CHECK(result.err == "");
    CHECK(result.out.find(arguments.front() == "--version" ? "convtool 0." : "Usage: convtool") != std::string::npos);
  }
  const json version = json::parse(run_convtool({"--version", "--json"}, folder).out);
  for (const char* key : {"version", "opencv", "isa_l", "highway"}) CHECK(!version.at(key).get<std::string>().empty());
  const std::set<std::string> links = {"static", "static with shared codecs", "shared"};
  CHECK(links.contains(version.at("opencv_link").get<std::string>()));
  const json& sets = version.at("instruction_sets");
  CHECK(std::find(sets.begin(), sets.end(), version.at("instruction_set")) != sets.end());
}

TEST_CASE("linked statically, the program loads no library that only unused parts of OpenCV need") {
  const TempFolder folder;
  const json version = json::parse(run_convtool({"--version", "--json"}, folder).out);
  if (!version.at("opencv_link").get<std::string>().starts_with("static")) return;
  // LAPACK and four libraries behind it take milliseconds to load. Matrix expressions of cv::Mat refer to it.
  // As ldd does, which knows only the programs of this machine's architecture.
  const ProgramResult libraries = run_shell("LD_TRACE_LOADED_OBJECTS=1 $CONVTOOL", folder);
  CHECK(libraries.out.find("libc.so") != std::string::npos);
  CHECK(libraries.out.find("lapack") == std::string::npos);
}

TEST_CASE("options may stand before or after the inputs, and -- ends them") {
  const TempFolder folder;
  write_picture(folder, "x.png");
  CHECK(run_convtool({"apply", "-k", "box", "--stride=2", "x.png"}, folder).code == 0);
  std::filesystem::copy(folder.file("x.png"), folder.file("-dash.png"));
  CHECK(run_convtool({"apply", "-k", "box", "--", "-dash.png"}, folder).code == 0);
  CHECK(std::filesystem::exists(folder.file("-dash.box.png")));
  std::filesystem::copy(folder.file("x.png"), folder.file("[a,b].png"));
  CHECK(run_convtool({"apply", "[a,b].png", "-k", "box"}, folder).code == 0);
  CHECK(run_convtool({"apply", "-", "-k", "[[1]]", "--bias", "-1.5", "-o", "-", "-q"}, folder, "[[1]]").out ==
        "[[-0.5]]\n");
}
