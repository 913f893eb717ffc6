// The arrows between the folders of src/, read from the includes, and each third party in its one place.

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

/// What stands between the quotes or angle brackets of each #include in `file`.
std::vector<std::string> includes_of(const fs::path& file) {
  std::vector<std::string> found;
  std::ifstream text(file);
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("#include ")) continue;
    found.push_back(line.substr(10, line.find_last_of("\">") - 10));
  }
  return found;
}

/// Whose headers each folder may include besides its own. main.cpp stands above all.
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
    {"report", {"kernels", "pictures", "files", "bench", "edges", "learn", "network", "conv", "core"}},
    {"cli",
     {"report", "kernels", "tensors", "pictures", "files", "bench", "edges", "learn", "network", "conv", "core"}},
    {"main.cpp", {"cli", "core"}}};

/// The folders or files that may include each third party.
const std::map<std::string, std::set<std::string>> kHomes = {
    {"opencv2", {"pictures"}},
    {"nlohmann", {"files", "tensors", "kernels", "report", "cli"}},
    {"CLI", {"cli/options/command_line.cpp"}},
    {"Eigen", {"learn"}}};

}  // namespace

TEST_CASE("a folder includes only what it is allowed to") {
  int files = 0, inner = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(PROJECT_DIR) / "src")) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    ++files;
    const fs::path relative = fs::relative(entry.path(), fs::path(PROJECT_DIR) / "src");
    const std::string folder = relative.begin()->string();
    CAPTURE(relative.string());
    REQUIRE(kAllowed.contains(folder));
    for (const std::string& include : includes_of(entry.path())) {
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
