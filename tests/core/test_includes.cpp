// The arrows between the folders of src/, read from the includes: core <- conv <- bench <- network <- edges <-
// learn <- io <- kernels <- cli <- main, and each third party in its one place.

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

}  // namespace

TEST_CASE("a folder includes only what stands below it") {
  const std::vector<std::string> folders = {"core",  "conv", "bench",   "network", "edges",
                                            "learn", "io",   "kernels", "cli"};
  const std::map<std::string, std::set<std::string>> homes = {
      {"opencv2", {"io/image_io.cpp"}}, {"nlohmann", {"io"}}, {"CLI", {"cli"}}, {"Eigen", {"learn"}}};
  int files = 0, inner = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(PROJECT_DIR) / "src")) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    ++files;
    const fs::path relative = fs::relative(entry.path(), fs::path(PROJECT_DIR) / "src");
    const std::string folder = relative.begin()->string();
    const auto level =
        std::find(folders.begin(), folders.end(), folder) - folders.begin();  // main.cpp stands above all
    for (const std::string& include : includes_of(entry.path())) {
      CAPTURE(relative.string());
      CAPTURE(include);
      const std::string first = include.substr(0, include.find('/'));
      const auto target = std::find(folders.begin(), folders.end(), first);
      if (target != folders.end()) {
        ++inner;
        CHECK(target - folders.begin() <= level);
      }
      if (homes.contains(first))
        CHECK((homes.at(first).contains(folder) || homes.at(first).contains(relative.string())));
    }
  }
  CHECK(files > 20);
  CHECK(inner > 50);
}
