// safetensors: every element type, and false headers.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/program.h"
#include "support/safetensors.h"
#include "tensors/safetensors.h"

namespace convtool {
namespace {

std::vector<float> read(const TempFolder& folder, const std::string& content, const std::string& name = "a") {
  const SafetensorsFile file(folder.write("m.safetensors", content));
  const StoredArray* array = file.find(name);
  REQUIRE(array != nullptr);
  return file.read(*array);
}

std::string refusal(const TempFolder& folder, const std::string& content) {
  try {
    read(folder, content);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    CHECK(std::string(error.what()).starts_with(folder.file("m.safetensors") + ": "));
    return error.what();
  }
  FAIL("accepted: ", content);
  return "";
}

/// A header of one array, "a".
std::string header_of(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST_CASE("every type of element") {
  const TempFolder folder;
  const auto one = [&](const std::string& dtype, const std::string& data, std::size_t size) {
    const std::string count = std::to_string(data.size() / size), bytes = std::to_string(data.size());
    return read(folder, safetensors(header_of(dtype, "[" + count + "]", "[0," + bytes + "]"), data));
  };
  using Floats = std::vector<float>;
  CHECK(one("F32", raw_bytes(Floats{1, -0.1F}), 4) == Floats{1, -0.1F});
  CHECK(one("F64", raw_bytes(std::vector<double>{1, -0.1}), 8) == Floats{1, -0.1F});
  CHECK(one("BF16", raw_bytes(std::vector<std::uint16_t>{0x3F80, 0xC040}), 2) == Floats{1, -3});
  // binary16: 1, -2, the largest, the smallest normal, the smallest, -0.
  CHECK(one("F16", raw_bytes(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x8000}), 2) ==
        Floats{1, -2, 65504, 0x1p-14F, 0x1p-24F, -0.0F});
  const Floats special = one("F16", raw_bytes(std::vector<std::uint16_t>{0x7C00, 0xFC00, 0x7E00}), 2);
  CHECK(special[0] == std::numeric_limits<float>::infinity());
  CHECK(special[1] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(special[2]));
  CHECK(one("I8", raw_bytes(std::vector<std::int8_t>{-128, 127}), 1) == Floats{-128, 127});
  CHECK(one("I16", raw_bytes(std::vector<std::int16_t>{-300}), 2) == Floats{-300});
  CHECK(one("I32", raw_bytes(std::vector<std::int32_t>{-70000}), 4) == Floats{-70000});
  CHECK(one("I64", raw_bytes(std::vector<std::int64_t>{std::int64_t{1} << 40}), 8) == Floats{0x1p40F});
  CHECK(one("U8", raw_bytes(std::vector<std::uint8_t>{255}), 1) == Floats{255});
  CHECK(one("U16", raw_bytes(std::vector<std::uint16_t>{65535}), 2) == Floats{65535});
  CHECK(one("U32", raw_bytes(std::vector<std::uint32_t>{1u << 31}), 4) == Floats{0x1p31F});
  CHECK(one("U64", raw_bytes(std::vector<std::uint64_t>{std::uint64_t{1} << 63}), 8) == Floats{0x1p63F});
}

TEST_CASE("arrays are found by name, and listed in the order of their bytes") {
  const TempFolder folder;
  const std::string header =
      R"({"z":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]},"none":{"dtype":"F32","shape":[0,3],"data_offsets":[12,12]}}   )";
  const std::string content = safetensors(header, raw_bytes(std::vector<float>{1, 2, 3}));
  const SafetensorsFile file(folder.write("m.safetensors", content));
  REQUIRE(file.arrays().size() == 3);
  CHECK(file.arrays()[0].name == "z");
  CHECK(file.arrays()[1].name == "a");
  CHECK(file.arrays()[1].shape == std::vector<std::int64_t>{2, 1});
  CHECK(file.arrays()[2].count() == 0);
  CHECK(file.read(file.arrays()[1]) == std::vector<float>{2, 3});
  CHECK(file.read(file.arrays()[2]).empty());
  CHECK(file.find("__metadata__") == nullptr);
}

TEST_CASE("an array of more than a chunk") {
  const TempFolder folder;
  std::vector<float> numbers(600'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  CHECK(read(folder, safetensors(header_of("F32", "[600,1000]", "[0,2400000]"), raw_bytes(numbers))) == numbers);
}

TEST_CASE("an array of an unsupported type is refused when it is read, not before") {
  const TempFolder folder;
  const std::string content = safetensors(
      R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})",
      "abcde");
  CHECK(read(folder, content, "b") == std::vector<float>{'e'});
  CHECK(refusal(folder, content).find("'a' has type F8_E4M3 (expected F16") != std::string::npos);
}

TEST_CASE("false headers are refused") {
  const TempFolder folder;
  const std::string four = raw_bytes(std::vector<float>{1, 2, 3, 4});
  const auto lie = [&](const std::string& shape, const std::string& offsets, const std::string& part) {
    CAPTURE(offsets);
    CHECK(refusal(folder, safetensors(header_of("F32", shape, offsets), four)).find(part) != std::string::npos);
  };
  lie("[4]", "[0,20]", "lies at bytes 0 to 20 of 16");
  lie("[4]", "[16,0]", "lies at bytes 16 to 0 of 16");
  lie("[4]", "[0,18446744073709551615]", "lies at bytes");
  lie("[4]", "[0,18446744073709551616]", "lies at bytes");  // exceeds 64 bits, so JSON reads a float
  lie("[4]", "[-16,0]", "lies at bytes");
  lie("[4]", "[0,16.5]", "lies at bytes");
  lie("[3]", "[0,16]", "of shape [3] and type F32 has 16 bytes");
  lie("[4]", "[0,12]", "of shape [4] and type F32 has 12 bytes");
  lie("[4611686018427387905]", "[0,16]", "has a shape of");  // times 4, modulo 2^64, this is 4 bytes
  lie("[281474976710656,281474976710656,4]", "[0,16]", "has 16 bytes");
  lie("[4,0,281474976710656]", "[0,16]", "has 16 bytes");
  lie("[-4]", "[0,16]", "has a shape of");
  lie("[\"4\"]", "[0,16]", "has a shape of");
  lie("4", "[0,16]", "lacks a dtype, a shape");
  lie("[4]", "[0]", "lacks a dtype, a shape");
  lie("[3]", "[0,12]", "bytes at its end belong to no array");
  lie("[3]", "[4,16]", "leaves bytes before it");

  const auto pair = [&](const std::string& second) {
    return refusal(folder, safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32",)" +
                                           second + "}}",
                                       four));
  };
  CHECK(pair(R"("shape":[3],"data_offsets":[4,16])").find("'b' overlaps") != std::string::npos);
  CHECK(pair(R"("shape":[1],"data_offsets":[12,16])").find("'b' leaves bytes before it") != std::string::npos);

  CHECK(refusal(folder, "").find("it has 0 bytes") != std::string::npos);
  CHECK(refusal(folder, std::string("\x05\0\0\0\0\0\0\0{}", 10)).find("the file has 10") != std::string::npos);
  CHECK(refusal(folder, std::string(8, '\xff')).find("more than 100 MB") != std::string::npos);
  CHECK(refusal(folder, raw_bytes(std::vector<std::uint64_t>{100'000'001})).find("more than 100 MB") !=
        std::string::npos);
  CHECK(refusal(folder, safetensors("[]", "")).find("not an object") != std::string::npos);
  CHECK(refusal(folder, safetensors("{\"a\":", ""))
            .find("is a damaged safetensors file: its header cannot be read (line 1, column 6: not valid JSON") !=
        std::string::npos);
  CHECK(refusal(folder, safetensors(R"({"a":3})", "")).find("lacks a dtype") != std::string::npos);
  CHECK(refusal(folder, safetensors(R"({"a":{},"a":{}})", "")).find("duplicate key 'a'") != std::string::npos);
}

TEST_CASE("sizes whose product exceeds 64 bits") {
  const TempFolder folder;
  const std::string large = "281474976710656";  // 2^48
  for (const std::string& shape : {"[" + large + "," + large + ",0]", "[0," + large + "," + large + "]"}) {
    const SafetensorsFile empty(folder.write("m.safetensors", safetensors(header_of("F32", shape, "[0,0]"), "")));
    CHECK(empty.arrays()[0].count() == 0);
    CHECK(empty.read(empty.arrays()[0]).empty());
  }
  // Of types that are not read, an element may take less than a byte, but not less than a bit.
  const auto refused = [&](const std::string& dtype, const std::string& shape) {
    return refusal(folder, safetensors(header_of(dtype, shape, "[0,1]"), "x")).find("is a damaged safetensors file") !=
           std::string::npos;
  };
  CHECK(refused("BOOL", "[" + large + "," + large + "]"));
  CHECK(refused("F4", "[9]"));
  CHECK(!refused("F4", "[2]"));
}

TEST_CASE("a finite number beyond float32 is refused") {
  const TempFolder folder;
  const std::string content = safetensors(header_of("F64", "[1]", "[0,8]"), raw_bytes(std::vector<double>{1e39}));
  CHECK(refusal(folder, content).find("beyond float32") != std::string::npos);
  const std::string nearest = raw_bytes(std::vector<double>{3.4028235e38});  // rounds to the largest float
  CHECK(read(folder, safetensors(header_of("F64", "[1]", "[0,8]"), nearest)) ==
        std::vector<float>{std::numeric_limits<float>::max()});
}

TEST_CASE("only regular files") {
  const TempFolder folder;
  for (const std::string& path :
       {folder.file("missing"), folder.path().string(), std::string("/dev/zero"), std::string()})
    CHECK_THROWS_AS(SafetensorsFile{path}, Error);
}

}  // namespace
}  // namespace convtool
