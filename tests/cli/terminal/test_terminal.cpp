// What is drawn on a terminal: progress and colours.
#include <doctest/doctest.h>

#include "cli/terminal/terminal.h"
#include "support/program.h"
#include "support/skip.h"

namespace convtool {
namespace {

TEST_CASE("the progress line") {
  CHECK(progress_text(0, 40, 0, 0) == "0/40 [                    ] 0.0 MP/s");
  CHECK(progress_text(10, 40, 31e6, 10) == "10/40 [#####               ] 3.1 MP/s, 30 s left");
  CHECK(progress_text(40, 40, 1e6, 2) == "40/40 [####################] 0.5 MP/s");
}

TEST_CASE("the progress line is drawn with --progress always or on a terminal, and never to standard output") {
  const TempFolder folder;
  folder.write("a.json", "[[1,2],[3,4]]");
  folder.write("b.json", "[[1,2],[3,4]]");
  const auto err = [&](const std::string& options) {
    const ProgramResult result =
        run_shell("$CONVTOOL apply a.json b.json -k '[[1]]' --out-dir o " + options + " 2> err.txt", folder);
    CHECK(result.code == 0);
    CHECK(result.out.find("1/2 [") == std::string::npos);
    return read_text(folder.file("err.txt"));
  };
  CHECK(err("").find("1/2 [") == std::string::npos);
  CHECK(err("--progress never").find("1/2 [") == std::string::npos);
  CHECK(err("--progress always").find("1/2 [##########          ]") != std::string::npos);
  CHECK(err("--progress always").find("\r\x1b[Kconvtool: 2 done") != std::string::npos);
  CHECK(err("--progress always -q").empty());
  if (run_shell("command -v script", folder).code != 0) return skip("needs script");  // which gives it a terminal
  const auto on_terminal = [&](const std::string& kind) {
    const std::string command = "script -qec \"$CONVTOOL apply a.json b.json -k '[[1]]' --out-dir o\" /dev/null";
    return run_shell("export TERM=" + kind + "; " + command, folder).out;
  };
  CHECK(on_terminal("xterm").find("1/2 [") != std::string::npos);
  CHECK(on_terminal("dumb").find("1/2 [") == std::string::npos);
}

TEST_CASE("errors are red on a terminal, unless NO_COLOR is set") {
  const TempFolder folder;
  if (run_shell("command -v script", folder).code != 0) return skip("needs script");  // which gives it a terminal
  const auto on_terminal = [&](const std::string& settings) {
    return run_shell(settings + " script -qec \"$CONVTOOL apply no.json -k '[[1]]' --out-dir o\" /dev/null", folder)
        .out;
  };
  const std::string message = " no.json: no such file", red = "\x1b[1;31mconvtool:\x1b[0m";
  CHECK(on_terminal("TERM=xterm").find(red + message) != std::string::npos);
  CHECK(on_terminal("TERM=xterm NO_COLOR=").find(red + message) != std::string::npos);  // an empty value does not count
  for (const char* plain : {"TERM=xterm NO_COLOR=1", "TERM=dumb"}) {
    const std::string out = on_terminal(plain);
    CHECK(out.find("convtool:" + message) != std::string::npos);
    CHECK(out.find("\x1b[1;") == std::string::npos);
  }
}

}  // namespace
}  // namespace convtool
