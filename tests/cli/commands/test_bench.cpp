// Runs convtool bench on the shortest workload.

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/program.h"

namespace {

using nlohmann::json;

const std::string kShortest = "u8x4 320x240 3x3";

}  // namespace

TEST_CASE("the table has a row for each workload") {
  const TempFolder folder;
  const ProgramResult result =
      run_convtool({"bench", "--filter", kShortest, "--min-time", "0.001", "--threads", "2"}, folder);
  CHECK(result.code == 0);
  CHECK(result.err == "");
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 3);  // the machine, the header, one row
  CHECK(result.out.find("GMAC/s, copy ") != std::string::npos);
  CHECK(result.out.find("ms, 1T    ms, 2T") != std::string::npos);
  CHECK(result.out.find("\nI5  u8x4 320x240 3x3 float -> u8 ") != std::string::npos);
  CHECK(folder.names().empty());
}

TEST_CASE("JSON has the machine and the results") {
  const TempFolder folder;
  const ProgramResult result =
      run_convtool({"bench", "--filter", kShortest, "--min-time", "0.001", "--threads", "2", "--json"}, folder);
  CHECK(result.code == 0);
  const json report = json::parse(result.out);
  CHECK(report["instruction_set"].get<std::string>() != "");
  CHECK(report["cores"].get<int>() >= 1);
  REQUIRE(report["roofs"].size() == 2);
  CHECK(report["roofs"][0]["threads"] == 1);
  CHECK(report["roofs"][1]["threads"] == 2);
  CHECK(report["roofs"][0]["gmac_per_second"].get<double>() > 0);
  CHECK(report["roofs"][0]["copy_bytes_per_second"].get<double>() > 0);
  REQUIRE(report["results"].size() == 1);
  const json& line = report["results"][0];
  CHECK(line["id"] == "I5");
  CHECK(line["name"] == "u8x4 320x240 3x3 float -> u8");
  CHECK(line["algorithm"].get<std::string>() != "");
  REQUIRE(line["timings"].size() == 2);
  for (const json& timing : line["timings"]) {
    const double seconds = timing["seconds"].get<double>();
    CHECK(timing["least_seconds"].get<double>() <= timing["lower_quartile_seconds"].get<double>());
    CHECK(timing["lower_quartile_seconds"].get<double>() <= seconds);
    CHECK(seconds <= timing["upper_quartile_seconds"].get<double>());
    CHECK(timing["ns_per_pixel"].get<double>() == doctest::Approx(seconds * 1e9 / (320 * 240)));
    CHECK(timing["gmac_per_second"].get<double>() == doctest::Approx(4 * 9 * 320 * 240 / seconds * 1e-9));
    CHECK(timing["share_of_roof"].get<double>() > 0);
  }
}

TEST_CASE("with --threads 1 only one thread is measured") {
  const TempFolder folder;
  const ProgramResult result =
      run_convtool({"bench", "--filter", kShortest, "--min-time", "0.001", "--threads", "1", "--json"}, folder);
  CHECK(json::parse(result.out)["results"][0]["timings"].size() == 1);
}

TEST_CASE("options that do not fit are refused in one line") {
  const TempFolder folder;
  const auto refuses = [&](std::vector<std::string> options, const std::vector<std::string>& parts) {
    options.insert(options.begin(), "bench");
    const ProgramResult result = run_convtool(options, folder);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(result.out == "");
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    for (const std::string& part : parts) CHECK(result.err.find(part) != std::string::npos);
  };
  refuses({"--filter", "Z9"}, {"--filter: ", "'Z9'"});
  refuses({"--min-time", "0"}, {"--min-time: '0'", "above 0"});
  refuses({"--min-time", "soon"}, {"--min-time: 'soon'"});
  refuses({"--min-time", "inf"}, {"--min-time: 'inf'"});
  refuses({"--threads", "-1"}, {"--threads: '-1'"});
  refuses({"--treads", "1"}, {"unknown option '--treads'; did you mean '--threads'?"});
  refuses({"I1"}, {"unexpected argument 'I1'"});
}
