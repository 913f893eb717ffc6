// One redirection for the process, counted; the text lies in an anonymous file (memfd_create(2)).
#include "files/stderr_capture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <shared_mutex>
#include <system_error>

#include "core/error.h"

namespace convtool {
namespace {

std::shared_mutex company_mutex;  // shared by captures in any company, owned by one that wants none

std::mutex mutex;       // guards the rest
int captures = 0;       // alive now
int users_stderr = -1;  // a duplicate of descriptor 2 while it is redirected
int memory = -1;        // what descriptor 2 leads to then

// What the decoders of libtiff 4.5 say of data that makes no sense, in their errors and their warnings alike: OpenCV
// prints both as "OpenCV TIFF: ...: Warning, ...". Their remarks on tags, padding and missing end marks are not here.
constexpr const char* kTiffDamage[] = {
    // reading, and most decoders
    "Read error", "Seek error", "Not enough data",
    // LZW
    "Using code not yet in table", "Wrong length of decoded string", "due to previous error",
    // PackBits
    "bytes to avoid buffer overrun", "due to lack of data",
    // Deflate, LZMA and PixarLog; Zstandard, WebP and LERC
    "Decoding error at scanline", "Error in ZSTD_decompress", "Unable to decode WebP data", "lerc_",
    // fax
    "Bad code word", "Uncompressed data (not supported)", "Premature EO", "Line length mismatch", "Buffer over",
    // JPEG, besides what libjpeg says
    "Improper JPEG"};

[[noreturn]] void throw_errno(int error) {
  throw Error(ErrorKind::memory, "", "cannot redirect standard error: " + std::generic_category().message(error));
}

void redirect() {
  users_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (users_stderr < 0) {
    if (errno == EBADF) return;  // closed: there is no one to keep the text from
    throw_errno(errno);
  }
  memory = memfd_create("captured standard error", MFD_CLOEXEC);
  if (memory < 0) {
    const int error = errno;
    close(users_stderr);
    users_stderr = -1;
    throw_errno(error);
  }
  dup2(memory, STDERR_FILENO);
}

void restore() {
  if (users_stderr < 0) return;
  dup2(users_stderr, STDERR_FILENO);
  close(users_stderr);
  close(memory);
  users_stderr = memory = -1;
}

}  // namespace

StderrCapture::StderrCapture(Company company) : company_(company) {
  std::shared_lock shared(company_mutex, std::defer_lock);
  std::unique_lock alone(company_mutex, std::defer_lock);
  company == Company::any ? shared.lock() : alone.lock();

  std::lock_guard lock(mutex);
  if (captures == 0) redirect();
  ++captures;
  if (memory >= 0) start_ = lseek(memory, 0, SEEK_END);
  shared.release();
  alone.release();
}

StderrCapture::~StderrCapture() {
  {
    std::lock_guard lock(mutex);
    if (--captures == 0) restore();
  }
  company_ == Company::any ? company_mutex.unlock_shared() : company_mutex.unlock();
}

std::string StderrCapture::text() const {
  std::lock_guard lock(mutex);
  if (memory < 0) return "";
  std::string text(static_cast<std::size_t>(lseek(memory, 0, SEEK_END) - start_), '\0');
  const ssize_t got = pread(memory, text.data(), text.size(), start_);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

bool tells_of_damage(std::string_view printed) {
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(std::min(printed.size(), line.size() + 1));
    // Words anywhere in a line: OpenCV prints it in pieces, between which another thread's may come.
    const auto told = [line](std::string_view words) { return line.find(words) != std::string_view::npos; };
    // libjpeg's jerror.h; as "JPEGLib" it speaks from inside a TIFF.
    const bool from_jpeg = told("Corrupt") || told("Premature end of JPEG") || told("JPEGLib: ");
    if (from_jpeg && !told("extraneous bytes before marker")) return true;
    if (std::any_of(std::begin(kTiffDamage), std::end(kTiffDamage), told)) return true;
  }
  return false;
}

void print_to_stderr(std::string_view text) {
  std::lock_guard lock(mutex);
  const int target = users_stderr >= 0 ? users_stderr : STDERR_FILENO;
  while (!text.empty()) {
    const ssize_t written = write(target, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;  // no one is left to tell
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace convtool
