// Pairs of input and target files, read and checked for learn.
#pragma once

#include <string>
#include <vector>

#include "learn/sample.h"
#include "network/layer.h"
#include "pictures/isolation/picture_decoder.h"

namespace convtool {

struct SamplePairs {
  std::vector<Sample> pairs;
  std::vector<std::string> warnings;  ///< "FILE: ...", each about a property that is lost
};

/// Reads inputs and their targets, one per input: pictures (alpha set aside) or tensors, in their own units. `layer` is
/// the layer to learn. If it has weights, it is complete. If not, its channels follow from the first pair: a layer of
/// rank 2 becomes one of rank 4 if input and target differ in channels, and one of rank 4 gets its channel counts.
///
/// For a layer of rank 2, channels become items of a batch, since all of them share its weights. The last fraction
/// `holdout` of the rows of each target is held out: at least one row if `holdout` is above 0, and never all.
///
/// Pictures are decoded in processes of their own as `isolation` says; this process must have one thread.
///
/// Throws Error with the file: Error(input) for a file that cannot be read or has values that are not finite,
/// Error(shape) for shapes that do not fit together, with the shape that would.
SamplePairs read_samples(const std::vector<std::string>& inputs, const std::vector<std::string>& targets,
                         double holdout, Isolation isolation, Layer& layer);

}  // namespace convtool
