#include "tensors/onnx_file.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/regular_file.h"
#include "tensors/stored_number.h"

namespace convtool {
namespace {

constexpr std::uint64_t kLargestModel = std::uint64_t{2} << 30;

/// The element types (TensorProto.DataType) by the names of visit_stored(); "" for one that is not read.
std::string_view dtype_of(std::int64_t type) {
  constexpr std::string_view kNames[] = {"",   "F32", "U8",  "I8",  "U16", "I16", "I32", "I64", "",
                                         "U8", "F16", "F64", "U32", "U64", "",    "",    "BF16"};
  return type >= 0 && type < std::ssize(kNames) ? kNames[type] : "";
}

/// Field numbers of TensorProto that hold numbers of a type.
enum TypedField : std::uint64_t { kFloats = 4, kInt32s = 5, kInt64s = 7, kDoubles = 10, kUnsigneds = 11 };

/// Reads the messages of onnx.proto that the import needs, each by a function of its name. Numbers of fields are those
/// of that file; fields that are not listed are skipped.
class ModelReader {
 public:
  std::optional<OnnxGraph> model(std::span<const std::byte> bytes) {
    std::optional<OnnxGraph> graph;
    each_field(bytes, [&](const ProtobufField& field) {
      if (field.number == 7) read_graph(field.message(), graph ? *graph : graph.emplace());
    });
    return graph;
  }

 private:
  /// Bounds the memory that a small file can ask for.
  void count_part() {
    constexpr int kMostParts = 1 << 20;
    if (++parts_ > kMostParts)
      refuse_kernel("", "it has more than " + std::to_string(kMostParts) + " nodes, names, attributes and tensors");
  }

  void each_field(std::span<const std::byte> message, const auto& read) {
    ProtobufReader reader(message);
    for (ProtobufField field; reader.next(field);) read(field);
  }

  template <class Part>
  Part& add(std::vector<Part>& parts) {
    count_part();
    return parts.emplace_back();
  }

  void read_graph(std::span<const std::byte> message, OnnxGraph& graph) {
    each_field(message, [&](const ProtobufField& field) {
      switch (field.number) {
        case 1: return read_node(field.message(), add(graph.nodes));
        case 5: return read_tensor(field.message(), add(graph.initializers));
        case 11: return read_value(field.message(), add(graph.inputs));
        case 12: return read_value(field.message(), add(graph.outputs));
        default: return;
      }
    });
  }

  void read_node(std::span<const std::byte> message, OnnxNode& node) {
    each_field(message, [&](const ProtobufField& field) {
      switch (field.number) {
        case 1: add(node.inputs) = field.text(); return;
        case 2: add(node.outputs) = field.text(); return;
        case 3: node.name = field.text(); return;
        case 4: node.type = field.text(); return;
        case 5: return read_attribute(field.message(), add(node.attributes));
        case 7: node.domain = field.text(); return;
        default: return;
      }
    });
  }

  void read_attribute(std::span<const std::byte> message, OnnxAttribute& attribute) {
    each_field(message, [&](const ProtobufField& field) {
      switch (field.number) {
        case 1: attribute.name = field.text(); return;
        case 2: attribute.real = field.real(); return;
        case 3: attribute.integer = field.integer(); return;
        case 4: attribute.text = field.text(); return;
        case 5: return read_tensor(field.message(), attribute.tensor ? *attribute.tensor : attribute.tensor.emplace());
        case 7: return field.append_to(attribute.reals);
        case 8: return field.append_to(attribute.integers);
        default: return;
      }
    });
  }

  void read_tensor(std::span<const std::byte> message, OnnxTensor& tensor) {
    each_field(message, [&](const ProtobufField& field) {
      switch (field.number) {
        case 1: return field.append_to(tensor.dims);
        case 2: tensor.type = field.integer(); return;
        case 3: tensor.is_segment = true; return;
        case kFloats:
        case kInt32s:
        case kInt64s:
        case kDoubles:
        case kUnsigneds: add(tensor.typed) = field; return;
        case 8: tensor.name = field.text(); return;
        case 9: tensor.raw = field.message(); return;
        case 13: return read_external(field.message(), tensor);
        case 14: tensor.is_external = field.integer() == 1; return;
        default: return;
      }
    });
  }

  void read_external(std::span<const std::byte> message, OnnxTensor& tensor) {
    std::string_view key, value;
    each_field(message, [&](const ProtobufField& field) {
      if (field.number == 1) key = field.text();
      if (field.number == 2) value = field.text();
    });
    if (key == "location") tensor.location = value;
    if (key == "offset") tensor.offset = value;
    if (key == "length") tensor.length = value;
  }

  /// ValueInfoProto, and in it TypeProto, TypeProto.Tensor, TensorShapeProto and its Dimension.
  void read_value(std::span<const std::byte> message, OnnxValue& value) {
    each_field(message, [&](const ProtobufField& field) {
      if (field.number == 1) value.name = field.text();
      if (field.number != 2) return;
      each_field(field.message(), [&](const ProtobufField& tensor) {
        if (tensor.number != 1) return;
        each_field(tensor.message(), [&](const ProtobufField& shape) {
          if (shape.number == 2) read_shape(shape.message(), value.dims ? *value.dims : value.dims.emplace());
        });
      });
    });
  }

  void read_shape(std::span<const std::byte> message, std::vector<std::int64_t>& dims) {
    each_field(message, [&](const ProtobufField& dimension) {
      if (dimension.number != 1) return;
      add(dims) = -1;
      each_field(dimension.message(), [&](const ProtobufField& field) {
        if (field.number == 1 && field.integer() >= 0) dims.back() = field.integer();
      });
    });
  }

  int parts_ = 0;
};

/// The number of elements; nothing if a dimension is negative or the product is more than `most`.
std::optional<std::int64_t> count_of(const std::vector<std::int64_t>& dims, std::int64_t most) {
  if (std::any_of(dims.begin(), dims.end(), [](std::int64_t size) { return size < 0; })) return std::nullopt;
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
  std::int64_t count = 1;
  for (const std::int64_t size : dims) {
    if (size > most / count) return std::nullopt;
    count *= size;
  }
  return count;
}

std::string shape_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t size : dims) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

/// Decodes little-endian elements.
template <class Stored>
std::vector<double> raw_numbers(std::span<const std::byte> bytes) {
  std::vector<double> numbers(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = to_double(load_number<Stored>(bytes.data() + i * sizeof(Stored), std::endian::little));
  return numbers;
}

/// An element of a varint: small types are stored as integers of 32 bits, 16-bit floats by their bits.
template <class Stored>
double varint_number(std::uint64_t value) {
  if constexpr (std::is_class_v<Stored>)
    return to_double(Stored{static_cast<std::uint16_t>(value)});
  else
    return static_cast<double>(static_cast<Stored>(value));
}

/// Decodes the fields of numbers of a tensor, up to one more than `most`.
template <class Stored>
std::vector<double> typed_numbers(const OnnxTensor& tensor, std::size_t most) {
  constexpr bool kIsFixed = std::is_floating_point_v<Stored>;
  const std::uint64_t expected = std::is_same_v<Stored, float>                       ? kFloats
                                 : std::is_same_v<Stored, double>                    ? kDoubles
                                 : std::is_same_v<Stored, std::int64_t>              ? kInt64s
                                 : std::is_unsigned_v<Stored> && sizeof(Stored) >= 4 ? kUnsigneds
                                                                                     : kInt32s;
  std::vector<double> numbers;
  for (const ProtobufField& field : tensor.typed) {
    if (field.number != expected || numbers.size() > most) continue;
    const bool is_packed = field.type == ProtobufField::Type::bytes;
    if constexpr (kIsFixed) {
      if (is_packed) {
        if (field.bytes.size() % sizeof(Stored) != 0) return {};
        const std::vector<double> more = raw_numbers<Stored>(field.bytes);
        numbers.insert(numbers.end(), more.begin(), more.end());
      } else {
        using Bits = std::conditional_t<sizeof(Stored) == 4, std::uint32_t, std::uint64_t>;
        numbers.push_back(static_cast<double>(std::bit_cast<Stored>(static_cast<Bits>(field.value))));
      }
    } else if (!is_packed) {
      numbers.push_back(varint_number<Stored>(field.value));
    } else {
      for (ProtobufReader packed(field.bytes); !packed.at_end() && numbers.size() <= most;)
        numbers.push_back(varint_number<Stored>(packed.varint()));
    }
  }
  return numbers;
}

}  // namespace

bool OnnxTensor::has_integers() const {
  const std::string_view dtype = dtype_of(type);
  return dtype.starts_with('I') || dtype.starts_with('U');
}

OnnxFile::OnnxFile(const std::string& path) : path_(path) {
  const RandomAccessFile file(path, ErrorKind::kernel);
  if (file.size() > kLargestModel)
    refuse_kernel(path, "is larger than 2 GiB, the limit of the format; save its weights as external data");
  bytes_ = Buffer(file.size());
  file.read(0, bytes_);
  std::optional<OnnxGraph> graph;
  try {
    graph = ModelReader().model(bytes_);
  } catch (const Error& error) {
    refuse_kernel(path, std::string("is not an ONNX model, or damaged: ") + error.what() + "; save it again");
  }
  if (!graph) refuse_kernel(path, "is not an ONNX model: it has no graph");
  graph_ = std::move(*graph);
}

std::vector<double> OnnxFile::read(const OnnxTensor& tensor, std::int64_t most) const {
  const std::string name = tensor.name.empty() ? "a tensor" : "'" + std::string(tensor.name) + "'";
  const auto refuse = [&](const std::string& what) { refuse_kernel(path_, name + " " + what); };
  if (tensor.is_segment) refuse("is stored in segments, which convtool does not read; save the model again");
  const std::string_view dtype = dtype_of(tensor.type);
  if (dtype.empty())
    refuse("has elements of type " + std::to_string(tensor.type) + " of ONNX (expected floats or integers)");
  const auto count = count_of(tensor.dims, most);
  if (!count)
    refuse("has the shape " + shape_text(tensor.dims) + " (at most " + std::to_string(most) + " numbers are read)");
  std::vector<double> numbers;
  visit_stored(dtype, [&]<class Stored>(Stored) {
    const auto size = static_cast<std::uint64_t>(*count) * sizeof(Stored);
    Buffer external;
    std::span<const std::byte> raw = tensor.raw.value_or(std::span<const std::byte>{});
    if (tensor.is_external) {
      external = external_bytes(tensor, size);
      raw = external;
    }
    if (tensor.is_external || tensor.raw) {
      if (raw.size() != size)
        refuse("has " + counted(std::ssize(raw), "byte") + ", but its shape " + shape_text(tensor.dims) + " takes " +
               std::to_string(size));
      numbers = raw_numbers<Stored>(raw);
      return;
    }
    try {
      numbers = typed_numbers<Stored>(tensor, static_cast<std::size_t>(*count));
    } catch (const Error& error) {
      refuse(std::string("is damaged: ") + error.what());
    }
    if (std::ssize(numbers) != *count)
      refuse("has " + (std::ssize(numbers) > *count ? "more numbers" : counted(std::ssize(numbers), "number")) +
             ", but its shape " + shape_text(tensor.dims) + " takes " + std::to_string(*count));
  });
  return numbers;
}

std::string OnnxFile::external_path(const OnnxTensor& tensor) const {
  const std::filesystem::path location(tensor.location);
  const bool leads_out = location.is_absolute() || std::find(location.begin(), location.end(), "..") != location.end();
  if (location.empty() || leads_out || tensor.location.find('\0') != std::string_view::npos)
    refuse_kernel(path_, "'" + std::string(tensor.name) + "' is stored in the file '" + std::string(tensor.location) +
                             "' (expected one in the folder of the model)");
  return (std::filesystem::path(path_).parent_path() / location).string();
}

Buffer OnnxFile::external_bytes(const OnnxTensor& tensor, std::uint64_t size) const {
  const std::string path = external_path(tensor);
  const auto refuse = [&](const std::string& what) {
    refuse_kernel(path_, "'" + std::string(tensor.name) + "' is stored in " + path + ", " + what);
  };
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    refuse(error ? "which cannot be opened: " + error.message() : "which does not exist; put it beside the model");
  const RandomAccessFile file(path, ErrorKind::kernel);
  const auto offset = tensor.offset.empty() ? 0 : parse_number<std::uint64_t>(tensor.offset);
  const auto length = tensor.length.empty() ? size : parse_number<std::uint64_t>(tensor.length);
  if (!offset || !length) refuse("at an offset or length that is not a number");
  if (*length != size)
    refuse("with " + std::to_string(*length) + " bytes, but its shape " + shape_text(tensor.dims) + " takes " +
           std::to_string(size));
  if (*offset > file.size() || size > file.size() - *offset)
    refuse("which has " + counted(static_cast<std::int64_t>(file.size()), "byte") + " (expected " +
           std::to_string(size) + " from byte " + std::to_string(*offset) + " on)");
  Buffer bytes(size);
  file.read(*offset, bytes);
  return bytes;
}

std::vector<std::string> OnnxFile::external_files() const {
  std::set<std::string> paths;
  const auto add = [&](const OnnxTensor& tensor) {
    if (tensor.is_external) paths.insert(external_path(tensor));
  };
  for (const OnnxTensor& tensor : graph_.initializers) add(tensor);
  for (const OnnxNode& node : graph_.nodes)
    for (const OnnxAttribute& attribute : node.attributes)
      if (attribute.tensor) add(*attribute.tensor);
  return {paths.begin(), paths.end()};
}

}  // namespace convtool
