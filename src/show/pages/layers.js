// The arithmetic of layers, in doubles. It follows the definitions of the engine: the formula of conv/problem.h, the
// borders of conv/padding.h, the steps after the sum of conv/epilogue.h and the maps of conv/output_map.h.
//
// A plane is what is known of a tensor: all of it, or a region of a large picture.
//   {c, h, w       sizes of the whole tensor
//    y, x, rows, cols    the region whose values are known
//    values        Float64Array [c][rows][cols], or null where only sizes are known
//    integer}      whether the values are those of an integer picture
// A step is a bank of layers on one input: {layers, combine, kind}. Pairs are [height, width]. The kinds are kernel; max
// and mean, pools without a kernel; nearest, bilinear and transposed, which enlarge (network/enlarging.h); and sum, of
// two planes that addPlanes() has added before.
"use strict";

const kOutside = -1;  // a position where padding has a value of its own
const kUnknown = -2;  // a position of the picture that is not in the region
const kNone = -3;     // a tap that reads nothing for this output

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/// The position that padding shows at `i` of an axis of `size`.
function padIndex(mode, i, size) {
  if (i >= 0 && i < size) return i;
  const wrap = (period) => ((i % period) + period) % period;
  switch (mode) {
    case "replicate": return i < 0 ? 0 : size - 1;
    case "circular": return wrap(size);
    case "symmetric": return Math.min(wrap(2 * size), 2 * size - 1 - wrap(2 * size));
    case "reflect": return size === 1 ? 0 : Math.min(wrap(2 * size - 2), 2 * size - 2 - wrap(2 * size - 2));
  }
  return kOutside;
}

/// [top, left, bottom, right].
function resolvePads({rule, pads}, size, extent, stride) {
  if (rule === "full") return [extent[0] - 1, extent[1] - 1, extent[0] - 1, extent[1] - 1];
  if (rule !== "same" && rule !== "same_lower") return pads;
  const [h, w] = [0, 1].map((a) => Math.max(0, (Math.ceil(size[a] / stride[a]) - 1) * stride[a] + extent[a] - size[a]));
  const less = (n) => Math.floor(n / 2), more = (n) => Math.ceil(n / 2);
  return rule === "same" ? [less(h), less(w), more(h), more(w)] : [more(h), more(w), less(h), less(w)];
}

const isPool = ({kind}) => kind === "max" || kind === "mean";
const isUpsampling = ({kind}) => kind === "nearest" || kind === "bilinear";
const enlarges = (layer) => layer.kind === "transposed" || isUpsampling(layer);

/// Upsampling by `scale` along an axis is a transposed convolution with these weights; of bilinear upsampling over 2 *
/// scale.
function upsamplingWeights(kind, scale) {
  if (kind === "nearest") return Array(scale).fill(1);
  const half = Math.floor(scale / 2);
  return Array.from({length: scale + 2 * half}, (_, i) => 2 * scale - Math.abs(2 * (i - half) + 1 - scale));
}

/// layerShape() of a layer that enlarges.
function enlargedShape(layer, input) {
  const isTransposed = layer.kind === "transposed", {stride, dilation, output_padding: added} = layer;
  if (isTransposed && layer.padding.rule !== "valid")
    throw new Error("the padding of a transposed convolution is a number, such as 1 (got " + layer.padding.rule + ")");
  if (isTransposed && added.some((n, a) => n > 0 && n >= Math.max(stride[a], dilation[a])))
    throw new Error("the output padding is not smaller than the stride or the dilation");
  const taps = isTransposed ? null : stride.map((scale) => upsamplingWeights(layer.kind, scale));
  const [kh, kw] = isTransposed ? layer.kernel.slice(-2) : taps.map((list) => list.length);
  const half = layer.kind === "bilinear" ? stride.map((scale) => Math.floor(scale / 2)) : [0, 0];
  const pads = isTransposed ? layer.padding.pads : [...half, ...half];
  const size = [input.h, input.w], extent = [dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1];
  const out = size.map(
      (n, a) => isTransposed ? (n - 1) * stride[a] - pads[a] - pads[a + 2] + extent[a] + added[a] : n * stride[a]);
  if (Math.min(...out) < 1) throw new Error("nothing would be left of the output; pad less");
  const border = half.map((n) => Math.min(n, 1));
  return {
    kh,
    kw,
    channels: isTransposed ? layer.kernel[1] * layer.groups : input.c,
    groups: isTransposed ? layer.groups : input.c,
    perGroup: isTransposed ? input.c / layer.groups : 1,
    extent,
    pads,
    border: [...border, ...border],
    padded: size,
    out,
    taps
  };
}

/// The sizes of a layer on an input {c, h, w}; `border` is the padding that windows reach. Throws an Error with a
/// sentence where they do not fit.
function layerShape(layer, input) {
  if (enlarges(layer)) return enlargedShape(layer, input);
  const [kh, kw] = layer.kernel.slice(-2), size = [input.h, input.w];
  const perChannel = layer.rank === 2;
  const channels = perChannel ? input.c : layer.kernel[0], groups = perChannel ? input.c : layer.groups;
  const extent = [layer.dilation[0] * (kh - 1) + 1, layer.dilation[1] * (kw - 1) + 1];
  const pads = resolvePads(layer.padding, size, extent, layer.stride);
  const padded = [size[0] + pads[0] + pads[2], size[1] + pads[1] + pads[3]];
  for (const axis of [0, 1]) {
    if (layer.padding_mode === "reflect" && (pads[axis] >= size[axis] || pads[axis + 2] >= size[axis]))
      throw new Error(
          `reflect padding must be smaller than the input (padding ${pads[axis]} and ${pads[axis + 2]} ` +
          `against an input ${axis ? "width" : "height"} of ${size[axis]})`);
  }
  if (extent[0] > padded[0] || extent[1] > padded[1])
    throw new Error(
        `the kernel is larger than the padded input (kernel ${extent[0]}x${extent[1]}, padded input ` +
        `${padded[0]}x${padded[1]}); pad more, or dilate less`);
  const out = [0, 1].map((a) => Math.floor((padded[a] - extent[a]) / layer.stride[a]) + 1);
  return {kh, kw, channels, groups, perGroup: input.c / groups, extent, pads, border: pads, padded, out};
}

/// The taps of a layer that output `i` of an axis of `size` inputs has, in the order of the positions that they read:
/// {tap, at}. Of a layer that enlarges, only those that reach the output.
function tapsAt(layer, shape, axis, i, size) {
  const k = axis ? shape.kw : shape.kh, stride = layer.stride[axis], dilation = layer.dilation[axis], taps = [];
  const start = enlarges(layer) ? i + shape.pads[axis] : i * stride - shape.pads[axis];
  if (!enlarges(layer)) {
    for (let tap = 0; tap < k; ++tap) taps.push({tap, at: start + tap * dilation});
    return taps;
  }
  for (let tap = k - 1; tap >= 0; --tap) {
    const at = (start - tap * dilation) / stride;
    if (Number.isInteger(at) && (layer.kind !== "transposed" || (at >= 0 && at < size))) taps.push({tap, at});
  }
  return taps;
}

/// The rows and columns of taps of one output. No tap reaches it where either is empty.
function windowAt(layer, shape, input, y, x) {
  const rows = tapsAt(layer, shape, 0, y, input.h), cols = tapsAt(layer, shape, 1, x, input.w);
  return rows.length && cols.length ? {rows, cols} : {rows: [], cols: []};
}

/// Whether position `i` of an axis counts in a pool.
function countsInPool(layer, axis, i, size) {
  const pads = layer.counted_pads ?? layer.padding.pads, counts = layer.kind === "mean" && layer.counts_padding;
  return counts ? i >= -pads[axis] && i < size + pads[axis + 2] : i >= 0 && i < size;
}

/// The number that divides the sum of output channel `o` at (y, x).
function divisorAt(layer, shape, input, o, y, x) {
  if (layer.kind === "bilinear") return 4 * layer.stride[0] * layer.stride[1];
  if (layer.kind !== "mean") return numberOf(layer.divisor, o, 1);
  const {rows, cols} = windowAt(layer, shape, input, y, x);
  return rows.filter(({at}) => countsInPool(layer, 0, at, input.h)).length *
      cols.filter(({at}) => countsInPool(layer, 1, at, input.w)).length;
}

/// For each output of an axis and each tap, the position in the region that it reads, and the outputs [begin, end) for
/// which all of them are known: of several such runs, the one in the middle of the region.
function axisSources(layer, shape, axis, input) {
  const k = axis ? shape.kw : shape.kh, size = axis ? input.w : input.h;
  const first = axis ? input.x : input.y, count = axis ? input.cols : input.rows;
  const sources = new Int32Array(shape.out[axis] * k).fill(kNone), known = [];
  for (let i = 0; i < shape.out[axis]; ++i) {
    let all = true;
    for (const {tap, at} of tapsAt(layer, shape, axis, i, size)) {
      const source = padIndex(layer.padding_mode, at, size), inside = source >= first && source < first + count;
      sources[i * k + tap] = source === kOutside ? kOutside : inside ? source - first : kUnknown;
      all = all && sources[i * k + tap] !== kUnknown;
    }
    if (all) known.push(i);
  }
  const middle = first + count / 2;
  const near = enlarges(layer) ? middle * layer.stride[axis] :
                                 (middle + shape.pads[axis] - shape.extent[axis] / 2) / layer.stride[axis];
  let begin = known.reduce((best, i) => (Math.abs(i - near) < Math.abs(best - near) ? i : best), known[0]), end = begin;
  const set = new Set(known);
  while (set.has(begin - 1)) --begin;
  while (set.has(end)) ++end;
  return {sources, begin, end};
}

/// The number of the block [kh][kw] of weights for channel `c` of a group and output channel `o`.
function blockOf(layer, shape, o, c) {
  if (layer.rank === 2) return 0;
  if (layer.kind !== "transposed") return o * shape.perGroup + c;
  const columns = layer.kernel[1];  // [c_i][c_o/groups]
  return (Math.floor(o / columns) * shape.perGroup + c) * columns + (o % columns);
}

/// The weights [perGroup][kh][kw] of output channel `o`, flipped if asked; null where there are none.
function weightsOf(layer, shape, o, flip) {
  if (isUpsampling(layer)) return Float64Array.from(shape.taps[0].flatMap((a) => shape.taps[1].map((b) => a * b)));
  if (layer.kind === "sum") return Float64Array.of(1);
  if (!layer.weight) return null;
  const area = shape.kh * shape.kw, weights = new Float64Array(shape.perGroup * area);
  for (let c = 0; c < shape.perGroup; ++c) {
    const first = blockOf(layer, shape, o, c) * area;
    weights.set(layer.weight.subarray(first, first + area), c * area);
  }
  if (flip)
    for (let c = 0; c < shape.perGroup; ++c) weights.subarray(c * area, (c + 1) * area).reverse();
  return weights;
}

const numberOf = (list, o, otherwise) => (list.length === 0 ? otherwise : list.length === 1 ? list[0] : list[o]);

const kActivations = {
  none: (v) => v,
  relu: (v) => (v < 0 ? 0 : v),
  abs: Math.abs,
  leaky_relu: (v, {slope}) => (v < 0 ? slope * v : v),
  clip: (v, {min, max}) => (min !== null && v < min ? min : max !== null && v > max ? max : v),
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
  silu: (v) => v / (1 + Math.exp(-v)),
  hardswish: (v) => v * Math.min(Math.max(v + 3, 0), 6) / 6
};

/// From a sum to what is combined.
function finishSum(layer, o, sum, divisor) {
  const argument = (divisor === 1 ? sum : sum / divisor) + numberOf(layer.bias, o, 0);
  return kActivations[layer.activation](argument, layer.numbers);
}

/// Joins the values of the kernels of a combined bank. NaN is kept.
function combined(combine, values) {
  const fold = (better) => values.reduce((a, b) => (better(b, a) || b !== b ? b : a));
  const sum = (of) => values.reduce((a, b) => a + of(b), 0);
  switch (combine) {
    case "magnitude": return Math.sqrt(sum((v) => v * v));
    case "l1": return sum(Math.abs);
    case "max": return fold((a, b) => a > b);
    case "min": return fold((a, b) => a < b);
    case "mean": return values.reduce((a, b) => a + b) / values.length;
    case "sum": return values.reduce((a, b) => a + b);
  }
  return values[0];
}

/// Prepares a step for an input: the shape of each layer, the positions that each output reads, and the outputs whose
/// input is known. Throws an Error as layerShape() does.
function planStep(step, input) {
  const shapes = step.layers.map((layer) => layerShape(layer, input));
  const [h, w] = shapes[0].out;
  for (const {out} of shapes)
    if (out[0] !== h || out[1] !== w)
      throw new Error(`the kernels' outputs differ in size (${h}x${w}, ${out[0]}x${out[1]}); pad them with "same"`);
  const rows = step.layers.map((layer, i) => axisSources(layer, shapes[i], 0, input));
  const cols = step.layers.map((layer, i) => axisSources(layer, shapes[i], 1, input));
  const range = (axes) => [Math.max(...axes.map((a) => a.begin)), Math.min(...axes.map((a) => a.end))];
  const [y, yEnd] = range(rows), [x, xEnd] = range(cols);
  if (!(yEnd > y && xEnd > x)) throw new Error("no output's window lies inside the part of the picture that is here");
  const stacked = step.combine === "none";
  const c = stacked ? shapes.reduce((sum, s) => sum + s.channels, 0) : shapes[0].channels;
  return {shapes, rows, cols, c, h, w, y, x, outRows: yEnd - y, outCols: xEnd - x};
}

/// The layers and their output channels that make output channel `c` of a step.
function partsOf(step, plan, c) {
  if (step.combine !== "none") return step.layers.map((_, layer) => ({layer, o: c}));
  let layer = 0;
  while (c >= plan.shapes[layer].channels) c -= plan.shapes[layer++].channels;
  return [{layer, o: c}];
}

/// The sums of one layer's channel `o`, over the known outputs; of a max pool the largest values.
function sumsOf(step, plan, index, o, input, flip) {
  const layer = step.layers[index], shape = plan.shapes[index], {outRows, outCols} = plan;
  const isMax = step.kind === "max", sums = new Float64Array(outRows * outCols).fill(isMax ? -Infinity : 0);
  const weights = isPool(step) ? null : weightsOf(layer, shape, o, flip);
  const firstChannel = Math.floor(o / (shape.channels / shape.groups)) * shape.perGroup;
  const area = input.rows * input.cols, {kh, kw} = shape;
  const rows = plan.rows[index].sources, cols = plan.cols[index].sources;
  const columnsOf =
      Array.from({length: kw}, (_, v) => Int32Array.from({length: outCols}, (_, j) => cols[(plan.x + j) * kw + v]));
  for (let c = 0; c < shape.perGroup; ++c) {
    const values = input.values.subarray((firstChannel + c) * area, (firstChannel + c + 1) * area);
    for (let u = 0; u < kh; ++u) {
      for (let v = 0; v < kw; ++v) {
        const weight = isPool(step) ? 1 : weights[(c * kh + u) * kw + v];
        if (weight === 0 && input.integer) continue;  // as the engine: 0 times a padding value that is not finite
        for (let i = 0; i < outRows; ++i) {
          const row = rows[(plan.y + i) * kh + u], out = sums.subarray(i * outCols, (i + 1) * outCols);
          if (row === kNone) continue;
          const from = row < 0 ? null : values.subarray(row * input.cols, (row + 1) * input.cols);
          if (isMax) raise(out, from, columnsOf[v]);
          else if (from === null) addToAll(out, weight * layer.padding_value);
          else addProducts(out, weight, from, columnsOf[v], layer.padding_value);
        }
      }
    }
  }
  return sums;
}

function addToAll(sums, term) {
  for (let j = 0; j < sums.length; ++j) sums[j] += term;
}

/// Adds weight * row[columns[j]] to each sum j. Columns below 0 show `outside`, but kNone nothing.
function addProducts(sums, weight, row, columns, outside) {
  const padding = weight * outside;
  for (let j = 0; j < sums.length; ++j)
    sums[j] += columns[j] >= 0 ? weight * row[columns[j]] : columns[j] === kNone ? 0 : padding;
}

/// The sum of two planes of one size, in floats, where both are known.
function addPlanes(a, b) {
  const y = Math.max(a.y, b.y), x = Math.max(a.x, b.x);
  const rows = Math.min(a.y + a.rows, b.y + b.rows) - y, cols = Math.min(a.x + a.cols, b.x + b.cols) - x;
  const sum = {...a, y, x, rows, cols, values: a.values && new Float64Array(a.c * rows * cols)};
  for (let c = 0; a.values && c < a.c; ++c)
    for (let i = 0; i < rows; ++i)
      for (let j = 0; j < cols; ++j)
        setValue(sum, c, y + i, x + j, Math.fround(valueAt(a, c, y + i, x + j) + valueAt(b, c, y + i, x + j)));
  return sum;
}

/// Raises each value j to row[columns[j]], if that is larger or not a number. Padding never counts.
function raise(most, row, columns) {
  if (row === null) return;
  for (let j = 0; j < most.length; ++j) {
    if (columns[j] < 0) continue;
    const value = row[columns[j]];
    if (value > most[j] || value !== value) most[j] = value;
  }
}

/// The responses of a step: a plane. Those between two steps are floats, as in the engine.
function runStep(step, plan, input, flip, isLast) {
  const {c, h, w, y, x, outRows, outCols} = plan, area = outRows * outCols;
  const output = {c, h, w, y, x, rows: outRows, cols: outCols, values: null, integer: false};
  if (!input.values) return output;
  output.values = new Float64Array(c * area);
  for (let channel = 0; channel < c; ++channel) {
    const parts = partsOf(step, plan, channel);
    const sums = parts.map(({layer, o}) => sumsOf(step, plan, layer, o, input, flip));
    parts.forEach(({layer: index, o}, k) => {
      const layer = step.layers[index], shape = plan.shapes[index], isMean = layer.kind === "mean";
      const divisor = isMean ? 0 : divisorAt(layer, shape, input, o, y, x);
      sums[k].forEach((sum, i) => {
        const by = isMean ? divisorAt(layer, shape, input, o, y + Math.floor(i / outCols), x + (i % outCols)) : divisor;
        sums[k][i] = finishSum(layer, o, sum, by);
      });
    });
    for (let i = 0; i < area; ++i) {
      const value = (step.combine === "none" ? sums[0][i] : combined(step.combine, sums.map((s) => s[i]))) + 0;
      output.values[channel * area + i] = isLast ? value : Math.fround(value);
    }
  }
  return output;
}

/// The greatest number that divides all of a list.
const commonDivisor = (list) => list.reduce((a, b) => {
  while (b) [a, b] = [b, a % b];
  return a;
});

/// By how much the weights of an output of bilinear upsampling, and their divisor, can be reduced.
function commonFactor(layer, shape, {rows, cols}) {
  if (layer.kind !== "bilinear") return 1;
  const along = (axis, taps) =>
      commonDivisor([2 * layer.stride[axis], ...taps.map(({tap}) => shape.taps[axis][tap])]);
  return along(0, rows) * along(1, cols);
}

/// How one output of a step comes about: a part for each kernel that is combined, with a term for each tap.
function explainOutput(step, plan, input, flip, y, x, channel) {
  const parts = partsOf(step, plan, channel).map(({layer: index, o}) => {
    const layer = step.layers[index], shape = plan.shapes[index], {kw, perGroup} = shape;
    const weights = isPool(layer) ? null : weightsOf(layer, shape, o, flip);
    const first = Math.floor(o / (shape.channels / shape.groups)) * perGroup;
    const seen = windowAt(layer, shape, input, y, x), factor = commonFactor(layer, shape, seen), terms = [];
    for (let c = 0; c < perGroup; ++c)
      for (const row of seen.rows)
        for (const col of seen.cols) {
          const at = [row.at, col.at];
          const source = [padIndex(layer.padding_mode, at[0], input.h), padIndex(layer.padding_mode, at[1], input.w)];
          const counts = !isPool(layer) ||
              (countsInPool(layer, 0, at[0], input.h) && countsInPool(layer, 1, at[1], input.w));
          const outside = source.includes(kOutside);
          const weight = layer.kind === "mean" && counts ? 1 :
              weights                                    ? weights[(c * shape.kh + row.tap) * kw + col.tap] / factor :
                                                           null;
          const value = !counts ? null : outside ? layer.padding_value : valueAt(input, first + c, ...source);
          terms.push({
            channel: first + c,
            y: at[0],
            x: at[1],
            inside: isInside(input, ...at),
            source: outside ? null : source,
            input: value,
            weight,
            product: value === null || weight === null ? null : weight * value + 0,
          });
        }
    const part = {
      layer: index,
      o,
      kh: seen.rows.length,
      kw: seen.cols.length,
      channels: perGroup,
      terms,
      divisor: divisorAt(layer, shape, input, o, y, x) / factor,
      bias: numberOf(layer.bias, o, 0),
      activation: layer.activation_text,
      sum: null,
      response: null
    };
    if (!input.values) return part;
    part.sum = layer.kind === "max" ?
        terms.reduce((most, {input: b}) => (b !== null && (b > most || b !== b) ? b : most), -Infinity) :
        terms.reduce((sum, t) => (t.weight === 0 && input.integer ? sum : sum + t.product), 0);
    part.response = finishSum(layer, o, part.sum, part.divisor);
    return part;
  });
  const response = input.values ? combined(step.combine, parts.map((part) => part.response)) + 0 : null;
  return {parts, response};
}

/// How one output of a sum comes about: a part with a term for each addend.
function explainSum(step, planes, y, x, channel) {
  const terms = planes.map((plane) => {
    const input = valueAt(plane, channel, y, x);
    return {channel, y, x, inside: true, source: [y, x], input, weight: 1, product: input};
  });
  const [layer] = step.layers, hasValues = planes.every(({values}) => values);
  const sum = hasValues ? Math.fround(terms[0].input + terms[1].input) : null;
  const response = hasValues ? finishSum(layer, channel, sum, 1) + 0 : null;
  const part = {layer: 0, o: channel, kh: 1, kw: 2, channels: 1, terms, divisor: 1, bias: 0, sum, response};
  return {parts: [{...part, activation: layer.activation_text}], response};
}

function isInside({h, w}, y, x) { return y >= 0 && y < h && x >= 0 && x < w; }

/// A value of a plane; null where none is known.
function valueAt(plane, c, y, x) {
  const row = y - plane.y, col = x - plane.x;
  if (!plane.values || row < 0 || row >= plane.rows || col < 0 || col >= plane.cols) return null;
  return plane.values[(c * plane.rows + row) * plane.cols + col];
}

function setValue(plane, c, y, x, value) {
  plane.values[(c * plane.rows + y - plane.y) * plane.cols + x - plane.x] = value;
}

/// A response as it is mapped, before it is rounded.
function mapped(map, response) {
  const value = map.absolute ? Math.abs(response) : response;
  if (map.threshold !== null) return value > map.threshold ? map.scale : 0;
  return (value - map.shift) * map.scale + map.offset;
}

function roundToEven(value) {
  const floor = Math.floor(value), rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

const kFullRange = {
  u8: 255,
  u16: 65535
};

/// A mapped value as it is stored: rounded to nearest, ties to even, and clipped.
function stored(value, dtype) {
  const most = kFullRange[dtype];
  if (most === undefined) return Math.fround(value);
  return Number.isNaN(value) ? 0 : roundToEven(clamp(value, 0, most)) + 0;
}

/// "no", "low" or "high".
function clipping(value, dtype) {
  const most = kFullRange[dtype];
  if (most === undefined)
    return Number.isFinite(value) && !Number.isFinite(Math.fround(value)) ? (value < 0 ? "low" : "high") : "no";
  return value < -0.5 ? "low" : value >= most + 0.5 ? "high" : "no";
}
