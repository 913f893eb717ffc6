// Commands and their options: each option is declared once, in one row. Parsing, help, the manual page, completion and
// the options that a manifest records all read these rows.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace convtool {

/// The words that an option takes, or takes most often.
class Words {
 public:
  using List = std::vector<std::string_view>;

  constexpr Words() = default;
  constexpr Words(std::span<const std::string_view> words) : words_(words) {}
  constexpr Words(List (*make)()) : make_(make) {}

  List list() const { return make_ ? make_() : List(words_.begin(), words_.end()); }
  /// "clip, abs, normalize"; "" without words.
  std::string text() const;

 private:
  std::span<const std::string_view> words_;
  List (*make_)() = nullptr;
};

/// A value of an option, and its place on the command line: values of a higher place stand further to the right. A
/// flag's value is "".
struct PlacedValue {
  std::size_t place = 0;
  std::string value;
};
using PlacedValues = std::vector<PlacedValue>;

/// Where the parser puts the values of an option. The type says what kind of option it is:
///   bool*                          a flag
///   std::string*                   one value; the content before parsing is the default
///   std::optional<std::string>*    one value, or nothing
///   std::vector<std::string>*      a list
///   PlacedValues*                  a value, or with Option::value "" a flag, whose effect depends on its place
using Target = std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*, PlacedValues*>;

/// One row of a command's table. Texts must be literals, or live as long as the command. In `brief`, `text` and
/// `otherwise`, {words} stands for the words.
struct Option {
  std::string_view names;  ///< "-k,--kernel"; an operand has one name without dashes, such as "INPUT"
  std::string_view value;  ///< the name of the value in the help; empty for flags and operands
  Target target;           ///< not owned
  std::string_view brief;  ///< for -h: fits on one line, no full stop
  std::string_view text;   ///< for --help and the manual: sentences, paragraphs separated by "\n\n"; empty: `brief`
  std::string_view otherwise = {};  ///< the default, unless the target holds it
  Words words = {};
  bool takes_files = false;        ///< a value may be a file as well as one of the words
  std::string_view conflict = {};  ///< the name of an option that cannot be given together with this one
  bool required = false;
  std::string_view if_missing = {};  ///< the error where a required option is missing; empty: a general one
  bool greedy = false;               ///< for lists: takes all values up to the next option, not one
  bool affects_result = true;        ///< recorded in a manifest, since outputs depend on it
  bool is_hidden = false;            ///< accepted, but not documented: only the command's check looks at it

  bool is_operand() const { return !names.starts_with('-'); }
  bool is_placed() const { return std::holds_alternative<PlacedValues*>(target); }
  bool is_flag() const { return std::holds_alternative<bool*>(target) || (is_placed() && value.empty()); }
  /// Whether it may be repeated.
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(target) || is_placed(); }
  /// "--kernel", "-k": the long name first.
  std::vector<std::string> all_names() const;
  /// The first of all_names(), by which messages and manifests know the option.
  std::string name() const { return all_names().front(); }
  /// The default as the help shows it: of the target, before parsing, or `otherwise`; "" when there is none.
  std::string default_text() const;
};

struct OptionGroup {
  std::string_view title;
  std::vector<Option> options;
};

/// Values by option name.
using GivenOptions = std::map<std::string, std::vector<std::string>>;

/// A command, which has either options and operands or commands of its own (and then nothing but flags).
struct Command {
  enum class Help { none, brief, full };

  std::string_view name, brief;
  void (*declare)(Command&) = nullptr;  ///< fills in the rest; called for the commands that are needed
  std::string_view text;                ///< a description in sentences, for --help and the manual
  std::string_view examples;            ///< printed unchanged
  std::vector<OptionGroup> groups;
  std::list<Command> commands;
  Command* parent = nullptr;
  std::function<void()> check;  ///< may throw Error(usage), before missing options are reported
  std::function<int()> run;     ///< returns the exit code; reads the targets of the options

  // Set by parse_options().
  GivenOptions given;
  Help help = Help::none;

  /// Appends rows to the group of this title, which becomes the last one if it is new.
  void add(std::string_view title, std::initializer_list<Option> options);
  /// Appends a command of this one, not yet declared.
  void add_command(std::string_view command_name, std::string_view command_brief, void (*declare_it)(Command&));
  /// Declares the commands below this one, and those below them.
  void declare_all();

  std::vector<const Option*> options() const;  ///< without operands and hidden ones
  std::vector<const Option*> operands() const;
  const Option* find(std::string_view option_name) const;  ///< by any of its names, or null
  Command& root();
  /// "convtool kernels show".
  std::string path() const;
  /// "; see 'convtool kernels show --help'", the end of a message.
  std::string see_help() const;
};

/// The given options of a parsed command that affect its result.
GivenOptions given_options(const Command& command);

}  // namespace convtool
