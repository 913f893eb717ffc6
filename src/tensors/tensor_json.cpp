#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/text.h"
#include "files/json_text.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

/// Appends the elements along `axis` (0 to 3 for n, c, h, w) and the axes after it as nested lists. Advances `next`.
void append_lists(const float*& next, const std::int64_t (&sizes)[4], int axis, std::string& text) {
  if (axis == 4) {
    const float value = *next++;
    if (!std::isfinite(value)) {
      throw Error(ErrorKind::output, "",
                  "the result contains NaN or infinity, which JSON does not have; write .npy instead");
    }
    text += to_text(value);
    return;
  }
  text += '[';
  for (std::int64_t i = 0; i < sizes[axis]; ++i) {
    if (i > 0) text += ',';
    append_lists(next, sizes, axis + 1, text);
  }
  text += ']';
}

}  // namespace

bool looks_like_json(std::span<const std::byte> bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 4096));
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[';
}

std::optional<RankedShape> scan_json_shape(std::span<const std::byte> bytes) {
  constexpr std::size_t kMostRank = 4;
  std::int64_t commas[kMostRank] = {}, sizes[kMostRank] = {};  // by depth; sizes of the first list at each
  std::size_t depth = 0, rank = 0;
  for (const std::byte byte : bytes) {
    switch (static_cast<char>(byte)) {
      case '[':
        if (depth == kMostRank) return std::nullopt;
        commas[depth++] = 0;
        rank = std::max(rank, depth);
        break;
      case ',':
        if (depth == 0) return std::nullopt;
        ++commas[depth - 1];
        break;
      case ']':
        if (depth == 0) return std::nullopt;
        --depth;
        if (sizes[depth] == 0) sizes[depth] = commas[depth] + 1;
        break;
      default: break;
    }
  }
  double values = 1;
  for (std::size_t i = 0; i < rank; ++i) values *= static_cast<double>(sizes[i]);
  if (depth != 0 || rank < 2 || values > static_cast<double>(bytes.size())) return std::nullopt;
  std::int64_t dimensions[kMostRank] = {1, 1, 1, 1};
  std::copy_backward(sizes, sizes + rank, dimensions + kMostRank);
  return RankedShape{.shape = {.n = dimensions[0], .c = dimensions[1], .h = dimensions[2], .w = dimensions[3]},
                     .rank = static_cast<int>(rank)};
}

RankedTensor parse_tensor_json(std::string_view text, const std::string& source) {
  const nlohmann::json document = parse_json(text, ErrorKind::input, source);
  if (!document.is_array()) {
    throw Error(ErrorKind::input, source,
                describe_json(document) + " is not a tensor (expected nested lists of numbers)");
  }
  const NumberBlock block = read_numbers(document, "", ErrorKind::input, source);
  const std::size_t rank = block.dimensions.size();
  if (rank < 2 || rank > 4) {
    throw Error(ErrorKind::input, source,
                "lists nested " + std::to_string(rank) +
                    " deep (expected 2: [h][w]; 3: [c][h][w]; or 4: [n][c][h][w])" +
                    (rank == 1 ? "; for a single row write [[...]]" : ""));
  }
  std::int64_t sizes[4] = {1, 1, 1, 1};
  std::copy_backward(block.dimensions.begin(), block.dimensions.end(), sizes + 4);
  RankedTensor result{.tensor = Tensor(DType::f32, {.n = sizes[0], .c = sizes[1], .h = sizes[2], .w = sizes[3]}),
                      .rank = static_cast<int>(rank)};
  std::transform(block.values.begin(), block.values.end(), result.tensor.data<float>(),
                 [](double value) { return static_cast<float>(value); });
  return result;
}

Bytes format_tensor_json(const RankedTensor& tensor) {
  const Shape& shape = tensor.tensor.shape();
  const std::int64_t sizes[4] = {shape.n, shape.c, shape.h, shape.w};
  std::string text;
  const float* next = tensor.tensor.data<float>();
  append_lists(next, sizes, 4 - tensor.rank, text);
  text += '\n';
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

}  // namespace convtool
