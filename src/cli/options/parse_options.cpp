#include "cli/options/parse_options.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "cli/options/unknown_words.h"
#include "core/error.h"

namespace convtool {
namespace {

constexpr std::string_view kBriefHelp = "-h", kFullHelp = "--help";

std::string see_help(const Command& command) { return "; see '" + command.path() + " --help'"; }

/// A long name with a single dash, which would be read as a short option and its value.
void refuse_single_dash(const Command& command, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    if (!argument.starts_with('-') || argument.starts_with("--") || argument.size() < 3) continue;
    const std::string name = "-" + argument.substr(0, argument.find('='));
    if (name == kFullHelp || command.find(name) != nullptr)
      refuse_usage(argument, "long options have two dashes: " + name);
  }
}

CLI::Option* add_to(CLI::App& app, const Option& option) {
  const std::string names(option.names);
  if (auto* const* flag = std::get_if<bool*>(&option.target)) return app.add_flag(names, **flag);
  if (auto* const* value = std::get_if<std::string*>(&option.target)) return app.add_option(names, **value);
  if (auto* const* value = std::get_if<std::optional<std::string>*>(&option.target))
    return app.add_option(names, **value);
  return app.add_option(names, *std::get<std::vector<std::string>*>(option.target))
      ->allow_extra_args(option.is_operand() || option.greedy);
}

/// The option of `command` whose values CLI11 objects to: its messages begin with a name of the option.
const Option* find_culprit(const Command& command, const std::string& message) {
  for (const OptionGroup& group : command.groups)
    for (const Option& option : group.options)
      if (message.starts_with(option.name() + ":")) return &option;
  return nullptr;
}

[[noreturn]] void refuse_values(const Command& command, const std::string& message) {
  const Option* option = find_culprit(command, message);
  if (option == nullptr) refuse_usage("", message + see_help(command));
  if (option->is_flag()) refuse_usage(option->name(), "takes no value" + see_help(command));
  const bool is_missing = message.find("missing") != std::string::npos;
  if (is_missing || option->is_list())
    refuse_usage(option->name(), "needs a value, " + std::string(option->value) + see_help(command));
  refuse_usage(option->name(), "is given more than once; keep one");
}

void check_combinations(const Command& command) {
  for (const OptionGroup& group : command.groups) {
    for (const Option& option : group.options) {
      const bool is_given = command.given.contains(option.name());
      if (option.required && !is_given) {
        if (!option.if_missing.empty()) refuse_usage("", std::string(option.if_missing));
        refuse_usage(option.name(), (option.is_operand() ? "is missing" : "is required") + see_help(command));
      }
      if (is_given && !option.conflict.empty() && command.given.contains(std::string(option.conflict)))
        refuse_usage(option.name(), "cannot be used together with " + std::string(option.conflict) + "; keep one");
    }
  }
}

}  // namespace

void parse_options(Command& command, const std::vector<std::string>& arguments) {
  refuse_single_dash(command, arguments);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  bool brief = false, full = false;
  app.add_flag(std::string(kBriefHelp), brief);
  app.add_flag(std::string(kFullHelp), full);
  std::vector<std::pair<const Option*, CLI::Option*>> added;
  for (const OptionGroup& group : command.groups)
    for (const Option& option : group.options) added.emplace_back(&option, add_to(app, option));
  std::string objection;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    objection = error.what();
  }
  if (brief || full) {
    command.help = full ? Command::Help::full : Command::Help::brief;
    return;
  }
  for (const std::string& word : app.remaining())
    if (word != "--") refuse_unknown_word(command, word, arguments);
  if (!objection.empty()) refuse_values(command, objection);
  for (const auto& [option, parsed] : added)
    if (parsed->count() > 0) command.given[option->name()] = parsed->results();
  if (command.check) command.check();
  check_combinations(command);
}

}  // namespace convtool
