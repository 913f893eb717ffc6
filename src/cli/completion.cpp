// convtool completion: scripts that make shells complete its commands and options, from the table of options itself.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/option_value.h"
#include "cli/print.h"

namespace convtool {
namespace {

constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

constexpr const char* kFooter = R"(Examples:
  convtool completion bash > ~/.local/share/bash-completion/completions/convtool
  convtool completion zsh > "${fpath[1]}/_convtool"
  convtool completion fish > ~/.config/fish/completions/convtool.fish)";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return joined(names);
}

std::string option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options_of(command))
    for (const std::string& name : names_of(*option)) names.push_back(name);
  return joined(names);
}

/// `text` between single quotes, as all three shells take it.
std::string single_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

/// `text` inside the single quotes and brackets of a specification for zsh's _arguments.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return result;
}

std::string bash_script(const CLI::App& app) {
  std::string text =
      "# bash completion of convtool\n"
      "_convtool() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} command= words=\n"
      "  ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}\n"
      "  case $command in\n"
      "    '') words=" +
      single_quoted(command_names(app) + " " + option_names(app)) + " ;;\n";
  for (const CLI::App* command : commands_of(app)) {
    std::string words = option_names(*command);
    if (command->get_name() == "completion") words = "bash zsh fish " + words;
    if (!commands_of(*command).empty()) words = command_names(*command) + " " + words;
    text += "    " + command->get_name() + ") words=" + single_quoted(words) + " ;;\n";
  }
  return text +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  [[ $current == -* || $command == '' || $command == kernels || $command == completion ]] &&\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _convtool convtool\n";
}

std::string zsh_script(const CLI::App& app) {
  std::string text =
      "#compdef convtool\n"
      "_convtool() {\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a commands=(\n";
  for (const CLI::App* command : commands_of(app))
    text += "      " + single_quoted(command->get_name() + ":" + command->get_description()) + "\n";
  text += "    )\n    _describe command commands\n    return\n  fi\n  case $words[2] in\n";
  for (const CLI::App* command : commands_of(app)) {
    text += "    " + command->get_name() + ")\n      _arguments";
    for (const CLI::Option* option : options_of(*command))
      for (const std::string& name : names_of(*option))
        text += " \\\n        " + name + "'[" + escaped(option->get_description()) + "]" +
                (takes_value(*option) ? ":value:_files'" : "'");
    text += " \\\n        '*:file:_files' ;;\n";
  }
  return text + "  esac\n}\n_convtool \"$@\"\n";
}

std::string fish_script(const CLI::App& app) {
  std::string text = "# fish completion of convtool\n";
  for (const CLI::App* command : commands_of(app))
    text += "complete -c convtool -n __fish_use_subcommand -f -a " + command->get_name() + " -d " +
            single_quoted(command->get_description()) + "\n";
  for (const CLI::App* command : commands_of(app))
    for (const CLI::Option* option : options_of(*command)) {
      text += "complete -c convtool -n '__fish_seen_subcommand_from " + command->get_name() + "'";
      for (const std::string& name : option->get_lnames()) text += " -l " + name;
      for (const std::string& name : option->get_snames()) text += " -s " + name;
      text += std::string(takes_value(*option) ? " -r" : "") + " -d " + single_quoted(option->get_description()) + "\n";
    }
  return text;
}

}  // namespace

void add_completion(CLI::App& command, Action& action) {
  auto shell = std::make_shared<std::string>();
  command.footer(kFooter);
  command.add_option("SHELL", *shell, "bash, zsh or fish")->required();
  command.callback([&command, shell, &action] {
    action = [&app = *command.get_parent(), shell] {
      const std::size_t which = parse_choice("SHELL", *shell, kShells);
      print(which == 0 ? bash_script(app) : which == 1 ? zsh_script(app) : fish_script(app));
      return kExitDone;
    };
  });
}

}  // namespace convtool
