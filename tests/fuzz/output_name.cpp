// Names of outputs, from patterns, folders and names of inputs and kernels: two inputs never get the same file. The
// input is two texts with a zero byte in between: the pattern, and a name.
#include "cli/job/output_name.h"

#include <algorithm>

#include "cli/batch/destinations.h"
#include "cli/batch/output_owners.h"
#include "core/text.h"
#include "fuzz/target.h"

namespace convtool::fuzz {
namespace output_name {

/// Whether the checks of a path look at the files of this machine.
bool leaves_folder(const std::string& path) { return path.starts_with('/') || path.find("..") != std::string::npos; }

void check_names(const std::vector<Input>& inputs, const DestinationOptions& options, const Network& network) {
  Folders folders;
  const ReadFiles none({});
  const std::vector<Destination> all = plan_destinations(inputs, none, options, network, folders);
  check(all.size() == inputs.size(), "another number of outputs than inputs");
  const OutputOwners owners(inputs, all, folders);
  std::vector<std::string> settled;
  for (const Destination& each : all) {
    check(!each.path.empty(), "an empty name");
    const std::vector<std::string> possible = possible_paths(each);
    check(std::find(possible.begin(), possible.end(), each.path) != possible.end(), "a name that is not possible");
    if (each.path != "-") settled.push_back(settled_path(each.path));
  }
  std::sort(settled.begin(), settled.end());
  check(std::adjacent_find(settled.begin(), settled.end()) == settled.end(), "two outputs in one file");
}

bool run(std::span<const std::byte> input) {
  const std::string_view text = text_of(input);
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string pattern(text.substr(0, end)), name(text.substr(std::min(end + 1, text.size())));

  const std::string part = file_name_part(name);
  check(part.size() <= 100 && part.find('/') == std::string::npos && part.find('\0') == std::string::npos,
        "a part of a file name that is not one");
  if (leaves_folder(pattern) || leaves_folder(name) || name.find('\0') != std::string::npos) return false;

  const Network network = {.name = name, .banks = {{.name = name, .layers = {{.name = name}}}}};
  const std::vector<Input> inputs = {{"a/b.png", "a"}, {name.empty() ? "x.npy" : name, ""}};
  bool is_accepted = false;
  for (const DestinationOptions& options :
       {DestinationOptions{.output = pattern}, DestinationOptions{.out_dir = pattern},
        DestinationOptions{.format = pattern}, DestinationOptions{.out_dir = "d", .dump_layers = pattern}})
    is_accepted |= accepts({ErrorKind::usage}, [&] { check_names(inputs, options, network); });
  return is_accepted;
}

}  // namespace output_name

Target output_name_target() {
  return {
      "output_name", output_name::run,
      seeds_of({std::string_view("{dir}/{stem}.{kernel}.{ext}\0n.jpg", 33),
                std::string_view("out/{name}.png\0a.png", 20), "{stem}.tif",
                std::string_view("{stem}.tif\0c/b.jpg", 18), "{wrong}.png", "{stem", "png", ".JPG", "npy", "-", "d/e/",
                std::string_view("out\0b.tar.exr", 13), std::string_view("x.png\0kernel \"name\": \n\t", 23)})};
}

}  // namespace convtool::fuzz
