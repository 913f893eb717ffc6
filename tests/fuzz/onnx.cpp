// ONNX models: tensors have the elements of their shapes, and a network that is imported survives being written.
#include "support/onnx.h"

#include <algorithm>

#include "fuzz/memory_file.h"
#include "fuzz/target.h"
#include "kernels/files/kernel_json.h"
#include "kernels/files/kernel_writer.h"
#include "kernels/onnx/import_onnx.h"

namespace convtool::fuzz {
namespace onnx {

/// The network without numbers on paper that are as large as the weights may be.
constexpr std::int64_t kMostWeights = 1 << 14;

void check_network(const Network& network) {
  std::int64_t count = 0;
  for (const Bank& bank : network.banks)
    for (const Layer& layer : bank.layers) count += std::ssize(layer.weights);
  if (network.banks.empty() || count > kMostWeights) return;
  const Network again = parse_kernel_json(format_kernel_json(network), "", "", {}, {});
  check(digest_of_network(again) == digest_of_network(network), "a network that changes when it is written");
}

bool run(std::span<const std::byte> input) {
  const MemoryFile memory(input);
  return accepts({ErrorKind::kernel, ErrorKind::usage}, [&] {
    const OnnxFile file(memory.path());
    if (!file.external_files().empty()) return;  // the input may name any file
    for (const OnnxTensor& tensor : file.graph().initializers)
      accepts({ErrorKind::kernel}, [&] {
        const std::vector<double> values = file.read(tensor, kMostWeights);
        const bool is_empty = std::find(tensor.dims.begin(), tensor.dims.end(), 0) != tensor.dims.end();
        std::int64_t count = is_empty ? 0 : 1;  // beside a 0, sizes may be large
        for (const std::int64_t size : tensor.dims) count *= is_empty ? 1 : size;
        check(std::ssize(values) == count, "another number of values than the shape's");
      });
    const auto& nodes = file.graph().nodes;
    if (!nodes.empty() && !nodes.back().outputs.empty())
      accepts({ErrorKind::kernel, ErrorKind::usage},
              [&] { check_network(import_onnx(file, std::string(nodes.back().outputs.front())).network); });
    check_network(import_onnx(file, std::nullopt).network);
  });
}

std::vector<Bytes> seeds() {
  using namespace ::onnx;
  const std::string weights = tensor("w", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6}), two = tensor("two", {2}, {1, 2});
  const std::string conv = node("Conv", {"x", "w"}, "c");
  const std::vector<std::string> models = {
      model({}),
      model({node("Conv", {"x", "w", "two"}, "c",
                  {attribute("strides", Sizes{2, 1}), attribute("pads", Sizes{1, 0, 1, 0}),
                   attribute("group", std::int64_t{1})}),
             node("BatchNormalization", {"c", "two", "two", "two", "two"}, "b", {attribute("epsilon", 0.5F)}),
             node("Relu", {"b"}, "r"), node("MaxPool", {"r"}, "m", {attribute("kernel_shape", Sizes{2, 2})}),
             node("AveragePool", {"m"}, "y", {attribute("kernel_shape", Sizes{3, 2}), attribute("auto_pad", "VALID")})},
            {weights, two}),
      model({node("Transpose", {"x"}, "t", {attribute("perm", Sizes{0, 3, 1, 2})}),
             node("Pad", {"t", "pads"}, "p", {attribute("mode", "reflect")}), node("Conv", {"p", "w"}, "y")},
            {weights, integers("pads", {0, 0, 1, 2, 0, 0, 3, 4})}, {1, 8, 8, 3}),
      model(
          {node("Sub", {"x", "half"}, "s"), node("Div", {"s", "three"}, "d"),
           node("Cast", {"d"}, "e", {attribute("to", std::int64_t{1})}), node("Identity", {"w"}, "v"),
           node("Conv", {"e", "v"}, "c"), node("Mul", {"two", "c"}, "f"), node("Clip", {"f", "zero"}, "g"),
           node("Dropout", {"g"}, "y")},
          {weights, tensor("two", {2, 1, 1}, {1, 2}), tensor_of("half", kFloat16, {}) + field(5, std::int64_t{0x3800}),
           tensor_of("three", kDouble, {3, 1, 1}) + field(10, raw_bytes(std::vector<double>{1, 2, 3})),
           tensor_of("zero", kFloat, {}) + field(4, 0.0F)}),
      model({node("Constant", {}, "k", {field(1, std::string("value")) + field(5, weights)}),
             node("Conv", {"x", "k"}, "c"), node("Sigmoid", {"c"}, "s"), node("Mul", {"c", "s"}, "m"),
             node("Abs", {"m"}, "a"), node("Add", {"m", "a"}, "y")}),
      model(
          {conv, node("Add", {"c", "c"}, "y")},
          {tensor_of("w", kFloat, {2, 3, 1, 1}) +
           field(13, field(1, std::string("location")) + field(2, std::string("w.bin"))) + field(14, std::int64_t{1})}),
      model({node("Foo", {"x"}, "y", {}, "com.example")}),
      model({node("Sub", {"x", "three"}, "s"), node("Gather", {"s", "bgr"}, "g", {attribute("axis", std::int64_t{3})}),
             node("Slice", {"g", "-1", "-9", "3", "-1"}, "r"),
             node("Transpose", {"r"}, "t", {attribute("perm", Sizes{0, 3, 1, 2})}), node("Conv", {"t", "w"}, "c"),
             node("Add", {"c", "six"}, "a"), node("Clip", {"a"}, "b", {attribute("min", 0.0F)}),
             node("Mul", {"c", "b"}, "m"), node("Div", {"m", "six"}, "y")},
            {weights, tensor("three", {3}, {1, 2, 3}), tensor("six", {}, {6}), integers("bgr", {2, 1, 0}),
             integers("-1", {-1}), integers("-9", {-9}), integers("3", {3})},
            {1, 8, 8, 3}),
      model({node("MaxPool", {"x"}, "m",
                  {attribute("kernel_shape", Sizes{3, 2}), attribute("strides", Sizes{2, 1}),
                   attribute("auto_pad", "SAME_UPPER")}),
             node("ConvTranspose", {"m", "w"}, "c",
                  {attribute("strides", Sizes{2, 2}), attribute("output_shape", Sizes{8, 8}),
                   attribute("auto_pad", "SAME_LOWER")}),
             node("Resize", {"c", "", "", "sizes"}, "r"), node("Max", {"r", "one"}, "a"),
             node("Min", {"a", "one"}, "b"), node("Neg", {"b"}, "n"),
             node("ReduceMax", {"n"}, "y", {attribute("axes", Sizes{2, 3}), attribute("keepdims", std::int64_t{0})})},
            {tensor("w", {3, 1, 2, 2}, std::vector<float>(12, 1)), integers("sizes", {1, 1, 16, 24}),
             tensor("one", {}, {1})},
            {1, 3, 8, 8}),
  };
  std::vector<Bytes> seeds;
  for (const std::string& model : models) seeds.push_back(bytes_of(model));
  return seeds;
}

}  // namespace onnx

Target onnx_target() { return {"onnx", onnx::run, onnx::seeds()}; }

}  // namespace convtool::fuzz
