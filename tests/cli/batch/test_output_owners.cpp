// Which input each output file belongs to. Planned and derived names are tested through the program (test_batch.cpp).
#include <doctest/doctest.h>

#include <filesystem>

#include "cli/batch/destinations.h"
#include "cli/batch/output_owners.h"
#include "support/program.h"

namespace convtool {

TEST_CASE("a numbered output is never the file of another input") {
  const TempFolder folder;
  const auto file = [&](const std::string& name) { return folder.file(name); };
  const std::vector<Input> inputs = {{file("a.tif"), ""}, {file("a1.tif"), ""}};
  const Network network = {.name = "k", .banks = {{.name = "k", .layers = {{.name = "k"}}}}};
  Folders folders;
  const std::vector<Destination> all =
      plan_destinations(inputs, ReadFiles({}), {.output = "{dir}/{stem}{n}.png"}, network, folders);
  OutputOwners owners(inputs, all, folders);
  const auto refusal = [&](std::size_t input, std::int64_t number) -> std::string {
    try {
      owners.claim_numbered(all[input].numbered(number).path, inputs[input].path);
      return "";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::output);
      return error.what();
    }
  };
  for (const std::int64_t number : {1, 2, 9999, 10000}) CHECK(refusal(0, number) == "");
  CHECK(refusal(0, 10001) == file("a10001.png") + ": is also the name of an output of '" + file("a1.tif") +
                                 "'; separate the number from the name, as in '{stem}-{n}.png'");  // the first of a1
  CHECK(refusal(1, 1) == "");
  CHECK(refusal(1, 2) == "");
  CHECK(refusal(0, 10002).starts_with(file("a10002.png") + ": is also the name of an output of "));
  CHECK(refusal(0, 10003) == "");
  CHECK(refusal(1, 3).starts_with(file("a10003.png") + ": is also the name of an output of '" + file("a.tif")));

  std::filesystem::create_symlink("a0006.png", folder.file("a0005.png"));
  CHECK(refusal(0, 5) == file("a0005.png") + ": is a link to '" + std::filesystem::canonical(folder.file("")).string() +
                             "/a0006.png" +
                             "', and other outputs of this run may be links to it as well; remove the link");
}

}  // namespace convtool
