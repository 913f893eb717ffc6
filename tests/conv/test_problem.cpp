// Problems: output sizes, refusals that a user can act on, and the line that describes a problem.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "conv/problem.h"
#include "support/params.h"

namespace convtool {
namespace {

Shape shape_after(const Shape& input, const KernelShape& kernel, const Params& params) {
  return output_shape(make_problem(DType::f32, input, kernel, params));
}

Params padded(std::int64_t h, std::int64_t w, Extent stride = {1, 1}, Extent dilation = {1, 1}) {
  return {.stride = stride, .dilation = dilation, .padding = pads(h, w, h, w)};
}

TEST_CASE("output sizes of the course") {
  const Shape x{1, 1, 8, 8};
  CHECK(shape_after(x, {1, 1, 3, 3}, padded(1, 1)) == Shape{1, 1, 8, 8});
  CHECK(shape_after(x, {1, 1, 5, 3}, padded(2, 1)) == Shape{1, 1, 8, 8});
  CHECK(shape_after(x, {1, 1, 3, 3}, padded(1, 1, {2, 2})) == Shape{1, 1, 4, 4});
  CHECK(shape_after(x, {1, 1, 3, 5}, padded(0, 1, {3, 4})) == Shape{1, 1, 2, 2});
  CHECK(shape_after({1, 1, 6, 8}, {1, 1, 1, 2}, {}) == Shape{1, 1, 6, 7});
}

TEST_CASE("depth shrinks the picture: after 7 layers of 5x5, 32x32 has become 4x4, and an eighth cannot run") {
  Shape shape{1, 1, 32, 32};
  for (const std::int64_t wanted : {28, 24, 20, 16, 12, 8, 4}) {
    shape = shape_after(shape, {1, 1, 5, 5}, {});
    CHECK(shape == Shape{1, 1, wanted, wanted});
  }
  CHECK_THROWS_AS(shape_after(shape, {1, 1, 5, 5}, {}), Error);
}

TEST_CASE("output sizes with batches, channels, groups, dilation and unequal pads") {
  CHECK(shape_after({4, 3, 10, 12}, {8, 3, 3, 3}, {}) == Shape{4, 8, 8, 10});
  CHECK(shape_after({1, 6, 9, 9}, {4, 3, 1, 1}, {.groups = 2}) == Shape{1, 4, 9, 9});
  CHECK(shape_after({1, 1, 10, 10}, {1, 1, 3, 3}, padded(0, 0, {1, 1}, {2, 4})) == Shape{1, 1, 6, 2});
  CHECK(shape_after({1, 1, 7, 7}, {1, 1, 3, 3}, {.stride = {2, 3}, .padding = pads(0, 1, 2, 4)}) == Shape{1, 1, 4, 4});
  CHECK(shape_after({1, 1, 3, 4}, {1, 1, 3, 4}, {}) == Shape{1, 1, 1, 1});  // a kernel as large as the picture
  CHECK(shape_after({1, 1, 7, 8}, {1, 1, 4, 4}, {.stride = {2, 3}, .padding = kSame}) == Shape{1, 1, 4, 3});
  CHECK(shape_after({1, 1, 5, 6}, {1, 1, 3, 4}, {.padding = kFull}) == Shape{1, 1, 7, 9});
}

TEST_CASE("multiply-adds of a layer") {
  const ConvProblem layer = make_problem(DType::f32, {1, 100, 64, 64}, {100, 100, 5, 5}, padded(2, 2));
  CHECK(output_shape(layer) == Shape{1, 100, 64, 64});
  CHECK(mac_count(layer) == 1.024e9);
  const ConvProblem grouped = make_problem(DType::u8, {2, 4, 5, 6}, {8, 2, 3, 3},
                                           Params{.stride = {2, 2}, .groups = 2});  // 2 x 8 x 2 x 2 outputs
  CHECK(mac_count(grouped) == 2 * 8 * 2 * 2 * (2 * 3 * 3));
}

TEST_CASE("a hundred units that each see a million pixels have 1e8 weights, a 5x5 kernel has 25") {
  CHECK(KernelShape{.c_o = 100, .kh = 1000, .kw = 1000}.count() == 100'000'000);
  CHECK(KernelShape{.kh = 5, .kw = 5}.count() == 25);
}

TEST_CASE("make_problem copies the parameters and resolves the padding") {
  const ConvProblem problem = make_problem(DType::u16, {2, 4, 9, 8}, {6, 2, 3, 2},
                                           Params{.stride = {2, 1},
                                                  .dilation = {1, 3},
                                                  .padding = kSame,
                                                  .padding_mode = PaddingMode::reflect,
                                                  .padding_value = 5,
                                                  .groups = 2});
  CHECK(problem.input_dtype == DType::u16);
  CHECK(problem.input == Shape{2, 4, 9, 8});
  CHECK(problem.kernel == KernelShape{6, 2, 3, 2});
  CHECK(problem.stride == Extent{2, 1});
  CHECK(problem.dilation == Extent{1, 3});
  CHECK(problem.pads == Pads{1, 1, 1, 2});
  CHECK(problem.padding_mode == PaddingMode::reflect);
  CHECK(problem.groups == 2);
  CHECK(problem.padding_value == 0);  // only `constant` has a value
  CHECK(make_problem(DType::f32, {1, 1, 3, 3}, {}, Params{.padding_mode = PaddingMode::constant, .padding_value = 5})
            .padding_value == 5);
}

/// The message with which make_problem refuses. Fails if it accepts, or the error is not of kind shape and one line.
std::string refusal(const Shape& input, const KernelShape& kernel, const Params& params) {
  try {
    make_problem(DType::f32, input, kernel, params);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::shape);
    const std::string message = error.what();
    CHECK(message.find('\n') == std::string::npos);
    return message;
  }
  FAIL("make_problem accepted what it should refuse");
  return "";
}

TEST_CASE("refusals name the numbers and a solution") {
  struct Row {
    Shape input;
    KernelShape kernel;
    Params params;
    std::vector<std::string> words;
  };
  const Params reflect{.padding = pads(3, 0, 0, 0), .padding_mode = PaddingMode::reflect};
  const Params reflect_right{.padding = pads(0, 0, 0, 5), .padding_mode = PaddingMode::reflect};
  const Params reflect_same{.padding = kSame, .padding_mode = PaddingMode::reflect};
  const Row rows[] = {
      // Channels.
      {{1, 4, 8, 8}, {1, 3, 3, 3}, {}, {"expected 3 channels, got 4", "drop the fourth channel"}},
      {{1, 1, 8, 8}, {1, 3, 3, 3}, {}, {"expected 3 channels, got 1", "use a kernel for one channel"}},
      {{1, 3, 8, 8}, {1, 1, 3, 3}, {}, {"expected 1 channel, got 3", "rank-2 kernel", "add --gray"}},
      {{1, 6, 8, 8}, {4, 3, 3, 3}, {}, {"expected 3 channels, got 6", "--groups 2"}},
      {{1, 5, 8, 8}, {4, 2, 3, 3}, {.groups = 2}, {"expected 4 channels in 2 groups, got 5", "5 input channels"}},
      {{1, 8, 8, 8}, {4, 2, 3, 3}, {.groups = 2}, {"expected 4 channels in 2 groups, got 8", "--groups 4"}},
      {{1, 6, 8, 8}, {4, 2, 3, 3}, {.groups = 3}, {"3 groups, 4 output channels", "divides both"}},
      {{1, 2, 8, 8}, {1, 1, 3, 3}, {.groups = 2}, {"2 groups, 1 output channel)", "divides both"}},
      // Kernels that do not fit.
      {{1, 1, 8, 2}, {1, 1, 3, 3}, {}, {"kernel 3x3, padded input 8x2", "pad more", "smaller kernel"}},
      {{1, 1, 2, 8}, {1, 1, 5, 3}, padded(1, 0), {"kernel 5x3, padded input 4x8", "pad more"}},
      {{1, 1, 4, 8},
       {1, 1, 3, 3},
       padded(0, 0, {1, 1}, {2, 1}),
       {"kernel 3x3, dilated to 5x3, padded input 4x8", "pad more"}},
      {{1, 1, 8, 8},
       {1, 1, 3, 3},
       padded(0, 1, {1, 1}, {1, 5}),
       {"kernel 3x3, dilated to 3x11, padded input 8x10", "pad more"}},
      // Reflection without enough pixels to reflect.
      {{1, 1, 3, 9},
       {1, 1, 3, 3},
       reflect,
       {"padding 3 and 0", "input height of 3", "pad less", "symmetric, replicate or circular"}},
      {{1, 1, 9, 5}, {1, 1, 3, 3}, reflect_right, {"padding 0 and 5", "input width of 5", "pad less"}},
      {{1, 1, 9, 1}, {1, 1, 3, 3}, reflect_same, {"padding 1 and 1", "input width of 1"}},
      // Empty inputs.
      {{1, 1, 0, 8}, {1, 1, 3, 3}, {}, {"input is empty", "1x0x8", "at least 1"}},
      {{1, 1, 8, 0}, {1, 1, 3, 3}, {}, {"input is empty", "1x8x0", "at least 1"}},
      {{1, 0, 8, 8}, {1, 1, 3, 3}, {}, {"input is empty", "0x8x8", "at least 1"}},
      {{0, 1, 8, 8}, {1, 1, 3, 3}, {}, {"input is empty", "0x1x8x8", "at least 1"}},
  };
  for (const Row& row : rows) {
    const std::string message = refusal(row.input, row.kernel, row.params);
    CAPTURE(message);
    for (const std::string& word : row.words) {
      CAPTURE(word);
      CHECK(message.find(word) != std::string::npos);
    }
  }
}

TEST_CASE("limits that are still allowed") {
  CHECK_NOTHROW(
      shape_after({1, 1, 4, 9}, {1, 1, 3, 3}, {.padding = pads(3, 8, 3, 8), .padding_mode = PaddingMode::reflect}));
  CHECK_NOTHROW(shape_after({1, 1, 1, 1}, {1, 1, 3, 3}, padded(1, 1)));
  CHECK_NOTHROW(
      shape_after({1, 1, 1, 1}, {1, 1, 3, 3}, {.padding = pads(9, 9, 9, 9), .padding_mode = PaddingMode::symmetric}));
  CHECK_NOTHROW(shape_after({1, 1, 5, 3}, {1, 1, 3, 3}, padded(0, 0, {1, 1}, {2, 1})));
}

TEST_CASE("numbers below 1 are a bug, since callers check them") {
  const auto kind_of = [](const KernelShape& kernel, const Params& params) -> std::optional<ErrorKind> {
    try {
      make_problem(DType::f32, {1, 1, 8, 8}, kernel, params);
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  };
  CHECK(kind_of({1, 1, 0, 3}, {}) == ErrorKind::internal);
  CHECK(kind_of({1, 1, 3, 3}, {.stride = {0, 1}}) == ErrorKind::internal);
  CHECK(kind_of({1, 1, 3, 3}, {.stride = {1, 0}}) == ErrorKind::internal);
  CHECK(kind_of({1, 1, 3, 3}, {.dilation = {0, 1}}) == ErrorKind::internal);
  CHECK(kind_of({1, 1, 3, 3}, {.dilation = {1, 0}}) == ErrorKind::internal);
  CHECK(kind_of({1, 1, 3, 3}, {.groups = 0}) == ErrorKind::internal);
}

TEST_CASE("the problem line") {
  CHECK(to_string(
            make_problem(DType::u8, {1, 3, 480, 640}, {3, 1, 3, 3},
                         Params{.padding = pads(1, 1, 1, 1), .padding_mode = PaddingMode::replicate, .groups = 3})) ==
        "u8 n1 ci3 ih480 iw640 co3 kh3 kw3 g3 s1x1 d1x1 p1,1,1,1 replicate");
  const std::string constant = to_string(make_problem(DType::f32, {2, 4, 9, 8}, {6, 2, 5, 7},
                                                      Params{.stride = {3, 4},
                                                             .dilation = {1, 2},
                                                             .padding = pads(1, 2, 3, 4),
                                                             .padding_mode = PaddingMode::constant,
                                                             .padding_value = 0.5F,
                                                             .groups = 2}));
  CHECK(constant.starts_with("f32 n2 ci4 ih9 iw8 co6 kh5 kw7 g2 s3x4 d1x2 p1,2,3,4 constant=0.5"));
}

TEST_CASE("dilated kernels") {
  CHECK(dilated_kernel({1, 1, 3, 5}, {1, 1}) == Extent{3, 5});
  CHECK(dilated_kernel({1, 1, 3, 5}, {2, 3}) == Extent{5, 13});
  CHECK(dilated_kernel({1, 1, 1, 1}, {9, 9}) == Extent{1, 1});
}

}  // namespace
}  // namespace convtool
