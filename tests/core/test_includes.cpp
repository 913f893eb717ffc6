// Checks the includes of src/: which folders may include which, that no units include each other in a cycle, and where
// third-party headers may be included.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// The names, without quotes or angle brackets, that `file` includes.
std::vector<std::string> includes_of(const fs::path& file) {
  std::vector<std::string> found;
  std::ifstream text(file);
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("#include ")) continue;
    found.push_back(line.substr(10, line.find_last_of("\">") - 10));
  }
  return found;
}

/// The folders whose headers each folder may include, in addition to its own. main.cpp is above all folders.
const std::map<std::string, std::set<std::string>> kAllowed = {
    {"core", {}},
    {"files", {"core"}},
    {"pictures", {"files", "core"}},
    {"tensors", {"pictures", "files", "core"}},
    {"conv", {"core"}},
    {"bench", {"conv", "core"}},
    {"network", {"conv", "core"}},
    {"edges", {"network", "conv", "core"}},
    {"learn", {"conv", "core"}},
    {"kernels", {"tensors", "files", "network", "conv", "core"}},
    {"show", {"kernels", "tensors", "pictures", "files", "edges", "learn", "network", "conv", "core"}},
    {"report", {"show", "kernels", "pictures", "files", "bench", "edges", "learn", "network", "conv", "core"}},
    {"cli",
     {"report", "show", "kernels", "tensors", "pictures", "files", "bench", "edges", "learn", "network", "conv",
      "core"}},
    {"main.cpp", {"cli", "core"}}};

/// The folders or files that may include each third-party library.
const std::map<std::string, std::set<std::string>> kHomes = {
    {"opencv2", {"pictures"}},
    {"tiffio.h", {"pictures"}},
    {"jpeglib.h", {"pictures"}},
    {"webp", {"pictures"}},
    {"gif_lib.h", {"pictures/encoders/write_gif.cpp"}},
    {"ImfInputFile.h", {"pictures"}},
    {"nlohmann", {"files", "tensors", "kernels", "show", "report", "cli"}},
    {"CLI", {"cli/options/parse_options.cpp"}},
    {"Eigen", {"learn"}},
    {"hwy", {"conv", "bench"}},
    {"xxhash.h", {"files/digest.cpp"}},
    {"libdeflate.h", {"pictures/compression.cpp"}},
    {"zlib.h", {"pictures/compression.cpp"}}};

/// The headers of conv/ that other folders may include. The others are private to the engine.
const std::set<std::string> kPublicConvHeaders = {"conv/axes.h",
                                                  "conv/bands.h",
                                                  "conv/epilogue.h",
                                                  "conv/gradients/tap_products.h",
                                                  "conv/gradients/weight_gradient.h",
                                                  "conv/kernel.h",
                                                  "conv/low_rank.h",
                                                  "conv/output_map.h",
                                                  "conv/padding.h",
                                                  "conv/plan.h",
                                                  "conv/problem.h",
                                                  "conv/sink.h",
                                                  "conv/weight_memory.h"};

/// The C++ files below src/, relative to it.
std::vector<fs::path> source_files() {
  const fs::path source = fs::path(PROJECT_DIR) / "src";
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(source))
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
      files.push_back(fs::relative(entry.path(), source));
  return files;
}

std::vector<std::string> includes_of_source(const fs::path& file) {
  return includes_of(fs::path(PROJECT_DIR) / "src" / file);
}

/// A unit is a header together with its source and its per-target file: a.h, a.cpp and a-inl.h belong to unit a.
std::string unit_of(std::string file) {
  for (const std::string ending : {"-inl.h", ".h", ".cpp"})
    if (file.ends_with(ending)) return file.substr(0, file.size() - ending.size());
  return file;
}

using Graph = std::map<std::string, std::set<std::string>>;

/// For each unit below src/, the other units that it includes.
Graph unit_graph() {
  Graph graph;
  for (const fs::path& file : source_files()) {
    const std::string unit = unit_of(file.generic_string());
    std::set<std::string>& included = graph[unit];
    for (const std::string& include : includes_of_source(file))
      if (unit_of(include) != unit) included.insert(unit_of(include));
  }
  return graph;
}

/// Searches depth-first for a chain of includes from `unit` back to a unit on `path`. Returns it as "a -> b -> a", or
/// "" if there is none.
std::string find_cycle(const Graph& graph, const std::string& unit, std::vector<std::string>& path,
                       std::set<std::string>& done) {
  const auto seen = std::find(path.begin(), path.end(), unit);
  if (seen != path.end()) {
    std::string cycle;
    for (auto at = seen; at != path.end(); ++at) cycle += *at + " -> ";
    return cycle + unit;
  }
  if (!graph.contains(unit) || !done.insert(unit).second) return "";
  path.push_back(unit);
  for (const std::string& included : graph.at(unit)) {
    const std::string cycle = find_cycle(graph, included, path, done);
    if (!cycle.empty()) return cycle;
  }
  path.pop_back();
  return "";
}

std::string first_cycle(const Graph& graph) {
  std::set<std::string> done;
  for (const auto& [unit, included] : graph) {
    std::vector<std::string> path;
    const std::string cycle = find_cycle(graph, unit, path, done);
    if (!cycle.empty()) return cycle;
  }
  return "";
}

}  // namespace

TEST_CASE("a folder includes only what it is allowed to") {
  int files = 0, inner = 0;
  for (const fs::path& relative : source_files()) {
    ++files;
    const std::string folder = relative.begin()->string();
    CAPTURE(relative.string());
    REQUIRE(kAllowed.contains(folder));
    for (const std::string& include : includes_of_source(relative)) {
      CAPTURE(include);
      const std::string first = include.substr(0, include.find('/'));
      if (kAllowed.contains(first) && first != folder) {
        ++inner;
        CHECK(kAllowed.at(folder).contains(first));
      }
      if (kHomes.contains(first))
        CHECK((kHomes.at(first).contains(folder) || kHomes.at(first).contains(relative.string())));
    }
  }
  CHECK(files > 20);
  CHECK(inner > 50);
}

TEST_CASE("cycles of includes are found") {
  CHECK(first_cycle({{"a", {"b", "c"}}, {"b", {"c"}}, {"c", {}}}) == "");
  CHECK(first_cycle({{"a", {"b"}}, {"b", {"c"}}, {"c", {"b", "d"}}}) == "b -> c -> b");
  CHECK(unit_of("conv/engine/finish_float-inl.h") == "conv/engine/finish_float");
  CHECK(unit_of("conv/plan.cpp") == unit_of("conv/plan.h"));
}

TEST_CASE("no units include each other in a cycle") {
  const Graph graph = unit_graph();
  CHECK(graph.size() > 100);
  CHECK(first_cycle(graph) == "");
}

TEST_CASE("other folders include only the public headers of conv") {
  std::set<std::string> included;
  for (const fs::path& file : source_files()) {
    if (file.begin()->string() == "conv") continue;
    for (const std::string& include : includes_of_source(file)) {
      if (!include.starts_with("conv/")) continue;
      CAPTURE(file.string());
      CAPTURE(include);
      CHECK(kPublicConvHeaders.contains(include));
      included.insert(include);
    }
  }
  CHECK(included.size() > 5);
}

/// The parts of conv/ from the bottom up. A file may include files of its own part and of the parts below it.
/// Algorithms and gradients do not include each other.
TEST_CASE("the parts of conv include each other in one direction") {
  const std::map<std::string, std::set<std::string>> allowed = {
      {"engine", {}}, {"input", {"engine"}}, {"algorithms", {"engine", "input"}}, {"gradients", {"engine", "input"}}};
  for (const fs::path& file : source_files()) {
    const std::string name = file.generic_string();
    const auto part_of = [&](const std::string& path) {
      const std::size_t begin = std::string("conv/").size(), end = path.find('/', begin);
      return !path.starts_with("conv/") || end == std::string::npos ? "" : path.substr(begin, end - begin);
    };
    const std::string part = part_of(name);
    if (part.empty()) continue;
    REQUIRE(allowed.contains(part));
    for (const std::string& include : includes_of_source(file)) {
      const std::string other = part_of(include);
      CAPTURE(name);
      CAPTURE(include);
      CHECK((other.empty() || other == part || allowed.at(part).contains(other)));
    }
  }
}
