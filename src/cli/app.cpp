#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/terminal/terminal.h"
#include "conv/plan.h"
#include "core/suggest.h"
#include "pictures/image_io.h"

namespace convtool {
namespace {

struct Command {
  const char* name;
  const char* description;
  void (*add_options)(CLI::App& command, Action& action);
};

/// The command table. A new command is one file and one row.
constexpr Command kCommands[] = {
    {"apply", "filter images or tensors", add_apply},
    {"edges", "edge maps by recipe: gradient, thinning, hysteresis", add_edges},
    {"shape", "output shape, receptive field, parameters and MACs; filters nothing", add_shape},
    {"learn", "fits a kernel to pictures before and after", add_learn},
    {"kernels", "the kernels it ships with; what a kernel file means", add_kernels},
    {"bench", "times the engine on this machine", add_bench},
    {"completion", "a script that makes a shell complete commands and options", add_completion},
    {"manual", "this program's manual page", add_manual}};

constexpr const char* kDescription =
    "Filters images and tensors by cross-correlation with kernels given as JSON: nn.Conv2d on the command line.";

constexpr const char* kFooter = R"(Examples:
  convtool apply img.png --kernel edge.json          writes img.edge.png beside img.png
  convtool apply img.png -k sobel -o edges.png       a kernel that convtool ships with
  convtool edges img.png --thin --hysteresis auto    an edge map, stage by stage
  convtool shape 3x480x640 -k edge.json              what would come out, and what it costs
  convtool learn --input a.png --target b.png --kernel-size 5 --padding same -o k.json   the kernel between two pictures
  convtool kernels                                   the kernels it ships with
  convtool bench                                     how fast it is on this machine
'convtool COMMAND --help' tells a command's options.)";

std::string version_text(bool as_json) {
  const std::string version = CONVTOOL_VERSION, opencv = opencv_version(), link(opencv_link());
  const std::string highway = highway_version(), chosen(instruction_set_in_use());
  if (!as_json)
    return "convtool " + version + " (OpenCV " + opencv + " " + link + ", Highway " + highway + ", " + chosen + ")\n";
  std::string sets;
  for (const std::string_view set : instruction_sets_here())
    sets += (sets.empty() ? "\"" : ",\"") + std::string(set) + "\"";
  return R"({"version":")" + version + R"(","opencv":")" + opencv + R"(","opencv_link":")" + link + R"(","highway":")" +
         highway + R"(","instruction_set":")" + chosen + R"(","instruction_sets":[)" + sets + "]}\n";
}

/// Every option name that `command` knows, with its dashes.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

[[noreturn]] void refuse_word(const CLI::App& app, const std::string& word) {
  const CLI::App* command = &app;
  std::string path = "convtool";
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  const bool takes_command = !command->get_subcommands(nullptr).empty();
  std::vector<std::string> names;
  if (word.starts_with('-')) {
    names = option_names(*command);
  } else {
    for (const CLI::App* known : command->get_subcommands(nullptr)) names.push_back(known->get_name());
  }
  const std::string help = "; see '" + path + " --help'";
  const std::string hint = suggestion(word.substr(0, word.find('=')), {names.begin(), names.end()});
  const char* what = word.starts_with('-') ? "unknown option"
                     : takes_command       ? "unknown command"
                                           : "unexpected argument";
  throw Error(ErrorKind::usage, "", std::string(what) + " '" + word + "'" + (hint.empty() ? help : hint));
}

/// The help of the innermost command that was named.
std::string help_text(const CLI::App& app) {
  const CLI::App* command = &app;
  std::string path;
  while (!command->get_subcommands().empty()) {
    path += (path.empty() ? "" : " ") + command->get_name();
    command = command->get_subcommands().front();
  }
  return command->help(path);
}

void parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    refuse_word(app, app.remaining(true).front());
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "convtool" : "convtool " + chosen.front()->get_name();
    throw Error(ErrorKind::usage, "", std::string(error.what()) + "; see '" + command + " --help'");
  }
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App app(kDescription, "convtool");
  bool version = false, json = false;
  app.add_flag("--version", version, "print the version");
  app.add_flag("--json", json, "with --version: as JSON");
  Action action;
  // Half a millisecond goes into the options of all: a command that no argument names has none, unless all are told of.
  const std::set<std::string_view> words(argv, argv + argc);
  const bool every = words.contains("completion") || words.contains("manual");
  for (const Command& row : kCommands) {
    CLI::App* command = app.add_subcommand(row.name, row.description);
    if (every || words.contains(row.name)) row.add_options(*command, action);
  }
  app.footer(kFooter);  // after the commands, which would inherit it

  try {
    parse(app, argc, argv);
  } catch (const CLI::Success&) {  // --help
    print(help_text(app));
    return kExitDone;
  }
  if (version) {
    print(version_text(json));
    return kExitDone;
  }
  if (!action)
    throw Error(
        ErrorKind::usage, "",
        "no command given (apply, edges, shape, learn, kernels, bench, completion or manual); see 'convtool --help'");
  return action();
}

}  // namespace convtool
