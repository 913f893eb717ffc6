#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "core/text.h"
#include "files/json_text.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

std::string json_number(float value) {
  if (!std::isfinite(value))
    throw Error(ErrorKind::output, "",
                "the result contains NaN or infinity, which JSON does not have; write .npy instead");
  return to_text(value);
}

/// Nested lists of a tensor's numbers.
class Lists {
 public:
  Lists(const RankedTensor& tensor, TensorText layout)
      : next_(tensor.tensor.data<float>()), rank_(static_cast<std::size_t>(tensor.rank)), layout_(layout) {
    const Shape& shape = tensor.tensor.shape();
    const std::int64_t sizes[4] = {shape.n, shape.c, shape.h, shape.w};
    sizes_.assign(std::end(sizes) - tensor.rank, std::end(sizes));
    if (layout == TensorText::aligned) measure(shape.count());
  }

  std::string text() {
    append_list(0);
    return text_ + "\n";
  }

 private:
  /// The places of a number up to its last digit before the point, and after that.
  struct Places {
    std::size_t before = 0, after = 0;

    static Places of(const std::string& number) {
      const std::size_t before = std::min(number.find_first_of(".e"), number.size());
      return {before, number.size() - before};
    }
  };

  void measure(std::int64_t count) {
    columns_.resize(static_cast<std::size_t>(sizes_.back()));
    for (std::int64_t i = 0; i < count; ++i) {
      const Places number = Places::of(json_number(next_[i]));
      Places& column = columns_[static_cast<std::size_t>(i % sizes_.back())];
      column = {std::max(column.before, number.before), std::max(column.after, number.after)};
    }
  }

  /// The elements along `axis` of the lists, and the axes after it.
  void append_list(std::size_t axis) {
    text_ += '[';
    for (std::int64_t i = 0; i < sizes_[axis]; ++i) {
      const bool is_last = i + 1 == sizes_[axis];
      if (axis + 1 == rank_) {
        append_number(static_cast<std::size_t>(i), is_last);
        continue;
      }
      append_list(axis + 1);
      if (!is_last) text_ += ',';
      if (!is_last && layout_ == TensorText::aligned)
        text_ += std::string(rank_ - axis - 1, '\n') + std::string(axis + 1, ' ');
    }
    text_ += ']';
  }

  void append_number(std::size_t column, bool is_last) {
    const std::string number = json_number(*next_++);
    const char* const comma = is_last ? "" : ",";
    if (layout_ == TensorText::dense) {
      text_ += number + comma;
      return;
    }
    const Places own = Places::of(number), all = columns_[column];
    text_ += std::string(all.before - own.before, ' ') + number + comma;
    if (!is_last) text_ += std::string(all.after - own.after + 1, ' ');
  }

  const float* next_;
  const std::size_t rank_;
  const TensorText layout_;
  std::vector<std::int64_t> sizes_;
  std::vector<Places> columns_;  // the most places of the numbers in each column
  std::string text_;
};

}  // namespace

std::optional<RankedShape> scan_json_shape(std::span<const std::byte> bytes) {
  constexpr std::size_t kMostRank = 4;
  std::int64_t commas[kMostRank] = {}, sizes[kMostRank] = {};  // by depth; sizes of the first list at each
  std::size_t depth = 0, rank = 0;
  char before = ' ';
  for (const std::byte byte : bytes) {
    const char c = static_cast<char>(byte);
    switch (c) {
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
        if (before == '[' || sizes[depth] != commas[depth] + 1) return std::nullopt;
        break;
      case '{':
      case '"': return std::nullopt;
      default: break;
    }
    if (c > ' ') before = c;
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
  result.rounded = block.rounded;
  if (result.rounded > 0) result.stored = "integers";
  return result;
}

Bytes format_tensor_json(const RankedTensor& tensor, TensorText layout) {
  const std::string text = Lists(tensor, layout).text();
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

}  // namespace convtool
