// convtool manual: the manual page, from the tables of commands and options. Macros: man(7).

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/topics.h"
#include "cli/exit_code.h"
#include "cli/options/help.h"
#include "cli/terminal/terminal.h"

namespace convtool {
namespace {

constexpr std::size_t kVerbatimColumns = 66;  // of 80, less the margin of an option's text

constexpr std::string_view kExitStatus = R"(.TP
0
All inputs are done; skipped ones count as done.
.TP
1
At least one input failed; the others are written.
.TP
2
The options or a kernel are wrong; nothing was started.
.TP
128+N
Ended by signal N.
)";

constexpr std::string_view kClosing = R"(.SH ENVIRONMENT
.TP
.B NO_COLOR
If set and not empty, nothing is printed in colours.
.TP
.B TERM
If unset or "dumb", there are no colours and no progress line.
.SH SEE ALSO
.BR cjpeg (1),
.BR gm (1),
.BR jq (1),
.BR parallel (1),
.BR vips (1)
)";

/// A character as troff takes it: never an escape.
std::string plain(char c) { return c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c); }

/// Text as troff takes it: nothing in it is a request or an escape.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool at_start = result.empty() || result.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) result += "\\&";
    result += plain(c);
  }
  return result;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/// A line of text with the names of options in bold.
std::string prose(std::string_view line) {
  std::string result;
  for (std::size_t at = 0; at < line.size();) {
    const bool starts_word = at == 0 || line[at - 1] == ' ' || line[at - 1] == '(' || line[at - 1] == '\'';
    std::size_t end = at;
    while (starts_word && line[at] == '-' && end < line.size() && is_name_character(line[end])) ++end;
    if (end > at + 1) {
      result += "\\fB" + plain(line.substr(at, end - at)) + "\\fR";
    } else {
      end = at + 1;
      result += plain(line.substr(at, 1));
    }
    at = end;
  }
  return result;
}

/// Paragraphs, each begun by the request `paragraph` but for the first; indented lines stay as they are.
std::string paragraphs(std::string_view text, const std::string& paragraph) {
  std::string result;
  bool is_verbatim = false, is_new = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) {
      is_new = true;
      continue;
    }
    const bool indented = line.starts_with(' ');
    if (is_verbatim && !indented) result += ".fi\n";
    if (is_new) result += paragraph + "\n";
    if (indented && !is_verbatim) result += ".nf\n";
    result += indented ? plain(wrapped(line, 0, kVerbatimColumns)) : prose(line) + "\n";
    is_verbatim = indented;
    is_new = false;
  }
  return result + (is_verbatim ? ".fi\n" : "");
}

std::string verbatim(std::string_view text) { return ".nf\n" + plain(wrapped(text, 0, kVerbatimColumns)) + ".fi\n"; }

std::string in_capitals(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

void for_each_command(const Command& command, const std::function<void(const Command&)>& work) {
  for (const Command& inner : command.commands) {
    work(inner);
    for_each_command(inner, work);
  }
}

std::string synopsis(const Command& program) {
  std::string text;
  for_each_command(program, [&](const Command& command) {
    if (!command.commands.empty()) return;
    const std::string path = command.path(), usage = usage_line(command);
    const std::string rest = usage.substr(path.size());
    text += "\\fB" + plain(path) + "\\fR" + plain(rest) + "\n.br\n";
  });
  return text;
}

/// The sections of commands. An option that several commands share is described at the first of them.
class CommandSections {
 public:
  explicit CommandSections(const Command& program) {
    for_each_command(program, [this](const Command& command) { add(command); });
  }

  const std::string& text() const { return text_; }

 private:
  void add(const Command& command) {
    text_ += ".SS " + plain(command.path()) + "\n" + plain(described_brief(command)) + "\n";
    const bool is_topic = command.text.data() == kKernelFormatText.data();  // has a section of its own
    if (!command.text.empty() && !is_topic) text_ += ".PP\n" + paragraphs(command.text, ".PP");
    std::map<std::string, std::string> shared;  // names, by the command that describes them
    for (const OptionGroup& group : command.groups) {
      bool has_title = false;
      for (const Option& option : group.options) {
        if (option.is_hidden) continue;
        const char* words = option.text.empty() ? option.brief.data() : option.text.data();
        const auto [first, is_new] = described_at_.emplace(std::pair(option.name(), words), command.path());
        if (!is_new) {
          std::string& names = shared[first->second];
          names += (names.empty() ? "" : ", ") + option.name();
          continue;
        }
        if (!has_title && !group.title.empty()) text_ += ".PP\n\\fI" + plain(group.title) + "\\fR\n";
        has_title = true;
        text_ += entry(option);
      }
    }
    for (const auto& [path, names] : shared) text_ += ".PP\nAs in " + plain(path) + ": " + prose(names) + ".\n";
  }

  static std::string described_brief(const Command& command) {
    std::string text(command.brief);
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text + ".";
  }

  static std::string entry(const Option& option) {
    std::string names;
    const std::vector<std::string> all = option.all_names();
    for (auto name = all.rbegin(); name != all.rend(); ++name)
      names += (names.empty() ? "\\fB" : "\\fR, \\fB") + plain(*name);
    const std::string value = option.value.empty() ? "" : " \\fI" + plain(option.value);
    return ".TP\n" + names + "\\fR" + value + "\\fR\n" + paragraphs(described(option, true), ".IP");
  }

  std::string text_;
  std::map<std::pair<std::string, const char*>, std::string> described_at_;  ///< by name and text: a command
};

std::string examples(const Command& program) {
  std::string text = verbatim(program.examples);
  for_each_command(program, [&](const Command& command) {
    if (!command.examples.empty()) text += ".SS " + plain(command.path()) + "\n" + verbatim(command.examples);
  });
  return text;
}

std::string manual_page(const Command& program) {
  const auto section = [](const std::string& title, const std::string& text) {
    return ".SH " + in_capitals(title) + "\n" + text;
  };
  return ".TH CONVTOOL 1 \"\" \"convtool " CONVTOOL_VERSION "\" \"User Commands\"\n.nh\n.ad l\n" +
         section("Name", "convtool \\- " + plain(program.brief) + "\n") + section("Synopsis", synopsis(program)) +
         section("Description", paragraphs(program.text, ".PP")) +
         section("Commands", CommandSections(program).text()) +
         section("Kernels", paragraphs(kKernelFormatText, ".PP")) +
         section("Formats", paragraphs(formats_text(), ".PP")) + section("Streams", paragraphs(kStreamsText, ".PP")) +
         section("JSON reports", paragraphs(kReportText, ".PP")) + section("Exit status", std::string(kExitStatus)) +
         section("Examples", examples(program)) + std::string(kClosing);
}

}  // namespace

void declare_manual(Command& command) {
  command.text = "Prints the manual page in the man macros of troff. To read it: convtool manual | man -l -";
  command.examples = R"(  convtool manual | man -l -
  convtool manual > ~/.local/share/man/man1/convtool.1)";
  command.run = [&command] {
    Command& program = command.root();
    program.declare_all();
    print(manual_page(program));
    return kExitDone;
  };
}

}  // namespace convtool
