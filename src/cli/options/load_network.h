// The layers that the options of layer_options.h ask for.
#pragma once

#include <optional>
#include <string>

#include "cli/options/layer_options.h"
#include "conv/problem.h"
#include "kernels/kernel_source.h"
#include "network/layer.h"

namespace convtool {

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
