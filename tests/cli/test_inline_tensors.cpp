// Tensors as text in place of files, and files whose names look like such text.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/picture_files.h"
#include "support/program.h"

namespace {

const std::string kSquare = "[[0,1,2],[3,4,5],[6,7,8]]", kK = "[[0,1],[2,3]]";

}  // namespace

TEST_CASE("standard output takes the result of one input") {
  const TempFolder folder;
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"apply", "-", "[[2]]", "-k", "[[1]]"});
    return run_convtool(more, folder, "[[3]]");
  };
  const ProgramResult refused = run({});
  CHECK(refused.code == 2);
  CHECK(refused.out == "");
  CHECK(refused.err ==
        "convtool: standard output takes the result of one input; write files with --out-dir, or filter the inputs in "
        "separate runs\n");
  CHECK(run({"--out-dir", "o", "-q"}).code == 0);
  CHECK(folder.names() == std::vector<std::string>{"o", "o/inline.inline.json", "o/stdin.inline.json"});
}

TEST_CASE("apply takes a tensor as text, and writes to standard output") {
  const TempFolder folder;
  const ProgramResult result = run_convtool({"apply", kSquare, "-k", kK}, folder);
  CHECK(result.code == 0);
  CHECK(result.out == "[[19,25],[37,43]]\n");
  CHECK(result.err == "inline 1x3x3 f32 -> - 1x2x2 f32; inline 2x2\n");
  CHECK(run_convtool({"apply", " [[0, 1], [2, 3]] ", "-k", "[[2]]", "-q"}, folder).out == "[[0,2],[4,6]]\n");
  CHECK(run_convtool({"apply", "tensor([[0., 1.], [2., 3.]], dtype=torch.float64)", "-k", "[[2]]", "-q"}, folder).out ==
        "[[0,2],[4,6]]\n");
  CHECK(folder.names().empty());
  CHECK(run_convtool({"apply", kSquare, "-k", kK, "-o", "y.json", "-q"}, folder).code == 0);
  CHECK(read_text(folder.file("y.json")) == "[[19,25],[37,43]]\n");
  CHECK(run_convtool({"apply", kSquare, "-k", "sobel", "--out-dir", "out", "-q"}, folder).code == 0);
  CHECK(run_convtool({"edges", kSquare, "-o", "{stem}-{kernel}.{ext}", "-q"}, folder).code == 0);
  CHECK(folder.names() ==
        std::vector<std::string>{"inline-sobel-magnitude.json", "out", "out/inline.sobel.json", "y.json"});
}

TEST_CASE("learn and shape take tensors as text") {
  const TempFolder folder;
  const ProgramResult fitted =
      run_convtool({"learn", "--input", "[[1,2,4,1],[0,1,5,2]]", "--target", "[[1,2,-3],[1,4,-3]]", "--kernel-size",
                    "1x2", "--method", "lstsq", "-q", "-o", "k.json"},
                   folder);
  CHECK(fitted.code == 0);
  const ProgramResult applied =
      run_convtool({"apply", "[[1,2,4,1],[0,1,5,2]]", "-k", "k.json", "--map", "clip", "-q"}, folder);
  const nlohmann::json y = nlohmann::json::parse(applied.out), expected = {{1, 2, -3}, {1, 4, -3}};
  REQUIRE(y.size() == 2);
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t column = 0; column < 3; ++column)
      CHECK(y[row][column].get<double>() == doctest::Approx(expected[row][column].get<double>()).epsilon(1e-5));
  CHECK(run_convtool({"shape", kSquare, "-k", kK}, folder).out.starts_with("1x2x2\n"));
  CHECK(run_convtool({"explain", kSquare, "-k", kK}, folder).out.starts_with("output (0, 0) = 19\n"));
}

TEST_CASE("a file comes before text that is its name, and a name in brackets is a name") {
  const TempFolder folder;
  folder.write("[[1,2]]", "[[5,6]]");
  folder.write("[1,2]", "[[7,8]]");
  for (const auto& file : {std::pair("[[1,2]]", "[[5,6]]\n"), std::pair("[1,2]", "[[7,8]]\n")}) {
    const auto& name = file.first;
    const auto& x = file.second;
    CAPTURE(name);
    CHECK(run_convtool({"apply", name, "-k", "[[1]]", "-o", "-", "-q"}, folder).out == x);
  }
  CHECK(run_convtool({"apply", "[2024]", "-k", "[[1]]"}, folder).err == "convtool: [2024]: no such file\n");
  for (const std::string command : {"apply", "shape", "explain"})
    for (const std::string empty : {"[]", " [ ] "})
      CHECK(run_convtool({command, empty, "-k", "[[1]]"}, folder)
                .err.ends_with(": an empty list (expected at least one number)\n"));
  write_picture(folder.file("[2024]"), 9, 7);
  write_picture(folder.file("2024"), 3, 3);
  CHECK(
      run_convtool({"apply", "[2024]", "-k", "sobel"}, folder).out.starts_with("[2024] 1x9x7 u8 -> [2024].sobel.png"));
  CHECK(run_convtool({"shape", "[2024]", "-k", "sobel"}, folder).out.starts_with("1x9x7\n"));
  CHECK(run_convtool({"apply", "2024", "-k", "sobel", "-o", "[a,b].png", "-q"}, folder).code == 0);
  CHECK(run_convtool({"apply", "2024", "-k", "sobel", "--out-dir", "[d]", "-q"}, folder).code == 0);
  CHECK(
      run_convtool({"apply", "[a,b].png", "-k", "sobel"}, folder).out.starts_with("[a,b].png 1x3x3 u8 -> [a,b].sobel"));
  CHECK(run_convtool({"apply", "-r", "[d]", "-k", "sobel", "--out-dir", "o", "--json"}, folder).code == 0);
}

TEST_CASE("tensors as text that are not accepted") {
  const TempFolder folder;
  const auto refusal = [&](std::vector<std::string> arguments) {
    const ProgramResult result = run_convtool(arguments, folder);
    CHECK(result.code != 0);
    CHECK(result.out == "");
    return result.err;
  };
  CHECK(refusal({"apply", "[1,2]", "-k", "[[1]]"}) ==
        "convtool: inline: lists nested 1 deep (expected 2: [h][w]; 3: [c][h][w]; or 4: [n][c][h][w]); for a single "
        "row write [[...]]\n");
  CHECK(refusal({"apply", "[[1,2],[3]]", "-k", "[[1]]"}).starts_with("convtool: inline: "));
  CHECK(refusal({"apply", "[[1,", "2]]", "-k", "[[1]]"}).find("put it in single quotes") != std::string::npos);
  CHECK(refusal({"apply", "[[1]]", "[[2]]", "-k", "[[1]]"}).find("one tensor can be given as text") !=
        std::string::npos);
  CHECK(refusal({"apply", "[[1]]", "-k", "[[1]]", "--manifest", "m"}).find("cannot record standard input") !=
        std::string::npos);
}
