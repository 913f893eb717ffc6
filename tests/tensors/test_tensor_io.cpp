// .npy files and JSON tensors, read and written.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "support/program.h"
#include "support/random.h"
#include "tensors/tensor_io.h"

using namespace convtool;

namespace {

Bytes bytes_of(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

/// The bytes of `values` as elements of type T.
template <class T>
std::string raw(const std::vector<double>& values, bool big_endian) {
  std::string text;
  for (const double value : values) {
    const T element = static_cast<T>(value);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &element, sizeof(T));
    if (big_endian == (std::endian::native == std::endian::little)) std::reverse(bytes, bytes + sizeof(T));
    text.append(bytes, sizeof(T));
  }
  return text;
}

/// An .npy file, assembled as numpy.lib.format describes.
std::string npy(int version, const std::string& descr, bool fortran, const std::string& shape,
                const std::string& data) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }\n";
  std::string text = "\x93NUMPY";
  text += static_cast<char>(version);
  text += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) text += static_cast<char>((header.size() >> (8 * i)) & 0xff);
  return text + header + data;
}

std::vector<float> values_of(const RankedTensor& tensor) {
  const float* data = tensor.tensor.data<float>();
  return {data, data + tensor.tensor.shape().count()};
}

std::string refusal(const std::string& npy_text) {
  try {
    parse_npy(bytes_of(npy_text));
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("npy: every element type, byte order, memory order and version reads the same") {
  const std::vector<double> c_order = {0, 1, 2, 3, 4, 5}, fortran_order = {0, 3, 1, 4, 2, 5};
  const auto check = [&]<class T>(T, const std::string& type) {
    for (const int version : {1, 2, 3}) {
      for (const bool big_endian : {false, true}) {
        for (const bool fortran : {false, true}) {
          CAPTURE(type);
          CAPTURE(version);
          CAPTURE(big_endian);
          CAPTURE(fortran);
          const std::string descr = (sizeof(T) == 1 ? "|" : big_endian ? ">" : "<") + type;
          const RankedTensor tensor = parse_npy(
              bytes_of(npy(version, descr, fortran, "(2, 3)", raw<T>(fortran ? fortran_order : c_order, big_endian))));
          CHECK(tensor.rank == 2);
          CHECK(tensor.tensor.shape() == Shape{1, 1, 2, 3});
          CHECK(values_of(tensor) == std::vector<float>{0, 1, 2, 3, 4, 5});
        }
      }
    }
  };
  check(float{}, "f4");
  check(double{}, "f8");
  check(std::uint8_t{}, "u1");
  check(std::uint16_t{}, "u2");
  check(std::uint32_t{}, "u4");
  check(std::uint64_t{}, "u8");
  check(std::int8_t{}, "i1");
  check(std::int16_t{}, "i2");
  check(std::int32_t{}, "i4");
  check(std::int64_t{}, "i8");
}

TEST_CASE("npy: halves and bools are read, in both byte orders") {
  // 1, -2, the least and the largest subnormal, 65504, infinity (IEEE 754, binary16).
  const std::uint16_t bits[] = {0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00};
  std::string little, big;
  for (const std::uint16_t half : bits) {
    const char low = static_cast<char>(half & 255), high = static_cast<char>(half >> 8);
    little += {low, high};
    big += {high, low};
  }
  const std::vector<float> expected = {1, -2, 0x1p-24F, 0x1.ff8p-15F, 65504, std::numeric_limits<float>::infinity()};
  CHECK(values_of(parse_npy(bytes_of(npy(1, "<f2", false, "(2, 3)", little)))) == expected);
  CHECK(values_of(parse_npy(bytes_of(npy(1, ">f2", false, "(2, 3)", big)))) == expected);
  CHECK(std::isnan(values_of(parse_npy(bytes_of(npy(1, "<f2", false, "(1, 1)", {1, 0x7c})))).front()));
  CHECK(values_of(parse_npy(bytes_of(npy(1, "|b1", false, "(1, 3)", {1, 0, 1})))) == std::vector<float>{1, 0, 1});
}

TEST_CASE("npy: Fortran order in four dimensions") {
  // Element (n, c, h, w) is 1000 n + 100 c + 10 h + w; in Fortran order n runs fastest.
  std::vector<double> data;
  std::vector<float> expected;
  for (int w = 0; w < 3; ++w)
    for (int h = 0; h < 4; ++h)
      for (int c = 0; c < 2; ++c)
        for (int n = 0; n < 2; ++n) data.push_back(1000 * n + 100 * c + 10 * h + w);
  for (int n = 0; n < 2; ++n)
    for (int c = 0; c < 2; ++c)
      for (int h = 0; h < 4; ++h)
        for (int w = 0; w < 3; ++w) expected.push_back(static_cast<float>(1000 * n + 100 * c + 10 * h + w));
  const RankedTensor tensor = parse_npy(bytes_of(npy(1, "<f4", true, "(2, 2, 4, 3)", raw<float>(data, false))));
  CHECK(tensor.rank == 4);
  CHECK(values_of(tensor) == expected);
}

TEST_CASE("npy: negative, fractional and non-finite values survive") {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<float> values =
      values_of(parse_npy(bytes_of(npy(1, "<f8", false, "(1, 4)", raw<double>({-0.1, inf, -inf, NAN}, false)))));
  CHECK(values[0] == -0.1F);
  CHECK(values[1] == std::numeric_limits<float>::infinity());
  CHECK(values[2] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(values[3]));
}

TEST_CASE("npy: invalid files are refused") {
  const std::string six = raw<float>({0, 1, 2, 3, 4, 5}, false);
  CHECK(refusal("PNG") != "");
  CHECK(refusal(npy(4, "<f4", false, "(2, 3)", six)).find("version 4") != std::string::npos);
  CHECK(refusal(npy(1, "<f16", false, "(2, 3)", six)).find("'<f16'") != std::string::npos);
  CHECK(refusal(npy(1, "<c8", false, "(2, 3)", six)).find("'<c8'") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(6,)", six)).find("1 dimension, shape (6)") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "()", six)).find("0 dimensions") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(1, 1, 1, 2, 3)", six)).find("5 dimensions") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(0, 3)", "")).find("empty") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(2, 4)", six)).find("needs 32 bytes of data, got 24") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(1, 3)", six)).find("surplus bytes") != std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(4611686018427387904, 4611686018427387904)", six)).find("truncated") !=
        std::string::npos);
  CHECK(refusal(npy(1, "<f4", false, "(-2, 3)", six)).find("damaged header") != std::string::npos);
  CHECK(refusal(npy(1, "<f8", false, "(1, 1)", raw<double>({1e300}, false))).find("beyond float32 (1e+300)") !=
        std::string::npos);
  const std::string whole = npy(1, "<f4", false, "(2, 3)", six);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(refusal(whole.substr(0, length)) != "");
  }
}

TEST_CASE("npy: a randomly damaged file is refused or read, without a crash") {
  const std::string whole = npy(1, "<f4", false, "(2, 3)", raw<float>({0, 1, 2, 3, 4, 5}, false));
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = whole;
    for (int k = 0; k < 3; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    refused += refusal(damaged).empty() ? 0 : 1;
  }
  CHECK(refused > 1000);  // most bytes belong to the header, where nearly every change matters
}

TEST_CASE("npy: written as version 1.0, little-endian f32, C order, aligned to 64 bytes") {
  RankedTensor tensor{.tensor = Tensor(DType::f32, {1, 2, 1, 3}), .rank = 3};
  for (int i = 0; i < 6; ++i) tensor.tensor.data<float>()[i] = static_cast<float>(i) / 3;
  NpyFile file = new_npy(tensor.tensor.shape(), tensor.rank);
  const auto values = file.values().view<float>();
  for (std::int64_t c = 0; c < 2; ++c)
    for (std::int64_t x = 0; x < 3; ++x) values.at(0, c, 0, x) = static_cast<float>(3 * c + x) / 3;
  const Buffer& bytes = file.bytes;
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  CHECK(text.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  CHECK(text.substr(10).starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3), }"));
  CHECK((bytes.size() - 6 * sizeof(float)) % 64 == 0);
  CHECK(text[bytes.size() - 6 * sizeof(float) - 1] == '\n');
  const RankedTensor back = parse_npy(bytes);
  CHECK(back.rank == 3);
  CHECK(back.tensor.shape() == tensor.tensor.shape());
  CHECK(values_of(back) == values_of(tensor));
}

TEST_CASE("npy: a file in C order has the same values in bands as whole") {
  const TempFolder folder;
  Random random(5);
  const char* const types[] = {"f2", "b1", "f4", "f8", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"};
  const int sizes[] = {2, 1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
  for (std::size_t t = 0; t < std::size(types); ++t)
    for (const char mark : {'<', '>', '=', '|'})
      for (int rank = 2; rank <= 4; ++rank)
        for (int version = 1; version <= 3; ++version) {
          const std::string descr = mark + std::string(types[t]);
          CAPTURE(descr);
          CAPTURE(rank);
          CAPTURE(version);
          std::string shape;
          std::int64_t count = 1;
          for (int axis = 0; axis < rank; ++axis) {
            const std::int64_t size = random.between(1, 9);
            count *= size;
            shape += std::to_string(size) + ", ";
          }
          std::string data;  // small exponents, in either order: no NaN, and nothing beyond float32
          for (std::int64_t i = 0; i < count * sizes[t]; ++i) data += static_cast<char>(random.between(0x30, 0x3f));
          const std::string text = npy(version, descr, false, "(" + shape + ")", data);
          const RankedTensor whole = parse_npy(bytes_of(text));
          const RandomAccessFile file(folder.write("tensor.npy", text), ErrorKind::input);
          const std::optional<RankedLayout> npy_layout = read_npy_layout(file);
          REQUIRE(npy_layout);
          CHECK(npy_layout->rank == rank);
          const Shape& size = npy_layout->layout.shape;
          REQUIRE(size == whole.tensor.shape());
          const RasterReader reader(RandomAccessFile(file.path(), ErrorKind::input), npy_layout->layout);
          Tensor tensor(DType::f32, size);
          for (std::int64_t n = 0; n < size.n; ++n)
            for (std::int64_t y = 0; y < size.h;) {
              const std::int64_t rows = random.between(1, size.h - y);
              reader.read({.item = n, .row = y}, tensor.ref().item(n).rows(y, rows));
              y += rows;
            }
          CHECK(values_of({.tensor = std::move(tensor), .rank = rank}) == values_of(whole));
        }
}

TEST_CASE("npy: files without a layout") {
  const TempFolder folder;
  const auto has_layout = [&](const std::string& text) {
    return read_npy_layout(RandomAccessFile(folder.write("t.npy", text), ErrorKind::input)).has_value();
  };
  const std::string six = raw<float>({0, 1, 2, 3, 4, 5}, false);
  CHECK(has_layout(npy(1, "<f4", false, "(2, 3)", six)));
  CHECK(!has_layout(npy(1, "<f4", true, "(2, 3)", six)));
  CHECK(!has_layout(npy(1, "<f4", false, "(2, 4)", six)));
  CHECK(!has_layout(npy(1, "<f4", false, "(2, 2)", six)));
  CHECK(!has_layout(npy(1, "<f4", false, "(6,)", six)));
  CHECK(!has_layout(npy(1, "<c8", false, "(3, 1)", six)));
  CHECK(!has_layout(""));
  CHECK(!has_layout("\x93NUMPY"));
  CHECK(!has_layout("P5 1 1 255 1"));
}

TEST_CASE("npy: the header of a file larger than memory") {
  const TempFolder folder;
  const std::string header = npy(1, "<f4", false, "(100000, 100000)", ""), path = folder.write("large.npy", header);
  REQUIRE(truncate(path.c_str(), std::ssize(header) + std::int64_t{40'000'000'000}) == 0);
  const std::optional<RankedLayout> npy = read_npy_layout(RandomAccessFile(path, ErrorKind::input));
  REQUIRE(npy);
  CHECK(npy->layout.shape == Shape{.n = 1, .c = 1, .h = 100'000, .w = 100'000});
  const RasterReader reader(RandomAccessFile(path, ErrorKind::input), npy->layout);
  Tensor last = filled(DType::f32, {.h = 1, .w = 100'000}, [] { return 7; });
  reader.read({.row = 99'999}, last.ref());
  CHECK(last.data<float>()[99'999] == 0);
}

TEST_CASE("JSON tensors: ranks, numbers and their shortest text") {
  const auto there_and_back = [](const std::string& text) {
    const Bytes bytes = format_tensor_json(parse_tensor_json(text, "t"));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  CHECK(there_and_back("[[1, 2.0], [3.5, -4e-1]]") == "[[1,2],[3.5,-0.4]]\n");
  CHECK(there_and_back("[[[1]],[[0.1]]]") == "[[[1]],[[0.1]]]\n");
  CHECK(there_and_back("[[[[1],[2]]],[[[3],[4]]]]") == "[[[[1],[2]]],[[[3],[4]]]]\n");
  CHECK(there_and_back("[[16777217]]") == "[[16777216]]\n");  // rounded to float
  CHECK(parse_tensor_json("[[[1,2,3]],[[4,5,6]]]", "t").tensor.shape() == Shape{1, 2, 1, 3});
  CHECK(parse_tensor_json("[[1,2,3]]", "t").rank == 2);
}

TEST_CASE("JSON tensors: the shape is known before the text is parsed") {
  const auto scan = [](std::string_view text) { return scan_json_shape(std::as_bytes(std::span(text))); };
  for (const char* text : {"[[1, 2.0], [3.5, -4e-1]]", "[[[1]],[[0.1]]]", "[[[[1],[2]]],[[[3],[4]]]]", "[[1,2,3]]",
                           " [\n[[1,2,3],[4,5,6]],[[1,2,3],[4,5,6]] ]\n"}) {
    CAPTURE(text);
    const RankedTensor parsed = parse_tensor_json(text, "t");
    REQUIRE(scan(text).has_value());
    CHECK(scan(text)->shape == parsed.tensor.shape());
    CHECK(scan(text)->rank == parsed.rank);
  }
  for (const char* text :
       {"", "1", "[1,2]", "[[1,2]", "[[[[[1]]]]]", "]", ",", "[[,,,,,,,,,,,,,],[1]]", "[[1],[1,2]]", "[[1,2],[3]]",
        "[[1],[]]", "[[ ],[1]]", "[[1],[{},{}]]", "[[1],[{}]]", "[[\"a\"]]", "[[[1],[2]],[[3]]]"}) {
    CAPTURE(text);
    CHECK_FALSE(scan(text).has_value());
  }
}

TEST_CASE("JSON tensors: invalid text is refused") {
  const auto refused = [](const std::string& text) -> std::string {
    try {
      parse_tensor_json(text, "t.json");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
      return error.what();
    }
    return "";
  };
  CHECK(refused("[1,2]").find("nested 1 deep") != std::string::npos);
  CHECK(refused("[[[[[1]]]]]").find("nested 5 deep") != std::string::npos);
  CHECK(refused("[[1],[2,3]]").find("t.json: /1: ragged") != std::string::npos);
  CHECK(refused("[[1],2]").find("t.json: /1: expected a list of 1, like its neighbours; got the number 2") !=
        std::string::npos);
  CHECK(refused("[[1,[2]]]").find("/0/1: expected a number, got a list") != std::string::npos);
  CHECK(refused("[[true]]").find("/0/0: expected a number, got true") != std::string::npos);
  CHECK(refused("[[1]] x").find("line 1, column 7") != std::string::npos);
  CHECK(refused("").find("empty") != std::string::npos);
  RankedTensor tensor{.tensor = Tensor(DType::f32, {1, 1, 1, 1}), .rank = 2};
  tensor.tensor.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(format_tensor_json(tensor), Error);
}

TEST_CASE("values that f32 does not hold are counted") {
  const auto rounded = [](const std::string& text) {
    const RankedTensor tensor = parse_npy(bytes_of(text));
    CHECK((tensor.rounded > 0) == !tensor.stored.empty());
    return std::to_string(tensor.rounded) + " " + std::string(tensor.stored);
  };
  const auto integers = [&](const std::string& type, const std::vector<std::int64_t>& values, auto number) {
    const std::string shape = "(1, " + std::to_string(values.size()) + ")";
    std::string little, big;
    for (const std::int64_t value : values) {
      const auto element = static_cast<decltype(number)>(value);
      const std::string bytes(reinterpret_cast<const char*>(&element), sizeof element);
      little += bytes;
      big.append(bytes.rbegin(), bytes.rend());
    }
    const std::string text = rounded(npy(1, "<" + type, false, shape, little));
    CHECK(rounded(npy(1, ">" + type, true, shape, big)) == text);
    return text;
  };
  constexpr std::int64_t kFirst = (std::int64_t{1} << 24) + 1, kMost = std::numeric_limits<std::int64_t>::max();
  CHECK(integers("i4", {0, kFirst - 1, kFirst, -kFirst, 1 - kFirst, 0x7fffffff, -0x80000000LL}, std::int32_t{}) ==
        "3 i32");
  CHECK(integers("u4", {0, kFirst, 0x80000000LL, 0xffffffffLL}, std::uint32_t{}) == "2 u32");
  CHECK(integers("i8", {kFirst, 2 * kFirst, std::int64_t{1} << 62, kMost, -kMost, -kMost - 1}, std::int64_t{}) ==
        "4 i64");
  CHECK(integers("u8", {-1, -kMost - 1, kFirst}, std::uint64_t{}) == "2 u64");  // 2^64 - 1, 2^63
  CHECK(integers("i2", {-32768, 32767}, std::int16_t{}) == "0 ");
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  std::string doubles;
  for (const double value : {0.5, 0.1, -0.1, 0.0, infinity, nan, 0x1p-149, 0x1p-150, 16777217.0})
    doubles.append(reinterpret_cast<const char*>(&value), sizeof value);
  CHECK(rounded(npy(1, "<f8", false, "(3, 3)", doubles)) == "4 f64");
  CHECK(parse_tensor_json("[[16777216, -16777217, 0.1, 1e30, 9007199254740991]]", "").rounded == 2);
}

TEST_CASE(".npy is recognised by its first bytes") {
  CHECK(looks_like_npy(bytes_of("\x93NUMPY\x01")));
  CHECK(!looks_like_npy(bytes_of("\x93NUMP")));
}
