// convtool: image filtering by cross-correlation. Runs the command line, and prints an error as one line.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <new>

#include "cli/app.h"
#include "cli/exit_code.h"
#include "cli/terminal/terminal.h"

namespace {

int fail(const char* message, int code) {
  convtool::print_message(convtool::MessageKind::error, message);
  return code;
}

/// Opens the standard streams that the parent has closed, so that using them fails. Otherwise the next file that is
/// opened would become a standard stream.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // some parents ignore it; a closed pipe downstream ends the program quietly
  std::signal(SIGCHLD, SIG_DFL);  // where it is ignored, the ends of child processes cannot be seen
  std::signal(SIGXFSZ, SIG_IGN);  // beyond a file-size limit, writing fails, and leaves nothing behind
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
