#include "files/interrupt.h"

#include <atomic>
#include <cstdlib>

#include "files/temporary_file.h"

namespace convtool {
namespace {

std::atomic<bool> interrupt_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler writes it");
struct sigaction former_action;

extern "C" void note_or_pass_on(int signal) {
  if (!interrupt_requested.exchange(true)) return;
  sigaction(signal, &former_action, nullptr);
  raise(signal);  // delivered when this handler returns
}

}  // namespace

InterruptGuard::InterruptGuard() {
  prepare_for_signals();  // first, so that a second SIGINT reaches the handler that removes temporary files
  interrupt_requested = false;
  sigaction(SIGINT, nullptr, &former_action);
  if (former_action.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = note_or_pass_on;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

InterruptGuard::~InterruptGuard() { sigaction(SIGINT, &former_action, nullptr); }

bool InterruptGuard::requested() { return interrupt_requested; }

void end_by_interrupt() {
  signal(SIGINT, SIG_DFL);
  raise(SIGINT);
  std::_Exit(128 + SIGINT);  // if SIGINT is blocked
}

}  // namespace convtool
