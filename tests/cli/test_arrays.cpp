// Arrays of NumPy: .npz files wherever .npy files are taken, and values that lose digits.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/program.h"
#include "support/safetensors.h"

namespace {

using nlohmann::json;

template <class Number>
std::string array_file(const std::string& descr, const std::string& shape, const std::vector<Number>& values) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header += std::string(128 - 10 - header.size() - 1, ' ') + "\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + raw_bytes(values);
}

/// two.npz with the arrays x, [[1, 2], [3, 4]], and conv/w, [[0, 1], [2, 3]], compressed; one.npz with only x, stored.
/// Python's zipfile writes them, with the calls of numpy.savez_compressed and numpy.savez.
struct Arrays : TempFolder {
  Arrays() {
    write("x.npy", array_file<float>("<f4", "(2, 2)", {1, 2, 3, 4}));
    write("w.npy", array_file<float>("<f4", "(2, 2)", {0, 1, 2, 3}));
    const ProgramResult made = run_shell(R"(python3 - <<'END'
import zipfile
def save(name, arrays, method):
  with zipfile.ZipFile(name, 'w', method, allowZip64=True) as archive:
    for array, file in arrays:
      with archive.open(array + '.npy', 'w', force_zip64=True) as entry:
        entry.write(open(file, 'rb').read())
save('two.npz', [('x', 'x.npy'), ('conv/w', 'w.npy')], zipfile.ZIP_DEFLATED)
save('one.npz', [('x', 'x.npy')], zipfile.ZIP_STORED)
END
rm x.npy w.npy)",
                                         *this);
    REQUIRE_MESSAGE(made.code == 0, made.err);
  }

  ProgramResult run(const std::vector<std::string>& arguments) const { return run_convtool(arguments, *this); }
};

std::string failure_of(const ProgramResult& result, int code) {
  CHECK(result.code == code);
  CHECK(result.out == "");
  return result.err;
}

/// The warnings of a run with --json on one input.
json warnings_on(const TempFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--json", "-k", "[[1]]", "-o", "y.npy"});
  arguments.insert(arguments.begin(), "apply");
  const ProgramResult result = run_convtool(arguments, folder);
  REQUIRE(result.code == 0);
  return json::parse(result.out)["warnings"];
}

}  // namespace

TEST_CASE("an .npz file of another name has arrays, too") {
  const Arrays folder;
  std::filesystem::rename(folder.file("two.npz"), folder.file("two#"));
  std::filesystem::copy_file(folder.file("two#"), folder.file("w.bin"));
  for (const char* name : {"two#", "w.bin"}) {
    CAPTURE(name);
    const std::string kernel = name + std::string("#conv/w"), input = name + std::string("#x");
    for (const std::string& k : {kernel, R"({"weight": ")" + kernel + R"("})"})
      CHECK(folder.run({"apply", input, "-k", k, "--padding", "valid", "--format", "json", "-o", "-", "-q"}).out ==
            folder
                .run({"apply", "[[1,2],[3,4]]", "-k", "[[0,1],[2,3]]", "--padding", "valid", "--format", "json", "-o",
                      "-", "-q"})
                .out);
    CHECK(folder.run({"apply", name, "-k", "[[1]]"}).err.find("name one") != std::string::npos);
  }
  CHECK(folder.run({"apply", "two##x", "two##conv/w", "-k", "[[2]]"}).out ==
        "two##x 1x2x2 f32 -> two#.x.inline.npy 1x2x2 f32; inline 1x1\n"
        "two##conv/w 1x2x2 f32 -> two#.conv-w.inline.npy 1x2x2 f32; inline 1x1\n");
  folder.write("notes", "no archive");
  CHECK(folder.run({"apply", "notes#x", "-k", "[[2]]"}).err.find("notes#x: no such file") != std::string::npos);
}

TEST_CASE("--recursive takes .npz files of one array, and says why it leaves another one out") {
  const Arrays folder;
  const ProgramResult result = folder.run({"apply", ".", "-r", "-k", "[[2]]", "--out-dir", "out"});
  CHECK(result.code == 1);
  CHECK(result.out == "./one.npz 1x2x2 f32 -> out/one.inline.npy 1x2x2 f32; inline 1x1\n");
  CHECK(result.err.find("two.npz: this .npz contains 2 arrays (x, conv/w); name one") != std::string::npos);
}

TEST_CASE("an array of an .npz file is an input, a kernel, and weights of a kernel") {
  const Arrays folder;
  const std::string result = "[[20]]\n";  // 0 * 1 + 1 * 2 + 2 * 3 + 3 * 4
  for (const char* input : {"two.npz#x", "one.npz", "one.npz#x"})
    for (const char* kernel : {"two.npz#conv/w", R"({"weight": "two.npz#conv/w"})"}) {
      CAPTURE(std::string(input));
      CAPTURE(std::string(kernel));
      CHECK(folder.run({"apply", input, "-k", kernel, "-o", "y.json", "-q"}).code == 0);
      CHECK(read_text(folder.file("y.json")) == result);
    }
  CHECK(run_shell("$CONVTOOL apply - -k two.npz#conv/w --format json -q < one.npz", folder).out == result);
  CHECK(folder.run({"shape", "two.npz#x", "-k", "two.npz#conv/w"}).out.starts_with("1x1x1\n"));
  CHECK(folder.run({"explain", "two.npz#x", "-k", "two.npz#conv/w"}).out.starts_with("output (0, 0) = 20\n"));
  CHECK(folder.run({"kernels", "convert", "two.npz#conv/w", "--to", "vips"}).out == "2 2 1 0\n0 1\n2 3\n");
  CHECK(folder
            .run({"learn", "--input", "two.npz#x", "--target", "one.npz", "--kernel-size", "1", "--method", "lstsq",
                  "-q", "-o", "k.json"})
            .code == 0);
}

TEST_CASE("outputs of arrays are named by file and array, and the file is not replaced") {
  const Arrays folder;
  const ProgramResult both = folder.run({"apply", "two.npz#x", "two.npz#conv/w", "-k", "[[2]]"});
  CHECK(both.out ==
        "two.npz#x 1x2x2 f32 -> two.x.inline.npy 1x2x2 f32; inline 1x1\n"
        "two.npz#conv/w 1x2x2 f32 -> two.conv-w.inline.npy 1x2x2 f32; inline 1x1\n");
  folder.write("list", "two.npz#x\n");
  CHECK(folder.run({"apply", "--files-from", "list", "-k", "[[2]]", "-o", "{stem}-{kernel}.json", "-q"}).code == 0);
  CHECK(read_text(folder.file("two.x-inline.json")) == "[[2,4],[6,8]]\n");
  CHECK(failure_of(folder.run({"apply", "two.npz#x", "-k", "[[2]]", "-o", "two.npz"}), 2)
            .find(".npz cannot be written") != std::string::npos);
  std::filesystem::create_symlink("two.npz", folder.file("link.npy"));
  CHECK(
      failure_of(folder.run({"apply", "two.npz#x", "-k", "[[2]]", "-o", "link.npy"}), 2).find("which this run reads") !=
      std::string::npos);
  CHECK(failure_of(folder.run({"apply", "one.npz", "-k", "two.npz#conv/w", "-o", "link.npy"}), 2)
            .find("which this run reads") != std::string::npos);
}

TEST_CASE("a manifest tells the arrays of a file apart, and finds a change of the file") {
  const Arrays folder;
  const auto apply = [&](const std::string& array) {
    return folder.run({"apply", "two.npz#" + array, "-k", "[[2]]", "-o", "y.npy", "--manifest", "m"}).out;
  };
  CHECK(apply("x").find(" -> y.npy") != std::string::npos);
  CHECK(apply("x").find("up to date") != std::string::npos);
  CHECK(apply("conv/w").find(" -> y.npy") != std::string::npos);
  CHECK(apply("conv/w").find("up to date") != std::string::npos);
  CHECK(apply("x").find(" -> y.npy") != std::string::npos);
  // A new time alone is no change; the digest of the file decides.
  CHECK(run_shell("touch -d 2001-01-01 two.npz", folder).code == 0);
  CHECK(apply("x").find("up to date") != std::string::npos);
  CHECK(run_shell("cp one.npz two.npz", folder).code == 0);
  CHECK(apply("x").find(" -> y.npy") != std::string::npos);
}

TEST_CASE("arrays that are not there") {
  const Arrays folder;
  CHECK(failure_of(folder.run({"apply", "two.npz", "-k", "[[1]]"}), 1) ==
        "convtool: two.npz: this .npz contains 2 arrays (x, conv/w); name one, such as FILE.npz#x\n");
  CHECK(failure_of(folder.run({"apply", "two.npz#conv", "-k", "[[1]]"}), 1)
            .starts_with("convtool: two.npz#conv: this .npz has no array 'conv'"));
  CHECK(failure_of(folder.run({"apply", "one.npz", "-k", "two.npz"}), 2)
            .starts_with("convtool: two.npz: this .npz contains 2 arrays"));
  CHECK(failure_of(folder.run({"apply", "one.npz", "-k", R"({"weight": "two.npz#y"})"}), 2)
            .find("this .npz has no array 'y'") != std::string::npos);
  CHECK(failure_of(folder.run({"apply", "none.npz#x", "-k", "[[1]]"}), 1).find("none.npz: no such file") !=
        std::string::npos);
  CHECK(failure_of(folder.run({"apply", "one.npz", "-k", "[[1]]", "--memory-limit", "100"}), 1).find("memory") !=
        std::string::npos);
  folder.write("text.npz", "no archive");
  CHECK(failure_of(folder.run({"apply", "text.npz#x", "-k", "[[1]]"}), 1)
            .starts_with("convtool: text.npz#x: damaged or truncated .npz"));
}

TEST_CASE("values that lose digits are counted once, in memory and in bands of rows") {
  const TempFolder folder;
  std::vector<double> values(300 * 400);
  std::int64_t rounded = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(i) / 8 + (i % 7 == 0 ? 0.1 : 0);
    rounded += static_cast<double>(static_cast<float>(values[i])) != values[i] ? 1 : 0;
  }
  folder.write("f64.npy", array_file("<f8", "(300, 400)", values));
  const json expected = {std::to_string(rounded) +
                         " of 120000 values lost digits: stored as f64, they are read as f32"};
  CHECK(warnings_on(folder, {"f64.npy"}) == expected);
  CHECK(warnings_on(folder, {"f64.npy", "--threads", "3", "--map", "normalize", "--padding", "same"}) == expected);
  CHECK(warnings_on(folder, {"f64.npy", "--dump-layers", "d"}) == expected);  // needs the whole file
  const ProgramResult piped = run_shell("$CONVTOOL apply - -k '[[1]]' -o y.npy < f64.npy", folder);
  CHECK(piped.err == "convtool: warning: -: " + expected[0].get<std::string>() + "\n");
  folder.write("i64.npy", array_file<std::int64_t>("<i8", "(1, 3)", {1 << 24, (1 << 24) + 1, -5}));
  CHECK(warnings_on(folder, {"i64.npy"}) == json({"1 of 3 values lost digits: stored as i64, they are read as f32"}));
  folder.write("u16.npy", array_file<std::uint16_t>("<u2", "(1, 3)", {0, 1, 65535}));
  CHECK(warnings_on(folder, {"u16.npy"}) == json::array());
  CHECK(warnings_on(folder, {"[[16777216, 16777217, 0.1, 1e30]]"}) ==
        json({"1 of 4 values lost digits: stored as integers, they are read as f32"}));
  CHECK(warnings_on(folder, {"[[1, 2], [3, 9007199254740993]]"}) ==
        json({"1 of 4 values lost digits: stored as integers, they are read as f32"}));
  CHECK(warnings_on(folder, {"[[9223372036854775807, -9223372036854775807, 18446744073709551615], [9007199254740992, "
                             "-9223372036854775808, 1e30]]"}) ==
        json({"3 of 6 values lost digits: stored as integers, they are read as f32"}));
  folder.write("t.csv", "9007199254740993,-9007199254740993\n9007199254740992,1e30\n");
  CHECK(warnings_on(folder, {"t.csv"}) ==
        json({"2 of 4 values lost digits: stored as integers, they are read as f32"}));
  folder.write("t.csv", "16777217,-33554435\n0.1,3\n");
  CHECK(warnings_on(folder, {"t.csv"}) ==
        json({"2 of 4 values lost digits: stored as integers, they are read as f32"}));
}
