// convtool completion: completion scripts for shells, from the tables of commands and options.

#include <functional>
#include <memory>
#include <set>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options/help.h"
#include "cli/options/option_value.h"
#include "cli/options/option_words.h"
#include "cli/terminal/terminal.h"

namespace convtool {
namespace {

constexpr std::string_view kCompletionExamples =
    R"(  cd ~/.local/share/bash-completion/completions
  convtool completion bash > convtool
  convtool completion zsh > "${fpath[1]}/_convtool"
  convtool completion fish > ~/.config/fish/completions/convtool.fish)";

template <class List>
std::string joined(const List& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

std::string command_names(const Command& command) {
  std::vector<std::string_view> names;
  for (const Command& inner : command.commands) names.push_back(inner.name);
  return joined(names);
}

std::string option_names(const Command& command) {
  std::vector<std::string> names;
  for (const Option* option : command.options())
    for (const std::string& name : option->all_names()) names.push_back(name);
  names.insert(names.end(), {"--help", "-h"});
  return joined(names);
}

/// The words that an option takes, if it takes a few.
std::string choices_of(const Option& option) { return joined(option.words.list()); }

bool completes_files(const Option& option) { return option.takes_files || choices_of(option).empty(); }

/// The words that may follow the name of a command, except options: commands of its own, or values of its operand.
std::string following_words(const Command& command) {
  const std::vector<const Option*> operands = command.operands();
  return operands.empty() ? command_names(command) : choices_of(*operands.front());
}

/// Calls `work` for each command and its words without the program's name: "kernels", "kernels show".
void for_each_command(const Command& command, const std::string& words,
                      const std::function<void(const Command&, const std::string&)>& work) {
  for (const Command& inner : command.commands) {
    const std::string own = words + (words.empty() ? "" : " ") + std::string(inner.name);
    work(inner, own);
    for_each_command(inner, own, work);
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

std::string bash_script(const Command& program) {
  std::string commands, values;
  std::set<std::string> seen;
  for_each_command(program, "", [&](const Command& command, const std::string& words) {
    commands += "    " + single_quoted(words) + ") options=" + single_quoted(option_names(command)) +
                " words=" + single_quoted(following_words(command)) + " ;;\n";
    for (const Option* option : command.options()) {
      const std::string choices = choices_of(*option);
      if (choices.empty() || !seen.insert(option->name()).second) continue;
      std::string names;
      for (const std::string& name : option->all_names()) names += (names.empty() ? "" : " | ") + name;
      values += "    " + names + ") options= words=" + single_quoted(choices) + " ;;\n";
    }
  });
  return "# bash completion of convtool\n"
         "_convtool() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= options= words=\n"
         "  # bash splits --map=clip into three words\n"
         "  [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "  [[ $current == = ]] && current=\n"
         "  ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}\n"
         "  [[ $command == kernels ]] && ((COMP_CWORD > 2)) && command+=\" ${COMP_WORDS[2]}\"\n"
         "  case $command in\n"
         "    '') options=" +
         single_quoted(option_names(program)) + " words=" + single_quoted(command_names(program)) + " ;;\n" + commands +
         "  esac\n"
         "  case $previous in\n" +
         values +
         "  esac\n"
         "  [[ $current == -* ]] && words=$options\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _convtool convtool\n";
}

std::string zsh_specification(const Option& option, const std::string& name) {
  std::string text = name + "'[" + escaped(described(option, false)) + "]";
  if (option.is_flag()) return text + "'";
  if (name.starts_with("--")) text.insert(name.size(), "=");  // the value follows = or a space
  const std::string choices = choices_of(option);
  const std::string files = choices.empty() ? "_files" : "{compadd " + choices + "; _files}";
  return text + ":value:" + (completes_files(option) ? files : "(" + choices + ")") + "'";
}

std::string zsh_script(const Command& program) {
  const auto described = [](const Command& parent) {
    std::string text = "    local -a commands=(\n";
    for (const Command& command : parent.commands)
      text += "      " + single_quoted(std::string(command.name) + ":" + std::string(command.brief)) + "\n";
    return text + "    )\n    _describe command commands\n";
  };
  std::string text =
      "#compdef convtool\n"
      "_convtool() {\n"
      "  if ((CURRENT == 2)); then\n" +
      described(program) +
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  [[ $command == kernels ]] && ((CURRENT > 3)) && command+=\" $words[3]\"\n"
      "  case $command in\n";
  for_each_command(program, "", [&](const Command& command, const std::string& words) {
    text += "    " + single_quoted(words) + ")\n";
    if (!command.commands.empty()) {
      text += described(command) + "    ;;\n";
      return;
    }
    text += "      _arguments";
    for (const Option* option : command.options())
      for (const std::string& name : option->all_names()) text += " \\\n        " + zsh_specification(*option, name);
    const std::string choices = following_words(command);
    text += " \\\n        '*:file:" + (choices.empty() ? "_files" : "{compadd " + choices + "; _files}") + "' ;;\n";
  });
  return text + "  esac\n}\n_convtool \"$@\"\n";
}

std::string fish_script(const Command& program) {
  std::string text = "# fish completion of convtool\n";
  for (const Command& command : program.commands)
    text += "complete -c convtool -n __fish_use_subcommand -f -a " + std::string(command.name) + " -d " +
            single_quoted(std::string(command.brief)) + "\n";
  for_each_command(program, "", [&](const Command& command, const std::string& words) {
    std::string seen;
    for (std::size_t at = 0, end = 0; at < words.size(); at = end + 1) {
      end = std::min(words.find(' ', at), words.size());
      seen += (seen.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + words.substr(at, end - at));
    }
    for (const Command& inner : command.commands)
      text += "complete -c convtool -n '" + seen + "; and not __fish_seen_subcommand_from " + command_names(command) +
              "' -f -a " + std::string(inner.name) + " -d " + single_quoted(std::string(inner.brief)) + "\n";
    if (const std::string choices = following_words(command); command.commands.empty() && !choices.empty())
      text += "complete -c convtool -n '" + seen + "' -a " + single_quoted(choices) + "\n";
    for (const Option* option : command.options()) {
      text += "complete -c convtool -n '" + seen + "'";
      for (const std::string& name : option->all_names())
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      const std::string choices = choices_of(*option);
      text += std::string(option->is_flag()          ? ""
                          : completes_files(*option) ? " -r"
                                                     : " -x") +
              (choices.empty() ? "" : " -a " + single_quoted(choices)) + " -d " +
              single_quoted(described(*option, false)) + "\n";
    }
  });
  return text;
}

}  // namespace

void declare_completion(Command& command) {
  auto shell = std::make_shared<std::string>();
  command.text = "Prints a script with which a shell completes convtool's commands, options and their values.";
  command.examples = kCompletionExamples;
  command.add(
      "Options",
      {{.names = "SHELL", .target = shell.get(), .brief = "the shell: {words}", .words = {kShells}, .required = true}});
  command.run = [&command, shell] {
    const std::size_t which = parse_choice("SHELL", *shell, kShells);
    Command& program = command.root();
    program.declare_all();
    print(which == 0 ? bash_script(program) : which == 1 ? zsh_script(program) : fish_script(program));
    return kExitDone;
  };
}

}  // namespace convtool
