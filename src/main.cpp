// convtool: image filtering by cross-correlation. Runs the command line and says in one line what went wrong.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/app.h"
#include "core/text.h"

namespace {

int fail(const char* message, int code) {
  std::fprintf(stderr, "convtool: %s\n", convtool::printable(message).c_str());
  return code;
}

/// Where a parent closed a standard stream, puts a descriptor that fails when used, so that no file of ours becomes it.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // some parents ignore it; a closed pipe downstream ends the program quietly
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is a failed write, which leaves nothing behind
  occupy_standard_descriptors();
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
