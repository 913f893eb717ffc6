// Small tensors that nodes compute from constants.
#include <doctest/doctest.h>

#include <map>

#include "kernels/onnx/constant_folding.h"

namespace convtool {
namespace {

using Sizes = std::vector<std::int64_t>;
using Values = std::vector<double>;

OnnxAttribute integers_attribute(std::string_view name, Sizes values) {
  OnnxAttribute attribute{.name = name};
  if (values.size() == 1) attribute.integer = values.front();
  attribute.integers = std::move(values);
  return attribute;
}

std::optional<Constant> folded(std::string_view type, const std::vector<Constant>& inputs,
                               std::vector<OnnxAttribute> attributes = {}) {
  static const std::string_view kNames[] = {"a", "b", "c", "d", "e"};
  OnnxNode node{.type = type, .attributes = std::move(attributes)};
  for (std::size_t i = 0; i < inputs.size(); ++i) node.inputs.push_back(kNames[i]);
  return fold_constants(node, [&](std::string_view name) -> std::optional<Constant> {
    return inputs[static_cast<std::size_t>(name.front() - 'a')];
  });
}

Constant list(Values values) { return {{std::ssize(values)}, values}; }
Constant single(double value) { return {{}, {value}}; }
const Constant kMatrix{{2, 3}, {1, 2, 3, 4, 5, 6}};

void check(const std::optional<Constant>& constant, const Sizes& dims, const Values& values) {
  REQUIRE(constant.has_value());
  CHECK(constant->dims == dims);
  CHECK(constant->values == values);
}

TEST_CASE("lists and matrices of constants") {
  check(folded("Concat", {list({1, 2}), list({3})}, {integers_attribute("axis", {0})}), {3}, {1, 2, 3});
  check(folded("Reshape", {list({1, 2, 3, 4, 5, 6}), list({-1, 2})}), {3, 2}, {1, 2, 3, 4, 5, 6});
  check(folded("Reshape", {kMatrix, list({0, 3})}), {2, 3}, {1, 2, 3, 4, 5, 6});
  check(folded("Transpose", {kMatrix}, {integers_attribute("perm", {1, 0})}), {3, 2}, {1, 4, 2, 5, 3, 6});
  check(folded("Transpose", {kMatrix}), {3, 2}, {1, 4, 2, 5, 3, 6});
  check(folded("ConstantOfShape", {list({2, 2})}), {2, 2}, {0, 0, 0, 0});
  check(folded("Shape", {kMatrix}), {2}, {2, 3});
  check(folded("Gather", {list({5, 6, 7}), single(-1)}), {}, {7});
  check(folded("Gather", {list({5, 6, 7}), list({2, 0})}), {2}, {7, 5});
  check(folded("Unsqueeze", {single(3)}), {1}, {3});
  check(folded("Squeeze", {list({3})}), {}, {3});
  check(folded("Cast", {list({1.5, -1.5})}, {integers_attribute("to", {7})}), {2}, {1, -1});
  check(folded("Cast", {list({1.5})}, {integers_attribute("to", {1})}), {1}, {1.5});
  check(folded("Add", {list({1, 2}), single(3)}), {2}, {4, 5});
  check(folded("Sub", {single(3), list({1, 2})}), {2}, {2, 1});
  check(folded("Mul", {list({2, 3}), list({4, 5})}), {2}, {8, 15});
  check(folded("Div", {list({6}), list({4})}), {1}, {1.5});
}

TEST_CASE("quotients of integers are integers, rounded to zero") {
  Constant integers = list({5, -5}), two = list({2, 2});
  integers.is_integer = two.is_integer = true;
  const std::optional<Constant> halves = folded("Div", {integers, two});
  check(halves, {2}, {2, -2});
  CHECK(halves->is_integer);
  check(folded("Mul", {*halves, two}), {2}, {4, -4});
  // A cast decides, and a shape has integers.
  const Constant floats = *folded("Cast", {integers}, {integers_attribute("to", {1})});
  check(folded("Div", {floats, list({2, 2})}), {2}, {2.5, -2.5});
  const Constant cast = *folded("Cast", {list({5.5})}, {integers_attribute("to", {7})});
  check(folded("Div", {cast, two}), {2}, {2, 2});
  check(folded("Div", {*folded("Shape", {list({1, 1, 1})}), two}), {2}, {1, 1});
  const Constant gathered = *folded("Gather", {integers, list({0})});
  check(folded("Div", {gathered, two}), {2}, {2, 2});
}

TEST_CASE("slices, as in Python") {
  const auto slice = [](const Constant& data, double start, double end, double axis, double step) {
    return folded("Slice", {data, list({start}), list({end}), list({axis}), list({step})});
  };
  const Constant numbers = list({0, 1, 2, 3, 4});
  constexpr double kEnd = 9223372036854775807.0;
  check(slice(numbers, 1, 3, 0, 1), {2}, {1, 2});
  check(slice(numbers, 0, -1, 0, 1), {4}, {0, 1, 2, 3});
  check(slice(numbers, -2, kEnd, 0, 1), {2}, {3, 4});
  check(slice(numbers, -1, -kEnd, 0, -1), {5}, {4, 3, 2, 1, 0});
  check(slice(numbers, 3, 0, 0, -2), {2}, {3, 1});
  check(slice(numbers, 3, 1, 0, 1), {0}, {});
  check(slice(kMatrix, -1, -kEnd, 0, -1), {2, 3}, {4, 5, 6, 1, 2, 3});
  check(slice(kMatrix, 1, 2, -1, 1), {2, 1}, {2, 5});
  check(folded("Slice", {numbers, list({2}), list({kEnd})}), {3}, {2, 3, 4});
  CHECK_FALSE(slice(numbers, 0, 1, 0, 0).has_value());
  CHECK_FALSE(slice(numbers, 0, 1, 1, 1).has_value());
  CHECK_FALSE(slice(numbers, 0.5, 1, 0, 1).has_value());
}

TEST_CASE("what is not computed") {
  CHECK_FALSE(folded("Relu", {list({1})}).has_value());
  CHECK_FALSE(folded("Concat", {list({1}), kMatrix}).has_value());
  CHECK_FALSE(folded("Reshape", {list({1, 2, 3}), list({-1, 2})}).has_value());
  CHECK_FALSE(folded("Reshape", {list({1, 2, 3}), list({2})}).has_value());
  CHECK_FALSE(folded("Reshape", {list({1, 2}), list({-1, -1})}).has_value());
  CHECK_FALSE(folded("Reshape", {list({}), list({0})}).has_value());
  CHECK_FALSE(folded("ConstantOfShape", {list({1 << 20})}).has_value());
  CHECK_FALSE(folded("ConstantOfShape", {list({-1})}).has_value());
  CHECK_FALSE(folded("Gather", {list({5}), single(1)}).has_value());
  CHECK_FALSE(folded("Add", {list({1, 2}), list({1, 2, 3})}).has_value());
  CHECK_FALSE(folded("Shape", {list(Values(kMostFolded + 1))}).has_value());
  const Values many(static_cast<std::size_t>(kMostFolded), 1);
  CHECK_FALSE(folded("Concat", {list(many), list({1})}).has_value());
}

}  // namespace
}  // namespace convtool
