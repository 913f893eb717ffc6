// The help of every command, in short and in full: complete, and within its columns.

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "support/program.h"

namespace {

const std::vector<std::vector<std::string>> kCommands = {{"apply"},
                                                         {"edges"},
                                                         {"shape"},
                                                         {"learn"},
                                                         {"kernels"},
                                                         {"kernels", "list"},
                                                         {"kernels", "show"},
                                                         {"kernels", "convert"},
                                                         {"kernels", "import"},
                                                         {"bench"},
                                                         {"completion"},
                                                         {"manual"},
                                                         {"help"}};

/// The names of the options that a help text lists: words with dashes at the start of entries.
std::set<std::string> listed_options(const std::string& help) {
  std::set<std::string> names;
  for (const std::string& line : lines_of(help)) {
    if (!line.starts_with("  -")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word && word.starts_with('-');) names.insert(word.substr(0, word.find(',')));
  }
  return names;
}

std::vector<std::string> with(std::vector<std::string> command, const std::string& option) {
  command.push_back(option);
  return command;
}

}  // namespace

TEST_CASE("-h has a line for each option, --help describes the same options") {
  const TempFolder folder;
  std::size_t options = 0;
  for (const std::vector<std::string>& command : kCommands) {
    CAPTURE(command.front());
    CAPTURE(command.back());
    const ProgramResult brief = run_convtool(with(command, "-h"), folder);
    const ProgramResult full = run_convtool(with(command, "--help"), folder);
    CHECK(brief.code == 0);
    CHECK(full.code == 0);
    CHECK(listed_options(brief.out) == listed_options(full.out));
    CHECK(listed_options(brief.out).contains("--help"));
    CHECK(brief.out.size() < full.out.size());
    options += listed_options(brief.out).size();
    for (const std::string& line : lines_of(brief.out)) {
      CAPTURE(line);
      CHECK(line.size() <= 100);
      CHECK(!line.starts_with("      "));  // the rest of a text that did not fit
    }
    for (const std::string& line : lines_of(full.out)) {
      CAPTURE(line);
      CHECK(line.size() <= 100);
      CHECK(line.find("{words}") == std::string::npos);
    }
  }
  CHECK(options > 150);
}

TEST_CASE("help COMMAND prints what COMMAND --help prints") {
  const TempFolder folder;
  CHECK(run_convtool({"help"}, folder).out == run_convtool({"--help"}, folder).out);
  for (const std::vector<std::string>& command : kCommands) {
    std::vector<std::string> help = command;
    help.insert(help.begin(), "help");
    CHECK(run_convtool(help, folder).out == run_convtool(with(command, "--help"), folder).out);
  }
}

TEST_CASE("help is printed whatever else is wrong with the options") {
  const TempFolder folder;
  CHECK(run_convtool({"apply", "--no-such-option", "--help"}, folder).code == 0);
  CHECK(run_convtool({"shape", "-h"}, folder).out.starts_with("convtool shape: "));
}

TEST_CASE("the help of kernels describes kernel files") {
  const TempFolder folder;
  const std::string help = run_convtool({"kernels", "--help"}, folder).out;
  for (const char* key : {"\"weight\"", "\"bias\"", "\"padding_mode\"", "\"bank\"", "\"layers\"", "\"pool\""})
    CHECK(help.find(key) != std::string::npos);
}

TEST_CASE("on a terminal, help is wrapped at its width, and at 100 columns at most") {
  const TempFolder folder;
  if (run_shell("command -v script >/dev/null", folder).code != 0) {
    MESSAGE("skipped: there is no script(1) to give convtool a terminal");
    return;
  }
  for (const int columns : {80, 200}) {
    const std::string command =
        "script -qec 'stty cols " + std::to_string(columns) + " && \"$CONVTOOL\" apply --help' /dev/null </dev/null";
    std::size_t longest = 0;
    for (const std::string& line : lines_of(run_shell(command, folder).out))
      longest = std::max(longest, line.size() - 1);  // the terminal ends lines with "\r\n"
    CHECK(longest <= static_cast<std::size_t>(std::min(columns, 100)));
    CHECK(longest > static_cast<std::size_t>(std::min(columns, 100)) - 5);
  }
}
