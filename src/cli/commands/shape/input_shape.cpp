#include "cli/commands/shape/input_shape.h"

#include <span>

#include "cli/job/source.h"
#include "cli/options/option_value.h"
#include "cli/terminal/terminal.h"
#include "core/text.h"
#include "files/file.h"
#include "files/regular_file.h"
#include "tensors/npz.h"
#include "tensors/tensor_text.h"

namespace convtool {
namespace {

/// The shape of a file's content as apply would filter it, without alpha. Only text is read beyond its header.
InputShape shape_of_content(std::span<const std::byte> bytes, const std::string& path) {
  const SourceHeader header = read_source_header(bytes, path, std::nullopt);
  if (header.format.kind == FileFormat::Kind::json) {
    const RankedTensor json = parse_tensor_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "");
    return {json.tensor.shape(), json.rank, json.tensor.dtype()};
  }
  if (header.picture)
    for (const Remark& remark : remarks_on_others(*header.picture))
      print_message(MessageKind::warning, path + ": " + remark.text);
  Shape shape = header.shape;
  if (header.has_alpha()) --shape.c;
  return {shape, header.rank, header.dtype};
}

InputShape read_file_shape(const std::string& path) {
  if (is_inline_tensor(path)) {
    const Source source = text_source(path);
    return {source.shape, source.rank(), source.dtype()};
  }
  try {
    const auto [name, array] = split_array_path(path);
    if (is_stream(name)) return shape_of_content(read_input(path).bytes, path);
    const MappedFile file(name);
    if (!looks_like_npz(file.bytes()) && array.empty()) return shape_of_content(file.bytes(), path);
    return shape_of_content(extract_npy(file.bytes(), array, kNoLimit), path);
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
