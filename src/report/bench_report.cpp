#include "report/bench_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "conv/plan.h"
#include "core/parallel.h"

namespace convtool {
namespace {

using nlohmann::ordered_json;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[160];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
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
  std::string head = format("%-3s %-48s %-10s", "id", "workload", "algorithm");
  for (const int count : threads) head += format(" %9s", ("ms, " + std::to_string(count) + "T").c_str());
  return head + format(" %9s %9s %8s\n", "ns/pixel", "GMAC/s", "of roof");
}

std::string to_text(const BenchLine& line) {
  std::string text = format("%-3s %-48s %-10s", line.id.c_str(), line.name.c_str(), line.algorithm.c_str());
  for (const BenchTiming& t : line.timings) text += format(" %9.4g", t.timing.median * 1e3);
  const Figures& figures = line.timings.back().figures;
  return text +
         format(" %9.4g %9.4g %6.0f %%\n", figures.ns_per_pixel, figures.gmac_per_second, figures.share_of_roof * 100);
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
