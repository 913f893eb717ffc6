// Rules for the text of src/ that neither the compiler nor the linker checks.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Source {
  std::string path;  // relative to the project
  std::vector<std::string> lines;
};

std::vector<Source> sources_below(const std::string& folder) {
  const fs::path project = PROJECT_DIR;
  std::vector<Source> sources;
  for (const auto& entry : fs::recursive_directory_iterator(project / folder)) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    Source& source = sources.emplace_back(Source{fs::relative(entry.path(), project).string(), {}});
    std::ifstream text(entry.path());
    for (std::string line; std::getline(text, line);) source.lines.push_back(line);
  }
  return sources;
}

/// The types that `source` defines in named namespaces: "convtool::Name". Nothing is indented in namespaces, so that
/// such a definition begins in the first column.
std::vector<std::string> types_in(const Source& source) {
  static const std::regex opens(R"(^(?:inline )?namespace ?([\w:]*) ?\{$)"),
      closes(R"(^\}  // (?:namespace|extern).*)"),
      defines(R"(^(?:struct|class|union|enum|enum class) (\w+)(?: final)?(?: :.*)? \{.*)");
  std::vector<std::string> spaces, types;
  std::smatch match;
  for (const std::string& line : source.lines) {
    if (std::regex_match(line, match, opens)) spaces.push_back(match[1]);
    if (std::regex_match(line, closes) && !spaces.empty()) spaces.pop_back();
    if (!std::regex_match(line, match, defines)) continue;
    std::string name;
    bool is_local = false;  // in an unnamed namespace, each file has its own
    for (const std::string& space : spaces) {
      is_local = is_local || space.empty();
      name += space + "::";
    }
    if (!is_local) types.push_back(name + std::string(match[1]));
  }
  return types;
}

}  // namespace

TEST_CASE("a name in a namespace is one type") {  // two would be undefined behaviour, which no linker reports
  CHECK((types_in({"",
                   {"namespace convtool {", "namespace {", "struct A {", "};", "}  // namespace", "class B : C {",
                    "struct D;", "}  // namespace convtool", "enum class E { a };"}}) ==
         std::vector<std::string>{"convtool::B", "E"}));
  for (const char* const folder : {"src", "tests/support"}) {
    std::map<std::string, std::string> homes;
    for (const Source& source : sources_below(folder)) {
      for (const std::string& type : types_in(source)) {
        const auto [home, is_new] = homes.emplace(type, source.path);
        const bool is_same_file = home->second == source.path;  // one of them is compiled
        CHECK_MESSAGE((is_new || is_same_file), type << " is in " << home->second << " and in " << source.path);
      }
    }
    CHECK(homes.size() >= (folder == std::string("src") ? 150 : 5));  // the text was understood
  }
}

TEST_CASE("numbers are written and read without the locale, whose decimal point may be a comma") {
  // core/text.h has the functions to use: short_text(), fixed_text(), parse_number().
  const std::regex depends(
      R"(\b(strto[fdl]d?|ato[fil]l?|sto[fdil]|stold|stoul|stoull|stoll|v?s?n?scanf|localeconv|setlocale|imbue)\()"
      R"(|%[-+ #0']*[\d*]*(\.[\d*]+)?l?[aefgAEFG]\b)");
  CHECK(std::regex_search("std::snprintf(text, size, \"%.10g\", x)", depends));
  CHECK(std::regex_search("std::strtod(text, nullptr)", depends));
  CHECK_FALSE(std::regex_search("\"%08x\" store(", depends));
  for (const Source& source : sources_below("src"))
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      const std::string code = source.lines[i].substr(0, source.lines[i].find("//"));
      if (std::regex_search(code, depends)) FAIL_CHECK(source.path << ", line " << i + 1 << ": " << code);
    }
}
