// The checks that bench_convtool makes before it times anything: they accept correct results and reject wrong ones.

#include <doctest/doctest.h>

#include "check.h"
#include "conv/plan.h"

using namespace convtool;

namespace {

/// A workload with its input and the engine's output.
struct Run {
  Workload workload;
  Tensor input, output;

  explicit Run(const std::string& line)
      : workload(workloads(line).front()),
        input(make_input(workload)),
        output(workload.output_dtype, workload.output_shape()) {
    const ConvPlan plan(workload.problem, workload.kernel, workload.epilogue, {.algorithm = "direct"});
    plan.run(channels_last(input), channels_last(output));
  }

  std::string check() { return check_by_definition(workload, channels_last(input), channels_last(output), "direct"); }
};

}  // namespace

TEST_CASE("correct results pass, and slightly wrong ones do not") {
  for (const char* line : {"I5 u8x4 320x240 5x5", "I3 f32x1 512x512 5x5", "C1 f32 NHWC ResNet-50 512->512 14x14 1x1",
                           "C3 f32 NHWC depthwise 512->512 14x14 3x3 stride 2"}) {
    CAPTURE(line);
    Run run(line);
    CHECK(run.check() == "");
    visit_dtype(run.output.dtype(), [&]<class T>(T) {
      T* data = run.output.data<T>();
      for (std::int64_t i = 0; i < run.output.shape().count(); ++i) {
        if constexpr (std::is_same_v<T, float>) {
          data[i] += 0.001F;
        } else {
          data[i] ^= 1;
        }
      }
    });
    CHECK(run.check().find("is not in [") != std::string::npos);
  }
}

TEST_CASE("sums of integers, and magnitudes of such sums, must be exact") {
  for (const char* line : {"I1 u8x1 3840x2160 3x3 integer", "I4 u8x1 3840x2160 3x3 sobel"}) {
    CAPTURE(line);
    Run run(line);
    CHECK(run.check() == "");
    run.workload.kernel.weights[2] += 1;
    CHECK(run.check() != "");
  }
}

TEST_CASE("differences between two outputs") {
  const Run run("I3 f32x1 512x512 3x3");
  Tensor a(DType::f32, run.output.shape()), b(DType::f32, run.output.shape());
  std::copy_n(run.output.data<float>(), a.shape().count(), a.data<float>());
  std::copy_n(run.output.data<float>(), b.shape().count(), b.data<float>());
  CHECK(largest_difference(channels_last(a), channels_last(b)) == 0);
  b.data<float>()[5] += 0.5F;
  CHECK(largest_difference(channels_last(a), channels_last(b)) == doctest::Approx(0.5));
  b.data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  const double difference = largest_difference(channels_last(a), channels_last(b));
  CHECK(difference != difference);
  CHECK(!(difference <= allowed_difference(run.workload)));
}
