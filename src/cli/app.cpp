#include "cli/app.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options/help.h"
#include "cli/options/parse_options.h"
#include "cli/options/unknown_words.h"
#include "cli/terminal/terminal.h"
#include "conv/plan.h"
#include "pictures/compression.h"
#include "pictures/opencv/opencv_setup.h"

namespace convtool {
namespace {

struct CommandRow {
  std::string_view name, brief;
  void (*declare)(Command&);
};

/// The command table. A new command is one file and one row.
constexpr CommandRow kCommands[] = {
    {"apply", "filter pictures or tensors with kernels", declare_apply},
    {"edges", "find edges: gradient, thinning, hysteresis", declare_edges},
    {"shape", "print the output shape and costs of layers, without filtering", declare_shape},
    {"explain", "show how one output comes about", declare_explain},
    {"learn", "fit a kernel to pictures before and after", declare_learn},
    {"kernels", "list, show, convert and import kernels", declare_kernels},
    {"bench", "time the engine on this machine", declare_bench},
    {"completion", "print a completion script for a shell", declare_completion},
    {"manual", "print the manual page", declare_manual},
    {"help", "print the help of a command", declare_help}};

constexpr std::string_view kProgramText =
    "Filters pictures and tensors by cross-correlation with kernels given as JSON: nn.Conv2d on the command line, with "
    "its padding, stride, dilation, groups and bias. The report gives the shape of each output, and the number of "
    "values outside its range.\n\n"
    "'convtool COMMAND -h' lists the options of a command, 'convtool COMMAND --help' explains them.";

constexpr std::string_view kProgramExamples =
    R"(  convtool apply img.png -k edge.json               writes img.edge.png
  convtool apply img.png -k sobel -o edges.png      a shipped kernel
  convtool edges img.png --thin --hysteresis auto   a Canny detector
  convtool shape 3x480x640 -k edge.json             shapes and costs
  convtool explain img.png -k sobel --at 120,80     how one output comes about
  convtool learn --input a.png --target b.png --kernel-size 5 -o k.json
  convtool kernels                                  lists the kernels)";

std::string version_text(bool as_json) {
  const std::string version = CONVTOOL_VERSION, opencv = opencv_version(), link(opencv_link());
  const std::string isal = isal_version(), highway = highway_version(), chosen(instruction_set_in_use());
  if (!as_json)
    return "convtool " + version + " (OpenCV " + opencv + " " + link + ", ISA-L " + isal + ", Highway " + highway +
           ", " + chosen + ")\n";
  std::string sets;
  for (const std::string_view set : instruction_sets_here())
    sets += (sets.empty() ? "\"" : ",\"") + std::string(set) + "\"";
  return R"({"version":")" + version + R"(","opencv":")" + opencv + R"(","opencv_link":")" + link + R"(","isa_l":")" +
         isal + R"(","highway":")" + highway + R"(","instruction_set":")" + chosen + R"(","instruction_sets":[)" +
         sets + "]}\n";
}

struct VersionOptions {
  bool version = false, json = false;
};

void declare_program(Command& program, VersionOptions& options) {
  program.name = "convtool";
  program.brief = "filter pictures and tensors by cross-correlation";
  program.text = kProgramText;
  program.examples = kProgramExamples;
  for (const CommandRow& row : kCommands) program.add_command(row.name, row.brief, row.declare);
  program.add("Version", {{.names = "--version", .target = &options.version, .brief = "print the version"},
                          {.names = "--json", .target = &options.json, .brief = "with --version: as JSON"}});
  program.run = [&program, &options] {
    if (!options.version) {
      std::string names;
      for (const Command& command : program.commands) names += (names.empty() ? "" : ", ") + std::string(command.name);
      refuse_usage("", "no command given (expected one of " + names + "); see 'convtool --help'");
    }
    print(version_text(options.json));
    return kExitDone;
  };
}

Command& enter(Command& command, const std::string& word) {
  for (Command& inner : command.commands) {
    if (inner.name != word) continue;
    inner.declare(inner);
    return inner;
  }
  refuse_unknown_command(command, word);
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  VersionOptions version;
  Command program;
  declare_program(program, version);
  // Options are declared only for the commands on the way: half a millisecond would go into those of all.
  Command* command = &program;
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  while (true) {
    // A command that has commands of its own takes options before the name of one.
    const auto own_end = command->commands.empty()
                             ? arguments.end()
                             : std::find_if(arguments.begin(), arguments.end(),
                                            [](const std::string& argument) { return !argument.starts_with('-'); });
    parse_options(*command, {arguments.begin(), own_end});
    arguments.erase(arguments.begin(), own_end);
    if (command->help != Command::Help::none) {
      const bool full = command->help == Command::Help::full;
      print(full ? full_help(*command, help_width()) : brief_help(*command, help_width()));
      return kExitDone;
    }
    if (arguments.empty() || version.version) return command->run();
    if (command->parent != nullptr && !command->given.empty())
      refuse_usage("", "options follow the command, as in '" + command->path() + " " + arguments.front() + " " +
                           command->given.begin()->first + "'");
    command = &enter(*command, arguments.front());
    arguments.erase(arguments.begin());
  }
}

}  // namespace convtool
