// Writing kernel files.

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"

using namespace convtool;

namespace {

std::string rewritten(const std::string& text) { return format_kernel_json(parse_kernel_json(text, "k.json", "k")); }

void check_round_trip(const std::string& text) {
  CAPTURE(text);
  const Network before = parse_kernel_json(text, "k.json", "k");
  const std::string written = format_kernel_json(before);
  CAPTURE(written);
  const Network after = parse_kernel_json(written, "again.json", "again");
  CHECK((before == after));
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
           R"({"bank": [{"weight": [[1, 2]]}]})",
           R"({"name": "two", "layers": [{"name": "x", "bank": [{"name": "y", "weight": [[1, 2]]}]}, [[1]]]})",
           R"({"name": "two", "bank": [[[1, 2]], [[3, 4]]]})",
           R"({"pool": "max", "size": 3, "stride": [1, 2], "padding": 1})",
           R"({"layers": [[[1]], {"name": "half", "pool": "mean", "size": [2, 4]}]})",
           R"({"name": "n", "description": "d", "layers": [{"name": "inner", "weight": [[1, 2]]}]})",
           R"({"weight": [[1]], "input": {}})",
           R"({"weight": [[1]], "input": {"scale": 0.00392156862745098, "mean": 0.5, "std": [0.25], "order": "bgr"}})",
           R"({"layers": [[[1]], [[2]]], "input": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}})",
           R"({"name": "net", "description": "three", "layers": [[[1]], {"bank": [[[1]], [[2]]], "combine": "sum"},
               {"weight": [[[1, 2]]], "activation": "relu"}], "map": "normalize"})",
       })
    check_round_trip(text);
}

TEST_CASE("the digest of a network changes with everything that is computed, and only with that") {
  const auto digest = [](const std::string& text) { return digest_of_network(parse_kernel_json(text, "k.json", "k")); };
  std::set<std::string> digests;
  const auto is_new = [&](const std::string& text) { return digests.insert(digest(text)).second; };
  for (const char* text :
       {"[[1, 2]]", "[[1], [2]]", "[[[1, 2]]]", "[[[[1, 2]]]]", "[[[[1, 2]]], [[[1, 2]]]]", "[[1, 3]]", "[[1, -0.0]]",
        "[[1, 0]]", R"({"bank": [[[1, 2]], [[1, 2]]]})", R"({"bank": [[[1, 2]], [[1, 2]]], "combine": "sum"})",
        R"({"layers": [[[1, 2]], [[1, 2]]]})", R"({"layers": [[[1, 2]], [[1, 2]]], "map": "abs"})",
        R"({"pool": "max", "size": [1, 2]})", R"({"pool": "mean", "size": [1, 2]})", R"({"pool": "max", "size": 2})",
        R"({"pool": "max", "size": 2, "stride": 1})", R"({"pool": "max", "size": 2, "padding": 1})"})
    CHECK_MESSAGE(is_new(text), text);
  for (const char* member : {R"("bias": 1)",
                             R"("bias": 2)",
                             R"("divisor": 2)",
                             R"("normalize": true)",
                             R"("stride": 2)",
                             R"("stride": [1, 2])",
                             R"("dilation": 2)",
                             R"("padding": 1)",
                             R"("padding": "same")",
                             R"("padding": "full")",
                             R"("pads": [0, 1, 1, 1])",
                             R"("padding": 1, "padding_mode": "reflect")",
                             R"("padding": 1, "padding_mode": "constant", "padding_value": 1)",
                             R"("padding": 1, "padding_mode": "constant", "padding_value": 2)",
                             R"("activation": "relu")",
                             R"("map": "clip")",
                             R"("input": {"scale": 0.5})",
                             R"("input": {"mean": 0.5})",
                             R"("input": {"std": 0.5})",
                             R"("input": {"order": "bgr"})"})
    CHECK_MESSAGE(is_new(R"({"weight": [[1, 2]], )" + std::string(member) + "}"), member);
  CHECK(is_new(R"({"weight": [[[[1, 2]]], [[[3, 4]]]]})"));
  CHECK(is_new(R"({"weight": [[[[1, 2]]], [[[3, 4]]]], "groups": 2})"));

  for (const char* same : {R"({"name": "n", "description": "d", "weight": [[1, 2]]})", R"({"layers": [[[1, 2]]]})",
                           R"({"name": "n", "layers": [{"name": "other", "weight": [[1, 2]]}]})",
                           R"({"weight": [[1, 2]], "stride": 1, "padding": 0, "dilation": [1, 1]})"})
    CHECK_MESSAGE(digest(same) == digest("[[1, 2]]"), same);
  CHECK(digest("[[1, 2]]").starts_with("xxh128:"));
}

TEST_CASE("the digest says which layers a sum adds and a branch reads, whatever they are called") {
  const auto digest = [](const std::string& first, const std::string& second, const std::string& last) {
    const std::string text = R"({"layers": [{"name": ")" + first + R"(", "weight": [[2]]}, {"name": ")" + second +
                             R"(", "weight": [[0.25]]}, [[3]], )" + last + "]}";
    return digest_of_network(parse_kernel_json(text, "k.json", "k"));
  };
  for (const char* last : {R"({"add": "a"})", R"({"from": "a", "weight": [[1]]})", R"({"from": "a", "add": "b"})"}) {
    CAPTURE(last);
    CHECK(digest("a", "b", last) != digest("b", "a", last));
    CHECK(digest("a", "b", last) != digest("a", "b", "[[1]]"));
  }
  CHECK(digest("a", "b", R"({"add": "a"})") == digest("x", "y", R"({"add": "x"})"));
  CHECK(digest("a", "b", R"({"add": "a"})") != digest("a", "b", R"({"from": "a", "weight": [[1]]})"));
  CHECK(digest("a", "b", R"({"name": "c", "from": "b", "weight": [[1]]})") ==
        digest("x", "y", R"({"name": "z", "from": "y", "weight": [[1]]})"));
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
