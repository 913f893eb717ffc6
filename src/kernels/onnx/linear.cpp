// Fully connected layers. After Flatten, one is a convolution whose kernel has the size of the whole map, and after
// that one of 1x1, so the maps that a convolution gives need not be rearranged.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/text.h"
#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

/// The elements of `matrix`, [rows][columns], as [columns][rows].
std::vector<double> transposed(const std::vector<double>& matrix, std::size_t rows, std::size_t columns) {
  std::vector<double> result(matrix.size());
  for (std::size_t y = 0; y < rows; ++y)
    for (std::size_t x = 0; x < columns; ++x) result[x * rows + y] = matrix[y * columns + x];
  return result;
}

/// Adds the layer with weights [outputs][inputs], or [inputs][outputs] where `is_transposed`.
void add_matrix(const Step& step, Constant weights, bool is_transposed, std::vector<double> bias) {
  const auto& d = weights.dims;
  if (d.size() != 2) throw Stop{"its weights have rank " + std::to_string(d.size()) + " (expected 2)"};
  if (weights.values.empty()) throw Stop{"its weights are " + list_text(d) + ", which is empty"};
  const std::int64_t outputs = d[is_transposed ? 1 : 0];
  if (is_transposed)
    weights.values = transposed(weights.values, static_cast<std::size_t>(d[0]), static_cast<std::size_t>(d[1]));
  if (bias.size() == 1) bias.assign(static_cast<std::size_t>(outputs), bias.front());
  if (!bias.empty() && std::ssize(bias) != outputs)
    throw Stop{"it has " + counted(std::ssize(bias), "bias number") + " for " + counted(outputs, "output")};
  step.layers.add_linear(step.name, outputs, std::move(weights.values), std::move(bias));
}

void scale(std::vector<double>& numbers, double factor) {
  for (double& number : numbers) number *= factor;
}

/// Whether `value` is x.size(0) for some x of the model, as exporters write it: Shape, Gather and perhaps Unsqueeze.
bool is_batch_size(const Step& step, std::string_view value) {
  const OnnxNode* node = step.graph.writer(value);
  if (node != nullptr && is_operator(*node, "Unsqueeze") && !node->inputs.empty())
    node = step.graph.writer(node->inputs.front());
  if (node == nullptr || !is_operator(*node, "Gather") || node->inputs.size() != 2) return false;
  const std::optional<Constant> place = step.constant_of(node->inputs[1]);
  const OnnxNode* const shape = step.graph.writer(node->inputs[0]);
  return place && place->values == std::vector<double>{0} && shape != nullptr && is_operator(*shape, "Shape") &&
         shape->attributes.empty() && !shape->inputs.empty() && step.graph.stored(shape->inputs.front()) == nullptr;
}

/// The shape that Reshape asks for. PyTorch's x.view(x.size(0), -1) computes the first number, 1 for a picture.
std::vector<double> list_shape(const Step& step) {
  const OnnxNode* const writer = step.has_input(1) ? step.graph.writer(step.node.inputs[1]) : nullptr;
  if (writer != nullptr && is_operator(*writer, "Concat") && writer->inputs.size() == 2 &&
      is_batch_size(step, writer->inputs[0]))
    if (const auto count = step.constant_of(writer->inputs[1]); count && count->values.size() == 1)
      return {1, count->values.front()};
  return step.constant(1, "shape").values;
}

}  // namespace

void flatten(const Step& step) {
  const std::int64_t axis = step.integer("axis", 1);
  if (axis != 1 && axis != -3) throw Stop{"its axis is " + std::to_string(axis) + " (expected 1)"};
  step.layers.flatten(std::nullopt);
}

void reshape(const Step& step) {
  const std::vector<double> shape = list_shape(step);
  // The first number is that of pictures: 1, that of the input (0), or what remains (-1).
  constexpr double kMost = 0x1p53;  // whole numbers up to here are doubles
  const bool is_list = shape.size() == 2 && (shape[0] == 1 || shape[0] == 0 || shape[0] == -1) &&
                       ((shape[1] > 0 && shape[1] <= kMost) || (shape[1] == -1 && shape[0] != -1));
  if (!is_list) throw Stop{"its output is not a picture"};
  if (shape[1] == -1) return step.layers.flatten(std::nullopt);
  step.layers.flatten(static_cast<std::int64_t>(shape[1]));
}

// Rows and columns, at once or one after the other, as x.squeeze(-1).squeeze(-1) of PyTorch.
void squeeze(const Step& step) {
  const OnnxNode* const before = step.graph.writer(step.input);
  const bool is_second = before != nullptr && is_operator(*before, "Squeeze") && !step.layers.output().is_list;
  const std::int64_t rank = is_second ? 3 : 4;
  std::vector<std::int64_t> axes = step.integers(1, "axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());

  using Axes = std::vector<std::int64_t>;
  const std::vector<const OnnxNode*> readers = step.graph.readers(step.node.outputs.front());
  if (!is_second && (axes == Axes{2} || axes == Axes{3}) && readers.size() == 1 &&
      is_operator(*readers.front(), "Squeeze"))
    return;  // the second one gives the list
  if (axes != (is_second ? Axes{2} : Axes{2, 3})) throw Stop{"its output is not a picture"};
  step.layers.flatten(step.layers.output().channels);  // all rows and columns are one
}

void add_gemm(const Step& step) {
  if (step.node.inputs.front() != step.input || step.integer("transA", 0) != 0)
    throw Stop{"it multiplies from the left"};
  Constant weights = step.constant(1, "weights");
  scale(weights.values, step.real("alpha", 1));
  std::vector<double> bias;
  if (step.has_input(2)) bias = step.constant(2, "bias").values;
  scale(bias, step.real("beta", 1));
  add_matrix(step, std::move(weights), step.integer("transB", 0) == 0, std::move(bias));
}

void add_matrix_product(const Step& step) {
  if (step.node.inputs.front() != step.input) throw Stop{"it multiplies from the left"};
  add_matrix(step, step.constant(1, "weights"), true, {});
}

}  // namespace convtool
