// The options that scale pixels before the first layer, which apply and explain share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/job/filter_spec.h"
#include "cli/options/command_line.h"
#include "network/layer.h"

namespace convtool {

/// Options in place of the members of a network's InputScaling.
struct ScalingOptions {
  std::optional<std::string> scale, mean, deviation, order;

  /// The name of the first that is given; null if none is.
  const char* first_given() const;
};

/// Adds --input-scale, --mean, --std and --channel-order.
void add_scaling_options(Command& command, ScalingOptions& options);

/// The names of these options.
std::vector<const char*> scaling_option_names();

/// Replaces members of the input scaling of `network` by the options. Throws Error(usage) for a value that does not
/// fit.
void set_scaling(const ScalingOptions& options, Network& network);

/// Puts `network` into `spec`, with its input scaling, which the options replace member by member, as its first layer.
/// Throws Error(usage) for a value that does not fit, Error(kernel) for a scaling that does not fit the first layer.
void set_network(const ScalingOptions& options, Network network, FilterSpec& spec);

}  // namespace convtool
