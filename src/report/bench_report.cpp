#include "report/bench_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conv/plan.h"
#include "core/parallel.h"
#include "core/text.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

std::string to_left(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string to_right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(text.size(), width), ' ') + text;
}

constexpr std::size_t kColumn = 10;  // a number and the blank before it

std::string line_start(const std::string& id, const std::string& name, const std::string& algorithm) {
  return to_left(id, 3) + " " + to_left(name, 48) + " " + to_left(algorithm, 10);
}

ordered_json to_object(const BenchTiming& t) {
  return {{"threads", t.threads},
          {"seconds", t.timing.median},
          {"least_seconds", t.timing.least},
          {"lower_quartile_seconds", t.timing.lower_quartile},
          {"upper_quartile_seconds", t.timing.upper_quartile},
          {"ns_per_pixel", t.figures.ns_per_pixel},
          {"gmac_per_second", t.figures.gmac_per_second},
          {"share_of_roof", t.figures.share_of_roof}};
}

}  // namespace

std::string bench_head(const std::vector<int>& threads) {
  std::string head = line_start("id", "workload", "algorithm");
  for (const int count : threads) head += to_right("ms, " + std::to_string(count) + "T", kColumn);
  return head + to_right("ns/pixel", kColumn) + to_right("GMAC/s", kColumn) + to_right("of roof", kColumn - 1) + "\n";
}

std::string to_text(const BenchLine& line) {
  std::string text = line_start(line.id, line.name, line.algorithm);
  for (const BenchTiming& t : line.timings) text += to_right(short_text(t.timing.median * 1e3), kColumn);
  const Figures& figures = line.timings.back().figures;
  return text + to_right(short_text(figures.ns_per_pixel), kColumn) +
         to_right(short_text(figures.gmac_per_second), kColumn) +
         to_right(fixed_text(figures.share_of_roof * 100, 0) + " %", kColumn - 1) + "\n";
}

std::string to_json(const std::vector<BenchLine>& lines, Roof& roof, const std::vector<int>& threads) {
  ordered_json object = {{"instruction_set", instruction_set_in_use()}, {"cores", available_cores()}};
  object["roofs"] = ordered_json::array();
  for (const int count : threads) {
    object["roofs"].push_back({{"threads", count},
                               {"gmac_per_second", roof.multiply_adds(count) * 1e-9},
                               {"copy_bytes_per_second", roof.copy_rate(kTypicalBytes, count)}});
  }
  object["results"] = ordered_json::array();
  for (const BenchLine& line : lines) {
    ordered_json& item = object["results"].emplace_back(
        ordered_json{{"id", line.id}, {"name", line.name}, {"algorithm", line.algorithm}});
    for (const BenchTiming& timing : line.timings) item["timings"].push_back(to_object(timing));
  }
  return object.dump();
}

}  // namespace convtool
