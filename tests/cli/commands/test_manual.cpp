// The manual page, which is generated from the table of options.
#include <doctest/doctest.h>

#include <sstream>

#include "support/program.h"
#include "support/skip.h"

TEST_CASE("the manual names every option of every command") {
  const TempFolder folder;
  const ProgramResult page = run_convtool({"manual"}, folder);
  CHECK(page.code == 0);
  CHECK(page.err.empty());
  for (const std::string command : {"apply", "edges", "shape", "learn", "kernels", "bench", "completion", "manual"}) {
    CAPTURE(command);
    std::istringstream help(run_convtool({command, "--help"}, folder).out);
    int options = 0;
    for (std::string line; std::getline(help, line);) {
      const std::size_t at = line.find("--");
      if (!line.starts_with("  -") || at == std::string::npos || at > 6) continue;
      std::string name;  // escaped for troff
      for (const char c : line.substr(at, line.find_first_of(" =", at) - at))
        name += c == '-' ? "\\-" : std::string(1, c);
      CAPTURE(name);
      CHECK(page.out.find(name) != std::string::npos);
      ++options;
    }
    CHECK(options >= 1);
  }
}

TEST_CASE("troff accepts the manual without warnings") {
  const TempFolder folder;
  const ProgramResult man =
      run_shell("command -v groff >/dev/null || exit 77; $CONVTOOL manual | groff -man -Tutf8 -ww -z", folder);
  if (man.code == 77) {
    skip("needs groff");
    return;
  }
  CHECK(man.code == 0);
  CHECK(man.err == "");
}
