// The options of layers, which apply, explain, shape and learn share: --kernel, --then, and those that override the
// kernel file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/options/command_line.h"

namespace convtool {

/// Options in place of those of a kernel; nothing where they are not given. A flag that is given is "".
struct LayerOptions {
  std::optional<std::string> stride, dilation, padding, pads, padding_mode, padding_value, groups, bias, divisor,
      normalize, combine;

  /// The name of the first option that is given, or "".
  std::string first() const;
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

}  // namespace convtool
