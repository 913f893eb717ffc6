// The options of layers, which apply, explain, shape and learn share: --kernel, --then, and those that override the
// kernel file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/options/command_line.h"
#include "kernels/files/kernel_json.h"
#include "network/layer.h"

namespace convtool {

/// Options in place of those of a kernel; nothing where they are not given. A flag that is given is "".
struct LayerOptions {
  std::optional<std::string> stride, dilation, padding, pads, padding_mode, padding_value, groups, bias, divisor,
      normalize, combine;
};

/// The kernels that run one after another, and their options. Those that stand before the first --then apply to the
/// kernels of -k, the others to the kernel of the --then before them.
struct ChainOptions {
  PlacedValues kernels;  ///< of -k: a bank
  PlacedValues then;     ///< each runs on the result of the one before it
  PlacedValues stride, dilation, padding, pads, padding_mode, padding_value, groups, bias, divisor, normalize, combine;
  bool flip = false;

  /// The values of -k and --then.
  std::vector<std::string> all_kernels() const;
  /// The option that names the last kernels, -k or --then, and its values.
  std::string last_option() const { return then.empty() ? "-k" : "--then"; }
  std::vector<std::string> last_kernels() const;
};

/// The options of stage `stage`: 0 is the bank of -k, 1 the kernel of the first --then. Throws Error(usage) for one
/// that is repeated, and for two that exclude each other.
LayerOptions options_of(const ChainOptions& options, std::size_t stage);

/// Layers without weights, for commands that need only their shapes.
struct SizeOptions {
  std::optional<std::string> kernel_size, out_channels, layers;

  bool are_given() const { return kernel_size || layers; }
};

/// Adds the options that decide which pixels each output sees: --stride to --groups.
void add_geometry_options(Command& command, LayerOptions& options);

/// Adds --kernel, --then and all options that replace those of the kernel file. `needs_kernel`: --kernel is required.
void add_chain_options(Command& command, ChainOptions& options, bool needs_kernel);

/// Adds --kernel-size, --out-channels and --layers.
void add_size_options(Command& command, SizeOptions& options);

/// --padding-mode and --padding-value in place of those of `params`. Throws Error(usage).
void set_padding_mode(const std::optional<std::string>& mode, const std::optional<std::string>& value,
                      ConvParams& params);

/// Puts the options that were given in place of `layer`'s own. Throws Error(usage) for a value that does not fit, or an
/// option that does not apply to this kernel.
void override_layer(const LayerOptions& options, Layer& layer);

/// The layers of exactly one of --kernel, --kernel-size and --layers, with the options that were given; they may be
/// without weights (network/outline.h). Throws Error(usage) or Error(kernel).
Network load_shapes(const SizeOptions& size, const ChainOptions& options);

/// Loads the kernels and overrides their options. Several -k become a bank, their outputs stacked unless they are
/// combined; each --then adds a stage. Where `weights` are optional, layers in JSON may be without. Throws
/// Error(kernel) or Error(usage).
Network load_network(const ChainOptions& options, Weights weights = Weights::required);

/// Throws Error(usage) for an algorithm other than auto where all layers of `network` are pools that have their own.
void check_algorithm(const std::string& algorithm, const Network& network);

}  // namespace convtool
