// convtool completion: scripts that make shells complete its commands and options, from the table of options itself.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <set>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/options/option_table.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/terminal/terminal.h"

namespace convtool {
namespace {

constexpr const char* kFooter = R"(Examples:
  convtool completion bash > ~/.local/share/bash-completion/completions/convtool
  convtool completion zsh > "${fpath[1]}/_convtool"
  convtool completion fish > ~/.config/fish/completions/convtool.fish)";

template <class Words>
std::string joined(const Words& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + std::string(word);
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

/// The words that an option takes, if it takes a few.
std::string choices_of(const CLI::Option& option) { return joined(words_of(names_of(option).front())); }

/// Whether the value of an option may be a file: a kernel may, as well as a name.
bool takes_file(const CLI::Option& option) {
  return choices_of(option).empty() || option.check_lname("kernel") || option.check_lname("init");
}

/// What may stand after a command's name, options apart: commands of its own, or words that its operand takes.
std::string following_words(const CLI::App& command) {
  const std::vector<const CLI::Option*> operands = operands_of(command);
  return operands.empty() ? command_names(command) : joined(words_of(operands.front()->get_name()));
}

/// Does `work` for each command with its words from the program's name on: "kernels", "kernels show".
void for_each_command(const CLI::App& app, const std::string& words,
                      const std::function<void(const CLI::App&, const std::string&)>& work) {
  for (const CLI::App* command : commands_of(app)) {
    const std::string own = words + (words.empty() ? "" : " ") + command->get_name();
    work(*command, own);
    for_each_command(*command, own, work);
  }
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
  std::string commands, values;
  std::set<std::string> told;
  for_each_command(app, "", [&](const CLI::App& command, const std::string& words) {
    commands += "    " + single_quoted(words) + ") options=" + single_quoted(option_names(command)) +
                " words=" + single_quoted(following_words(command)) + " ;;\n";
    for (const CLI::Option* option : options_of(command)) {
      const std::string choices = choices_of(*option);
      if (choices.empty() || !told.insert(option->get_name()).second) continue;
      std::string names;
      for (const std::string& name : names_of(*option)) names += (names.empty() ? "" : " | ") + name;
      values += "    " + names + ") options= words=" + single_quoted(choices) + " ;;\n";
    }
  });
  return "# bash completion of convtool\n"
         "_convtool() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= options= words=\n"
         "  # bash takes --map=clip for three words\n"
         "  [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "  [[ $current == = ]] && current=\n"
         "  ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}\n"
         "  [[ $command == kernels ]] && ((COMP_CWORD > 2)) && command+=\" ${COMP_WORDS[2]}\"\n"
         "  case $command in\n"
         "    '') options=" +
         single_quoted(option_names(app)) + " words=" + single_quoted(command_names(app)) + " ;;\n" + commands +
         "  esac\n"
         "  case $previous in\n" +
         values +
         "  esac\n"
         "  [[ $current == -* ]] && words=$options\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _convtool convtool\n";
}

std::string zsh_specification(const CLI::Option& option, const std::string& name) {
  std::string text = name + "'[" + escaped(option.get_description()) + "]";
  if (!takes_value(option)) return text + "'";
  if (name.starts_with("--")) text.insert(name.size(), "=");  // or apart
  const std::string choices = choices_of(option);
  const std::string files = choices.empty() ? "_files" : "{compadd " + choices + "; _files}";
  return text + ":value:" + (takes_file(option) ? files : "(" + choices + ")") + "'";
}

std::string zsh_script(const CLI::App& app) {
  const auto described = [](const CLI::App& parent) {
    std::string text = "    local -a commands=(\n";
    for (const CLI::App* command : commands_of(parent))
      text += "      " + single_quoted(command->get_name() + ":" + command->get_description()) + "\n";
    return text + "    )\n    _describe command commands\n";
  };
  std::string text =
      "#compdef convtool\n"
      "_convtool() {\n"
      "  if ((CURRENT == 2)); then\n" +
      described(app) +
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  [[ $command == kernels ]] && ((CURRENT > 3)) && command+=\" $words[3]\"\n"
      "  case $command in\n";
  for_each_command(app, "", [&](const CLI::App& command, const std::string& words) {
    text += "    " + single_quoted(words) + ")\n";
    if (!commands_of(command).empty()) {
      text += described(command) + "    ;;\n";
      return;
    }
    text += "      _arguments";
    for (const CLI::Option* option : options_of(command))
      for (const std::string& name : names_of(*option)) text += " \\\n        " + zsh_specification(*option, name);
    const std::string choices = following_words(command);
    text += " \\\n        '*:file:" + (choices.empty() ? "_files" : "{compadd " + choices + "; _files}") + "' ;;\n";
  });
  return text + "  esac\n}\n_convtool \"$@\"\n";
}

std::string fish_script(const CLI::App& app) {
  std::string text = "# fish completion of convtool\n";
  for (const CLI::App* command : commands_of(app))
    text += "complete -c convtool -n __fish_use_subcommand -f -a " + command->get_name() + " -d " +
            single_quoted(command->get_description()) + "\n";
  for_each_command(app, "", [&](const CLI::App& command, const std::string& words) {
    std::string seen;
    for (std::size_t at = 0, end = 0; at < words.size(); at = end + 1) {
      end = std::min(words.find(' ', at), words.size());
      seen += (seen.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + words.substr(at, end - at));
    }
    for (const CLI::App* inner : commands_of(command))
      text += "complete -c convtool -n '" + seen + "; and not __fish_seen_subcommand_from " + command_names(command) +
              "' -f -a " + inner->get_name() + " -d " + single_quoted(inner->get_description()) + "\n";
    if (const std::string choices = following_words(command); commands_of(command).empty() && !choices.empty())
      text += "complete -c convtool -n '" + seen + "' -a " + single_quoted(choices) + "\n";
    for (const CLI::Option* option : options_of(command)) {
      text += "complete -c convtool -n '" + seen + "'";
      for (const std::string& name : option->get_lnames()) text += " -l " + name;
      for (const std::string& name : option->get_snames()) text += " -s " + name;
      const std::string choices = choices_of(*option);
      text += std::string(!takes_value(*option) ? ""
                          : takes_file(*option) ? " -r"
                                                : " -x") +
              (choices.empty() ? "" : " -a " + single_quoted(choices)) + " -d " +
              single_quoted(option->get_description()) + "\n";
    }
  });
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
