// Tensors, which own their elements, and views of them, whose strides may be negative.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/tensor.h"

namespace convtool {
namespace {

TEST_CASE("element types") {
  CHECK(to_string(DType::u8) == "u8");
  CHECK(to_string(DType::u16) == "u16");
  CHECK(to_string(DType::f32) == "f32");
  CHECK(size_of(DType::u8) == 1);
  CHECK(size_of(DType::u16) == 2);
  CHECK(size_of(DType::f32) == 4);
  CHECK(is_integer(DType::u8));
  CHECK(is_integer(DType::u16));
  CHECK_FALSE(is_integer(DType::f32));
  CHECK(full_range(DType::u8) == 255);
  CHECK(full_range(DType::u16) == 65535);
  for (const DType dtype : {DType::u8, DType::u16, DType::f32}) {
    CHECK(visit_dtype(dtype, []<class T>(T value) { return value == T{} ? dtype_of<T>() : DType::u8; }) == dtype);
    CHECK(visit_dtype(dtype, []<class T>(T) { return static_cast<std::int64_t>(sizeof(T)); }) == size_of(dtype));
  }
}

TEST_CASE("shapes") {
  CHECK(Shape{2, 3, 4, 5}.count() == 120);
  CHECK(Shape{}.count() == 0);
  CHECK(to_string(Shape{1, 3, 480, 640}) == "3x480x640");
  CHECK(to_string(Shape{2, 3, 480, 640}) == "2x3x480x640");
  CHECK(Shape{1, 2, 3, 4} != Shape{1, 2, 4, 3});
}

TEST_CASE("a tensor is planar, aligned and owns its elements") {
  Tensor tensor(DType::u16, {2, 3, 4, 5});
  CHECK(reinterpret_cast<std::uintptr_t>(tensor.data<std::uint16_t>()) % 64 == 0);
  CHECK(tensor.ref().strides == Strides{60, 20, 5, 1});
  for (int i = 0; i < 120; ++i) tensor.data<std::uint16_t>()[i] = static_cast<std::uint16_t>(i);
  const auto view = tensor.ref().view<std::uint16_t>();
  CHECK(view.at(0, 0, 0, 0) == 0);
  CHECK(view.at(1, 2, 3, 4) == 119);
  CHECK(view.at(1, 0, 2, 3) == 60 + 10 + 3);
  CHECK(view.row(0, 2, 1) == tensor.data<std::uint16_t>() + 45);

  const std::uint16_t* memory = tensor.data<std::uint16_t>();
  const Tensor moved = std::move(tensor);
  CHECK(moved.data<std::uint16_t>() == memory);
  CHECK(moved.shape() == Shape{2, 3, 4, 5});
}

TEST_CASE("an empty tensor is allowed") {
  CHECK(Tensor().shape().count() == 0);
  CHECK(Tensor(DType::f32, {1, 1, 0, 7}).shape().count() == 0);
}

TEST_CASE("an interleaved picture is a view, in RGB and in BGR order") {
  // 2 rows of 3 pixels; channel c of pixel (y, x) is 100 * y + 10 * x + c.
  std::uint8_t bytes[18];
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 3; ++x)
      for (int c = 0; c < 3; ++c) bytes[(y * 3 + x) * 3 + c] = static_cast<std::uint8_t>(100 * y + 10 * x + c);

  const TensorRef rgb{bytes, DType::u8, {1, 3, 2, 3}, {18, 1, 9, 3}};
  CHECK(rgb.view<std::uint8_t>().at(0, 2, 1, 1) == 112);
  CHECK(rgb.view<std::uint8_t>().at(0, 0, 0, 2) == 20);

  const TensorRef bgr{bytes + 2, DType::u8, {1, 3, 2, 3}, {18, -1, 9, 3}};
  CHECK(bgr.view<std::uint8_t>().at(0, 0, 1, 1) == 112);
  CHECK(bgr.view<std::uint8_t>().at(0, 2, 1, 1) == 110);
  bgr.view<std::uint8_t>().at(0, 1, 0, 0) = 77;
  CHECK(bytes[1] == 77);
}

TEST_CASE("channels() is a slice of the same memory, for either sign of the stride") {
  float data[24];
  for (int i = 0; i < 24; ++i) data[i] = static_cast<float>(i);
  const TensorRef planar{data, DType::f32, {1, 4, 2, 3}, {24, 6, 3, 1}};
  const auto middle = planar.channels(1, 2);
  CHECK(middle.shape == Shape{1, 2, 2, 3});
  CHECK(middle.strides == planar.strides);
  CHECK(middle.view<float>().at(0, 0, 0, 0) == 6);
  CHECK(middle.view<float>().at(0, 1, 1, 2) == 17);
  CHECK(middle.channels(1, 1).view<float>().at(0, 0, 0, 0) == 12);

  const TensorRef reversed{data + 3, DType::f32, {1, 4, 2, 3}, {24, -1, 12, 4}};
  CHECK(reversed.channels(0, 1).data == data + 3);
  CHECK(reversed.channels(2, 2).data == data + 1);
  CHECK(reversed.channels(2, 2).view<float>().at(0, 1, 1, 2) == 20);

  CHECK(planar.channels(4, 0).shape.c == 0);
  CHECK_THROWS_AS(planar.channels(3, 2), Error);
  CHECK_THROWS_AS(planar.channels(-1, 2), Error);
  CHECK_THROWS_AS(planar.channels(0, -1), Error);
}

TEST_CASE("a view of another type than the elements' is a bug") {
  Tensor tensor(DType::u8, {1, 1, 2, 2});
  CHECK_THROWS_AS(tensor.ref().view<float>(), Error);
  CHECK_THROWS_AS(tensor.data<std::uint16_t>(), Error);
  try {
    tensor.data<float>();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::internal);
  }
}

TEST_CASE("read-only references stay read-only") {
  Tensor tensor(DType::f32, {1, 1, 1, 2});
  tensor.data<float>()[1] = 3;
  const ConstTensorRef ref = tensor.ref();  // a TensorRef converts
  static_assert(std::is_same_v<decltype(ref.view<float>().data), const float*>);
  static_assert(std::is_same_v<decltype(std::as_const(tensor).ref()), ConstTensorRef>);
  static_assert(std::is_same_v<decltype(tensor.ref().view<float>().data), float*>);
  static_assert(!std::is_convertible_v<ConstTensorRef, TensorRef>);
  CHECK(ref.view<float>().at(0, 0, 0, 1) == 3);
  const ConstTensorRef part = ref.channels(0, 1);
  CHECK(part.data == ref.data);
}

TEST_CASE("an error names its place") {
  const Error plain(ErrorKind::shape, "", "too big");
  CHECK(std::string(plain.what()) == "too big");
  const Error located(ErrorKind::kernel, "a.json", "ragged");
  CHECK(std::string(located.what()) == "a.json: ragged");
  CHECK(located.where() == "a.json");
  CHECK(to_string(located.kind()) == "kernel");
  CHECK_NOTHROW(require(true, "fine"));
  CHECK_THROWS_WITH_AS(require(false, "odd"), "a bug in convtool: odd", Error);
}

}  // namespace
}  // namespace convtool
