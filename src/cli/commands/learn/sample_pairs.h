// The pairs of files that learn takes: read, checked and laid out for learning.
#pragma once

#include <string>
#include <vector>

#include "learn/sample.h"
#include "network/layer.h"

namespace convtool {

struct SamplePairs {
  std::vector<Sample> pairs;
  std::vector<std::string> warnings;  ///< "FILE: what of it does not come through"
};

/// Reads inputs and, one for each, targets: pictures (alpha set aside) or tensors, in their own units. `layer` says
/// what is to be learned; with weights it is complete. Without, its channels follow from the first pair: a layer of
/// rank 2 becomes one of rank 4 where input and target differ in channels, and one of rank 4 gets its channel counts.
///
/// For a layer of rank 2 channels become items of a batch, since all of them share its weights. The last `holdout` of
/// the rows of every target are held out: at least one row where `holdout` is above 0, and never all.
///
/// Throws Error, naming the file: Error(input) for what cannot be read or is not finite, Error(shape) for what does not
/// fit together, with the shape that would.
SamplePairs read_samples(const std::vector<std::string>& inputs, const std::vector<std::string>& targets,
                         double holdout, Layer& layer);

}  // namespace convtool
