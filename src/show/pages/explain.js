// The view: panels that follow the output that is chosen, and window.convtool.
"use strict";

const model = new Model(data);
const view = {
  step: model.last,
  at: [...data.at],
  channel: data.channel,
  inputChannel: 0,  // of the input's field, and of the kernel
  part: 0,          // of several kernels that are combined
  cell: null,       // the place of the input that is looked at
  timer: null,
};

const number = (value) => shortNumber(value, 6);
const step = () => model.steps[view.step];
const plan = () => model.plans[view.step];
const inputPlane = () => readBy(step(), model.planes)[0];
const outputPlane = () => model.shown(view.step);
/// Whether the channels of a plane are R, G and B: those of an integer picture, and of what is stored of one.
const hasColours = (plane) => plane.c === 3 &&
    (plane === model.input ?
         model.input.integer :
         plane === model.stored && (model.maps.length > 1 || (model.input.integer && model.input.c === 3)));
const isSmall = (plane) => plane.rows <= kMostNumbers && plane.cols <= kMostNumbers;

// Ranges and shades

/// The lowest and highest finite value of a plane, for pictures and shades; those of integer types are the whole range.
const ranges = new WeakMap();
function rangeOf(plane) {
  if (!ranges.has(plane)) {
    const dtype = plane === model.input ? data.input.dtype : plane === model.stored ? data.result.dtype : "f32";
    let low = Infinity, high = -Infinity;
    if (kFullRange[dtype])
      [low, high] = [0, kFullRange[dtype]];
    else
      for (const value of plane.values ?? [])
        if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (low > high) [low, high] = [0, 0];
    ranges.set(plane, [low, high]);
  }
  return ranges.get(plane);
}

function shareOf(plane, value) {
  if (value === null) return 0.85;  // of sizes alone, a light grey
  const [low, high] = rangeOf(plane);
  return high > low ? (value - low) / (high - low) : 0;
}

// Tabs

/// Shows choices as tabs, or as a list where there are many. Nothing where there is only one.
function showChoices(place, label, names, selected, choose) {
  const node = byId(place);
  node.className = "bar controls choices";
  if (names.length < 2) return node.replaceChildren();
  if (names.length > 8) {
    const select = element(
        "select", {"aria-label": label, onchange: () => choose(select.selectedIndex)},
        ...names.map((name, i) => element("option", {selected: i === selected}, name)));
    return node.replaceChildren(element("label", {}, label, select));
  }
  const focusOn = (i) => {
    choose(i);
    byId(place).querySelectorAll("button")[i].focus();
  };
  const tabs = names.map(
      (name, i) => element(
          "button", {
            role: "tab",
            title: name,
            "aria-selected": String(i === selected),
            tabindex: i === selected ? "0" : "-1",
            onclick: () => focusOn(i),
            onkeydown: (event) => {
              const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
              if (move) focusOn((i + move + names.length) % names.length);
            },
          },
          name));
  node.replaceChildren(element("div", {class: "bar", role: "tablist", "aria-label": label}, ...tabs));
}

function channelNames(count, isColour) {
  return Array.from({length: count}, (_, c) => (isColour ? ["R", "G", "B"][c] : `channel ${c}`));
}

function outputNames() {
  const plane = outputPlane();
  if (hasColours(plane)) return channelNames(3, true);
  const names = channelNames(plane.c, false);
  if (step().combine !== "none" || step().layers.length === 1) return names;
  return names.map((name, c) => `${c} ${step().layers[partsOf(step(), plan(), c)[0].layer].name}`.trim());
}

// Fields

const inputField = new Field("Input. Arrow keys move, Enter shows where a value comes from.", {
  pick: (y, x) => lookAt([y, x]),
  press: (y, x) => followBack(y, x),
  key: (event) => moveByKey(event, view.cell ?? windowStart(), inputRange(), lookAt, (at) => followBack(...at)),
});
const outputField = new Field("Output. Arrow keys move the window, space plays.", {
  pick: (y, x) => view.timer === null && goTo([y, x]),
  press: (y, x) => {
    stop();
    goTo([y, x]);
  },
  key: (event) => moveByKey(event, view.at, outputPlane(), goTo, togglePlay),
});
byId("input-field").append(inputField.root);
byId("output-field").append(outputField.root);
// A finger that is lifted leaves, too, but what it has touched stays marked.
inputField.root.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && lookAt(null));
inputField.root.addEventListener("blur", () => lookAt(null));

/// Arrow keys, Home, End, Page Up and Page Down within a range of cells; Enter and space call `press`.
function moveByKey(event, [y, x], {y: top, x: left, rows, cols}, go, press) {
  const moves = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    Home: [0, -cols],
    End: [0, cols],
    PageUp: [-10, 0],
    PageDown: [10, 0]
  };
  const move = moves[event.key];
  if (move)
    go([clamp(y + move[0], top, top + rows - 1), clamp(x + move[1], left, left + cols - 1)]);
  else if (event.key === "Enter" || event.key === " ")
    press([y, x]);
  else
    return;
  event.preventDefault();
}

/// The rows and columns of taps of the kernel that is shown.
function currentWindow() {
  const {layer} = currentPart();
  return windowAt(step().layers[layer], plan().shapes[layer], inputPlane(), ...view.at);
}

/// The place of the first tap; of none, an input near the output.
function windowStart() {
  const {rows, cols} = currentWindow(), {h, w} = inputPlane();
  return rows.length ? [rows[0].at, cols[0].at] : [Math.min(view.at[0], h - 1), Math.min(view.at[1], w - 1)];
}

/// The rows and columns from the first tap to the last.
function windowExtent() {
  const {rows, cols} = currentWindow(), length = (taps) => (taps.length ? taps.at(-1).at - taps[0].at + 1 : 0);
  return [length(rows), length(cols)];
}

/// The most padding on a side of the kernels of the step: 0 top, 1 left, 2 bottom, 3 right.
const mostPadding = (side) => Math.max(...plan().shapes.map((shape) => shape.border[side]));

/// The cells of the input's field: a small input has its padding around it.
function inputRange() {
  const {y, x, rows, cols, h, w} = inputPlane();
  if (!isSmall(inputPlane()) || rows < h || cols < w) return {y, x, rows, cols};
  const [top, left, bottom, right] = [0, 1, 2, 3].map(mostPadding);
  return {y: -top, x: -left, rows: rows + top + bottom, cols: cols + left + right};
}

/// Whether the input's field shows numbers. Wide padding makes a picture of a small input.
function inputHasNumbers() {
  const {rows, cols} = inputRange();
  return isSmall(inputPlane()) && rows <= kMostPadded && cols <= kMostPadded;
}

/// The value that a kernel reads at a place, in the padding too; null where none is known, or no kernel reads.
function inputValue(y, x, channel) {
  const plane = inputPlane();
  if (isInside(plane, y, x)) return valueAt(plane, channel, y, x);
  if (!plane.values || y < -mostPadding(0) || x < -mostPadding(1) || y >= plane.h + mostPadding(2) ||
      x >= plane.w + mostPadding(3))
    return null;
  const layer = step().layers[currentPart().layer], {padding_mode: mode, padding_value: value} = layer;
  if (isPool(layer) && !(countsInPool(layer, 0, y, plane.h) && countsInPool(layer, 1, x, plane.w))) return null;
  const source = [padIndex(mode, y, plane.h), padIndex(mode, x, plane.w)];
  return source.includes(kOutside) ? value : valueAt(plane, channel, ...source);
}

/// A cell of the input, padding included.
function inputCell(y, x, channel) {
  const value = inputValue(y, x, channel), kind = isInside(inputPlane(), y, x) ? "" : "padding";
  return {text: value === null ? "" : number(value), kind, value};
}

const isShown = (plane, [y, x]) => y >= plane.y && x >= plane.x && y < plane.y + plane.rows && x < plane.x + plane.cols;

/// Shows numbers, by `cell` as in cellsSvg(), or a picture of value(channel, y, x).
function showField(field, plane, channel, range, cell, value) {
  if (cell) return field.showNumbers({...range, cell});
  if (!plane.values) return field.showBlank(range);
  const colours = hasColours(plane);
  field.showPicture(range, (c, y, x) => shareOf(plane, value(colours ? c : channel, y, x)));
}

function currentPart() {
  const parts = partsOf(step(), plan(), model.maps?.length > 1 && view.step === model.last ? 0 : view.channel);
  return parts[Math.min(view.part, parts.length - 1)];
}

/// The input channels that the kernel of the chosen output reads: the first, and how many.
function groupOf({layer, o}) {
  const {channels, groups, perGroup} = plan().shapes[layer];
  return [Math.floor(o / (channels / groups)) * perGroup, perGroup];
}

// What is drawn when the layer, a channel or the step changes

function showAll() {
  const plane = outputPlane();
  view.channel = clamp(view.channel, 0, plane.c - 1);
  view.at =
      [clamp(view.at[0], plane.y, plane.y + plane.rows - 1), clamp(view.at[1], plane.x, plane.x + plane.cols - 1)];
  view.cell = null;
  showSteps();
  showLayer();
  document.querySelector(".stage").classList.toggle("wide", plan().shapes.some(({kw}) => kw > 5));
  showChannels();
  showFormula();
  showStatus();
  showMove();
}

function showChannels() {
  const part = currentPart(), [first, count] = groupOf(part), input = inputPlane(), output = outputPlane();
  view.inputChannel = clamp(view.inputChannel, first, first + count - 1);
  const parts = partsOf(step(), plan(), view.channel);
  view.part = Math.min(view.part, parts.length - 1);
  showChoices("input-tabs", "input channel", channelNames(input.c, hasColours(input)), view.inputChannel, (c) => {
    if (c < first || c >= first + count) {  // another group: an output of that group
      const {channels, groups, perGroup} = plan().shapes[part.layer];
      view.channel =
          Math.floor(c / perGroup) * (channels / groups) + (step().combine === "none" ? view.channel - part.o : 0);
    }
    view.inputChannel = c;
    showChannels();
    showMove();
  });
  showChoices("output-tabs", "output channel", outputNames(), view.channel, (c) => {
    view.channel = c;
    showChannels();
    showMove();
  });
  showChoices(
      "part-tabs", "kernel", parts.map(({layer}, i) => step().layers[layer].name || `kernel ${i}`), view.part, (i) => {
        view.part = i;
        showChannels();
        showMove();
      });
  showChoices(
      "kernel-tabs", "kernel channel",
      Array.from({length: count}, (_, c) => `for ${channelNames(input.c, hasColours(input))[first + c]}`),
      view.inputChannel - first, (c) => {
        view.inputChannel = first + c;
        showChannels();
        showMove();
      });
  showKernel(part, view.inputChannel - first);
  showField(
      inputField, input, view.inputChannel, inputRange(),
      inputHasNumbers() && ((y, x) => inputCell(y, x, view.inputChannel)), (c, y, x) => inputValue(y, x, c));
  const outputCell = (y, x) => {
    const value = valueAt(output, view.channel, y, x);
    return {text: value === null ? "" : number(value)};
  };
  showField(
      outputField, output, view.channel, output, isSmall(output) && outputCell, (c, y, x) => valueAt(output, c, y, x));
  byId("input-caption").textContent = captionOf(input, "input");
  byId("output-caption").textContent = captionOf(output, "output");
  byId("output-title").textContent = `Output ${plane_size(output)}`;
  byId("input-title").textContent =
      step().source === null ? `Input ${plane_size(input)}` : `Output of step ${step().source + 1} ${plane_size(input)}`;
  showOverview();
  showChainFields();
}

const plane_size = ({c, h, w}) => `${c}×${h}×${w}`;

function captionOf(plane, word) {
  const parts = [];
  if (plane.rows < plane.h || plane.cols < plane.w)
    parts.push(`Rows ${plane.y} to ${plane.y + plane.rows - 1}, columns ${plane.x} to ${
        plane.x + plane.cols - 1} of the ${word}.`);
  if (!(word === "input" ? inputHasNumbers() : isSmall(plane)) && plane.values) {
    const [low, high] = rangeOf(plane);
    parts.push(`Black is ${number(low)}, white ${number(high)}.`);
  }
  if (word === "input" && data.input.items > 1 && view.step === 0)
    parts.push(`The first of ${data.input.items} items.`);
  if (word === "output" && view.step < model.last) parts.push("Responses, before the next step.");
  if (word === "input" && step().add !== null) parts.push(`Step ${stepName(step().add)} is added to it.`);
  if (word === "input" && view.step > 0) parts.push("Click a value to see how it came about.");
  return parts.join(" ");
}

function showOverview() {
  const {overview, shape: [, h, w], region} = data.input;
  if (!overview || view.step > 0) return byId("overview").replaceChildren();
  const [y, x, rows, cols] = region;
  const box = svgElement(
      "svg", {viewBox: `0 0 ${w} ${h}`, class: "overlay", "aria-hidden": "true"},
      svgElement("rect", {x, y, width: cols, height: rows, class: "mark crop"}));
  const image = element("img", {src: overview, alt: "The whole picture, reduced"});
  byId("overview")
      .replaceChildren(
          element("p", {class: "faint"}, "The whole picture, reduced. The part that this page has is marked."),
          element("div", {class: "frame"}, image, box));
}

/// "max pool"; "" of a kernel.
function kindName({kind}) {
  if (isPool({kind})) return `${kind} pool`;
  if (isUpsampling({kind})) return `${kind} upsampling`;
  return kind === "transposed" ? "transposed convolution" : kind === "sum" ? "sum" : "";
}

function stepName(i) {
  const own = model.steps[i], {name, layers} = own;
  return `${i + 1} ${isPool(own) ? kindName(own) : name || layers[0].name || "layer"}`;
}

function showSteps() {
  const names = model.steps.map((_, i) => stepName(i));
  showChoices("steps", "step of the network", names, view.step, (i) => showStep(i));
}

function showStep(i, at, channel) {
  stop();
  view.step = i;
  view.part = 0;
  if (at) [view.at, view.channel] = [at, channel];
  showAll();
}

// The layer's controls

/// The options that a kind of layer does not have.
const kFixed = {
  kernel: [],
  max: ["dilation", "padding_mode", "flip"],
  mean: ["dilation", "padding_mode", "flip"],
  nearest: ["padding", "dilation", "padding_mode", "flip"],
  bilinear: ["padding", "dilation", "padding_mode", "flip"],
  transposed: ["padding_mode"],
  sum: ["stride", "padding", "dilation", "padding_mode", "flip"]
};

function showLayer() {
  const layer = step().layers[currentPart().layer], fixed = kFixed[step().kind];
  byId("stride").value = pairText(layer.stride);
  byId("dilation").value = pairText(layer.dilation);
  byId("padding").value = paddingText(layer.padding);
  byId("padding_mode")
      .replaceChildren(
          ...(fixed.includes("padding_mode") ?
                  [element("option", {}, isUpsampling(layer) ? "repeated" : "nothing")] :
                  kPaddingModes.map((mode) => element("option", {selected: mode === layer.padding_mode}, mode))));
  byId("flip").checked = model.flip;
  for (const name of ["stride", "padding", "dilation", "padding_mode", "flip"]) {
    byId(name).disabled = fixed.includes(name);
    for (const button of document.querySelectorAll(`[data-less=${name}], [data-more=${name}]`))
      button.disabled = fixed.includes(name);
  }
  byId("reset").disabled = !model.isChanged;
  showProblem("");
}

function showProblem(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

/// Changes the layer and shows it; what does not fit is reported and leaves everything as it was.
function change(options, layer, block) {
  try {
    model.change(view.step, options, layer, block);
  } catch (error) {
    showProblem(error.message);
    return;
  }
  const focus = document.activeElement?.dataset?.weight;
  showAll();
  if (focus) byId("kernel").querySelector(`[data-weight="${focus}"]`)?.focus();
}

for (const name of ["stride", "padding", "dilation"]) {
  byId(name).addEventListener("change", () => change({[name]: byId(name).value}));
  const move = (by) => {
    const pads = plan().shapes[currentPart().layer].pads, least = name === "padding" ? 0 : 1;
    const layer = step().layers[currentPart().layer];
    const next = (name === "padding" ? pads : layer[name]).map((n) => Math.max(least, n + by));
    change({[name]: next});
  };
  document.querySelector(`[data-less=${name}]`).addEventListener("click", () => move(-1));
  document.querySelector(`[data-more=${name}]`).addEventListener("click", () => move(1));
}
byId("padding_mode").addEventListener("change", () => change({padding_mode: byId("padding_mode").value}));
byId("flip").addEventListener("change", () => change({flip: byId("flip").checked}));
byId("reset").addEventListener("click", () => {
  model.reset();
  showAll();
});

/// The sizes of the output, by formula and with numbers.
function showFormula() {
  const {layer: index} = currentPart(), layer = step().layers[index], shape = plan().shapes[index],
                input = inputPlane();
  const numbers = (axis) => {
    const size = axis ? input.w : input.h, k = axis ? shape.kw : shape.kh, stride = layer.stride[axis];
    const [before, after] = [shape.pads[axis], shape.pads[axis + 2]], reach = `${layer.dilation[axis]}·(${k} − 1)`;
    if (isUpsampling(layer)) return `${size} · ${stride}`;
    if (layer.kind === "transposed")
      return `(${size} − 1)·${stride} − ${before} − ${after} + ${reach} + ${layer.output_padding[axis]} + 1`;
    return `⌊(${size} + ${before} + ${after} − (${reach} + 1)) / ${stride}⌋ + 1`;
  };
  const formula = isUpsampling(layer) ? "input · scale" :
      layer.kind === "transposed" ?
      "(input − 1)·stride − padding before − padding after + dilation·(kernel − 1) + output padding + 1" :
      "⌊(input + padding before + padding after − (dilation·(kernel − 1) + 1)) / stride⌋ + 1";
  const line = (axis, name) => element(
      "p", {}, `${name} `, element("output", {id: `size-${name}`}, `${numbers(axis)} = ${shape.out[axis]}`));
  byId("formula").replaceChildren(element("p", {class: "faint"}, formula), line(0, "height"), line(1, "width"));
}

// What follows the output that is chosen

function showMove() {
  const [y, x] = view.at, {layer: index} = currentPart(), layer = step().layers[index];
  const {out} = plan().shapes[index], start = windowStart(), extent = windowExtent(), {rows, cols} = currentWindow();
  const taps = layer.dilation[0] === 1 && layer.dilation[1] === 1 ?
      [] :
      rows.flatMap(({at: y}) => cols.map(({at: x}) => ({y, x, rows: 1, cols: 1, kind: "tap"})));
  const cursor = view.cell ? [{y: view.cell[0], x: view.cell[1], rows: 1, cols: 1, kind: "cursor"}] : [];
  inputField.mark([
    ...(rows.length === 0 ? [] : [{
      y: start[0],
      x: start[1],
      rows: extent[0],
      cols: extent[1],
      kind: taps.length ? "window dilated" : "window"
    }]),
    ...taps, ...cursor
  ]);
  outputField.mark([...seeingMarks(), {y, x, rows: 1, cols: 1, kind: "here"}]);
  for (const [id, value, most] of [["row", y, out[0]], ["column", x, out[1]]]) {
    if (document.activeElement !== byId(id)) byId(id).value = value;
    byId(id).max = most - 1;
    byId(id).min = 0;
  }
  const found = model.explain(view.step, y, x, view.channel);
  markReaching(currentPart());
  showProducts(found);
  showWay(found);
  showChain();
  showMagnifiers(start, extent);
}

function goTo([y, x]) {
  if (y === view.at[0] && x === view.at[1]) return;
  view.at = [y, x];
  showMove();
  if (view.timer === null) say(byId("sum-title").textContent);
}

function say(text) { byId("said").textContent = text; }

/// The outputs that see the place of the input that is looked at: a run of rows and one of columns for each kernel.
function seeingRuns(cell) {
  return step().layers.map((layer, index) => [0, 1].map((axis) => {
    const shape = plan().shapes[index], size = axis ? inputPlane().w : inputPlane().h, seeing = [];
    const shows = ({at}) => at === cell[axis] || padIndex(layer.padding_mode, at, size) === cell[axis];
    for (let i = 0; i < shape.out[axis]; ++i)
      if (tapsAt(layer, shape, axis, i, size).some(shows)) seeing.push(i);
    return seeing;
  }));
}

/// Ascending places as runs [first, length].
function runsOf(places) {
  const runs = [];
  for (const at of places) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === at)
      ++last[1];
    else
      runs.push([at, 1]);
  }
  return runs;
}

const kMostMarks = 400;  // more outputs are marked in blocks

function seeingMarks() {
  if (!view.cell) return [];
  const [rows, cols] = seeingRuns(view.cell)[currentPart().layer];
  const areMany = rows.length * cols.length > kMostMarks;
  const [rowRuns, colRuns] = [rows, cols].map((places) => (areMany ? runsOf(places) : places.map((at) => [at, 1])));
  return rowRuns.flatMap(([y, h]) => colRuns.map(([x, w]) => ({y, x, rows: h, cols: w, kind: "seeing"})));
}

function lookAt(cell) {
  view.cell = cell;
  showMove();
  if (!cell) return;
  const [rows, cols] = seeingRuns(cell)[currentPart().layer], count = rows.length * cols.length;
  const text =
      `${count === 1 ? "1 output sees" : `${count} outputs see`} row ${cell[0]}, column ${cell[1]} of the input.`;
  byId("input-caption").textContent = `${text} ${captionOf(inputPlane(), "input")}`;
  say(text);
}

/// From a value of a later step's input to the step that computed it.
function followBack(y, x) {
  const plane = inputPlane();
  if (step().source === null || !isShown(plane, [y, x])) return;
  showStep(step().source, [y, x], view.inputChannel);
}

/// The numbers around the window and around the output, where these are pictures.
function showMagnifiers(start, extent) {
  const input = inputPlane(), output = outputPlane();
  const around = (from, size, most) => {
    const margin = Math.max(0, Math.min(2, Math.floor((most - size) / 2)));
    return [from - margin, Math.min(size + 2 * margin, 31)];
  };
  if (inputHasNumbers()) {
    byId("input-magnifier").replaceChildren();
  } else {
    const [y, rows] = around(start[0], extent[0], 11), [x, cols] = around(start[1], extent[1], 11);
    const isLarge = Math.max(rows, cols) > 15;
    byId("input-magnifier").replaceChildren(cellsSvg({
      y,
      x,
      rows,
      cols,
      cell: (i, j) => {
        const {text, kind, value} = inputCell(i, j, view.inputChannel);
        const inWindow = i >= start[0] && j >= start[1] && i < start[0] + extent[0] && j < start[1] + extent[1];
        return {
          text: isLarge ? "" : text,
          kind: `${kind} ${inWindow && !isLarge ? "in-window" : ""}`,
          ...(value === null ? {} : shade(shareOf(input, value)))
        };
      }
    }));
  }
  if (isSmall(output) || !output.values) return byId("output-magnifier").replaceChildren();
  const [y, x] = view.at;
  byId("output-magnifier").replaceChildren(cellsSvg({
    y: y - 2,
    x: x - 2,
    rows: 5,
    cols: 5,
    cell: (i, j) => {
      const value = valueAt(output, view.channel, i, j);
      if (value === null) return {text: "", kind: "padding"};
      return {text: number(value), kind: i === y && j === x ? "in-window" : "", ...shade(shareOf(output, value))};
    }
  }));
}

// The walk over the output

const periods = () => 1000 / 1.5 ** Number(byId("speed").value - 1);

/// The next output, row by row; after the last one the first.
function stepBy(by) {
  const {y, x, rows, cols} = outputPlane();
  const at = ((view.at[0] - y) * cols + view.at[1] - x + by + rows * cols) % (rows * cols);
  goTo([y + Math.floor(at / cols), x + (at % cols)]);
}

function stop() {
  clearTimeout(view.timer);
  view.timer = null;
  byId("play").textContent = "Play";
  byId("play").setAttribute("aria-pressed", "false");
}

function togglePlay() {
  if (view.timer !== null) return stop();
  byId("play").textContent = "Pause";
  byId("play").setAttribute("aria-pressed", "true");
  const next = () => {
    stepBy(1);
    view.timer = setTimeout(next, periods());
  };
  view.timer = setTimeout(next, periods());
}

byId("play").addEventListener("click", togglePlay);
for (const [id, action] of [
         ["first", () => goTo([outputPlane().y, outputPlane().x])], ["back", () => stepBy(-1)],
         ["forward", () => stepBy(1)]])
  byId(id).addEventListener("click", () => {
    stop();
    action();
  });
for (const id of ["row", "column"])
  byId(id).addEventListener("input", () => {
    const {y, x, rows, cols} = outputPlane();
    if (byId(id).value === "") return;
    stop();
    goTo([
      clamp(Math.trunc(byId("row").value), y, y + rows - 1), clamp(Math.trunc(byId("column").value), x, x + cols - 1)
    ]);
  });
