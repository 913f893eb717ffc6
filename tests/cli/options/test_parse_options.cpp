// The words of a command line arrive as they were given.
#include <doctest/doctest.h>

#include <filesystem>

#include "cli/options/parse_options.h"
#include "core/error.h"
#include "support/error_text.h"
#include "support/program.h"

using namespace convtool;
using convtool::testing::error_text;

namespace {

/// A command with an option of every kind, parsed.
struct Parsed {
  bool flag = false, digit = false;
  std::string single = "default";
  std::optional<std::string> optional;
  std::vector<std::string> list, greedy, operands;
  PlacedValues placed, placed_flag;
  Command command;

  explicit Parsed(const std::vector<std::string>& arguments) {
    command.name = "command";
    command.add("All", {{.names = "-f,--flag", .target = &flag},
                        {.names = "-0,--digit", .target = &digit},
                        {.names = "-s,--single", .value = "S", .target = &single},
                        {.names = "-o,--optional", .value = "O", .target = &optional},
                        {.names = "-l,--list", .value = "L", .target = &list},
                        {.names = "-g,--greedy", .value = "G", .target = &greedy, .greedy = true},
                        {.names = "-p,--placed", .value = "P", .target = &placed},
                        {.names = "-q,--placed-flag", .target = &placed_flag},
                        {.names = "OPERAND", .target = &operands}});
    parse_options(command, arguments);
  }
};

std::string complaint(const std::vector<std::string>& arguments) {
  return error_text(ErrorKind::usage, [&] { Parsed{arguments}; });
}

using Texts = std::vector<std::string>;

/// Everything that means something to a parser, a shell, JSON or a configuration file.
const Texts kWords = {"[2024]",
                      "[a,b]",
                      "[]",
                      "[",
                      "]",
                      "[[1, -1]]",
                      "{}",
                      "{a}",
                      "%%",
                      "++",
                      "a,b",
                      ",",
                      "=",
                      "=x",
                      "a=b",
                      "\"q\"",
                      "'q'",
                      "`q`",
                      "\\",
                      "\\n",
                      "B\"(x)\"",
                      "a b",
                      " a ",
                      "",
                      "#1",
                      ";",
                      "%",
                      "@f",
                      "/x",
                      "/x:y",
                      "-",
                      "-5",
                      "-0.5",
                      "-.5",
                      "-1,2",
                      "true",
                      "false",
                      "0",
                      "\x01",
                      "\x01"
                      "0",
                      "\x01x",
                      "\xff",
                      "\xc3\xa9",
                      "a\nb"};

}  // namespace

TEST_CASE("operands and values are the words as given") {
  for (const std::string& word : kWords) {
    CAPTURE(word);
    CHECK((Parsed({word}).operands == Texts{word}));
    CHECK((Parsed({"-f", word, "x"}).operands == Texts{word, "x"}));
    CHECK((Parsed({"--", word}).operands == Texts{word}));
    CHECK((Parsed({"--single", word}).single == word));
    CHECK((Parsed({"--single=" + word}).single == word));
    CHECK((Parsed({"--optional", word}).optional == word));
    CHECK((Parsed({"--optional=" + word}).optional == word));
    CHECK((Parsed({"--list", word, "--list=" + word}).list == Texts{word, word}));
    CHECK((Parsed({"--greedy", word, word, "-f"}).greedy == Texts{word, word}));
    CHECK((Parsed({"--optional", word}).command.given.at("--optional") == Texts{word}));
    if (word.empty()) continue;  // "-s" and its value in the next word
    CHECK((Parsed({"-s" + word}).single == word));
    CHECK((Parsed({"-fs" + word, "x"}).single == word));
    CHECK((Parsed({"-o" + word}).optional == word));
  }
}

TEST_CASE("after -- every word is an operand, also one that looks like an option") {
  for (const char* word : {"--flag", "--flag=1", "-f", "-s", "-sx", "--unknown", "--"})
    CHECK((Parsed({"a", "--", word, "b"}).operands == Texts{"a", word, "b"}));
}

TEST_CASE("an empty value is a value, and takes no other word") {
  const Parsed parsed({"--single=", "a", "--optional=", "b", "--list=", "c"});
  CHECK(parsed.single == "");
  CHECK(parsed.optional == "");
  CHECK((parsed.list == Texts{""}));
  CHECK((parsed.operands == Texts{"a", "b", "c"}));
}

TEST_CASE("what is not given keeps its default, flags stand together, lists take one word each time") {
  const Parsed none({});
  CHECK_FALSE(none.flag);
  CHECK(none.single == "default");
  CHECK_FALSE(none.optional.has_value());
  CHECK(none.list.empty());
  const Parsed some({"-f", "-f", "-l", "a", "b"});
  CHECK(some.flag);
  CHECK((some.list == Texts{"a"}));
  CHECK((some.operands == Texts{"b"}));
}

TEST_CASE("placed values have the order in which options stand, whatever stands between them") {
  const Parsed parsed({"-p", "a", "-q", "x", "--placed=b", "-f", "--", "-p"});
  REQUIRE(parsed.placed.size() == 2);
  REQUIRE(parsed.placed_flag.size() == 1);
  CHECK(parsed.placed[0].value == "a");
  CHECK(parsed.placed[1].value == "b");
  CHECK(parsed.placed_flag[0].value == "");
  CHECK(parsed.placed[0].place < parsed.placed_flag[0].place);
  CHECK(parsed.placed_flag[0].place < parsed.placed[1].place);
  CHECK((parsed.operands == Texts{"x", "-p"}));
  CHECK((parsed.command.given.at("--placed") == Texts{"a", "b"}));
  CHECK((Parsed({"-qpa", "-pb", "-q"}).placed_flag.size() == 2));
  CHECK((Parsed({"-pb"}).placed.front().value == "b"));
  CHECK(complaint({"--placed-flag=1"}) == "--placed-flag: takes no value; see 'command --help'");
  CHECK(complaint({"-p"}) == "--placed: needs a value, P; see 'command --help'");
}

TEST_CASE("a digit may be an option, and is no negative number then") {
  const Parsed parsed({"-0", "-0.5", "-00", "-1", "-s", "-0"});
  CHECK(parsed.digit);
  CHECK((parsed.operands == Texts{"-0.5", "-00", "-1"}));
  CHECK(parsed.single == "-0");
  CHECK(Parsed({"-0f"}).flag);
  CHECK(Parsed({"-f0"}).digit);
}

TEST_CASE("refusals name the words as given") {
  CHECK(complaint({"--flag=false"}) == "--flag: takes no value; see 'command --help'");
  CHECK(complaint({"--flag="}) == "--flag: takes no value; see 'command --help'");
  CHECK(complaint({"--unknown=a,b"}).starts_with("unknown option '--unknown=a,b'"));
  CHECK(complaint({"-xa,b"}).starts_with("unknown option '-xa,b'"));
  CHECK(complaint({"-s"}) == "--single: needs a value, S; see 'command --help'");
  CHECK(complaint({"-s", "a", "-sb"}) == "--single: is given more than once; keep one");
}

TEST_CASE("apply '[2024]' filters the file of that name, not 2024") {
  const TempFolder folder;
  folder.write("[2024]", "P2 1 1 255 7\n");
  folder.write("2024", "P2 1 1 255 9\n");
  const ProgramResult result = run_convtool({"apply", "[2024]", "-k", "[[1]]", "-o", "out.json"}, folder);
  CHECK(result.err == "");
  CHECK(result.code == 0);
  CHECK(read_text(folder.file("out.json")) == "[[[7]]]\n");
}
