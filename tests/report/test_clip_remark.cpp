// The warning about clipped values.
#include <doctest/doctest.h>

#include <utility>

#include "kernels/kernel_source.h"
#include "report/clip_remark.h"

namespace convtool {
namespace {

/// A run with these clipped values of 1000, and responses from -500 to 2000.
RunReport run_of(std::int64_t low, std::int64_t high, const Mapping& mapping = {}) {
  RunReport report{.input = "a.png", .output = "a.tif", .responses = 1000};
  report.mapping = mapping;
  report.stats.clipped_low = low;
  report.stats.clipped_high = high;
  report.stats.min = -500;
  report.stats.max = 2000;
  return report;
}

std::string text_of(const RunReport& report, const std::string& kernel) {
  const std::optional<Remark> remark = clip_remark(report, load_kernel(kernel));
  return remark ? remark->text : "none";
}

}  // namespace

TEST_CASE("more than a hundredth of the values has to be clipped, on either side") {
  CHECK(text_of(run_of(0, 10), "box") == "none");
  CHECK(text_of(run_of(5, 5), "box") == "none");
  CHECK(text_of(run_of(5, 6), "box") != "none");
  CHECK(text_of(run_of(11, 0), "box") != "none");
  const std::optional<Remark> remark = clip_remark(run_of(0, 11), load_kernel("box"));
  REQUIRE(remark);
  CHECK(remark->once);
  CHECK(remark->topic == clip_remark(run_of(500, 0), load_kernel("sobel-x"))->topic);  // one for all inputs of a run
}

TEST_CASE("maps that decide what is clipped are left alone, and results that are not mapped") {
  Mapping percentiles = OutputMap::normalize;
  percentiles.percentiles = {1, 99};
  CHECK(text_of(run_of(20, 20, percentiles), "box") == "none");
  Mapping threshold;
  threshold.threshold = 7;
  CHECK(text_of(run_of(20, 20, threshold), "box") == "none");
  RunReport floats = run_of(0, 500);
  floats.mapping.reset();
  CHECK(text_of(floats, "box") == "none");
}

TEST_CASE("the text says by how much, and what helps this kernel") {
  CHECK(text_of(run_of(0, 630), "[[1,2,1]]") ==
        "63 % of the values are clipped to 255 (responses from -500 to 2000); --normalize divides by the sum of the "
        "weights (4), --map normalize fits them into the range, --depth f32 stores them as they are");
  // Sharpening has a sum of 1 already, and its negative responses are overshoots.
  CHECK(
      text_of(run_of(20, 15), "sharpen") ==
      "3.5 % of the values are clipped, 2 % to 0 and 1.5 % to 255 (responses from -500 to 2000); --map normalize fits "
      "them into the range, --depth f32 stores them as they are");
  CHECK(text_of(run_of(480, 20), "sobel-x") ==
        "50 % of the values are clipped, 48 % to 0 and 2 % to 255 (responses from -500 to 2000); --map offset or abs "
        "shows negative responses, --depth f32 stores them as they are");
  // A format that cannot store floats is no place for them.
  for (const auto& [name, advice] :
       {std::pair("a.png", "a .tif with --depth f32"), std::pair("b.JPG", "a .tif with --depth f32"),
        std::pair("c.tif", "--depth f32"), std::pair("-", "--format tiff --depth f32"),
        std::pair("/dev/stdout", "--format tiff --depth f32")}) {
    RunReport named = run_of(0, 500);
    named.output = name;
    CHECK(text_of(named, "box").ends_with(std::string("range, ") + advice + " stores them as they are"));
  }
  CHECK(text_of(run_of(990, 0), "[[-1]]").starts_with("99 % of the values are clipped to 0 ("));
  CHECK(text_of(run_of(0, 480, OutputMap::abs), "sobel-x").find("--map normalize") != std::string::npos);

  const auto advises_to_normalize = [](const std::string& kernel) {
    return text_of(run_of(0, 500), kernel).find("--normalize") != std::string::npos;
  };
  CHECK(advises_to_normalize(R"({"weight": [[1, 2, 1]], "divisor": 2})"));
  CHECK(advises_to_normalize(R"({"bank": [[[1]], [[3]]]})"));
  CHECK_FALSE(advises_to_normalize(R"({"weight": [[1, 2, 1]], "divisor": 4})"));
  CHECK_FALSE(advises_to_normalize(R"({"weight": [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]})"));
  CHECK_FALSE(advises_to_normalize(R"({"bank": [[[1, 2]], [[1, -1]]]})"));   // refused there
  CHECK_FALSE(advises_to_normalize(R"({"layers": [[[1, 2]], [[1, 2]]]})"));  // it applies to one layer
  CHECK_FALSE(advises_to_normalize(R"({"pool": "max", "size": 2})"));
  RunReport edges = run_of(0, 500);
  edges.edges.emplace();
  CHECK(text_of(edges, "[[1,2,1]]").find("--normalize") == std::string::npos);  // no option of edges

  RunReport video = run_of(0, 500);
  video.frames = 3;
  CHECK(text_of(video, "[[9]]").ends_with("--map normalize fits them into the range"));

  RunReport deep = run_of(0, 500);
  deep.output_dtype = DType::u16;
  CHECK(text_of(deep, "[[9]]").find("clipped to 65535 (") != std::string::npos);
}

}  // namespace convtool
