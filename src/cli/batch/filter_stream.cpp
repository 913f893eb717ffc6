#include "cli/batch/filter_stream.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "cli/batch/failure.h"
#include "core/parallel.h"
#include "core/turns.h"
#include "files/descriptor.h"
#include "pictures/stream/picture_stream.h"

namespace convtool {
namespace {

class StreamRun {
 public:
  StreamRun(const Input& input, StreamReader& stream, const Destination& planned, const RunContext& run,
            const ReportSink& sink)
      : input_(input), planned_(planned), run_(run), sink_(sink), pictures_(stream, run.options.size_limits()) {}

  void operator()() {
    // A pipe with a name ends for its reader when no writer has it open.
    std::optional<Descriptor> held;
    if (!run_.options.dry_run && planned_.path != "-" && planned_.is_stream()) {
      try {
        held.emplace(open_file(planned_.path, O_WRONLY));
      } catch (const std::system_error& error) {
        throw Error(ErrorKind::output, planned_.path, describe_errno(error.code().value(), "folder"));
      }
    }
    // As in a batch: while one picture is filtered, the next is read or the last is written.
    const int jobs = run_.options.jobs;
    run_threads(jobs > 1 || run_.options.fail_fast ? jobs : 2, [this] { work(); });
  }

 private:
  /// A picture to be filtered, or the error that ends the stream.
  struct Item {
    std::int64_t number = 1;
    std::optional<StreamedPicture> picture;
    std::optional<Error> error;
    std::optional<PictureType> type_before;  ///< at the first change of it
    std::unique_lock<std::mutex> turn;
  };

  void work() {
    while (std::optional<Item> item = next()) {
      OrderedTurn turn(turns_, item->number);
      Surveys surveys;
      RunReport report = filter(*item, turn, surveys);
      turn.await();
      try {
        if (!sink_(std::move(report), std::move(surveys))) has_ended_ = true;
      } catch (...) {
        has_ended_ = true;
        throw;
      }
    }
  }

  /// Reads the next picture, once there is room in memory for the one before it.
  std::optional<Item> next() {
    std::unique_lock turn = run_.budget.turn();
    if (has_ended_) return std::nullopt;
    Item item{.number = ++count_, .picture = {}, .error = {}, .type_before = {}, .turn = {}};
    try {
      item.picture = pictures_.next();
      if (item.number == 1 && !planned_.takes_several()) refuse_more();
    } catch (const std::exception&) {
      item.error = handled_error();
      item.picture.reset();
    }
    const bool is_cut_off = item.picture && item.number > 1 && run_.cuts_off();
    if (!item.picture || is_cut_off) has_ended_ = true;
    if (is_cut_off || (!item.picture && !item.error)) return std::nullopt;
    if (item.picture && !has_changed_ && type_ && *type_ != item.picture->type) {
      item.type_before = type_;
      has_changed_ = true;
    }
    if (item.picture) type_ = item.picture->type;
    item.turn = std::move(turn);
    return item;
  }

  /// Throws Error(input) unless the first picture is the only one.
  void refuse_more() {
    if (!pictures_.next()) return;
    throw Error(ErrorKind::input, "",
                "has more than one picture, and " + (planned_.other_files().empty()
                                                         ? "'" + planned_.path +
                                                               "' takes one; write all to -, or to "
                                                               "numbered files, such as -o 'frame-{n}.png'"
                                                         : other_files_text() + " one; leave it out"));
  }

  /// "--dump-layers takes", the option that has a file for one picture only.
  std::string other_files_text() const {
    return planned_.layers.empty() ? "'" + planned_.sheet + "' of --sheet takes" : "--dump-layers takes the layers of";
  }

  void await(OrderedTurn& turn) const {
    turn.await();
    if (has_lost_) throw Error(ErrorKind::output, "", "is not written, because one before it could not be");
  }

  RunReport filter(Item& item, OrderedTurn& turn, Surveys& surveys) {
    const InputPart name{.kind = "picture", .number = item.number};
    const Destination destination = planned_.numbered(item.number);
    if (item.error) return failed({.input = input_.path, .part = name, .output = destination.path}, *item.error);
    auto content = std::make_shared<FileContent>(FileContent{.bytes = std::move(item.picture->bytes), .file = {}});
    FilteredPart part{.name = name,
                      .place = static_cast<std::size_t>(item.number),
                      .content = std::move(content),
                      .turn = std::move(item.turn),
                      .planner = planner_,
                      .await_turn = [this, &turn] { await(turn); }};
    RunReport report = filter_input(input_, destination, run_, surveys, &part);
    // A result that cannot be written to a stream is followed by no other.
    if (part.is_lost && planned_.is_stream()) has_lost_ = has_ended_ = true;
    const bool follows_input = !planned_.format && !planned_.as_input;
    if (item.type_before && follows_input)
      report.warnings.push_back({"is " + std::string(to_string(item.picture->type)) + ", the picture before it " +
                                 std::string(to_string(*item.type_before)) +
                                 ", and so are their outputs; --format keeps one format"});
    return report;
  }

  const Input& input_;
  const Destination& planned_;
  const RunContext& run_;
  const ReportSink& sink_;
  PictureStream pictures_;  // with the next members: used by the thread whose turn it is to read
  std::int64_t count_ = 0;
  std::optional<PictureType> type_;
  bool has_changed_ = false;  // the type
  std::atomic<bool> has_ended_ = false, has_lost_ = false;
  JobPlanner planner_;
  Turns turns_;
};

}  // namespace

void filter_stream(const Input& input, StreamReader& stream, const Destination& planned, const RunContext& run,
                   const ReportSink& sink) {
  StreamRun(input, stream, planned, run, sink)();
}

}  // namespace convtool
