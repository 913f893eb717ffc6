#include "cli/batch/destinations.h"

#include <filesystem>
#include <map>

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

namespace {

/// Whether the name of the file `output` is that of `input` with something added: a.sobel.png of a.png. A file of any
/// other name may be a source that the user does not expect to be replaced.
bool continues(const std::string& output, const std::string& input) {
  const std::string stem = std::filesystem::path(output).stem().string();
  const std::string source = std::filesystem::path(input).stem().string();
  return stem.size() > source.size() && stem.starts_with(source);
}

}  // namespace

std::string take_earlier_outputs(std::vector<Input>& inputs, const DestinationOptions& options,
                                 const FilterSpec& spec) {
  if (inputs.size() < 2) return "";
  // By name alone: a link to an output is not taken for it.
  const std::filesystem::path here = std::filesystem::current_path();
  const auto whole = [&](const std::string& path) { return (here / path).lexically_normal().string(); };
  std::map<std::string, std::size_t> places;  // in `inputs`
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].has_file()) places.emplace(whole(inputs[i].path), i);

  const std::vector<Destination> destinations = name_outputs(inputs, options, spec.network);
  std::vector<std::size_t> writers(inputs.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<std::string> written = destinations[i].other_files();
    if (may_change(destinations[i], inputs[i].path, spec))
      for (const std::string& path : possible_paths(destinations[i])) written.push_back(path);
    else if (destinations[i].path != "-")
      written.push_back(destinations[i].path);
    for (const std::string& path : written) {
      const auto place = places.find(whole(path));
      if (place != places.end() && continues(path, inputs[i].path)) writers[place->second] = i;
    }
  }

  std::vector<Input> kept;
  std::string example;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (writers[i] == inputs.size())
      kept.push_back(inputs[i]);
    else if (example.empty())
      example = "'" + inputs[i].path + "' of '" + inputs[writers[i]].path + "'";
  }
  const std::size_t count = inputs.size() - kept.size();
  if (count == 0 || kept.empty()) return "";
  inputs = std::move(kept);
  return (count == 1 ? "1 input is an earlier output of this command, " + example
                     : std::to_string(count) + " inputs are earlier outputs of this command, such as " + example) +
         ": skipped (to filter such a file, name it without its source)";
}

void check_output(const std::string& path, bool creates_folder, const ReadFiles& read) {
  Folders().check({.path = path, .format = {}, .create_folder = creates_folder});
  read.refuse_overwriting(path);
}

}  // namespace convtool
