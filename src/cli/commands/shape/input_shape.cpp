#include "cli/commands/shape/input_shape.h"

#include <filesystem>

#include "cli/job/source.h"
#include "cli/options/option_value.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "files/file.h"
#include "files/regular_file.h"

namespace convtool {
namespace {

/// The shape of a file's content as apply would filter it, without alpha. Only JSON is read as a whole.
InputShape read_file_shape(const std::string& path) {
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 30;  // of files that are read as a whole
  try {
    std::error_code ignored;
    if (path == "-" || std::filesystem::is_other(path, ignored)) {
      const Source source = read_source(read_file(path), path, kMostPixels);
      Shape shape = source.shape;
      if (source.has_alpha()) --shape.c;
      return {shape, source.rank(), source.dtype()};
    }
    const MappedFile file(path);
    const SourceHeader header = read_source_header(file.bytes(), path, std::nullopt);
    if (header.format.kind == FileFormat::Kind::json) {
      const Source source = read_source({file.bytes().begin(), file.bytes().end()}, path, kMostPixels);
      return {source.shape, source.rank(), source.dtype()};
    }
    Shape shape = header.shape;
    if (header.has_alpha()) --shape.c;
    return {shape, header.rank, header.dtype};
  } catch (const Error& error) {
    throw Error(error.kind(), error.where().empty() ? path : "", error.what());
  }
}

/// Warns of H x W x C, as NumPy and TensorFlow write the shape of a picture.
void warn_of_channels_last(const std::vector<std::int64_t>& sizes) {
  constexpr std::int64_t kMostColours = 4;
  if (sizes.size() != 3 || sizes[2] > kMostColours || sizes[0] <= kMostColours || sizes[1] <= kMostColours) return;
  print_message(MessageKind::warning, "SHAPE: shapes are C x H x W (got " + join_sizes(sizes) + "); did you mean " +
                                          join_sizes({sizes[2], sizes[0], sizes[1]}) + "?");
}

}  // namespace

InputShape read_input_shape(const std::string& text) {
  if (text.find_first_not_of("0123456789x") != std::string::npos) return read_file_shape(text);
  std::vector<std::int64_t> sizes = parse_shape("SHAPE", text);
  warn_of_channels_last(sizes);
  const int rank = sizes.size() == 4 ? 4 : 3;
  sizes.insert(sizes.begin(), 4 - sizes.size(), 1);
  return {{.n = sizes[0], .c = sizes[1], .h = sizes[2], .w = sizes[3]}, rank};
}

}  // namespace convtool
