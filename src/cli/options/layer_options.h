// The options of a layer, which apply, shape and learn share: --kernel, and those that override the kernel file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options/command_line.h"
#include "network/layer.h"

namespace convtool {

struct LayerOptions {
  std::vector<std::string> kernels;
  std::optional<std::string> stride, dilation, padding, pads, padding_mode, padding_value, groups, bias, combine;
  bool flip = false;
};

/// A layer without weights, for commands that need only its shape.
struct SizeOptions {
  std::optional<std::string> kernel_size, out_channels;
};

/// Adds the options that decide which pixels each output sees: --stride to --groups.
void add_geometry_options(Command& command, LayerOptions& options);

/// Adds --kernel and all options that replace those of the kernel file. `needs_kernel`: --kernel is required.
void add_layer_options(Command& command, LayerOptions& options, bool needs_kernel);

/// Adds --kernel-size and --out-channels.
void add_size_options(Command& command, SizeOptions& options);

/// --padding-mode and --padding-value in place of those of `params`. Throws Error(usage).
void set_padding_mode(const std::optional<std::string>& mode, const std::optional<std::string>& value,
                      ConvParams& params);

/// Puts the options that were given in place of `layer`'s own. Throws Error(usage) for a value that does not fit, or an
/// option that does not apply to this kernel.
void override_layer(const LayerOptions& options, Layer& layer);

/// The layer that --kernel-size, which is given, and --out-channels describe, with the options that were given, for an
/// input of `c_i` channels. Throws Error(usage).
Layer layer_of_size(const SizeOptions& size, const LayerOptions& options, std::int64_t c_i);

/// Loads the kernels and overrides their options; several kernels become a bank, their outputs stacked unless they are
/// combined. Throws Error(kernel) or Error(usage).
Network load_network(const LayerOptions& options);

}  // namespace convtool
