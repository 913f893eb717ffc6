// Models that were trained on B, G, R may reverse the channels of the input themselves.
#include <algorithm>

#include "kernels/onnx/layer_operators.h"

namespace convtool {
namespace {

bool is_channel_axis(const Step& step, double axis) {
  const double channels = step.layers.has_channels_last() ? 3 : 1;
  return axis == channels || axis == channels - 4;
}

/// Input `i` of Slice, a list; empty without it. Before opset 10, lists were attributes, and there were no steps.
std::vector<double> slice_list(const Step& step, std::size_t i, std::string_view what) {
  return step.has_input(i) ? step.constant(i, what).values : std::vector<double>{};
}

}  // namespace

// Gather: x[:, [2, 1, 0]].
void reverse_by_places(const Step& step) {
  if (step.node.inputs.front() != step.input) throw Stop{"it looks its input up in a table"};
  const Constant places = step.constant(1, "indices");
  if (!is_channel_axis(step, static_cast<double>(step.integer("axis", 0))) || places.dims.size() != 1 ||
      places.values != std::vector<double>{2, 1, 0})
    throw Stop{"it picks parts of its input (expected all three colours, in reverse order)"};
  step.layers.reverse_input();
}

// Slice: x[:, ::-1], from the last channel or beyond to before the first. Other axes may be named, but are not cut.
void reverse_by_steps(const Step& step) {
  constexpr double kBeyond = 0x1p31 - 1;  // the end of an axis, as exporters write it
  const std::vector<double> starts = slice_list(step, 1, "starts"), ends = slice_list(step, 2, "ends"),
                            axes = slice_list(step, 3, "axes"), steps = slice_list(step, 4, "steps");
  bool reverses = false,
       cuts = starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size();
  for (std::size_t i = 0; i < axes.size() && !cuts; ++i) {
    const bool is_reversed =
        is_channel_axis(step, axes[i]) && steps[i] == -1 && (starts[i] == -1 || starts[i] >= 2) && ends[i] <= -4;
    cuts = !is_reversed && !(starts[i] == 0 && ends[i] >= kBeyond && steps[i] == 1);
    reverses |= is_reversed;
  }
  if (cuts || !reverses) throw Stop{"it cuts parts out of its input (expected all three colours, in reverse order)"};
  step.layers.reverse_input();
}

}  // namespace convtool
