#include "cli/batch/batch.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <thread>

#include "cli/app.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "files/interrupt.h"

namespace convtool {
namespace {

/// Filters one input; what goes wrong with it ends in the report.
RunReport run_one(const std::string& input, const Destination& destination, const RunContext& run) {
  RunReport report{.input = input, .output = destination.path};
  const auto failed = [&](ErrorKind kind, const std::string& message) {
    report.status = RunReport::Status::error;
    report.error_kind = kind;
    report.error_message = message;
  };
  try {
    filter_file(input, destination, run, report);
  } catch (const Error& error) {
    failed(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    failed(ErrorKind::memory, "not enough memory");
  } catch (const std::exception& error) {
    failed(ErrorKind::internal, error.what());
  }
  return report;
}

/// "FILE: message", once: errors of reading and writing name their file already.
std::string error_line(const RunReport& report) {
  const bool named = report.input.empty() || report.error_message.starts_with(report.input + ": ") ||
                     (!report.output.empty() && report.error_message.starts_with(report.output + ": "));
  return "convtool: " + printable((named ? "" : report.input + ": ") + report.error_message) + "\n";
}

/// Calls `work` from so many threads, this one among them, and returns when all have; rethrows the first exception.
void run_threads(std::size_t threads, const std::function<void()>& work) {
  std::mutex mutex;
  std::exception_ptr failure;
  const auto guarded = [&] {
    try {
      work();
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t i = 1; i < threads; ++i) others.emplace_back(guarded);
    } catch (const std::system_error&) {  // fewer, then
    }
    guarded();
  }
  if (failure) std::rethrow_exception(failure);
}

/// Tells of inputs in their order, whatever the order in which they end.
class Teller {
 public:
  /// `to_stderr`: standard output is taken by a result.
  Teller(const RunOptions& options, ProgressMode progress, std::size_t count, bool to_stderr)
      : options_(options), to_stderr_(to_stderr), progress_(progress, count), reports_(count) {}

  void ended(std::size_t index, RunReport report) {
    std::lock_guard lock(mutex_);
    reports_[index] = std::move(report);
    while (next_ < reports_.size() && reports_[next_]) {
      const RunReport told = std::move(*reports_[next_]);
      reports_[next_++].reset();  // before telling, which may fail
      tell(told);
    }
  }

  /// Once all threads are through: those behind one that was never begun.
  void tell_rest() {
    for (const auto& report : reports_)
      if (report) tell(*report);
    progress_.erase();
  }

  bool any_failed() const { return counts_[static_cast<int>(RunReport::Status::error)] > 0; }

  long long not_begun() const { return static_cast<long long>(reports_.size()) - counts_[0] - counts_[1] - counts_[2]; }

  /// "12 done, 1 skipped, 0 failed; 34.5 megapixels in 2.1 s, 16.4 MP/s", and how many were not begun, if any.
  std::string summary(double seconds) const {
    char speed[96];
    std::snprintf(speed, sizeof speed, "; %.1f megapixels in %.2f s, %.1f MP/s", pixels_ / 1e6, seconds,
                  pixels_ / 1e6 / seconds);
    return std::to_string(counts_[0]) + " done, " + std::to_string(counts_[1]) + " skipped, " +
           std::to_string(counts_[2]) + " failed" +
           (not_begun() > 0 ? ", " + std::to_string(not_begun()) + " not begun" : "") + speed;
  }

 private:
  void tell(const RunReport& report) {
    const bool failed = report.status == RunReport::Status::error;
    ++counts_[static_cast<int>(report.status)];
    const bool done = report.status == RunReport::Status::ok;
    const double pixels =
        done ? static_cast<double>(report.input_shape.n * report.input_shape.h * report.input_shape.w) : 0;
    pixels_ += pixels;
    const auto out = to_stderr_ ? print_error : print;
    const bool on_terminal = to_stderr_ || ::isatty(STDOUT_FILENO) == 1;
    if (failed || !report.warnings.empty() || (on_terminal && !options_.quiet)) progress_.erase();
    if (!options_.quiet) warn(report);
    if (failed) print_error(error_line(report));
    if (options_.json)
      out(to_json(report) + "\n");
    else if (!failed && !options_.quiet)
      out(to_text(report, options_.verbose) + "\n");
    progress_.add(pixels);
  }

  /// What of an input does not come through; what is enough to be told once, once.
  void warn(const RunReport& report) {
    for (const Remark& warning : report.warnings)
      if (!warning.once || told_.insert(warning.text).second)
        print_error("convtool: warning: " + printable(report.input + ": " + warning.text) +
                    (warning.once ? " (not told again for other files)" : "") + "\n");
  }

  const RunOptions& options_;
  bool to_stderr_;
  std::mutex mutex_;
  Progress progress_;
  std::vector<std::optional<RunReport>> reports_;
  std::size_t next_ = 0;
  std::set<std::string> told_;
  long long counts_[3] = {};  ///< by RunReport::Status
  double pixels_ = 0;
};

/// Throws Error(usage) where a manifest cannot be kept.
void check_manifest(const RunOptions& options, const std::vector<Input>& inputs, const ReadFiles& read) {
  const bool reads_stdin = std::any_of(inputs.begin(), inputs.end(), [](const Input& i) { return i.path == "-"; });
  if (reads_stdin || options.destination.output == "-")
    throw Error(ErrorKind::usage, "--manifest", "records files, not standard input and output; name files");
  if (options.destination.dump_layers)
    throw Error(ErrorKind::usage, "--manifest", "does not record what layers make; leave out --dump-layers");
  if (options.manifest->empty() || options.manifest == "-")
    throw Error(ErrorKind::usage, "--manifest",
                "is a file that is read and added to (got '" + *options.manifest + "'); name one");
  const std::string name = read.find(*options.manifest, settled_path(*options.manifest));
  if (!name.empty())
    throw Error(ErrorKind::usage, "--manifest",
                "'" + *options.manifest + "' is '" + name + "', which this run reads; name another file");
}

}  // namespace

int run_batch(const RunOptions& options, const FilterOptions& filter, const std::vector<std::string>& kernel_files) {
  std::vector<std::string> names = kernel_files;
  names.insert(names.end(), filter.network.files.begin(), filter.network.files.end());
  if (options.inputs.files_from) names.push_back(*options.inputs.files_from);
  std::vector<std::string> others = names;
  if (options.manifest) others.push_back(*options.manifest);
  const std::vector<Input> inputs = find_inputs(options.inputs, options.destination.out_dir, ReadFiles(others));
  for (const Input& input : inputs) names.push_back(input.path);
  ReadFiles read(names);
  if (options.manifest) check_manifest(options, inputs, read);
  if (options.manifest) read.add({*options.manifest});
  Folders folders;
  const std::vector<Destination> destinations =
      plan_destinations(inputs, read, options.destination, filter.network, folders);
  const OutputOwners owners(inputs, destinations, folders);
  const ListedFolders listed(options.inputs, options.destination.out_dir);
  bool takes_stdout = false;
  for (const Destination& destination : destinations) {
    takes_stdout |= destination.path == "-";
    if (destination.path != "-") listed.refuse_output(destination.path, folders.settle(destination.path));
    for (const std::string& path : destination.layers) listed.refuse_output(path, folders.settle(path));
  }

  const auto slice_end = [&](std::int64_t shard) {
    return inputs.size() * static_cast<std::size_t>(shard) / static_cast<std::size_t>(filter.shards);
  };
  const std::size_t begin = slice_end(filter.shard - 1), end = slice_end(filter.shard);
  std::optional<InterruptGuard> guard;  // a single input is stopped at once
  if (end - begin > 1) guard.emplace();
  const auto is_interrupted = [&] { return guard && InterruptGuard::requested(); };
  Teller teller(options, filter.progress, end - begin, takes_stdout);
  MemoryBudget budget(filter.memory_limit);
  std::optional<Resume> resume;
  if (options.manifest)
    resume.emplace(*options.manifest, filter.dry_run ? Manifest::Access::read : Manifest::Access::read_and_add,
                   recorded_options(*options.command, filter.network));
  const RunContext run{.options = filter,
                       .read = read,
                       .owners = owners,
                       .listed = listed,
                       .budget = budget,
                       .resume = resume ? &*resume : nullptr};
  std::atomic<std::size_t> next = begin;
  std::atomic<bool> stops = false;
  const auto work = [&] {
    for (std::size_t i = next++; i < end && !stops && !is_interrupted(); i = next++) {
      RunReport report = run_one(inputs[i].path, destinations[i], run);
      if (options.fail_fast && report.status == RunReport::Status::error) stops = true;
      teller.ended(i - begin, std::move(report));
    }
  };
  const auto start = std::chrono::steady_clock::now();
  const std::size_t jobs = std::min(static_cast<std::size_t>(filter.jobs), end - begin);
  run_threads(jobs, [&] {
    try {
      work();
    } catch (...) {
      stops = true;
      throw;
    }
  });
  teller.tell_rest();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if ((inputs.size() > 1) && !options.quiet) print_error("convtool: " + teller.summary(seconds) + "\n");
  if (is_interrupted() && teller.not_begun() > 0) {
    const char* hint =
        options.manifest || options.no_clobber
            ? "the same command goes on from here"
            : "a run with --manifest FILE, or into new files with --no-clobber, goes on where it stopped";
    print_error(std::string("convtool: interrupted between two inputs; ") + hint + "\n");
    end_by_interrupt();
  }
  return teller.any_failed() ? kExitFailed : kExitDone;
}

}  // namespace convtool
