// The text report on one input; its JSON is tested through the program (tests/cli, tests/reports.sh).
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "report/run_report.h"

namespace convtool {
namespace {

RunReport edge_report(const std::string& input) {
  BankReport bank{.name = "edge", .kernel_shape = {3, 3}, .per_channel = true};
  bank.problem.pads = {1, 1, 1, 1};
  bank.problem.padding_mode = PaddingMode::replicate;
  bank.algorithm = "rows";
  bank.instruction_set = "AVX2";
  RunReport report{.input = input, .output = "out.png"};
  report.input_shape = report.output_shape = {.n = 1, .c = 1, .h = 10, .w = 20};
  report.responses = 200;
  report.banks = {bank};
  report.mapping = Mapping(OutputMap::abs);
  report.stats.min = -12;
  report.stats.max = 300;
  report.stats.clipped_high = 3;
  return report;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("the report of a picture is one line, with clipped responses as a share") {
  CHECK(to_text(edge_report("in.png"), false) ==
        "in.png 1x10x20 u8 -> out.png 1x10x20 u8; edge 3x3, map abs, clipped 3 (1.5 %)");
  RunReport plain = edge_report("in.png");
  plain.mapping = Mapping(OutputMap::clip);
  plain.stats.clipped_high = 0;
  plain.stats.nan_count = 2;
  plain.banks.front().problem.stride = {2, 2};
  CHECK(to_text(plain, false) == "in.png 1x10x20 u8 -> out.png 1x10x20 u8; edge 3x3, stride 2, clipped 0, NaN 2");
}

TEST_CASE("what does not fit 100 columns goes to the next line, indented") {
  const std::size_t rest = to_text(edge_report(""), false).size();
  const std::string fits(kReportColumns - rest, 'a'), too_long(kReportColumns - rest + 1, 'a');
  const std::vector<std::string> one = lines_of(to_text(edge_report(fits), false));
  REQUIRE(one.size() == 1);
  CHECK(one[0].size() == kReportColumns);
  const std::vector<std::string> two = lines_of(to_text(edge_report(too_long), false));
  REQUIRE(two.size() == 2);
  CHECK(two[0] == too_long + " 1x10x20 u8 -> out.png 1x10x20 u8;");
  CHECK(two[1] == "  edge 3x3, map abs, clipped 3 (1.5 %)");

  // Names of every length: no line but that of the names is ever longer, and no item is lost.
  for (std::size_t length = 1; length < 150; ++length) {
    CAPTURE(length);
    RunReport report = edge_report("in.png");
    report.banks.front().name = std::string(length, 'k');
    report.banks.front().problem.stride = {3, 2};
    report.banks.front().problem.dilation = {4, 5};
    report.banks.front().problem.groups = 7;
    report.banks.front().per_channel = false;
    const std::vector<std::string> lines = lines_of(to_text(report, false));
    std::string joined;
    for (const std::string& line : lines) {
      CHECK(line.find_first_not_of(' ') != std::string::npos);
      const bool is_one_item = line.find(", ") == std::string::npos;
      CHECK((line.size() <= kReportColumns || is_one_item));
      joined += line + " ";
    }
    for (const char* item : {" 3x3", "stride 3x2", "dilation 4x5", "groups 7", "map abs", "clipped 3 (1.5 %)"})
      CHECK(joined.find(item) != std::string::npos);
  }
}

TEST_CASE("the verbose report has every option, the plan and the responses") {
  const std::vector<std::string> lines = lines_of(to_text(edge_report("in.png"), true));
  REQUIRE(lines.size() == 5);
  CHECK(lines[1] == "  kernel edge 3x3, stride 1, padding 1 replicate");
  CHECK(lines[2].ends_with("; rows, AVX2, 1 thread"));
  CHECK(lines[3] == "  map abs, response -12 to 300, clipped 0 low, 3 (1.5 %) high");
  CHECK(lines[4] == "  decode 0 s, convolve 0 s, encode 0 s");
}

TEST_CASE("a skipped input says why") {
  RunReport report = edge_report("in.png");
  report.status = RunReport::Status::skipped;
  report.skipped = SkipReason::exists;
  CHECK(to_text(report, false) == "in.png skipped: out.png exists");
  report.skipped = SkipReason::up_to_date;
  CHECK(to_text(report, false) == "in.png skipped: out.png is up to date");
}

}  // namespace
}  // namespace convtool
