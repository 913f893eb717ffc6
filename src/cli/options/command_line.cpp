#include "cli/options/command_line.h"

#include <algorithm>

namespace convtool {

std::string Words::text() const {
  std::string joined;
  for (const std::string_view word : list()) joined += (joined.empty() ? "" : ", ") + std::string(word);
  return joined;
}

std::vector<std::string> Option::all_names() const {
  std::vector<std::string> all;
  for (std::size_t at = 0, end = 0; at < names.size(); at = end + 1) {
    end = std::min(names.find(',', at), names.size());
    all.emplace_back(names.substr(at, end - at));
  }
  std::reverse(all.begin(), all.end());  // short names come first in the row
  return all;
}

std::string Option::default_text() const {
  if (!otherwise.empty()) return std::string(otherwise);
  const auto* const* single = std::get_if<std::string*>(&target);
  return single == nullptr ? "" : **single;
}

void Command::add(std::string_view title, std::initializer_list<Option> options) {
  auto group = std::find_if(groups.begin(), groups.end(), [&](const OptionGroup& g) { return g.title == title; });
  if (group == groups.end()) group = groups.insert(group, {.title = title, .options = {}});
  group->options.insert(group->options.end(), options);
}

void Command::add_command(std::string_view command_name, std::string_view command_brief, void (*declare_it)(Command&)) {
  Command& command = commands.emplace_back();
  command.name = command_name;
  command.brief = command_brief;
  command.declare = declare_it;
  command.parent = this;
}

void Command::declare_all() {
  for (Command& command : commands) {
    if (command.groups.empty() && command.commands.empty() && !command.run) command.declare(command);
    command.declare_all();
  }
}

std::vector<const Option*> Command::options() const {
  std::vector<const Option*> all;
  for (const OptionGroup& group : groups)
    for (const Option& option : group.options)
      if (!option.is_operand() && !option.is_hidden) all.push_back(&option);
  return all;
}

std::vector<const Option*> Command::operands() const {
  std::vector<const Option*> all;
  for (const OptionGroup& group : groups)
    for (const Option& option : group.options)
      if (option.is_operand() && !option.is_hidden) all.push_back(&option);
  return all;
}

const Option* Command::find(std::string_view option_name) const {
  for (const OptionGroup& group : groups) {
    for (const Option& option : group.options) {
      const std::vector<std::string> names = option.all_names();
      if (std::find(names.begin(), names.end(), option_name) != names.end()) return &option;
    }
  }
  return nullptr;
}

Command& Command::root() { return parent == nullptr ? *this : parent->root(); }

std::string Command::path() const { return (parent == nullptr ? "" : parent->path() + " ") + std::string(name); }

std::string Command::see_help() const { return "; see '" + path() + " --help'"; }

GivenOptions given_options(const Command& command) {
  GivenOptions given;
  for (const Option* option : command.options())
    if (const auto at = command.given.find(option->name()); option->affects_result && at != command.given.end())
      given.insert(*at);
  return given;
}

}  // namespace convtool
