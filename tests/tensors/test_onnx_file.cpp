// ONNX: every type and storage of elements, external data, and damaged files.
#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "support/onnx.h"
#include "support/program.h"
#include "tensors/onnx_file.h"

namespace convtool {
namespace {

using onnx::field;
using onnx::tensor_of;
using Doubles = std::vector<double>;

constexpr std::int64_t kMany = 1 << 20;

/// The elements of the only tensor of a model.
Doubles read_model(const TempFolder& folder, const std::string& tensor, std::int64_t most = kMany) {
  const OnnxFile file(folder.write("m.onnx", onnx::model({}, {tensor})));
  REQUIRE(file.graph().initializers.size() == 1);
  return file.read(file.graph().initializers.front(), most);
}

/// The message about a file or tensor that is refused, without the path.
std::string model_refusal(const TempFolder& folder, const auto& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    const std::string text = error.what(), path = folder.file("m.onnx") + ": ";
    CHECK(text.starts_with(path));
    return text.substr(path.size());
  }
  FAIL("accepted");
  return "";
}

std::string refused_tensor(const TempFolder& folder, const std::string& tensor, std::int64_t most = kMany) {
  return model_refusal(folder, [&] { read_model(folder, tensor, most); });
}

std::string refused_file(const TempFolder& folder, const std::string& bytes) {
  return model_refusal(folder, [&] { OnnxFile(folder.write("m.onnx", bytes)); });
}

/// Packed varints.
std::string varints(const std::vector<std::int64_t>& numbers) {
  std::string bytes;
  for (const std::int64_t number : numbers) bytes += onnx::varint(static_cast<std::uint64_t>(number));
  return bytes;
}

TEST_CASE("elements in raw bytes, of every type") {
  const TempFolder folder;
  const auto raw = [&](std::int64_t type, std::int64_t count, const std::string& bytes) {
    return read_model(folder, tensor_of("a", type, {count}) + field(9, bytes));
  };
  CHECK(raw(1, 2, raw_bytes(std::vector<float>{1, -0.5F})) == Doubles{1, -0.5});
  CHECK(raw(11, 1, raw_bytes(Doubles{0.1})) == Doubles{0.1});
  CHECK(raw(10, 2, raw_bytes(std::vector<std::uint16_t>{0x3C00, 0xC000})) == Doubles{1, -2});
  CHECK(raw(16, 1, raw_bytes(std::vector<std::uint16_t>{0xC040})) == Doubles{-3});
  CHECK(raw(2, 1, "\xFF") == Doubles{255});
  CHECK(raw(3, 1, "\xFF") == Doubles{-1});
  CHECK(raw(4, 1, "\xFF\xFF") == Doubles{65535});
  CHECK(raw(5, 1, "\xFF\xFF") == Doubles{-1});
  CHECK(raw(6, 1, "\xFE\xFF\xFF\xFF") == Doubles{-2});
  CHECK(raw(7, 1, raw_bytes(std::vector<std::int64_t>{-3})) == Doubles{-3});
  CHECK(raw(9, 2, std::string("\1\0", 2)) == Doubles{1, 0});
  CHECK(raw(12, 1, "\xFF\xFF\xFF\xFF") == Doubles{4294967295.0});
  CHECK(raw(13, 1, raw_bytes(std::vector<std::uint64_t>{1ULL << 63})) == Doubles{0x1p63});
  CHECK(read_model(folder, tensor_of("scalar", 1, {}) + field(9, raw_bytes(std::vector<float>{7}))) == Doubles{7});
  CHECK(read_model(folder, tensor_of("none", 1, {3, 0}) + field(9, std::string())).empty());
}

TEST_CASE("elements in fields of numbers, packed or one by one") {
  const TempFolder folder;
  const auto typed = [&](std::int64_t type, std::int64_t count, const std::string& fields) {
    return read_model(folder, tensor_of("a", type, {count}) + fields);
  };
  CHECK(typed(1, 2, field(4, raw_bytes(std::vector<float>{1, 2}))) == Doubles{1, 2});
  CHECK(typed(1, 2, field(4, 1.0F) + field(4, 2.0F)) == Doubles{1, 2});
  CHECK(typed(11, 1, field(10, raw_bytes(Doubles{0.1}))) == Doubles{0.1});
  CHECK(typed(7, 2, field(7, varints({-5, 300}))) == Doubles{-5, 300});
  CHECK(typed(7, 2, field(7, std::int64_t{-5}) + field(7, std::int64_t{300})) == Doubles{-5, 300});
  CHECK(typed(6, 1, field(5, varints({-5}))) == Doubles{-5});
  CHECK(typed(3, 1, field(5, varints({-5}))) == Doubles{-5});
  CHECK(typed(10, 2, field(5, varints({0x3C00, 0xC000}))) == Doubles{1, -2});
  CHECK(typed(16, 1, field(5, varints({0xC040}))) == Doubles{-3});
  CHECK(typed(13, 1, field(11, varints({300}))) == Doubles{300});
  CHECK(typed(12, 1, field(11, varints({300}))) == Doubles{300});
}

TEST_CASE("tensors that do not have the elements of their shape") {
  const TempFolder folder;
  const auto raw = [](const onnx::Sizes& dims, std::size_t bytes) {
    return tensor_of("a", 1, dims) + field(9, std::string(bytes, '\0'));
  };
  CHECK(refused_tensor(folder, raw({2}, 7)) == "'a' has 7 bytes, but its shape [2] takes 8");
  CHECK(refused_tensor(folder, raw({1}, 8)) == "'a' has 8 bytes, but its shape [1] takes 4");
  CHECK(refused_tensor(folder, raw({2, -1}, 8)).starts_with("'a' has the shape [2, -1]"));
  CHECK(refused_tensor(folder, raw({3}, 12), 2) == "'a' has the shape [3] (at most 2 numbers are read)");
  const std::int64_t large = std::int64_t{1} << 62;
  CHECK(refused_tensor(folder, raw({large, large, 4}, 16)).find("[4611686018427387904, ") != std::string::npos);
  CHECK(refused_tensor(folder, tensor_of("a", 1, {2})) == "'a' has 0 numbers, but its shape [2] takes 2");
  CHECK(refused_tensor(folder, tensor_of("a", 1, {1}) + field(4, 1.0F) + field(4, 1.0F)) ==
        "'a' has more numbers, but its shape [1] takes 1");
  CHECK(refused_tensor(folder, tensor_of("a", 1, {1}) + field(7, std::int64_t{1})).find("has 0 numbers") == 4);
  CHECK(refused_tensor(folder, tensor_of("a", 7, {1}) + field(7, std::string("\x80"))).find("'a' is damaged: ") == 0);
  CHECK(refused_tensor(folder, tensor_of("a", 8, {1})).starts_with("'a' has elements of type 8 of ONNX"));
  CHECK(refused_tensor(folder, tensor_of("a", -1, {1})).starts_with("'a' has elements of type -1 of ONNX"));
  CHECK(refused_tensor(folder, raw({1}, 4) + field(3, field(1, std::int64_t{0}))).find("segments") !=
        std::string::npos);
}

TEST_CASE("elements in another file, which lies in the folder of the model or below") {
  const TempFolder folder;
  std::filesystem::create_directory(folder.file("sub"));
  folder.write("sub/w.bin", "abcd" + raw_bytes(std::vector<float>{1, 2}));
  const auto external = [](const std::string& location, const std::string& offset, const std::string& length) {
    const auto entry = [](const std::string& key, const std::string& value) {
      return value.empty() ? "" : field(13, field(1, key) + field(2, value));
    };
    return tensor_of("a", 1, {2}) + field(14, std::int64_t{1}) + entry("location", location) + entry("offset", offset) +
           entry("length", length);
  };
  CHECK(read_model(folder, external("sub/w.bin", "4", "8")) == Doubles{1, 2});
  CHECK(read_model(folder, external("sub/w.bin", "4", "")) == Doubles{1, 2});
  CHECK(OnnxFile(folder.file("m.onnx")).external_files() == std::vector{folder.file("sub/w.bin")});
  const auto refused = [&](const std::string& location, const std::string& offset, const std::string& length) {
    return refused_tensor(folder, external(location, offset, length));
  };
  CHECK(refused("w.bin", "", "") ==
        "'a' is stored in " + folder.file("w.bin") + ", which does not exist; put it beside the model");
  CHECK(refused(std::string(5000, 'w'), "", "").ends_with("which cannot be opened: File name too long"));
  CHECK(refused("sub/w.bin", "5", "8").ends_with("which has 12 bytes (expected 8 from byte 5 on)"));
  CHECK(refused("sub/w.bin", "18446744073709551615", "").find("which has 12 bytes") != std::string::npos);
  CHECK(refused("sub/w.bin", "4", "4").ends_with("with 4 bytes, but its shape [2] takes 8"));
  CHECK(refused("sub/w.bin", "-4", "").ends_with("at an offset or length that is not a number"));
  for (const char* location : {"../w.bin", "sub/../../w.bin", "/etc/passwd", ""})
    CHECK(refused(location, "", "").ends_with("(expected one in the folder of the model)"));
  CHECK(refused(std::string("w.bin\0x", 7), "", "").ends_with("(expected one in the folder of the model)"));
}

TEST_CASE("the graph: nodes, attributes, sizes that are left open, and fields that are not known") {
  const TempFolder folder;
  const std::string node = onnx::node(
      "Conv", {"x", "", "w"}, "y",
      {onnx::attribute("group", std::int64_t{-2}), onnx::attribute("alpha", 0.5F), onnx::attribute("auto_pad", "VALID"),
       onnx::attribute("strides", onnx::Sizes{2, 3}), field(1, std::string("packed")) + field(8, varints({4, 5}))},
      "ai.onnx");
  const OnnxFile file(folder.write(
      "m.onnx", onnx::model({node}, {}, {-1, 3, 20, -1}) + field(99, 1.0F) + field(1000, std::string("x"))));
  const OnnxGraph& graph = file.graph();
  REQUIRE(graph.nodes.size() == 1);
  const OnnxNode& read = graph.nodes.front();
  CHECK(read.name == "y");
  CHECK(read.type == "Conv");
  CHECK(read.domain == "ai.onnx");
  CHECK(read.inputs == std::vector<std::string_view>{"x", "", "w"});
  REQUIRE(read.attributes.size() == 5);
  CHECK(read.attributes[0].integer == -2);
  CHECK(read.attributes[1].real == 0.5F);
  CHECK(read.attributes[2].text == "VALID");
  CHECK(read.attributes[3].integers == std::vector<std::int64_t>{2, 3});
  CHECK(read.attributes[4].integers == std::vector<std::int64_t>{4, 5});
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.inputs.front().dims == std::vector<std::int64_t>{-1, 3, 20, -1});
}

TEST_CASE("damaged files") {
  const TempFolder folder;
  const std::string whole = onnx::model({onnx::node("Conv", {"x", "w"}, "y")}, {onnx::tensor("w", {1, 1, 1, 1}, {1})});
  CHECK_NOTHROW(OnnxFile(folder.write("m.onnx", whole)));
  // A model that is cut anywhere lacks its graph or a part of a field.
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(refused_file(folder, whole.substr(0, size)).starts_with("is not an ONNX model"));
  const std::string damaged = "is not an ONNX model, or damaged: ";
  CHECK(refused_file(folder, "") == "is not an ONNX model: it has no graph");
  CHECK(refused_file(folder, onnx::varint(7 << 3 | 2) + onnx::varint(~0ULL) + "abc") ==
        damaged + "a field of more bytes (18446744073709551615) than are left (3); save it again");
  CHECK(refused_file(folder, field(7, std::int64_t{1})) ==
        damaged + "field 7 has wire type 0, which it cannot have; save it again");
  CHECK(refused_file(folder, std::string(11, '\xFF')).find("more than 10 bytes") != std::string::npos);
  CHECK(refused_file(folder, std::string("\3\1", 2)).find("number 0") != std::string::npos);
  CHECK(refused_file(folder, std::string("\x0B\1", 2)).find("wire type 3") != std::string::npos);
  std::string many;
  for (int i = 0; i <= 1 << 20; ++i) many += field(1, std::string());
  CHECK(refused_file(folder, field(7, many)).find("it has more than 1048576 nodes") != std::string::npos);
  std::filesystem::resize_file(folder.file("m.onnx"), (std::uintmax_t{2} << 30) + 1);  // no blocks on the disk
  CHECK(model_refusal(folder, [&] { OnnxFile(folder.file("m.onnx")); }).starts_with("is larger than 2 GiB"));
}

}  // namespace
}  // namespace convtool
