// convtool manual: the manual page, from the table of commands and options itself. Macros: man(7).

#include <string>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/options/option_table.h"
#include "cli/terminal/terminal.h"

namespace convtool {
namespace {

constexpr const char* kFooter = R"(Examples:
  convtool manual | man -l -
  convtool manual > ~/.local/share/man/man1/convtool.1)";

constexpr const char* kClosing = R"(.SH EXIT STATUS
.TP
0
all done; what was skipped counts as done
.TP
1
at least one input failed; the others are written
.TP
2
something is wrong with the options or a kernel; nothing was begun
.TP
128+N
ended by signal N; no half\-written file is left
.SH SEE ALSO
.BR cjpeg (1),
.BR gm (1),
.BR jq (1),
.BR parallel (1),
.BR vips (1)
)";

/// Text as troff takes it: nothing in it is a request or an escape.
std::string plain(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool at_start = result.empty() || result.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) result += "\\&";
    result += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return result;
}

std::string in_capitals(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string option_entry(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : names_of(option)) names += (names.empty() ? "\\fB" : "\\fR, \\fB") + plain(name);
  std::string value;
  if (takes_value(option)) value = "\\fR \\fI" + plain(option.get_type_name());
  if (!option.get_default_str().empty()) value += "\\fR (" + plain(option.get_default_str()) + ")";
  return ".TP\n" + names + value + "\\fR\n" + plain(option.get_description()) + "\n";
}

std::string synopsis(const CLI::App& command, const std::string& path) {
  if (!commands_of(command).empty()) {
    std::string text;
    for (const CLI::App* inner : commands_of(command)) text += synopsis(*inner, path + " " + inner->get_name());
    return text;
  }
  std::string text = ".B " + path + "\n";
  for (const CLI::Option* option : options_of(command))
    if (option->get_required())
      text += "\\fB" + plain(names_of(*option).front()) + "\\fR \\fI" + plain(option->get_type_name()) + "\\fR\n";
  text += "[\\fIoptions\\fR]\n";
  for (const CLI::Option* operand : operands_of(command)) {
    const bool repeats = operand->get_items_expected_max() > 1;
    const std::string name = "\\fI" + plain(operand->get_name()) + "\\fR" + (repeats ? " ..." : "");
    text += (operand->get_required() ? name : "[" + name + "]") + "\n";
  }
  return text + ".br\n";
}

/// What a footer says, line by line as it stands there.
std::string verbatim(const std::string& text) { return ".PP\n.nf\n" + plain(text) + "\n.fi\n"; }

std::string command_section(const CLI::App& command, const std::string& path) {
  std::string text = ".SH " + in_capitals(path) + "\n" + plain(command.get_description()) + "\n";
  for (const CLI::Option* operand : operands_of(command))
    text += ".TP\n\\fI" + plain(operand->get_name()) + "\\fR\n" + plain(operand->get_description()) + "\n";
  for (const std::string& name : command.get_groups()) {
    if (name != "Options") text += ".SS " + plain(name) + "\n";
    for (const CLI::Option* option : options_of(command))
      if (option->get_group() == name) text += option_entry(*option);
  }
  if (!command.get_footer().empty()) text += verbatim(command.get_footer());
  for (const CLI::App* inner : commands_of(command)) text += command_section(*inner, path + " " + inner->get_name());
  return text;
}

std::string manual_page(const CLI::App& app) {
  std::string text = ".TH CONVTOOL 1 \"\" \"convtool " CONVTOOL_VERSION "\" \"User Commands\"\n";
  text += ".SH NAME\nconvtool \\- filter images and tensors by cross\\-correlation\n.SH SYNOPSIS\n.nh\n.ad l\n";
  for (const CLI::App* command : commands_of(app)) text += synopsis(*command, "convtool " + command->get_name());
  text += ".SH DESCRIPTION\n" + plain(app.get_description()) + "\n" + verbatim(app.get_footer());
  for (const CLI::App* command : commands_of(app)) text += command_section(*command, command->get_name());
  return text + kClosing;
}

}  // namespace

void add_manual(CLI::App& command, Action& action) {
  command.footer(kFooter);
  command.callback([&command, &action] {
    action = [&app = *command.get_parent()] {
      print(manual_page(app));
      return kExitDone;
    };
  });
}

}  // namespace convtool
