// The warning about clipped values, and their share in reports.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace {

using nlohmann::json;

/// Ten pixels each: doubled, two of a.pgm and three of b.pgm are clipped.
class ClippingFolder : public TempFolder {
 public:
  ClippingFolder() {
    write("a.pgm", "P2\n10 1\n255\n0 10 20 30 40 50 60 70 140 200\n");
    write("b.pgm", "P2\n10 1\n255\n0 10 20 30 40 50 60 130 140 200\n");
  }

  std::string warnings_of(const std::vector<std::string>& arguments) const {
    const ProgramResult result = run_convtool(arguments, *this);
    CHECK(result.code == 0);
    return result.err;
  }
};

}  // namespace

TEST_CASE("a kernel without a divisor does not give a white picture without a word") {
  const ClippingFolder folder;
  CHECK(
      folder.warnings_of({"apply", "a.pgm", "-k", "[[2]]", "-o", "o.pgm"}) ==
      "convtool: warning: a.pgm: 20 % of the values are clipped to 255 (responses from 0 to 400); --normalize divides "
      "by the sum of the weights (2), --map normalize fits them into the range, a .tif with --depth f32 stores them as "
      "they are\n");
  CHECK(folder.warnings_of({"apply", "a.pgm", "-k", "[[2]]", "--normalize", "-o", "o.pgm"}) == "");
  CHECK(folder.warnings_of({"apply", "a.pgm", "-k", "[[2]]", "--map", "normalize", "-o", "o.pgm"}) == "");
  CHECK(folder.warnings_of({"apply", "a.pgm", "-k", "[[2]]", "--depth", "f32"}) == "");
  CHECK(folder.warnings_of({"apply", "a.pgm", "-k", "[[2]]", "-o", "o.pgm", "-q"}) == "");
}

TEST_CASE("clipping that is asked for brings no warning") {
  const ClippingFolder folder;
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--map", "clip"},
                                               {"--threshold", "99"},
                                               {"--normalize-percentile", "20,80"},
                                               {"--dry-run"}}) {
    CAPTURE(more.front());
    std::vector<std::string> all = {"apply", "a.pgm", "-k", "[[2]]", "-o", "o.pgm"};
    all.insert(all.end(), more.begin(), more.end());
    CHECK(folder.warnings_of(all) == "");
  }
  CHECK(folder.warnings_of({"edges", "a.pgm", "--output-kind", "binary", "-o", "o.png"}) == "");
}

TEST_CASE("a batch warns once; each report has its own share") {
  const ClippingFolder folder;
  const ProgramResult result =
      run_convtool({"apply", "a.pgm", "b.pgm", "-k", "[[2]]", "--out-dir", "o", "--json"}, folder);
  CHECK(result.err.find("a.pgm: 20 % of the values") != std::string::npos);
  CHECK(result.err.find("(not repeated for other files)\n") != std::string::npos);
  CHECK(result.err.find("b.pgm") == std::string::npos);
  const std::vector<std::string> lines = lines_of(result.out);
  REQUIRE(lines.size() == 2);
  const json a = json::parse(lines[0]), b = json::parse(lines[1]);
  CHECK(a["clipped"] == json({{"low", 0}, {"high", 2}, {"share", 0.2}}));
  CHECK(b["clipped"] == json({{"low", 0}, {"high", 3}, {"share", 0.3}}));
  REQUIRE(b["warnings"].size() == 1);  // for programs, which read each report alone
  CHECK(b["warnings"][0].get<std::string>().starts_with("30 % of the values are clipped to 255"));

  const ProgramResult plain = run_convtool({"apply", "a.pgm", "-k", "[[2]]", "-o", "o.pgm"}, folder);
  CHECK(plain.out.find("clipped 2 (20 %)") != std::string::npos);
}
