// Algorithms allocate all their memory before the first output: a run on one thread that is out of memory has written
// nothing.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <map>
#include <new>

#include "conv/allocation_hook.h"
#include "conv/plan.h"
#include "support/conv_cases.h"
#include "support/convolve.h"
#include "support/instruction_sets.h"
#include "support/params.h"
#include "support/placed_tensor.h"

namespace convtool {
namespace {

constexpr std::byte kUntouched{0xA5};

/// Memory for an output, in which the first write shows.
class Output {
 public:
  Output(DType dtype, const Shape& shape, bool channels_last)
      : tensor_(dtype, shape), ref_(channels_last ? convtool::channels_last(tensor_) : tensor_.ref()) {
    clear();
  }

  const TensorRef& ref() const { return ref_; }
  std::size_t size() const { return static_cast<std::size_t>(ref_.shape.count() * size_of(ref_.dtype)); }
  const std::byte* bytes() const { return static_cast<const std::byte*>(ref_.data); }
  void clear() { std::memset(ref_.data, static_cast<int>(kUntouched), size()); }
  /// The first byte, and every byte against the one before it.
  bool is_untouched() const { return bytes()[0] == kUntouched && std::memcmp(bytes(), bytes() + 1, size() - 1) == 0; }

 private:
  Tensor tensor_;
  TensorRef ref_;
};

/// Counts allocations, and those after the first output; refuses the one of this number.
class Watch final : public testing::AllocationHook {
 public:
  Watch(const Output& output, int refused) : output_(output), refused_(refused) {}

  void before_allocation() override {
    if (!output_.is_untouched()) ++late;
    if (count++ == refused_) throw std::bad_alloc();
  }

  int count = 0, late = 0;

 private:
  const Output& output_;
  const int refused_;
};

struct MemoryCase {
  const char* name;
  DType dtype;
  Shape input;
  KernelShape kernel;
  Params params;
  Layout layout = Layout::planar;
  Epilogue epilogue = {};
  bool weights_equal = false;  ///< for `box`, and of rank 1
  bool has_infinity = false;   ///< in the last pixel, which makes sums that are stored in place be finished again
};

constexpr Padding kAbove = pads(40, 1, 40, 1);  // whole rows of outputs see no row of the picture, the first ones too

const MemoryCase kCases[] = {
    {"a picture", DType::u8, {1, 1, 20, 40}, {1, 1, 3, 3}, {.padding = kSame}},
    {"a picture of floats", DType::f32, {1, 1, 20, 40}, {1, 1, 5, 5}, {.padding = kSame}},
    {"a batch", DType::u16, {3, 1, 9, 40}, {1, 1, 3, 3}, {}},
    {"equal weights", DType::u8, {2, 1, 20, 40}, {1, 1, 5, 5}, {.padding = kFull}, Layout::planar, {}, true},
    {"wide, in slices",
     DType::u8,
     {2, 1, 6, 40000},
     {1, 1, 3, 3},
     {.padding = pads(1, 0, 1, 2)},
     Layout::planar,
     {},
     true},
    {"wide, of floats", DType::f32, {2, 1, 6, 40000}, {1, 1, 3, 9}, {.padding = pads(1, 20000, 1, 3)}},
    {"wide, strided", DType::u16, {1, 1, 6, 70000}, {1, 1, 3, 3}, {.stride = {1, 2}, .padding = kSame}},
    {"flat", DType::u8, {1, 3, 9, 40}, {3, 1, 3, 3}, {.padding = kSame, .groups = 3}, Layout::interleaved, {}, true},
    {"wide and flat",
     DType::f32,
     {1, 3, 4, 15000},
     {3, 1, 3, 3},
     {.padding = kSame, .groups = 3},
     Layout::interleaved,
     {},
     true},
    {"strides and dilation", DType::f32, {1, 2, 20, 40}, {4, 2, 3, 3}, {.stride = {2, 3}, .dilation = {2, 2}}},
    {"planes of bytes below padding", DType::u8, {1, 20, 9, 12}, {20, 1, 3, 3}, {.padding = kAbove, .groups = 20}},
    {"planes of bytes below padding, all channels", DType::u8, {1, 20, 9, 12}, {20, 20, 3, 3}, {.padding = kAbove}},
    {"planes of floats, a constant",
     DType::f32,
     {2, 20, 9, 12},
     {20, 1, 3, 3},
     {.padding = kAbove, .padding_mode = PaddingMode::constant, .padding_value = 2, .groups = 20}},
    {"many channels", DType::f32, {2, 32, 30, 30}, {64, 32, 3, 3}, {.padding = kSame}, Layout::interleaved},
    {"many channels in place",
     DType::f32,
     {1, 32, 30, 30},
     {32, 1, 3, 3},
     {.padding = kSame, .groups = 32},
     Layout::interleaved,
     {},
     false,
     true},
    {"small, with needed taps",
     DType::f32,
     {3, 16, 7, 7},
     {32, 16, 3, 3},
     {.padding = kSame},
     Layout::interleaved,
     {},
     false,
     true},
    {"combined",
     DType::f32,
     {1, 8, 12, 12},
     {16, 8, 3, 3},
     {.padding = kSame},
     Layout::interleaved,
     {.combine = Combine::magnitude, .combine_count = 4}},
    {"combined planes",
     DType::u8,
     {1, 8, 12, 12},
     {16, 1, 3, 3},
     {.padding = kSame, .groups = 8},
     Layout::planar,
     {.combine = Combine::l1, .combine_count = 2}},
    {"more taps than are listed", DType::f32, {1, 130, 8, 8}, {120, 130, 3, 3}, {.padding = kSame}},
    {"a large kernel", DType::u8, {1, 1, 80, 300}, {1, 1, 31, 31}, {.padding = kSame}},
    {"a large kernel on floats", DType::f32, {1, 2, 80, 300}, {2, 2, 31, 31}, {.padding = kSame}},
};

/// Runs `plan` with all the memory that it wants, and returns the number of its allocations.
int count_allocations(const ConvPlan& plan, const ConstTensorRef& input, Output& output) {
  output.clear();
  int count = 0, late = 0;
  {
    Watch watch(output, -1);
    plan.run(input, output.ref());
    count = watch.count;
    late = watch.late;
  }
  CHECK(late == 0);
  return count;
}

/// Runs `plan` without the allocation of this number.
void check_refused(const ConvPlan& plan, const ConstTensorRef& input, Output& output, int refused) {
  output.clear();
  bool is_out_of_memory = false;
  {
    Watch watch(output, refused);
    try {
      plan.run(input, output.ref());
    } catch (const std::bad_alloc&) {
      is_out_of_memory = true;
    }
  }
  CAPTURE(refused);
  CHECK(is_out_of_memory);
  CHECK(output.is_untouched());
}

/// Whether `algorithm` accepts the case, which then is checked, and its allocations added to `allocations`, for outputs
/// of planes and of interleaved channels.
bool check(const MemoryCase& of, std::string_view algorithm, int& allocations) {
  Random random(7);
  ConvCase drawn = make_case({of.dtype, of.input, of.kernel, of.params, Numbers::exact}, random);
  if (of.weights_equal) std::fill(drawn.kernel.weights.begin(), drawn.kernel.weights.end(), 1.0F);
  if (of.has_infinity) drawn.input.data<float>()[of.input.count() - 1] = std::numeric_limits<float>::infinity();
  std::fill(drawn.kernel.bias.begin(), drawn.kernel.bias.end(), 0.0F);
  PlacedTensor input(of.dtype, of.input, of.layout, 64);
  input.copy_from(drawn.input);
  for (const bool channels_last : {false, true}) {
    for (const DType dtype : {DType::f32, DType::u8}) {
      CAPTURE(channels_last);
      CAPTURE(to_string(dtype));
      std::optional<ConvPlan> plan;
      try {
        plan.emplace(drawn.problem, drawn.kernel, of.epilogue,
                     PlanOptions{.algorithm = std::string(algorithm), .threads = 1});
      } catch (const Error& error) {
        REQUIRE(error.kind() == ErrorKind::shape);
        return false;
      }
      Output output(dtype, plan->output_shape(), channels_last);
      plan->run(input.ref(), output.ref());
      const std::vector<std::byte> expected(output.bytes(), output.bytes() + output.size());
      const int count = count_allocations(*plan, input.ref(), output);
      CHECK(std::memcmp(output.bytes(), expected.data(), expected.size()) == 0);
      for (int refused = 0; refused < count; refused += 1 + count / 20)
        check_refused(*plan, input.ref(), output, refused);
      if (count > 0) check_refused(*plan, input.ref(), output, count - 1);
      allocations += count;
    }
  }
  return true;
}

TEST_CASE("every algorithm allocates before its first output") {
  std::map<std::string_view, int> accepted;
  int allocations = 0;
  for (const std::string_view algorithm : algorithm_names()) {
    for (const MemoryCase& of : kCases) {
      CAPTURE(algorithm);
      CAPTURE(std::string(of.name));
      if (check(of, algorithm, allocations)) ++accepted[algorithm];
    }
  }
  CHECK(allocations > 1000);
  // By the conditions in src/conv/README.md.
  for (const char* every : {"reference", "direct"}) CHECK(accepted[every] == std::size(kCases));
  CHECK(accepted["rows"] >= 18);
  CHECK(accepted["packed"] >= 18);
  CHECK(accepted["integer"] >= 8);
  CHECK(accepted["separable"] >= 4);
  CHECK(accepted["depthwise"] >= 10);
  CHECK(accepted["box"] >= 3);
  CHECK(accepted["fft"] >= 10);
  CHECK(accepted["winograd"] >= 1);
}

}  // namespace
}  // namespace convtool
