// Completion scripts, run by the shells that are installed.
#include <doctest/doctest.h>

#include "support/program.h"
#include "support/skip.h"

namespace {

/// The completions that bash offers for the last word of a command line.
std::string offered(const TempFolder& folder, const std::string& words) {
  const std::string script = "source <($CONVTOOL completion bash); COMP_WORDS=(convtool " + words +
                             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _convtool; echo \"${COMPREPLY[@]}\"";
  return run_shell(script, folder).out;
}

}  // namespace

TEST_CASE("bash completes commands, and each command's own options") {
  const TempFolder folder;
  CHECK(offered(folder, "ap") == "apply\n");
  CHECK(offered(folder, "''").find("edges") != std::string::npos);
  CHECK(offered(folder, "apply --ker") == "--kernel\n");
  CHECK(offered(folder, "edges --hy") == "--hysteresis\n");
  CHECK(offered(folder, "apply --hy") == "\n");
  CHECK(offered(folder, "apply img") == "\n");  // bash then completes file names, by -o default
  CHECK(offered(folder, "kernels sh") == "show\n");
  CHECK(offered(folder, "kernels show so") == "sobel sobel-x sobel-y\n");
  CHECK(offered(folder, "kernels convert --t") == "--then --to\n");
  CHECK(offered(folder, "kernels convert k.json --to v") == "vips\n");
  CHECK(offered(folder, "apply a.png -k farid --map no") == "normalize\n");
  CHECK(offered(folder, "apply a.png --map = no") == "normalize\n");  // bash splits --map=no into these words
  CHECK(offered(folder, "apply a.png --format np") == "npy\n");
  CHECK(offered(folder, "apply a.png --format t") == "tiff tif\n");
  CHECK(offered(folder, "learn --init un") == "uniform\n");
  CHECK(offered(folder, "apply -k gaussian-") == "gaussian-3 gaussian-5\n");
  CHECK(offered(folder, "completion z") == "zsh\n");
  CHECK(run_shell("$CONVTOOL completion bash | bash -n", folder).code == 0);
}

TEST_CASE("every shell's script names every command and option") {
  const TempFolder folder;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = run_convtool({"completion", shell}, folder).out;
    for (const char* word :
         {"apply", "edges", "shape", "kernels", "bench", "completion", "padding-mode", "overlay-color"})
      CHECK(script.find(word) != std::string::npos);
    const std::string name = shell;
    if (run_shell("command -v " + name, folder).code != 0) {
      skip("needs " + name);
      continue;
    }
    CHECK(run_shell("$CONVTOOL completion " + name + " | " + name + " -n", folder).code == 0);
  }
  CHECK(run_convtool({"completion", "tcsh"}, folder).code == 2);
}
