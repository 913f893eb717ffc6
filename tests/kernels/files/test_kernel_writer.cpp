// Writing kernel files.

#include <doctest/doctest.h>

#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"

using namespace convtool;

namespace {

std::string rewritten(const std::string& text) { return format_kernel_json(parse_kernel_json(text, "k.json", "k")); }

void check_same(const Layer& a, const Layer& b) {
  CHECK(a.name == b.name);
  CHECK(a.description == b.description);
  CHECK(a.rank == b.rank);
  CHECK(a.shape == b.shape);
  CHECK(a.weights == b.weights);
  CHECK(a.bias == b.bias);
  CHECK(a.divisor == b.divisor);
  CHECK(a.params == b.params);
  CHECK(a.activation == b.activation);
  CHECK(a.pooling == b.pooling);
}

void check_round_trip(const std::string& text) {
  CAPTURE(text);
  const Network before = parse_kernel_json(text, "k.json", "k");
  const std::string written = format_kernel_json(before);
  CAPTURE(written);
  const Network after = parse_kernel_json(written, "again.json", "again");
  CHECK(before.name == after.name);
  CHECK(before.description == after.description);
  REQUIRE(before.banks.size() == after.banks.size());
  for (std::size_t i = 0; i < before.banks.size(); ++i) {
    const Bank &a = before.banks[i], &b = after.banks[i];
    CHECK(a.name == b.name);
    CHECK(a.description == b.description);
    CHECK(a.combine == b.combine);
    CHECK(a.map == b.map);
    REQUIRE(a.layers.size() == b.layers.size());
    for (std::size_t j = 0; j < a.layers.size(); ++j) check_same(a.layers[j], b.layers[j]);
  }
  CHECK(format_kernel_json(after) == written);
}

}  // namespace

TEST_CASE("a written kernel reads back as the same kernel") {
  for (const char* text : {
           "[[1, -1]]",
           "[[[0.1, 1e-45], [3.4028235e38, -16777217]]]",
           R"({"name": "a \"quoted\"\n name", "description": "π", "weight": [[1, 2], [3, 4]], "bias": [1, 2, 3]})",
           R"({"weight": [[[[2]],[[4]]],[[[6]],[[8]]]], "bias": [1, 2], "divisor": 0.3, "stride": [2, 3], "dilation": 4,
               "pads": [1, 2, 3, 4], "padding_mode": "constant", "padding_value": 7.5, "groups": 2,
               "activation": "relu", "map": "offset"})",
           R"({"weight": [[[[1, 2]]], [[[3, 4]]]], "normalize": true})",
           R"({"weight": [[1, 2]], "normalize": true, "padding": 2})",
           R"({"weight": [[1, 2]], "padding": [0, 1], "padding_mode": "symmetric", "activation": "abs"})",
           R"({"weight": [[1, 2]], "padding": "same_lower", "dilation": [1, 2]})",
           R"({"bank": [{"name": "x", "weight": [[1, 2]]}, [[3, 4]]], "combine": "magnitude", "map": "clip"})",
           R"({"name": "two", "bank": [[[1, 2]], [[3, 4]]]})",
           R"({"pool": "max", "size": 3, "stride": [1, 2], "padding": 1})",
           R"({"layers": [[[1]], {"name": "half", "pool": "mean", "size": [2, 4]}]})",
           R"({"name": "n", "description": "d", "layers": [{"name": "inner", "weight": [[1, 2]]}]})",
           R"({"name": "net", "description": "three", "layers": [[[1]], {"bank": [[[1]], [[2]]], "combine": "sum"},
               {"weight": [[[1, 2]]], "activation": "relu"}], "map": "normalize"})",
       })
    check_round_trip(text);
}

TEST_CASE("a kernel file has a line for each row, and the options that are not the defaults") {
  CHECK(rewritten("[[1, -1], [0.5, 2]]") == R"({ "name": "k",
  "weight": [[1, -1],
             [0.5, 2]] }
)");
  CHECK(rewritten(R"({"bank": [[[1]], [[2]]], "combine": "l1"})") == R"({ "name": "k",
  "bank": [
    { "name": "k-1",
      "weight": [[1]] },
    { "name": "k-2",
      "weight": [[2]] }
  ],
  "combine": "l1" }
)");
}
