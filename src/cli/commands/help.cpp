// convtool help: the help of a command, by its name.

#include "cli/options/help.h"

#include <memory>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options/unknown_words.h"
#include "cli/terminal/terminal.h"

namespace convtool {
namespace {

const Command& find_command(const Command& program, const std::vector<std::string>& names) {
  const Command* found = &program;
  for (const std::string& name : names) {
    const Command* inner = nullptr;
    for (const Command& command : found->commands)
      if (command.name == name) inner = &command;
    if (inner == nullptr) refuse_unknown_command(*found, name);
    found = inner;
  }
  return *found;
}

}  // namespace

void declare_help(Command& command) {
  auto names = std::make_shared<std::vector<std::string>>();
  command.text = "Prints the help of a command, as 'convtool COMMAND --help' does.";
  command.examples = R"(  convtool help apply
  convtool help kernels convert)";
  command.add("", {{.names = "COMMAND", .target = names.get(), .brief = "the command; without one, convtool itself"}});
  command.run = [&command, names] {
    Command& program = command.root();
    program.declare_all();
    print(full_help(find_command(program, *names), help_width()));
    return kExitDone;
  };
}

}  // namespace convtool
