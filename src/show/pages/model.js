// The network as it is now: that of the data, or with a step that the reader has changed.
"use strict";

const pairOf = (value, name) => {
  const sizes = Array.isArray(value) ? value.map(Number) : String(value).trim().toLowerCase().split("x").map(Number);
  const [h, w] = sizes.length === 1 ? [sizes[0], sizes[0]] : sizes;
  if (sizes.length > 2 || ![h, w].every((n) => Number.isInteger(n) && n >= 0 && n <= 1024))
    throw new Error(`${name} '${value}' is not a whole number or HxW, such as 2 or 1x2`);
  return [h, w];
};

const positivePair = (value, name) => {
  const pair = pairOf(value, name);
  if (Math.min(...pair) < 1) throw new Error(`${name} must be at least 1 (got ${value})`);
  return pair;
};

/// Reads padding as the command line does: a rule, a number, HxW, or "top,left,bottom,right".
function paddingOf(value) {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value;
  const text = Array.isArray(value) ? value.join(",") : String(value).trim().toLowerCase();
  if (text === "valid") return {rule: "valid", pads: [0, 0, 0, 0]};
  if (["same", "same_lower", "full"].includes(text)) return {rule: text, pads: [0, 0, 0, 0]};
  const four = text.split(",").map(Number);
  if (four.length === 4 && four.every((n) => Number.isInteger(n) && n >= 0 && n <= 1024))
    return {rule: "valid", pads: four};
  const [h, w] = pairOf(text, "padding");
  return {rule: "valid", pads: [h, w, h, w]};
}

function paddingText({rule, pads}) {
  const [top, left, bottom, right] = pads;
  if (rule !== "valid") return rule;
  if (top !== bottom || left !== right) return pads.join(",");
  return top === left ? String(top) : `${top}x${left}`;
}

const pairText = ([h, w]) => (h === w ? String(h) : `${h}x${w}`);

/// The sizes of nested lists, and their numbers. Throws an Error unless all lists of a level are equally long.
function flatten(nested) {
  const sizes = [], numbers = [];
  const walk = (value, level) => {
    if (!Array.isArray(value)) {
      if (level !== sizes.length || !Number.isFinite(value)) throw new Error("the weights are not a block of numbers");
      numbers.push(Math.fround(value));
      return;
    }
    if (numbers.length === 0 && sizes.length === level) sizes.push(value.length);
    if (sizes[level] !== value.length || value.length === 0) throw new Error("the weights are not a block of numbers");
    for (const inner of value) walk(inner, level + 1);
  };
  walk(nested, 0);
  return {sizes, numbers: Float64Array.from(numbers)};
}

/// A page computes and draws that many values at once; more would stop it for seconds.
const kMostValues = 2 ** 20;

/// How many values a step computes, or a channel of its padded input has, whichever is more.
function valuesOf({c, outRows, outCols, shapes}, input) {
  if (!input.values) return 0;
  const isWhole = input.rows === input.h && input.cols === input.w;
  return Math.max(c * outRows * outCols, ...(isWhole ? shapes.map(({padded: [h, w]}) => h * w) : []));
}

/// Throws an Error where a step has more than `most` values.
function checkSizes(plan, input, most) {
  if (valuesOf(plan, input) <= most) return;
  const [h, w] = plan.shapes[0].padded;
  throw new Error(
      `the padded input would be ${h}x${w} and the output ${plan.c}x${plan.outRows}x${plan.outCols}, but this page ` +
      `shows at most ${most} values; pad less`);
}

/// The planes that a step reads, of which planes[0] is the input: one, or the two addends of a sum.
function readBy({source, add}, planes) {
  const first = planes[source === null ? 0 : source + 1];
  if (add === null) return [first];
  if (["c", "h", "w"].some((size) => planes[add + 1][size] !== first[size]))
    throw new Error("the layers that a sum adds would differ in size");
  return [first, planes[add + 1]];
}

/// The network: its steps, `planes`, of which the first is the input and the others are the outputs of the steps, and
/// `plans` of the steps.
class Model {
  constructor(source) {
    this.source = source;
    const {shape: [c, h, w], region, values, dtype} = source.input;
    const [y, x, rows, cols] = region ?? [0, 0, h, w];
    this.input = {c, h, w, y, x, rows, cols, values: values ? decodeBlock(values) : null, integer: dtype !== "f32"};
    this.isWhole = rows === h && cols === w;
    this.comparison = null;  // with the engine, of the layers as they were at first
    this.reset();
  }

  reset() {
    this.isChanged = false;
    this.apply(
        this.source.steps.map(
            (step) => ({
              ...step,
              layers: step.layers.map((layer) => ({...layer, weight: layer.weight && decodeBlock(layer.weight)})),
            })),
        this.source.flip);
  }

  /// Computes all steps. Where one does not fit, throws an Error and leaves the model as it was.
  apply(steps, flip) {
    const planes = [this.input], plans = [], inputs = [];
    steps.forEach((step, i) => {
      inputs.push(readBy(step, planes).reduce(addPlanes));
      plans.push(planStep(step, inputs[i]));
      if (this.isChanged) checkSizes(plans[i], inputs[i], Math.max(kMostValues, this.valuesAtFirst));
      planes.push(runStep(step, plans[i], inputs[i], flip, i + 1 === steps.length));
    });
    Object.assign(this, {steps, flip, planes, plans});
    if (!this.isChanged) this.valuesAtFirst = Math.max(...plans.map((plan, i) => valuesOf(plan, inputs[i])));
    this.stored = null;
    if (!this.input.values) return;
    const responses = planes[planes.length - 1];
    this.rangeIsOld = this.isChanged && !this.isWhole && ["normalize", "signed"].includes(this.source.result.map);
    const {result} = this.source;
    this.map = {name: result.map, maps: result.maps};
    if (this.isChanged && result.automatic)
      this.map = automaticMap(steps, result);
    else if (this.isChanged && this.isWhole)
      this.map.maps = mapsOfRange(result, responses);
    this.maps = this.map.maps;
    this.stored = storedPlane(responses, this.maps, this.source.result.dtype);
    if (!this.isChanged) this.comparison = compareWithEngine(responses, this.stored, this.source.result);
  }

  get last() { return this.steps.length - 1; }

  /// What the output of a step shows: stored values of the last one, responses of the others.
  shown(step) { return step === this.last && this.stored ? this.stored : this.planes[step + 1]; }

  /// Changes a step: {stride, padding, padding_mode, dilation, flip, weight}. Options are those of all its layers,
  /// weights those of layer `layer`, or of one of its blocks [kh][kw].
  change(step, options, layer = 0, block = 0) {
    const steps = this.steps.map((s) => ({...s, layers: s.layers.map((l) => ({...l}))}));
    for (const one of steps[step].layers) {
      if (options.stride !== undefined) one.stride = positivePair(options.stride, "the stride");
      if (options.dilation !== undefined) one.dilation = positivePair(options.dilation, "the dilation");
      if (options.padding !== undefined) one.padding = paddingOf(options.padding);
      if (options.padding !== undefined) delete one.counted_pads;
      if (options.padding_mode !== undefined) {
        if (!kPaddingModes.includes(options.padding_mode))
          throw new Error(`the padding mode '${options.padding_mode}' is not one of ${kPaddingModes.join(", ")}`);
        one.padding_mode = options.padding_mode;
        if (one.padding_mode !== "constant") one.padding_value = 0;
      }
    }
    if (options.weight !== undefined) setWeights(steps[step].layers[layer], options.weight, block);
    const before = this.isChanged;
    this.isChanged = true;
    try {
      this.apply(steps, options.flip ?? this.flip);
    } catch (error) {
      this.isChanged = before;
      throw error;
    }
  }

  /// How an output of a step comes about: explainOutput(), and for the last step the way to what is stored.
  explain(step, y, x, channel) {
    const isLast = step === this.last, hasColours = isLast && this.stored && this.maps.length > 1;
    const own = this.steps[step], planes = readBy(own, this.planes), of = hasColours ? 0 : channel;
    const found = own.add === null ? explainOutput(own, this.plans[step], planes[0], this.flip, y, x, of) :
                                     explainSum(own, planes, y, x, of);
    if (!isLast || !this.stored) return found;
    const {dtype} = this.source.result, map = this.map.name, rule = this.maps[hasColours ? channel : 0];
    const value = mapped(rule, found.response);
    return {
      ...found,
      map,
      rule,
      mapped: value,
      stored: valueAt(this.stored, channel, y, x),
      clipped: clipping(value, dtype),
      dtype
    };
  }
}

const kPaddingModes = ["zeros", "constant", "reflect", "symmetric", "replicate", "circular"];

/// Replaces the weights of a layer by a list of its rank, or one block by [kh][kw].
function setWeights(layer, nested, block) {
  if (!layer.weight) throw new Error("this layer has no weights");
  const {sizes, numbers} = flatten(nested), [kh, kw] = layer.kernel.slice(-2);
  if (sizes.length === 2 && layer.rank > 2) {
    if (sizes[0] !== kh || sizes[1] !== kw) throw new Error(`the weights must be ${kh}x${kw} (got ${sizes.join("x")})`);
    layer.weight = layer.weight.slice();
    layer.weight.set(numbers, block * kh * kw);
    return;
  }
  const channels = layer.kernel.slice(4 - layer.rank, 2);
  if (sizes.length !== layer.rank || channels.some((size, i) => size !== sizes[i]))
    throw new Error(`the weights must be ${[...channels, "kh", "kw"].join("x")} (got ${sizes.join("x")})`);
  layer.weight = numbers;
  layer.kernel = [...layer.kernel.slice(0, 2), ...sizes.slice(-2)];
}

/// The number with the fewest digits that is the same float: 0.1, where its double is 0.10000000149011612.
function asPrinted(value) {
  if (value === null || Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; ++digits) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/// A list of `rows` lists.
const rowsOf = (values, cols) =>
    Array.from({length: values.length / cols}, (_, i) => values.slice(i * cols, (i + 1) * cols));
