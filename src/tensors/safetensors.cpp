#include "tensors/safetensors.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/float_range.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/file.h"
#include "files/json_object.h"
#include "files/json_text.h"
#include "tensors/stored_number.h"

namespace convtool {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;

/// Reads a header and checks it against the size of its file.
class HeaderReader {
 public:
  HeaderReader(const std::string& path, std::uint64_t data_begin, std::uint64_t file_size)
      : path_(path), data_begin_(data_begin), data_size_(file_size - data_begin), most_elements_(8 * data_size_) {}

  std::vector<StoredArray> read(const std::string& text) const {
    const json header = [&] {
      try {
        return parse_json(text, ErrorKind::kernel, "");
      } catch (const Error& error) {
        damaged("its header cannot be read (" + std::string(error.what()) + ")");
      }
    }();
    if (!header.is_object()) damaged("its header is " + describe_json(header) + ", not an object");
    std::vector<StoredArray> arrays;
    for (const auto& [name, entry] : header.items())
      if (name != "__metadata__") arrays.push_back(read_array(name, entry));
    check_layout(arrays);
    return arrays;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    refuse_kernel(path_, "is a damaged safetensors file: " + what + "; download or save it again");
  }

  StoredArray read_array(const std::string& name, const json& entry) const {
    const auto fail = [&](const std::string& what) { damaged("'" + name + "' " + what); };
    const bool complete = entry.is_object() && entry.contains("dtype") && entry.at("dtype").is_string() &&
                          entry.contains("shape") && entry.at("shape").is_array() && entry.contains("data_offsets") &&
                          entry.at("data_offsets").is_array() && entry.at("data_offsets").size() == 2;
    if (!complete) fail("lacks a dtype, a shape or two data_offsets");
    constexpr std::size_t kMostDimensions = 64;  // NumPy's limit
    if (entry.at("shape").size() > kMostDimensions) fail("has more than 64 dimensions");
    StoredArray array{.name = name, .dtype = entry.at("dtype").get<std::string>(), .shape = {}};
    for (const json& size : entry.at("shape")) {
      if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kLargestSize)
        fail("has a shape of " + entry.at("shape").dump());
      array.shape.push_back(size.get<std::int64_t>());
    }
    const json& begin = entry.at("data_offsets")[0];
    const json& end = entry.at("data_offsets")[1];
    if (!begin.is_number_unsigned() || !end.is_number_unsigned() ||
        begin.get<std::uint64_t>() > end.get<std::uint64_t>() || end.get<std::uint64_t>() > data_size_) {
      fail("lies at bytes " + begin.dump() + " to " + end.dump() + " of " + std::to_string(data_size_));
    }
    array.begin = data_begin_ + begin.get<std::uint64_t>();
    array.end = data_begin_ + end.get<std::uint64_t>();
    check_size(array);
    return array;
  }

  void check_size(const StoredArray& array) const {
    std::uint64_t needed = 0;
    const std::uint64_t count = bounded_count(array);
    const bool known = visit_stored(array.dtype, [&]<class Stored>(Stored) { needed = sizeof(Stored) * count; });
    if (known ? needed != array.end - array.begin : count > most_elements_)
      damaged("'" + array.name + "' of shape [" + sizes_text(array) + "] and type " + array.dtype + " has " +
              counted(static_cast<std::int64_t>(array.end - array.begin), "byte"));
  }

  /// The number of elements, capped at one that cannot fit into the file, so that no product overflows.
  std::uint64_t bounded_count(const StoredArray& array) const {
    if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end()) return 0;
    std::uint64_t count = 1;
    for (const std::int64_t size : array.shape) {
      if (static_cast<std::uint64_t>(size) > most_elements_ / count) return most_elements_ + 1;
      count *= static_cast<std::uint64_t>(size);
    }
    return count;
  }

  static std::string sizes_text(const StoredArray& array) {
    std::string text;
    for (const std::int64_t size : array.shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
    return text;
  }

  /// Sorts the arrays by position, and checks that every byte belongs to exactly one of them.
  void check_layout(std::vector<StoredArray>& arrays) const {
    std::sort(arrays.begin(), arrays.end(), [](const StoredArray& a, const StoredArray& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t at = data_begin_;
    for (const StoredArray& array : arrays) {
      if (array.begin != at)
        damaged("'" + array.name + "' " +
                (array.begin < at ? "overlaps the array before it" : "leaves bytes before it that belong to no array"));
      at = array.end;
    }
    if (at != data_begin_ + data_size_) damaged("bytes at its end belong to no array");
  }

  /// The largest size of a dimension: its product with the size of an element stays within 63 bits.
  static constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 48;

  const std::string& path_;
  const std::uint64_t data_begin_, data_size_;
  const std::uint64_t most_elements_;  ///< of a bit each, in types that are not read
};

}  // namespace

std::int64_t StoredArray::count() const {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;  // other sizes may have any product
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path), file_(path, ErrorKind::kernel) {
  const auto refuse = [&](const std::string& what) { refuse_kernel(path, "is not a safetensors file (" + what + ")"); };
  if (file_.size() < kLengthBytes) refuse("it has " + counted(static_cast<std::int64_t>(file_.size()), "byte"));
  Bytes bytes(kLengthBytes);
  file_.read(0, bytes);
  const auto length = load_number<std::uint64_t>(bytes.data(), std::endian::little);
  if (length > kLargestHeader) refuse("its header would take " + std::to_string(length) + " bytes, more than 100 MB");
  if (length > file_.size() - kLengthBytes)
    refuse("its header would take " + std::to_string(length) + " bytes, and the file has " +
           std::to_string(file_.size()));
  std::string header(length, '\0');
  file_.read(kLengthBytes, std::as_writable_bytes(std::span(header)));
  arrays_ = HeaderReader(path_, kLengthBytes + length, file_.size()).read(header);
}

const StoredArray* SafetensorsFile::find(std::string_view name) const {
  const auto found =
      std::find_if(arrays_.begin(), arrays_.end(), [name](const StoredArray& array) { return array.name == name; });
  return found == arrays_.end() ? nullptr : &*found;
}

std::vector<float> SafetensorsFile::read(const StoredArray& array) const {
  constexpr std::int64_t kChunk = 1 << 18;  // elements
  std::vector<float> values;
  const bool known = visit_stored(array.dtype, [&]<class Stored>(Stored) {
    const std::int64_t count = array.count();
    values.reserve(static_cast<std::size_t>(count));
    Bytes chunk(static_cast<std::size_t>(std::min(kChunk, count)) * sizeof(Stored));
    for (std::int64_t first = 0; first < count; first += kChunk) {
      const auto some = static_cast<std::size_t>(std::min(kChunk, count - first));
      file_.read(array.begin + static_cast<std::uint64_t>(first) * sizeof(Stored),
                 std::span(chunk).first(some * sizeof(Stored)));
      for (std::size_t i = 0; i < some; ++i) {
        const double value = to_double(load_number<Stored>(chunk.data() + i * sizeof(Stored), std::endian::little));
        if (std::isfinite(value) && !fits_float(value))
          refuse_kernel(path_, "'" + array.name + "' contains a value beyond float32");
        values.push_back(static_cast<float>(value));
      }
    }
  });
  if (!known)
    refuse_kernel(path_, "'" + array.name + "' has type " + array.dtype +
                             " (expected F16, BF16, F32, F64 or integers); convert it to float32");
  return values;
}

bool is_readable_dtype(std::string_view dtype) {
  return visit_stored(dtype, [](auto) {});
}

Bytes format_safetensors(const std::vector<NamedArray>& arrays) {
  nlohmann::ordered_json header = {{"__metadata__", {{"made_by", "convtool kernels import"}}}};
  std::uint64_t at = 0;
  for (const auto& [name, shape, values] : arrays) {
    const std::uint64_t end = at + values.size_bytes();
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = json_dump(header);
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');  // aligns the elements
  Bytes bytes(kLengthBytes + text.size() + at);
  store_number(bytes.data(), static_cast<std::uint64_t>(text.size()), std::endian::little);
  std::byte* to = std::copy_n(std::as_bytes(std::span(text)).data(), text.size(), bytes.data() + kLengthBytes);
  for (const NamedArray& array : arrays)
    for (const float value : array.values) {
      store_number(to, value, std::endian::little);
      to += sizeof value;
    }
  return bytes;
}

}  // namespace convtool
