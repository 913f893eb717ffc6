#include "cli/options/parse_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "cli/options/unknown_words.h"
#include "core/error.h"
#include "core/text.h"

namespace convtool {
namespace {

constexpr std::string_view kBriefHelp = "-h", kFullHelp = "--help";

/// An option whose dashes a word processor or a web page has turned into a longer dash or a minus sign.
void refuse_typographic_dash(const Command& command, const std::string& argument) {
  for (const std::string_view dash : {"\u2013", "\u2014", "\u2212"}) {
    if (!argument.starts_with(dash)) continue;
    const std::string word = argument.substr(std::min(argument.find_first_not_of('-', dash.size()), argument.size()));
    const std::string name = word.substr(0, word.find('='));
    const std::string option = (name.size() == 1 ? "-" : "--") + name;
    if (command.find(option) != nullptr)
      refuse_usage("", "'" + argument + "' begins with a typographic dash; type " + option);
  }
}

/// The option whose value is the word after `argument`, or null: "--then", "-k", and "-qk", where flags stand together.
const Option* option_without_value(const Command& command, const std::string& argument) {
  if (argument.starts_with("--") || argument.size() < 2 || !argument.starts_with('-')) {
    const Option* option = argument.starts_with("--") ? command.find(argument) : nullptr;
    return option == nullptr || option->is_flag() ? nullptr : option;
  }
  for (std::size_t at = 1; at < argument.size(); ++at) {
    const Option* option = command.find(std::string{'-', argument[at]});
    if (option == nullptr) return nullptr;
    if (!option->is_flag()) return at + 1 == argument.size() ? option : nullptr;
  }
  return nullptr;
}

/// Throws Error(usage) for an option in place of a value, which CLI11 lets a list take.
void refuse_missing_values(const Command& command, const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i + 1 < arguments.size() && arguments[i] != "--"; ++i) {
    const Option* option = option_without_value(command, arguments[i]);
    if (option == nullptr) continue;
    const std::string& next = arguments[i + 1];
    const bool is_help = next == kBriefHelp || next == kFullHelp;
    const bool is_option = next.starts_with('-') && command.find(next.substr(0, next.find('='))) != nullptr;
    if (is_help || (is_option && !parse_number<double>(next)))  // -0 may be both
      refuse_usage(option->name(), "needs a value, " + std::string(option->value) + ", got '" + next + "'");
    ++i;
  }
}

/// A file whose name begins with a dash, where no option has that name.
void refuse_dashed_file(const Command& command, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  const bool is_option = command.find(name) != nullptr || command.find(argument.substr(0, 2)) != nullptr;
  std::error_code ignored;
  if (argument.size() > 1 && argument.starts_with('-') && !is_option && std::filesystem::exists(argument, ignored))
    refuse_usage("", "unknown option '" + argument + "'; for the file of that name write ./" + argument);
}

/// A long name with a single dash, which would be read as a short option and its value.
void refuse_other_dashes(const Command& command, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    refuse_typographic_dash(command, argument);
    refuse_dashed_file(command, argument);
    if (argument.starts_with("--help="))
      refuse_usage("--help", "takes no value; '" + command.path() + " --help' explains all options");
    if (!argument.starts_with('-') || argument.starts_with("--") || argument.size() < 3) continue;
    const std::string name = "-" + argument.substr(0, argument.find('='));
    if (name == kFullHelp || command.find(name) != nullptr)
      refuse_usage(argument, "long options have two dashes: " + name);
  }
}

/// The values of a command line, hidden from CLI11.
///
/// CLI11 decides which word belongs to which option, and would change some of the words: it takes the brackets off
/// "[2024]" and splits it at commas, drops "{}", "%%" and "++", and skips an empty value as in "--output=". So it is
/// given a number in place of each value, which means nothing to it.
class HiddenValues {
 public:
  explicit HiddenValues(const Command& command) : command_(command) {}

  /// `arguments` with numbers in place of values.
  std::vector<std::string> hide(const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    bool only_operands = false;
    for (const std::string& argument : arguments) {
      words.push_back(only_operands ? numbered(argument) : without_value(argument));
      only_operands = only_operands || argument == "--";
    }
    return words;
  }

  /// The argument that hide() turned into `word`, or its value.
  std::string reveal(const std::string& word) const {
    const std::size_t at = word.find(kMark);
    if (at == std::string::npos) return word;
    const auto index = parse_number<std::size_t>(std::string_view(word).substr(at + 1));
    return index && *index < values_.size() ? word.substr(0, at) + values_[*index] : word;
  }

 private:
  static constexpr char kMark = '\x01';  // no option has it in its name

  std::string numbered(const std::string& value) {
    values_.push_back(value);
    return kMark + std::to_string(values_.size() - 1);
  }

  std::string without_value(const std::string& argument) {
    if (argument.starts_with("--")) {
      const std::size_t equals = argument.find('=');
      if (equals == std::string::npos) return argument;
      return argument.substr(0, equals + 1) + numbered(argument.substr(equals + 1));
    }
    if (!argument.starts_with('-') || argument == "-" || is_negative_number(argument)) return numbered(argument);
    // Flags may stand together, before an option and its value: -qk, or -qkVALUE.
    for (std::size_t at = 1; at < argument.size(); ++at) {
      const Option* option = command_.find(std::string{'-', argument[at]});
      if (option != nullptr && !option->is_flag() && at + 1 < argument.size())
        return argument.substr(0, at + 1) + numbered(argument.substr(at + 1));
      if (option == nullptr && at > 1) refuse_unknown_word(command_, std::string{'-', argument[at]}, {});
      if (option == nullptr || !option->is_flag()) break;
    }
    return argument;
  }

  /// Whether `word`, which begins with a dash, is one; -0 may be an option.
  bool is_negative_number(const std::string& word) const {
    const std::size_t digit = word.find_first_of("0123456789");
    if (digit != 1 && (digit != 2 || word[1] != '.')) return false;
    return command_.find(word.substr(0, 2)) == nullptr || (word.size() > 2 && parse_number<double>(word));
  }

  const Command& command_;
  std::vector<std::string> values_;
};

CLI::Option* add_to(CLI::App& app, const Option& option) {
  const std::string names(option.names);
  if (option.is_flag()) return app.add_flag(names);
  CLI::Option* const added = app.add_option(names)->type_size(1);
  if (!option.is_list()) return added;
  return added->expected(1, CLI::detail::expected_max_vector_size)
      ->allow_extra_args(option.is_operand() || option.greedy);
}

/// The place of each value on the command line, by option.
std::map<const CLI::Option*, std::vector<std::size_t>> places_in(const CLI::App& app) {
  std::map<const CLI::Option*, std::vector<std::size_t>> places;
  std::size_t place = 0;
  for (const CLI::Option* option : app.parse_order()) places[option].push_back(place++);
  return places;
}

/// Fills the target of `option`, which was given, with its values, which stand at `places`.
void fill(const Option& option, std::vector<std::string> values, const std::vector<std::size_t>& places) {
  if (auto* const* placed = std::get_if<PlacedValues*>(&option.target)) {
    require(values.size() == places.size(), "a value without a place");
    for (std::size_t i = 0; i < values.size(); ++i)
      (*placed)->push_back({.place = places[i], .value = option.is_flag() ? "" : std::move(values[i])});
  } else if (auto* const* flag = std::get_if<bool*>(&option.target)) {
    **flag = true;
  } else if (auto* const* list = std::get_if<std::vector<std::string>*>(&option.target)) {
    **list = std::move(values);
  } else if (auto* const* value = std::get_if<std::string*>(&option.target)) {
    **value = std::move(values.back());
  } else {
    *std::get<std::optional<std::string>*>(option.target) = std::move(values.back());
  }
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
  if (option == nullptr) refuse_usage("", message + command.see_help());
  const bool is_missing = message.find("missing") != std::string::npos;
  if (is_missing || option->is_list())
    refuse_usage(option->name(), "needs a value, " + std::string(option->value) + command.see_help());
  refuse_usage(option->name(), "is given more than once; keep one");
}

void check_combinations(const Command& command) {
  for (const OptionGroup& group : command.groups) {
    for (const Option& option : group.options) {
      const bool is_given = command.given.contains(option.name());
      if (option.required && !is_given) {
        if (!option.if_missing.empty()) refuse_usage("", std::string(option.if_missing));
        refuse_usage(option.name(), (option.is_operand() ? "is missing" : "is required") + command.see_help());
      }
      if (is_given && !option.conflict.empty() && command.given.contains(std::string(option.conflict)))
        refuse_usage(option.name(), "cannot be used together with " + std::string(option.conflict) + "; keep one");
    }
  }
}

}  // namespace

void parse_options(Command& command, const std::vector<std::string>& arguments) {
  refuse_other_dashes(command, arguments);
  refuse_missing_values(command, arguments);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  bool brief = false, full = false;
  app.add_flag(std::string(kBriefHelp), brief);
  app.add_flag(std::string(kFullHelp), full);
  std::vector<std::pair<const Option*, CLI::Option*>> added;
  for (const OptionGroup& group : command.groups)
    for (const Option& option : group.options) added.emplace_back(&option, add_to(app, option));
  HiddenValues hidden(command);
  std::vector<std::string> words = hidden.hide(arguments);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  std::string objection;
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    objection = error.what();
  }
  if (brief || full) {
    command.help = full ? Command::Help::full : Command::Help::brief;
    return;
  }
  for (const std::string& word : app.remaining())
    if (word != "--") refuse_unknown_word(command, hidden.reveal(word), arguments);
  if (!objection.empty()) refuse_values(command, objection);
  std::map<const CLI::Option*, std::vector<std::size_t>> places = places_in(app);
  for (const auto& [option, parsed] : added) {
    if (parsed->count() == 0) continue;
    std::vector<std::string> values = parsed->results();
    if (option->is_flag() && std::any_of(values.begin(), values.end(), [](const auto& v) { return v != "true"; }))
      refuse_usage(option->name(), "takes no value" + command.see_help());
    for (std::string& value : values) value = hidden.reveal(value);
    command.given[option->name()] = values;
    fill(*option, std::move(values), places[parsed]);
  }
  if (command.check) command.check();
  check_combinations(command);
}

}  // namespace convtool
