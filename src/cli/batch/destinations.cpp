#include "cli/batch/destinations.h"

#include <filesystem>

namespace convtool {

std::vector<Destination> plan_destinations(const std::vector<Input>& inputs, const ReadFiles& read,
                                           const DestinationOptions& options, const Network& network,
                                           Folders& folders) {
  const std::vector<Destination> destinations = name_outputs(inputs, options, network);
  std::error_code ignored;
  if (options.out_dir && std::filesystem::exists(*options.out_dir, ignored) &&
      !std::filesystem::is_directory(*options.out_dir, ignored))
    refuse_usage(*options.out_dir, "is not a folder; --out-dir takes a folder, --output a file");

  const auto check = [&](const Destination& destination) {
    folders.check(destination);
    read.refuse_overwriting(destination.path, folders.settle(destination.path));
  };
  for (const Destination& destination : destinations) {
    if (destination.path != "-") check(destination);
    for (const std::string& path : destination.other_files())
      check(
          {.path = path, .format = {}, .create_folder = path != destination.sheet || destination.create_sheet_folder});
  }
  return destinations;
}

void check_output(const std::string& path, bool creates_folder, const ReadFiles& read) {
  Folders().check({.path = path, .format = {}, .create_folder = creates_folder});
  read.refuse_overwriting(path);
}

}  // namespace convtool
