#include "cli/batch/destinations.h"

#include <filesystem>
#include <map>

#include "core/error.h"
#include "files/regular_file.h"
#include "files/stream_reader.h"
#include "pictures/stream/y4m.h"
#include "show/sheet.h"
#include "tensors/npz.h"

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

/// The header of a regular file, of a video that of its luma; nothing if it cannot be read.
std::optional<SourceHeader> header_of(const std::string& input) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(split_array_path(input).file, ignored)) return std::nullopt;
  try {
    const MappedFile file(split_array_path(input).file);
    if (looks_like_y4m(file.bytes())) {
      StreamReader stream(input);
      const RasterLayout luma = read_y4m_header(stream).layout(0);
      return SourceHeader{.format = *find_file_format("y4m"), .shape = luma.shape, .dtype = luma.dtype};
    }
    if (looks_like_npz(file.bytes())) return read_source_header(read_input(input).bytes, input, std::nullopt);
    return read_source_header(file.bytes(), input, std::nullopt);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// What the file `path` of `destination` holds; nothing if it is not written, or planning will refuse it.
std::optional<ResultLayout> layout_of(const std::string& path, const Destination& destination,
                                      const SourceHeader& header, const FilterSpec& spec) {
  const Forecast forecast = make_forecast(header, spec);
  if (forecast.responses.empty()) return std::nullopt;
  const auto sheet_of = [&](const Shape& responses) {
    const SheetLayout layout = sheet_layout(responses, *spec.sheet);
    return ResultLayout{.shape = {.n = 1, .c = 3, .h = layout.height, .w = layout.width}, .dtype = DType::u8};
  };
  for (std::size_t i = 0; i < destination.layers.size(); ++i) {
    if (path == destination.layers[i]) return ResultLayout{.shape = forecast.responses[i], .dtype = DType::f32};
    if (!destination.layer_sheets.empty() && path == destination.layer_sheets[i])
      return sheet_of(forecast.responses[i]);
  }
  const Destination written = final_name(destination, header, forecast, spec);
  if (path == written.sheet || (written.is_sheet && path == written.path)) return sheet_of(forecast.responses.back());
  if (path != written.path) return std::nullopt;
  std::optional<ResultLayout> layout = forecast_result(header, *written.format, forecast, spec);
  const bool has_only_colours = written.format->name() == "webp" || written.format->name() == "exr";
  if (layout && has_only_colours && layout->shape.c <= 2) layout->shape.c += 2;
  return layout;
}

/// Throws Error(usage) if `listed`, an input with the name `path` of an output of `source`, cannot be an earlier one:
/// its size, channels or depth are others. A source that cannot be read replaces nothing.
void check_earlier_output(const std::string& listed, const std::string& path, const std::string& source,
                          const Destination& destination, const FilterSpec& spec) {
  const std::optional<SourceHeader> header = header_of(source);
  if (!header) return;
  std::optional<ResultLayout> expected;
  try {
    expected = layout_of(path, destination, *header, spec);
  } catch (const Error&) {
    return;  // of this source, said again when its turn comes
  }
  if (!expected) return;
  const std::optional<SourceHeader> found = header_of(listed);
  Shape shape = found ? found->shape : Shape();
  if (destination.format && destination.format->name() == "exr" && shape.c <= 2) shape.c += 2;
  if (found && found->dtype == expected->dtype && shape == expected->shape) return;
  refuse_usage(listed, "is an input that the output of '" + source +
                           "' would replace, and is not an earlier one: its size, channels or depth are others; write "
                           "to another folder with --out-dir");
}

}  // namespace

std::string take_earlier_outputs(std::vector<Input>& inputs, const DestinationOptions& options,
                                 const FilterSpec& spec) {
  if (inputs.size() < 2) return "";
  // A link to an output is not taken for it.
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
      if (place == places.end() || !continues(path, inputs[i].path)) continue;
      check_earlier_output(inputs[place->second].path, path, inputs[i].path, destinations[i], spec);
      writers[place->second] = i;
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
