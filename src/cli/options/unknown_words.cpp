#include "cli/options/unknown_words.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "core/error.h"
#include "core/suggest.h"
#include "kernels/named_kernel.h"

namespace convtool {
namespace {

/// A command by the name that another program, or another field, gives it.
struct OtherCommand {
  std::string_view word, command;
};

constexpr OtherCommand kOtherCommands[] = {
    {"filter", "apply"},    {"convolve", "apply"},  {"convolution", "apply"}, {"conv", "apply"},
    {"conv2d", "apply"},    {"correlate", "apply"}, {"run", "apply"},         {"convert", "apply"},
    {"blur", "apply"},      {"canny", "edges"},     {"edge", "edges"},        {"detect", "edges"},
    {"shapes", "shape"},    {"size", "shape"},      {"info", "shape"},        {"summary", "shape"},
    {"train", "learn"},     {"fit", "learn"},       {"kernel", "kernels"},    {"list", "kernels"},
    {"benchmark", "bench"}, {"time", "bench"},      {"man", "manual"},        {"completions", "completion"}};

/// An option of other programs, and the hint at convtool's own; {value} stands for the value that was given.
struct OtherOption {
  std::string_view option;
  std::string_view command;  ///< the command that it is for; empty: every one that does not know the option
  std::string_view advice;
};

constexpr OtherOption kOtherOptions[] = {
    {"-k", "edges", "edges takes --operator {value}"},
    {"--kernel", "edges", "edges takes --operator {value}"},
    {"--gray", "edges", "edges finds edges in the luma unless --color says otherwise; leave it out"},
    {"--operator", "apply", "apply takes -k {value}; 'convtool edges' has --operator"},
    {"--then", "edges", "edges runs one recipe; 'convtool apply' has --then"},
    {"--then", "learn", "learn fits one kernel; 'convtool apply' runs several with --then"},
    {"--layers", "",
     "layers without weights compute nothing; see their sizes with 'convtool shape --layers', or give kernels with "
     "weights"},
    {"--chain", "", "did you mean --then?"},
    {"--next", "", "did you mean --then?"},
    {"--normalise", "", "did you mean --normalize?"},
    {"--out", "", "did you mean --output (-o) for one file, or --out-dir for a folder?"},
    {"--outdir", "", "did you mean --out-dir?"},
    {"--output-dir", "", "did you mean --out-dir?"},
    {"--border", "", "did you mean --padding-mode?"},
    {"--border-mode", "", "did you mean --padding-mode?"},
    {"--mode", "", "did you mean --padding-mode?"},
    {"--pad", "", "did you mean --padding, or --pads for four sides?"},
    {"--strides", "", "did you mean --stride?"},
    {"--grey", "", "did you mean --gray?"},
    {"--grayscale", "", "did you mean --gray?"},
    {"--bits", "", "did you mean --depth?"},
    {"--dtype", "", "did you mean --depth?"},
    {"--silent", "", "did you mean --quiet?"},
    {"--parallel", "", "did you mean --jobs?"},
    {"--force", "", "existing outputs are overwritten by default; leave it out"},
    {"--overwrite", "", "existing outputs are overwritten by default; leave it out"},
    {"-f", "", "existing outputs are overwritten by default; leave it out"},
    {"-y", "", "existing outputs are overwritten by default; leave it out"},
    {"--resize", "", "convtool does not resize; use another program before or after it"},
    {"--scale", "", "convtool does not resize; use another program before or after it"}};

/// The value of the unknown option `word`: after its '=', or the argument after it; "" when there is none.
std::string value_of(const std::string& word, const std::vector<std::string>& arguments) {
  if (const std::size_t at = word.find('='); at != std::string::npos) return word.substr(at + 1);
  const auto at = std::find(arguments.begin(), arguments.end(), word);
  if (at == arguments.end() || std::next(at) == arguments.end() || std::next(at)->starts_with('-')) return "";
  return *std::next(at);
}

/// The hint for `name`, an option of other programs; "" if it is not in the table.
std::string advice_on(const Command& command, const std::string& name, const std::string& value) {
  constexpr std::string_view kValue = "{value}";
  const auto row = std::find_if(std::begin(kOtherOptions), std::end(kOtherOptions), [&](const OtherOption& other) {
    return other.option == name && (other.command.empty() || other.command == command.name);
  });
  if (row == std::end(kOtherOptions)) return "";
  std::string advice(row->advice);
  if (const std::size_t at = advice.find(kValue); at != std::string::npos)
    advice.replace(at, kValue.size(), value.empty() ? "OP" : value);
  return advice;
}

std::vector<std::string> long_names(const Command& command) {
  std::vector<std::string> names = {"--help"};
  for (const Option* option : command.options())
    for (const std::string& name : option->all_names())
      if (name.starts_with("--")) names.push_back(name);
  return names;
}

/// The command that has the option `name`, other than `command`: one beside it, or beside those that it belongs to;
/// "" if there is none.
std::string owner_of(const std::string& name, const Command& command) {
  for (const Command* inner = &command; inner->parent != nullptr; inner = inner->parent) {
    for (const Command& other : inner->parent->commands) {
      if (other.name == inner->name) continue;
      Command declared;
      declared.name = other.name;
      declared.parent = inner->parent;
      other.declare(declared);
      for (const Option* option : declared.options()) {
        const std::vector<std::string> names = option->all_names();
        if (std::find(names.begin(), names.end(), name) != names.end()) return declared.path();
      }
    }
  }
  return "";
}

}  // namespace

void refuse_unknown_word(const Command& command, const std::string& word, const std::vector<std::string>& arguments) {
  if (!word.starts_with('-') && (word.ends_with(']') || word.ends_with('}')))
    refuse_usage("", "unexpected argument '" + word + "'; put JSON in single quotes, such as -k '[[1, -1]]'");
  if (!word.starts_with('-')) refuse_usage("", "unexpected argument '" + word + "'" + command.see_help());
  const std::string name = word.substr(0, word.find('='));
  const std::string unknown = "unknown option '" + word + "'";
  const std::string advice = advice_on(command, name, value_of(word, arguments));
  if (!advice.empty()) refuse_usage("", unknown + "; " + advice);
  if (command.parent == nullptr)
    refuse_usage("", unknown + "; options follow the command, as in 'convtool apply --quiet'");
  if (const std::string owner = owner_of(name, command); !owner.empty())
    refuse_usage("", unknown + "; '" + owner + "' has " + name + ", '" + command.path() + "' does not");
  const std::vector<std::string> names = long_names(command);
  const std::string hint = suggestion(name, {names.begin(), names.end()});
  refuse_usage("", unknown + (hint.empty() ? command.see_help() : hint));
}

void refuse_unknown_command(const Command& command, const std::string& word) {
  const bool is_top = command.parent == nullptr;
  std::error_code ignored;
  if (is_top && std::filesystem::exists(word, ignored))
    refuse_usage("", "'" + word + "' is a file; try: convtool apply " + word + " -k KERNEL");
  const std::string unknown = "unknown command '" + word + "'";
  if (command.name == "kernels" && is_kernel_name(word))
    refuse_usage("", unknown + "; did you mean 'kernels show " + word + "'?");
  const auto other = std::find_if(std::begin(kOtherCommands), std::end(kOtherCommands),
                                  [&](const OtherCommand& row) { return row.word == word; });
  if (is_top && other != std::end(kOtherCommands))
    refuse_usage("", unknown + "; did you mean '" + std::string(other->command) + "'?");
  std::vector<std::string_view> names;
  for (const Command& known : command.commands) names.push_back(known.name);
  const std::string hint = suggestion(word, names);
  refuse_usage("", unknown + (hint.empty() ? command.see_help() : hint));
}

}  // namespace convtool
