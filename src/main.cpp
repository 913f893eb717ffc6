// convtool: image filtering by cross-correlation. Runs the command line and says in one line what went wrong.

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/app.h"

namespace {

int fail(const char* message, int code) {
  std::fprintf(stderr, "convtool: %s\n", message);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // some parents ignore it; a closed pipe downstream ends the program quietly
  try {
    return convtool::run_command_line(argc, argv);
  } catch (const convtool::Error& error) {
    return fail(error.what(), convtool::exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return fail("not enough memory", convtool::kExitFailed);
  } catch (const std::exception& error) {
    return fail(error.what(), convtool::kExitFailed);
  }
}
