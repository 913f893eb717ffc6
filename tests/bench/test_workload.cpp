// Checks that workloads match their names.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/workload.h"

using namespace convtool;

namespace {

const Workload& find(const std::vector<Workload>& all, std::string_view line) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Workload& w) { return w.id + " " + w.name == line; });
  REQUIRE_MESSAGE(found != all.end(), std::string(line));
  return *found;
}

/// The rank of the weights of the first output channel, by elimination with full pivoting. A pivot of at most
/// `tolerance` times the largest weight counts as 0, since weights were rounded to float.
std::int64_t rank_of(const Workload& workload, double tolerance) {
  const KernelShape& k = workload.kernel.shape;
  std::vector<double> m(workload.kernel.weights.begin(), workload.kernel.weights.begin() + k.kh * k.kw);
  const auto at = [&](std::int64_t y, std::int64_t x) -> double& { return m[static_cast<std::size_t>(y * k.kw + x)]; };
  double largest = 0;
  for (const double weight : m) largest = std::max(largest, std::fabs(weight));
  std::int64_t rank = 0;
  for (; rank < k.kh; ++rank) {
    std::int64_t py = rank, px = rank;
    for (std::int64_t y = rank; y < k.kh; ++y) {
      for (std::int64_t x = rank; x < k.kw; ++x) {
        if (std::fabs(at(y, x)) > std::fabs(at(py, px))) std::tie(py, px) = std::pair(y, x);
      }
    }
    if (std::fabs(at(py, px)) <= tolerance * largest) break;
    for (std::int64_t x = 0; x < k.kw; ++x) std::swap(at(py, x), at(rank, x));
    for (std::int64_t y = 0; y < k.kh; ++y) std::swap(at(y, px), at(y, rank));
    for (std::int64_t y = rank + 1; y < k.kh; ++y) {
      const double factor = at(y, rank) / at(rank, rank);
      for (std::int64_t x = rank; x < k.kw; ++x) at(y, x) -= factor * at(rank, x);
    }
  }
  return rank;
}

/// The sum of the weights of the first output channel over the divisor.
double sum_of(const Workload& workload) {
  const auto first = workload.kernel.weights.begin();
  return std::accumulate(first, first + workload.kernel.shape.taps(), 0.0) / workload.divisor(0);
}

}  // namespace

TEST_CASE("every group has the expected number of workloads, and names are unique") {
  const std::map<std::string, int> expected = {{"I1", 12}, {"I2", 5},  {"I3", 18}, {"I4", 2}, {"I5", 4}, {"S1", 12},
                                               {"L1", 10}, {"L2", 16}, {"T1", 6},  {"C1", 8}, {"C2", 8}, {"C3", 6}};
  std::map<std::string, int> counts;
  std::set<std::string> names;
  for (const Workload& workload : workloads()) {
    ++counts[workload.id];
    CHECK(names.insert(workload.id + " " + workload.name).second);
  }
  CHECK(counts == expected);
}

TEST_CASE("names give shape, type and kernel") {
  const auto all = workloads();
  const Workload& stride = find(all, "T1 u8x3 3840x2160 7x7 float stride 4 -> u8");
  CHECK(stride.problem.input == Shape{1, 3, 2160, 3840});
  CHECK(stride.problem.stride == Extent{4, 4});
  CHECK(stride.problem.pads == Pads{});
  CHECK(stride.output_shape() == Shape{1, 3, 539, 959});
  const Workload& sobel = find(all, "I4 u8x3 3840x2160 3x3 sobel magnitude -> u8");
  CHECK(sobel.problem.kernel == KernelShape{6, 1, 3, 3});
  CHECK(sobel.output_shape() == sobel.problem.input);
  CHECK(sobel.bytes() == 2.0 * 3 * 2160 * 3840 + 6 * 9 * 4);
  const Workload& dilated = find(all, "C2 f32 NHWC R-FCN 512->512 57x38 3x3 dilation 3");
  CHECK(dilated.problem.input == Shape{1, 512, 38, 57});
  CHECK(dilated.output_shape() == dilated.problem.input);
  CHECK(dilated.problem.padding_mode == PaddingMode::zeros);
  const Workload& depthwise = find(all, "C3 f32 NHWC depthwise 128->128 56x56 3x3 stride 2 groups 128");
  CHECK(depthwise.kernel.shape == KernelShape{128, 1, 3, 3});
  CHECK(depthwise.output_shape() == Shape{1, 128, 28, 28});
  CHECK(find(all, "C1 f32 NHWC ResNet-50 3->64 224x224 7x7 stride 2").output_shape() == Shape{1, 64, 112, 112});
}

TEST_CASE("pictures keep their size, with the border repeated, except in groups without padding") {
  for (const Workload& workload : workloads()) {
    if (workload.id.front() == 'C' || workload.id == "T1") continue;
    CAPTURE(workload.name);
    CHECK(workload.output_shape() == workload.problem.input);
    CHECK(workload.problem.padding_mode == PaddingMode::replicate);
  }
}

TEST_CASE("kernels sum to 1 and have the intended rank") {
  const auto all = workloads();
  for (const Workload& workload : all) {
    if (workload.id.front() == 'C' || workload.id == "I4") continue;
    CAPTURE(workload.name);
    CHECK(sum_of(workload) == doctest::Approx(1).epsilon(1e-5));
    const std::int64_t k = workload.kernel.shape.kh;
    const auto is = [&](const char* kind) { return workload.name.find(kind) != std::string::npos; };
    if (is(" gaussian ")) CHECK(rank_of(workload, 1e-6) == 1);
    if (is(" rank 2 ")) CHECK(rank_of(workload, 1e-6) == 2);
    if (is(" box ")) CHECK(rank_of(workload, 1e-6) == 1);
    if (is(" disk ")) CHECK(rank_of(workload, 1e-6) > 4);
    if (is(" zeros ")) CHECK(rank_of(workload, 1e-6) > k / 2);
    if (is(" integer ") || is(" float ")) CHECK(rank_of(workload, 1e-6) == k);
  }
  const Workload& sparse = find(all, "L2 u8x1 3840x2160 63x63 90 % zeros -> u8");
  const auto zeros = std::count(sparse.kernel.weights.begin(), sparse.kernel.weights.end(), 0.0F);
  CHECK(std::fabs(static_cast<double>(zeros) / (63 * 63) - 0.9) < 0.02);
  CHECK(find(all, "S1 f32x1 3840x2160 181x181 gaussian -> f32").sigma == 30);
}

TEST_CASE("random kernels have weights of both signs, small enough that results do not clip") {
  for (const Workload& workload : workloads()) {
    if (workload.name.find(" float ") == std::string::npos) continue;
    CAPTURE(workload.name);
    double absolute = 0;
    for (std::int64_t t = 0; t < workload.kernel.shape.taps(); ++t) {
      absolute += std::fabs(static_cast<double>(workload.kernel.weights[static_cast<std::size_t>(t)]));
    }
    CHECK(absolute > 1.01);
    CHECK(absolute < 2);
  }
}

TEST_CASE("a text selects by id and name") {
  CHECK(workloads("I5").size() == 4);
  CHECK(workloads("I5 u8x4 320").size() == 2);
  CHECK(workloads("11x11").size() == 5);
  CHECK(workloads("nothing like it").empty());
  CHECK(workloads("").size() == workloads().size());
}

TEST_CASE("the input is deterministic noise over the whole range, and its view is channels-last") {
  const Workload workload = workloads("I5 u8x4 320x240 3x3").front();
  Tensor input = make_input(workload);
  const Tensor again = make_input(workload);
  const auto count = static_cast<std::size_t>(input.shape().count());
  const std::vector<std::uint8_t> bytes(input.data<std::uint8_t>(), input.data<std::uint8_t>() + count);
  CHECK(std::equal(bytes.begin(), bytes.end(), again.data<std::uint8_t>()));
  std::vector<int> histogram(256);
  for (const std::uint8_t byte : bytes) ++histogram[byte];
  const double mean = static_cast<double>(count) / 256;  // each count is within eight standard deviations of it
  for (const int times : histogram) CHECK(std::fabs(times - mean) < 8 * std::sqrt(mean));

  const TensorRef view = channels_last(input);
  CHECK(view.strides == Strides{307200, 1, 1280, 4});
  CHECK(view.view<std::uint8_t>().at(0, 2, 1, 5) == bytes[(320 + 5) * 4 + 2]);

  const Tensor floats = make_input(workloads("I3 f32x1 512x512 3x3").front());
  const float* data = floats.data<float>();
  const auto [least, most] = std::minmax_element(data, data + floats.shape().count());
  CHECK(*least >= 0);
  CHECK(*least < 0.001F);
  CHECK(*most < 1);
  CHECK(*most > 0.999F);
}
