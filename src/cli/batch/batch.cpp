#include "cli/batch/batch.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <mutex>

#include "cli/batch/destinations.h"
#include "cli/batch/folders.h"
#include "cli/batch/reporter.h"
#include "cli/batch/run_input.h"
#include "cli/exit_code.h"
#include "cli/job/output_file.h"
#include "core/parallel.h"
#include "core/stopwatch.h"
#include "files/interrupt.h"

namespace convtool {
namespace {

/// Why a manifest cannot record the outputs of a run, or "".
std::string obstacle_to_manifest(const DestinationOptions& destination, const std::vector<Input>& inputs) {
  const bool has_files = std::all_of(inputs.begin(), inputs.end(), [](const Input& input) { return input.has_file(); });
  if (!has_files || destination.output == "-" || destination.sheet == "-")
    return "cannot record standard input or output; name files";
  if (destination.dump_layers) return "cannot record the files of layers; leave out --dump-layers";
  if (destination.sheet && !destination.only_sheet())
    return "records one output of each input; leave out --sheet, or write nothing else";
  const std::string output = destination.output.value_or("");
  if (output.find("{n}") != std::string::npos) return "records one output of each input; leave {n} out of --output";
  return "";
}

/// Throws Error(usage) if the options do not allow a manifest.
void check_manifest(const BatchOptions& options, const std::vector<Input>& inputs, const ReadFiles& read) {
  const std::string& manifest = *options.manifest;
  const auto refuse = [](const std::string& message) { refuse_usage("--manifest", message); };
  const std::string obstacle = obstacle_to_manifest(options.destination, inputs);
  if (!obstacle.empty()) refuse(obstacle);
  if (manifest.empty() || manifest == "-") refuse("needs the name of a file (got '" + manifest + "')");
  const std::string name = read.find(manifest, settled_path(manifest));
  if (!name.empty())
    refuse("'" + manifest + "' is the same file as '" + name + "', which this run reads; choose another file");
}

/// The inputs of a run with their destinations, and the files that it reads; all checked.
struct Worklist {
  std::vector<Input> inputs;
  std::vector<Destination> destinations;
  ReadFiles read;
  Folders folders;
};

Worklist make_worklist(const BatchOptions& options, const FilterSpec& spec) {
  std::vector<std::string> names = options.kernel_files;
  names.insert(names.end(), spec.network.files.begin(), spec.network.files.end());
  if (options.inputs.files_from) names.push_back(*options.inputs.files_from);
  std::vector<std::string> others = names;
  if (options.manifest) others.push_back(*options.manifest);

  Worklist list{.inputs = find_inputs(options.inputs, options.destination.out_dir, ReadFiles(others)),
                .destinations = {},
                .read = ReadFiles(names),
                .folders = {}};
  const std::string skipped = take_earlier_outputs(list.inputs, options.destination, spec);
  if (!skipped.empty() && !options.quiet) print_message(MessageKind::note, skipped);
  std::vector<std::string> paths;
  for (const Input& input : list.inputs)
    if (!input.text) paths.push_back(input.path);
  list.read.add(paths);
  if (options.manifest) check_manifest(options, list.inputs, list.read);
  if (options.manifest) list.read.add({*options.manifest});
  if (options.page) check_page(*options.page, list.read);
  list.destinations = plan_destinations(list.inputs, list.read, options.destination, spec.network, list.folders);
  return list;
}

/// Throws Error(usage) if the page is an output of the run, or would be an input of the next one.
void check_outputs_beside(const PageOptions& page, Worklist& list, const ListedFolders& listed) {
  listed.refuse_output(page.path, page.settled);
  for (const Destination& destination : list.destinations) {
    std::vector<std::string> paths = destination.other_files();
    if (destination.path != "-") paths.push_back(destination.path);
    for (const std::string& path : paths) refuse_as_page(page, path, list.folders.settle(path));
  }
}

/// What the page shows of each input. Thread-safe for different inputs.
class PageInputs {
 public:
  PageInputs(const PageOptions& page, std::size_t count, const Network& network) : page_(page), texts_(count) {
    page_.head.kernels = kernel_figures(network);
  }

  void add(std::size_t index, const RunReport& report, Surveys surveys) {
    if (report.part && report.status == RunReport::Status::ok && !surveys.options) has_gaps_ = true;
    const auto link = [&](const std::string& path) { return exists(path) ? link_on_page(page_, path) : ""; };
    texts_[index].push_back(to_json(PageInput{.report = to_json(report),
                                              .input_link = link(report.input),
                                              .output_link = link(report.output),
                                              .before = std::move(surveys.before),
                                              .responses = std::move(surveys.responses),
                                              .after = std::move(surveys.after),
                                              .sheet = std::move(surveys.sheet),
                                              .kept = surveys.kept,
                                              .response_count = report.responses}));
  }

  /// Once all threads are done. Inputs that were not started are left out.
  void write() {
    std::vector<std::string> all;
    std::int64_t left_out = 0;
    for (std::vector<std::string>& texts : texts_) {
      if (texts.empty()) ++left_out;
      std::move(texts.begin(), texts.end(), std::back_inserter(all));
    }
    write_page(page_, batch_page(page_.head, std::move(all), left_out, has_gaps_));
  }

 private:
  PageOptions page_;
  std::vector<std::vector<std::string>> texts_;  ///< by input, one for each part
  std::atomic<bool> has_gaps_ = false;           ///< parts without surveys, for which there was no room
};

/// Warns where the report goes to a file whose name promises the result, as in "convtool apply ... > out.png".
void warn_of_redirected_report() {
  std::error_code failed;
  const std::filesystem::path file = std::filesystem::read_symlink("/proc/self/fd/1", failed);
  const std::optional<FileFormat> format = find_file_format(file.extension().string());
  if (failed || !format || format->kind == FileFormat::Kind::json) return;
  print_message(MessageKind::warning, "standard output is '" + file.filename().string() +
                                          "', which gets the report, not the result; to write the result there, add "
                                          "-o -");
}

/// How a run can be continued after an interruption, as the end of a sentence; "" where it cannot: what went to a
/// stream is not there for the next run.
std::string advice_to_continue(const BatchOptions& options, const Worklist& list) {
  const bool has_streams =
      std::any_of(list.destinations.begin(), list.destinations.end(), [](const Destination& destination) {
        return destination.path == "-" || destination.sheet == "-" || destination.is_stream();
      });
  if (has_streams) return "";
  if (options.manifest || options.no_clobber) return "; run the same command again to continue";
  return std::string("; a run with ") +
         (obstacle_to_manifest(options.destination, list.inputs).empty() ? "--manifest, or with " : "") +
         "--no-clobber if all outputs are new, can be continued";
}

/// Prints what is left and how to continue, then ends the process by the signal that interrupted it.
[[noreturn]] void end_interrupted(bool within_input, const std::string& advice) {
  print_message(MessageKind::note,
                (within_input ? "interrupted between two pictures of an input, whose other pictures are not filtered"
                              : "interrupted between two inputs") +
                    advice);
  end_by_interrupt();
}

}  // namespace

int run_batch(const BatchOptions& options, FilterSpec spec) {
  Worklist list = make_worklist(options, spec);
  OutputOwners owners(list.inputs, list.destinations, list.folders);
  const ListedFolders listed(options.inputs, options.destination.out_dir);
  bool takes_stdout = false;
  for (const Destination& destination : list.destinations) {
    takes_stdout |= destination.path == "-" || destination.sheet == "-";
    if (destination.path != "-") listed.refuse_output(destination.path, list.folders.settle(destination.path));
    for (const std::string& path : destination.other_files()) listed.refuse_output(path, list.folders.settle(path));
  }

  if (options.page) check_outputs_beside(*options.page, list, listed);
  if (!takes_stdout && !options.quiet) warn_of_redirected_report();

  const auto slice_end = [&](std::int64_t shard) {
    return list.inputs.size() * static_cast<std::size_t>(shard) / static_cast<std::size_t>(options.shards);
  };
  const std::size_t begin = slice_end(options.shard - 1), end = slice_end(options.shard);
  std::optional<InterruptGuard> guard;  // a single input is stopped at once
  if (end - begin > 1) guard.emplace();
  const auto is_interrupted = [&] { return guard && InterruptGuard::requested(); };

  const bool has_page = options.page && !options.dry_run;
  std::optional<PageInputs> page;
  if (has_page) {
    page.emplace(*options.page, end - begin, spec.network);
    spec.survey = survey_options(end - begin, surveyed_pictures(spec));
  }
  Reporter reporter(options, end - begin, takes_stdout);
  MemoryBudget budget(options.memory_limit);
  PictureDecoder decoder(options.isolation);
  // The pictures of a stream, and pages, are decoded when there are other threads.
  if (end - begin > 1 || options.isolation == Isolation::always || spec.pages) decoder.prepare();
  std::optional<Resume> resume;
  if (options.manifest) {
    RecordedOptions recorded = options.recorded;
    // An output of a given name is not the one that a run without that name makes.
    const auto is_derived = [](const Destination& destination) { return destination.derived; };
    if (std::none_of(list.destinations.begin(), list.destinations.end(), is_derived)) recorded["extension"] = {"given"};
    resume.emplace(*options.manifest, options.dry_run ? Manifest::Access::read : Manifest::Access::read_and_add,
                   std::move(recorded));
  }
  std::mutex filtering;
  std::atomic<bool> is_cut = false;  // an input, by the user
  const RunContext run{.spec = spec,
                       .options = options,
                       .read = list.read,
                       .owners = owners,
                       .listed = listed,
                       .inputs = end - begin,
                       .budget = budget,
                       .decoder = decoder,
                       .filtering = options.jobs == 1 ? &filtering : nullptr,
                       .resume = resume ? &*resume : nullptr,
                       .cuts_off = [&] { return is_interrupted() && (is_cut = true); }};

  std::atomic<std::size_t> next = begin;
  std::atomic<bool> stops = false;
  const auto work = [&] {
    for (std::size_t i = next++; i < end && !stops && !is_interrupted(); i = next++) {
      run_input(list.inputs[i], list.destinations[i], run, [&](RunReport report, Surveys surveys) {
        if (page) page->add(i - begin, report, std::move(surveys));
        if (options.fail_fast && report.status == RunReport::Status::error) stops = true;
        if (decoder.is_broken()) stops = true;
        reporter.add(i - begin, std::move(report));
        return !stops;
      });
      reporter.end(i - begin);
    }
  };
  const Stopwatch watch;
  // One job: while one input is filtered, the next is read or the last is written. Not with --fail-fast, where no input
  // may begin before those ahead of it have succeeded.
  const int workers = options.jobs > 1 || options.fail_fast ? options.jobs : 2;
  run_threads(static_cast<int>(std::min(static_cast<std::size_t>(workers), end - begin)), [&] {
    try {
      work();
    } catch (...) {
      stops = true;
      throw;
    }
  });
  reporter.finish();
  if ((list.inputs.size() > 1 || reporter.count() > 1) && !options.quiet)
    print_message(MessageKind::note, reporter.summary(watch.seconds()));
  if (page) page->write();  // may fail, and what is printed stays
  if (is_interrupted() && (is_cut || reporter.not_begun() > 0))
    end_interrupted(is_cut, advice_to_continue(options, list));
  return reporter.any_failed() ? kExitFailed : kExitDone;
}

}  // namespace convtool
