// Internal to kernels/onnx/: the layers of a network under construction, one after another.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "network/layer.h"

namespace convtool {

/// Why an import ends at a node: "its pads are negative". Caught by import_onnx().
struct Stop {
  std::string reason;
};

/// y = x * scale + shift, with one number for all channels or one per channel.
struct Affine {
  std::vector<double> scale, shift;
};

/// The input of a model.
struct InputLayout {
  std::int64_t channels = 0;       ///< 0 if unknown
  std::optional<Extent> size;      ///< height and width, where the model says them
  bool has_channels_last = false;  ///< N x H x W x C, up to a Transpose
};

/// The height and width of a map for two sizes of the model's input, which are equal where the model says its size.
/// Nothing where a layer does not fit.
using MapSizes = std::array<std::optional<Extent>, 2>;

/// A value that a layer writes, or the input of the model.
struct LayerOutput {
  std::string layer;          ///< its name; "" for the input
  std::int64_t channels = 0;  ///< 0 if unknown
  bool is_list = false;       ///< all values of a map, or what a linear layer makes of them
  MapSizes sizes;             ///< of a list, those of the map that it was

  /// The height and width, unless they depend on the size of the input, which is not known.
  std::optional<Extent> map_size() const { return sizes[0] == sizes[1] ? sizes[0] : std::nullopt; }
};

/// The layers so far. An operator adds one, or becomes a part of the last one.
///
/// A batch normalisation in eval mode, y = (x - mean) / sqrt(var + eps) * gamma + beta, is an Affine. After a
/// convolution it becomes a part of it: sum_k (w_k * scale) x_k + (b * scale + shift). Products are taken in double,
/// and rounded to float once, when the next layer is added.
class LayerStack {
 public:
  explicit LayerStack(const InputLayout& input);

  bool empty() const { return layers_.empty(); }
  const Layer& last() const { return layers_.back(); }

  /// The last output, which the next layer reads.
  const LayerOutput& output() const { return output_; }

  /// Its shape for one picture, [1, C, H, W], or [1, C * H * W] of a list. Nothing if it is not known.
  std::optional<std::vector<std::int64_t>> output_dims() const;

  /// Whether the input still has its channels last: its Transpose comes later.
  bool has_channels_last() const { return has_channels_last_; }
  void set_channels_first() { has_channels_last_ = false; }

  /// Reverses the three channels of the input, which become B, G, R. Throws Stop where a layer comes before, and for
  /// another number of channels.
  void reverse_input();

  /// Turns the last output into a list of all its values: `count` of them, where that is known. Throws Stop where they
  /// are certainly others, or may be.
  void flatten(std::optional<std::int64_t> count);

  /// Adds nn.Linear with weights [outputs][inputs] and a bias that is empty for 0, on a list. It becomes a convolution
  /// whose kernel has the size of the map that the list was. Throws Stop where that size is not known.
  void add_linear(const std::string& name, std::int64_t outputs, std::vector<double> weights, std::vector<double> bias);

  /// Weights and biases so far.
  std::int64_t weight_count() const { return weight_count_; }

  /// Keeps the last layer as it is from here on: its output is needed elsewhere, too.
  void seal() { is_open_ = false; }

  /// Makes `output`, of an earlier layer, the last output.
  void go_back(const LayerOutput& output);

  /// Drops all layers but the first `count`; `output` is that of the last of them.
  void shorten(std::size_t count, const LayerOutput& output);

  std::size_t size() const { return layers_.size(); }

  /// Adds a layer; its name is made unique.
  void add(Layer layer);

  /// Throws Stop unless the last output and `other`, which are to be added, have the same shape. ONNX would repeat the
  /// values of the smaller one.
  void check_sum(const LayerOutput& other) const;

  /// Adds input_copy() (network/residual.h) as the first layer.
  void add_input_copy();

  /// Adds a layer that only puts a border around its input.
  void add_border(Layer layer);

  /// Adds a convolution with these weights, and a bias that is empty for 0. Takes over a border before it, where it has
  /// none itself. Throws Stop unless its channels match and all numbers are finite in float32.
  void add_convolution(Layer layer, std::vector<double> weights, std::vector<double> bias);

  /// Scales and shifts the last output, in a layer called `name` where the last one cannot take it. Before any layer it
  /// becomes a part of input(). Throws Stop as add_convolution() does.
  void transform(const Affine& affine, const std::string& name);

  /// Applies the activation of `layer`, which does nothing else, and is added where the last one cannot take it. Of
  /// relu and clip, two become one.
  void activate(Layer layer);

  /// Notes an operator that the last layer stands for, and the value that it writes: the description of the layer. A
  /// copy of the input has none. Does nothing where the last output is not that of the last layer, but of one before:
  /// an operator that changes nothing comes first after go_back().
  void note(std::string_view part, std::string_view value);

  /// The layers, without a copy of the input that none of them names. None is left. If there are none but the input is
  /// scaled, that is the only one; if its channels are reversed, one that copies them.
  std::vector<Layer> take();

  /// How the input is scaled before the first layer; nothing if it is not. Call it after take().
  std::optional<InputScaling> input() const;

 private:
  /// The operators that a layer stands for, "Conv + Relu", and the value that the last of them writes.
  struct Part {
    std::string operators, value;
  };

  bool scale_input(Affine affine);
  void add_affine(const Affine& affine, const std::string& name);
  void round_weights();
  void check_channels(std::int64_t expected) const;

  std::optional<Affine> input_;  ///< of R, G, B where the channels are reversed
  bool is_reversed_ = false;     ///< whether the input becomes B, G, R
  LayerOutput output_;
  std::vector<Layer> layers_;
  std::vector<Part> parts_;                                  ///< of each layer
  std::set<std::string> names_ = {std::string(kInputName)};  ///< of layers, and of the input
  std::map<std::string, int> copies_;                        ///< of a name, which end in a number
  std::vector<double> weights_, bias_;        ///< of the last layer if it is a convolution, before they are rounded
  bool is_open_ = false;                      ///< whether the last layer may change
  std::optional<LayerOutput> before_border_;  ///< what the last layer reads, if it is only a border
  std::int64_t weight_count_ = 0;
  bool has_channels_last_ = false;
};

/// A layer that changes nothing: 1x1, with the weight 1 for each channel.
Layer identity_layer(const std::string& name);

}  // namespace convtool
