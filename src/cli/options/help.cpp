#include "cli/options/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace convtool {
namespace {

constexpr std::size_t kMostColumns = 100, kLeastColumns = 40;
constexpr std::size_t kMostNameColumns = 26;  ///< in the short help, in which a longer name moves its text to the right

const Option& help_option() {
  static bool unused = false;
  static const Option option = {.names = "-h,--help",
                                .value = "",
                                .target = &unused,
                                .brief = "print help: -h is a summary, --help is complete",
                                .text = ""};
  return option;
}

std::string replaced(std::string text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// "zero padding" as a sentence: "Zero padding." A list at the end stays as it is.
std::string sentence(std::string_view text) {
  std::string result(text);
  const std::size_t last_line = result.rfind('\n');
  if (last_line != std::string::npos && result.compare(last_line, 2, "\n ") == 0) return result;
  if (!result.empty() && result.front() >= 'a' && result.front() <= 'z')
    result.front() = static_cast<char>(result.front() - 'a' + 'A');
  return result.ends_with('.') ? result : result + ".";
}

/// The option groups in order, those of operands without the operands; calls `entry` for each option.
template <class Title, class Entry>
void for_each_option(const Command& command, const Title& title, const Entry& entry) {
  for (const OptionGroup& group : command.groups) {
    bool has_title = false;
    for (const Option& option : group.options) {
      if (option.is_operand() || option.is_hidden) continue;
      if (!has_title) title(group.title);
      has_title = true;
      entry(option);
    }
  }
}

/// One paragraph of words in lines of at most `width` columns.
std::string flowed(std::string_view paragraph, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::string result, row;
  while (!paragraph.empty()) {
    const std::size_t length = std::min(paragraph.find(' '), paragraph.size());
    if (!row.empty() && indent + row.size() + 1 + length > width) {
      result += margin + row + "\n";
      row.clear();
    }
    row += (row.empty() ? "" : " ") + std::string(paragraph.substr(0, length));
    paragraph.remove_prefix(std::min(length + 1, paragraph.size()));
  }
  return result + margin + row + "\n";
}

/// An indented line, unchanged. If it is too long and has two columns, "  term   meaning", the second is wrapped.
std::string item(std::string_view line, std::size_t indent, std::size_t width) {
  const std::string whole = std::string(indent, ' ') + std::string(line);
  const std::size_t gap = line.find("  ", line.find_first_not_of(' '));
  const std::size_t column = gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
  if (whole.size() <= width || column == std::string_view::npos) return whole + "\n";
  const std::string meaning = flowed(line.substr(column), indent + column, width);
  return whole.substr(0, indent + column) + meaning.substr(indent + column);
}

/// A name, spaces up to `column`, and a text that is wrapped to the right of it.
std::string in_columns(const std::string& name, const std::string& text, std::size_t column, std::size_t width) {
  const std::string head = "  " + name;
  const std::size_t start = std::max(column, head.size() + 2);
  return wrapped(text, start, width).replace(0, head.size(), head);
}

/// The column at which texts start next to names of these lengths.
std::size_t text_column(const std::vector<std::size_t>& lengths) {
  std::size_t column = 0;
  for (const std::size_t length : lengths)
    if (length + 4 <= kMostNameColumns) column = std::max(column, length + 4);
  return column;
}

std::string command_list(const Command& command, std::size_t width) {
  std::vector<std::size_t> lengths;
  for (const Command& inner : command.commands) lengths.push_back(inner.name.size());
  const std::size_t column = text_column(lengths);
  std::string text;
  for (const Command& inner : command.commands)
    text += in_columns(std::string(inner.name), std::string(inner.brief), column, width);
  return text;
}

std::string header(const Command& command) { return std::string(command.path()) + ": " + std::string(command.brief); }

}  // namespace

std::size_t help_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kMostColumns;
  return std::clamp<std::size_t>(size.ws_col, kLeastColumns, kMostColumns);
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    result += line.empty() ? "\n" : line.starts_with(' ') ? item(line, indent, width) : flowed(line, indent, width);
  }
  return result;
}

std::string described(const Option& option, bool full) {
  const bool has_text = full && !option.text.empty();
  std::string text = replaced(std::string(has_text ? option.text : option.brief), "{words}", option.words.text());
  const std::string otherwise = option.default_text();
  if (!full) {  // a default that does not fit on the line is left to the full help
    const std::string with_default = text + " [" + otherwise + "]";
    return otherwise.empty() || with_default.size() > kMostColumns - kMostNameColumns ? text : with_default;
  }
  text = sentence(text);
  return otherwise.empty() ? text : text + "\n\nDefault: " + otherwise + ".";
}

std::string names_with_value(const Option& option) {
  std::string text;
  for (const std::string& name : option.all_names()) text = name + (text.empty() ? "" : ", ") + text;
  return option.value.empty() ? text : text + " " + std::string(option.value);
}

std::string usage_line(const Command& command) {
  std::string text = command.path();
  if (!command.commands.empty()) return text + (command.parent == nullptr ? " COMMAND" : " [COMMAND]") + " [OPTION]...";
  for (const Option* option : command.options())
    if (option->required) text += " " + option->all_names().back() + " " + std::string(option->value);
  for (const Option* operand : command.operands()) {
    const std::string name = std::string(operand->names);
    text += " " + (operand->required ? name : "[" + name + "]") + (operand->is_list() ? "..." : "");
  }
  return text + " [OPTION]...";
}

std::string brief_help(const Command& command, std::size_t width) {
  std::string text = wrapped(header(command), 0, width) + "Usage: " + usage_line(command) + "\n";
  if (!command.commands.empty()) text += "\nCommands:\n" + command_list(command, width);
  std::vector<std::size_t> lengths = {names_with_value(help_option()).size()};
  for (const Option* option : command.options()) lengths.push_back(names_with_value(*option).size());
  for (const Option* operand : command.operands()) lengths.push_back(operand->names.size());
  const std::size_t column = text_column(lengths);
  const auto entry = [&](const Option& option) {
    text += in_columns(names_with_value(option), described(option, false), column, width);
  };
  if (!command.operands().empty()) text += "\nArguments:\n";
  for (const Option* operand : command.operands()) entry(*operand);
  for_each_option(
      command, [&](std::string_view title) { text += "\n" + std::string(title) + ":\n"; }, entry);
  text += "\n";
  entry(help_option());
  return text;
}

std::string full_help(const Command& command, std::size_t width) {
  constexpr std::size_t kIndent = 6;
  std::string text = wrapped(header(command), 0, width) + "\nUsage: " + usage_line(command) + "\n";
  if (!command.text.empty()) text += "\n" + wrapped(command.text, 0, width);
  if (!command.commands.empty()) text += "\nCommands:\n" + command_list(command, width);
  bool is_first = true;
  const auto entry = [&](const Option& option) {
    text +=
        (is_first ? "  " : "\n  ") + names_with_value(option) + "\n" + wrapped(described(option, true), kIndent, width);
    is_first = false;
  };
  const auto title = [&](std::string_view name) {
    text += "\n" + std::string(name) + ":\n";
    is_first = true;
  };
  if (!command.operands().empty()) title("Arguments");
  for (const Option* operand : command.operands()) entry(*operand);
  for_each_option(command, title, entry);
  title("Help");
  entry(help_option());
  if (!command.examples.empty()) text += "\nExamples:\n" + wrapped(command.examples, 0, width);
  return text;
}

}  // namespace convtool
