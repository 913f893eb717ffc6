// The arithmetic of layers, in doubles. It follows the definitions of the engine: the formula of conv/problem.h, the
// borders of conv/padding.h, the steps after the sum of conv/epilogue.h and the maps of conv/output_map.h.
//
// A plane is what is known of a tensor: all of it, or a region of a large picture.
//   {c, h, w       sizes of the whole tensor
//    y, x, rows, cols    the region whose values are known
//    values        Float64Array [c][rows][cols], or null where only sizes are known
//    integer}      whether the values are those of an integer picture
// A step is a bank of layers on one input: {layers, combine, pool}. Pairs are [height, width].
"use strict";

const kOutside = -1;  // a position where padding has a value of its own
const kUnknown = -2;  // a position of the picture that is not in the region

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

/// The sizes of a layer on an input {c, h, w}. Throws an Error with a sentence where they do not fit.
function layerShape(layer, input) {
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
  return {kh, kw, channels, groups, perGroup: input.c / groups, extent, pads, padded, out};
}

/// For each output of an axis and each tap, the position in the region that it reads, and the outputs [begin, end) for
/// which all of them are known: of several such runs, the one in the middle of the region.
function axisSources(layer, shape, axis, input) {
  const k = axis ? shape.kw : shape.kh, size = axis ? input.w : input.h;
  const first = axis ? input.x : input.y, count = axis ? input.cols : input.rows;
  const sources = new Int32Array(shape.out[axis] * k), known = [];
  for (let i = 0; i < shape.out[axis]; ++i) {
    let all = true;
    for (let u = 0; u < k; ++u) {
      const at = i * layer.stride[axis] - shape.pads[axis] + u * layer.dilation[axis];
      const source = padIndex(layer.padding_mode, at, size), inside = source >= first && source < first + count;
      sources[i * k + u] = source === kOutside ? kOutside : inside ? source - first : kUnknown;
      all = all && sources[i * k + u] !== kUnknown;
    }
    if (all) known.push(i);
  }
  const near = (first + count / 2 + shape.pads[axis] - shape.extent[axis] / 2) / layer.stride[axis];
  let begin = known.reduce((best, i) => (Math.abs(i - near) < Math.abs(best - near) ? i : best), known[0]), end = begin;
  const set = new Set(known);
  while (set.has(begin - 1)) --begin;
  while (set.has(end)) ++end;
  return {sources, begin, end};
}

/// The weights [perGroup][kh][kw] of output channel `o`, flipped if asked.
function weightsOf(layer, shape, o, flip) {
  const area = shape.kh * shape.kw, taps = shape.perGroup * area;
  const first = layer.rank === 2 ? 0 : o * taps, weights = layer.weight.slice(first, first + taps);
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
function finishSum(layer, o, sum) {
  const divisor = numberOf(layer.divisor, o, 1);
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
  const sums = new Float64Array(outRows * outCols).fill(step.pool ? -Infinity : 0);
  const weights = step.pool ? null : weightsOf(layer, shape, o, flip);
  const firstChannel = Math.floor(o / (shape.channels / shape.groups)) * shape.perGroup;
  const area = input.rows * input.cols, {kh, kw} = shape;
  const rows = plan.rows[index].sources, cols = plan.cols[index].sources;
  const columnsOf =
      Array.from({length: kw}, (_, v) => Int32Array.from({length: outCols}, (_, j) => cols[(plan.x + j) * kw + v]));
  for (let c = 0; c < shape.perGroup; ++c) {
    const values = input.values.subarray((firstChannel + c) * area, (firstChannel + c + 1) * area);
    for (let u = 0; u < kh; ++u) {
      for (let v = 0; v < kw; ++v) {
        const weight = step.pool ? 1 : weights[(c * kh + u) * kw + v];
        if (weight === 0 && input.integer) continue;  // as the engine: 0 times a padding value that is not finite
        for (let i = 0; i < outRows; ++i) {
          const row = rows[(plan.y + i) * kh + u], out = sums.subarray(i * outCols, (i + 1) * outCols);
          const from = row < 0 ? null : values.subarray(row * input.cols, (row + 1) * input.cols);
          if (step.pool) raise(out, from, columnsOf[v]);
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

/// Adds weight * row[columns[j]] to each sum j. A column below 0 shows `outside`.
function addProducts(sums, weight, row, columns, outside) {
  const padding = weight * outside;
  for (let j = 0; j < sums.length; ++j) sums[j] += columns[j] < 0 ? padding : weight * row[columns[j]];
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
    if (!step.pool)
      parts.forEach(
          ({layer, o}, k) => sums[k].forEach((sum, i) => (sums[k][i] = finishSum(step.layers[layer], o, sum))));
    for (let i = 0; i < area; ++i) {
      const value = (step.combine === "none" ? sums[0][i] : combined(step.combine, sums.map((s) => s[i]))) + 0;
      output.values[channel * area + i] = isLast ? value : Math.fround(value);
    }
  }
  return output;
}

/// How one output of a step comes about: a part for each kernel that is combined, with a term for each tap.
function explainOutput(step, plan, input, flip, y, x, channel) {
  const parts = partsOf(step, plan, channel).map(({layer: index, o}) => {
    const layer = step.layers[index], shape = plan.shapes[index], {kh, kw, perGroup} = shape;
    const weights = layer.weight ? weightsOf(layer, shape, o, flip) : null;
    const first = Math.floor(o / (shape.channels / shape.groups)) * perGroup;
    const terms = [];
    for (let c = 0; c < perGroup; ++c)
      for (let u = 0; u < kh; ++u)
        for (let v = 0; v < kw; ++v) {
          const at = [
            y * layer.stride[0] - shape.pads[0] + u * layer.dilation[0],
            x * layer.stride[1] - shape.pads[1] + v * layer.dilation[1]
          ];
          const source = [padIndex(layer.padding_mode, at[0], input.h), padIndex(layer.padding_mode, at[1], input.w)];
          const outside = source.includes(kOutside);
          const weight = weights ? weights[(c * kh + u) * kw + v] : null;
          const value = outside ? (step.pool ? null : layer.padding_value) : valueAt(input, first + c, ...source);
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
      kh,
      kw,
      channels: perGroup,
      terms,
      divisor: numberOf(layer.divisor, o, 1),
      bias: numberOf(layer.bias, o, 0),
      activation: layer.activation_text,
      sum: null,
      response: null
    };
    if (!input.values) return part;
    const values = terms.map((t) => (step.pool ? t.input : t.product));
    part.sum = step.pool ? values.reduce((a, b) => (b !== null && (b > a || b !== b) ? b : a), -Infinity) :
                           terms.reduce((sum, t) => (t.weight === 0 && input.integer ? sum : sum + t.product), 0);
    part.response = step.pool ? part.sum : finishSum(layer, o, part.sum);
    return part;
  });
  const response = input.values ? combined(step.combine, parts.map((part) => part.response)) + 0 : null;
  return {parts, response};
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
