// The map that --map auto chooses. It depends on the weights, which the reader may change: resolve_map() and
// visible_gain() of network/layer.cpp.
"use strict";

/// The weights of each output channel of a layer, as lists.
function weightsByChannel(layer) {
  const taps = layer.kernel.slice(1).reduce((a, b) => a * b);
  return Array.from({length: layer.weight.length / taps}, (_, o) => layer.weight.subarray(o * taps, (o + 1) * taps));
}

const magnitudeOf = (weights) => weights.reduce((sum, w) => sum + Math.abs(w), 0);
const divisorOf = (layer, o) => Math.abs(numberOf(layer.divisor, o, 1));

/// Whether the weights of every output channel of a layer sum to 0, or nearly. Rounding does not count.
function isDifference(layer) {
  return layer.kind === "kernel" && layer.weight !== null && weightsByChannel(layer).every((weights, o) => {
    const sum = Math.abs(weights.reduce((a, b) => a + b, 0)), magnitude = magnitudeOf(weights);
    const rounding = (2 ** -24 + weights.length * 2 ** -53) * magnitude;
    return sum <= Math.max(rounding, Math.min(magnitude, divisorOf(layer, o)) / 64);
  });
}

/// The largest absolute sum of the weights above and to the left of a place, of one input channel: the response of one
/// output channel to a corner or an edge there.
function largestCorner(weights, [kh, kw]) {
  const sums = weights.slice();
  let largest = 0;
  sums.forEach((_, i) => {
    const y = Math.floor(i / kw) % kh, x = i % kw;
    sums[i] += (x > 0 ? sums[i - 1] : 0) + (y > 0 ? sums[i - kw] : 0) - (x > 0 && y > 0 ? sums[i - kw - 1] : 0);
    largest = Math.max(largest, Math.abs(sums[i]));
  });
  return largest;
}

/// The factor that makes absolute responses bright enough to see.
function visibleGain({layers}) {
  const kVisible = 0.5, kBright = 4, kRounding = 2 ** -20;
  if (layers.some(({bias}) => bias.some((b) => b !== 0))) return 1;
  const mostOf = (measure) => Math.max(
      0, ...layers.flatMap((layer) => weightsByChannel(layer).map((w, o) => measure(w, layer) / divisorOf(layer, o))));
  const corner = mostOf((weights, layer) => largestCorner(weights, layer.kernel.slice(-2)));
  const share = mostOf((weights) => magnitudeOf(weights) / 2);
  if (share === 0 || corner >= kVisible * (1 - kRounding)) return 1;
  let gain = 1;
  while (gain * share < kBright * (1 - kRounding)) gain *= 2;
  return gain;
}

/// The name of the map that is automatic for these steps, and its rule. `rescale` is the ratio of the full ranges of
/// the output and the input; a threshold takes the place of a scale.
function automaticMap(steps, {maps: [first], rescale}) {
  const last = steps.at(-1), isAbsolute = last.combine === "none" && last.layers.every(isDifference);
  const gain = isAbsolute && steps.length === 1 && first.threshold === null ? visibleGain(last) : 1;
  const scale = first.threshold === null ? rescale * gain : first.scale;
  return {name: isAbsolute ? "abs" : "clip", maps: [{...first, absolute: isAbsolute, scale}]};
}
