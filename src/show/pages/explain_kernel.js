// The panel of the kernel: its weights as a table that can be edited, or as colours.
"use strict";

/// Marks the weights of a transposed convolution that reach the output.
function markReaching({layer: index}) {
  const layer = step().layers[index], shape = plan().shapes[index];
  const {rows, cols} = windowAt(layer, shape, inputPlane(), ...view.at), marked = new Set();
  const place = (tap, k) => (model.flip ? k - 1 - tap : tap);
  if (layer.kind === "transposed")
    for (const {tap: u} of rows)
      for (const {tap: v} of cols) marked.add(`${place(u, shape.kh)},${place(v, shape.kw)}`);
  for (const input of document.querySelectorAll("[data-weight]"))
    input.classList.toggle("reaching", marked.has(input.dataset.weight));
}

/// What layers without a kernel do.
const kWithoutKernel = {
  max: () => "A max pool takes the largest value of the window. It has no weights.",
  mean: () => "A mean pool divides the sum of the window by the number of values that count in it.",
  nearest: ({stride}) => `Each input is copied to ${stride[0]}×${stride[1]} outputs.`,
  bilinear: () => "Each output blends the nearest inputs, with weights that depend on its place between them.",
  sum: () => `The output of step ${step().add + 1} is added to that of step ${step().source + 1}.`
};

function showKernel({layer: index, o}, channel) {
  const layer = step().layers[index], shape = plan().shapes[index], {kh, kw} = shape;
  const block = blockOf(layer, shape, o, channel);
  const place = byId("kernel"), caption = [];
  byId("kernel-title").textContent =
      `Kernel ${kh}×${kw}${layer.name && layer.name !== step().name ? ` ${layer.name}` : ""}`;
  if (kWithoutKernel[layer.kind]) {
    const name = kindName(step());
    byId("kernel-title").textContent = name[0].toUpperCase() + name.slice(1);
    place.replaceChildren();
    caption.push(kWithoutKernel[layer.kind](layer));
  } else if (!layer.weight) {
    place.replaceChildren(cellsSvg({y: 0, x: 0, rows: kh, cols: kw, cell: () => ({text: ""})}));
    caption.push("Sizes alone: the kernel has no weights.");
  } else if (kh <= 11 && kw <= 11) {
    place.replaceChildren(weightTable(index, layer, block, kh, kw));
  } else {
    place.replaceChildren(
        shadedWeights(layer.weight.subarray(block * kh * kw, (block + 1) * kh * kw), kh, kw),
        weightEditor(index, layer, block, kh, kw));
    caption.push("Orange is above zero, blue below.");
  }
  const {divisor, bias} = layer;
  if (divisor.length) caption.push(`Divisor ${number(numberOf(divisor, o, 1))}.`);
  if (bias.length) caption.push(`Bias ${number(numberOf(bias, o, 0))}.`);
  if (layer.groups > 1) caption.push(`${layer.groups} groups.`);
  if (layer.padding_mode === "constant") caption.push(`Pixels outside are ${number(layer.padding_value)}.`);
  if (layer.activation !== "none") caption.push(`Then ${layer.activation_text}.`);
  if (layer.kind === "transposed") caption.push("The weights that reach the output have a frame.");
  if (model.flip) caption.push("Flipped: the kernel is rotated by 180° before it multiplies.");
  byId("kernel-caption").textContent = caption.join(" ");
}

function setWeight(index, layer, block, at, value) {
  const {kh, kw} = plan().shapes[index], area = kh * kw;
  const weights = Array.from(layer.weight.subarray(block * area, (block + 1) * area));
  weights[at] = value;
  const rank = layer.rank === 2 || block > 0 || layer.weight.length > area ? 2 : layer.rank;
  const nested = rowsOf(weights, kw);
  change({weight: rank === 2 ? nested : rank === 3 ? [nested] : [[nested]]}, index, block);
}

function weightTable(index, layer, block, kh, kw) {
  const rows = Array.from({length: kh}, (_, u) => element("tr", {}, ...Array.from({length: kw}, (_, v) => {
                                          const value = layer.weight[(block * kh + u) * kw + v];
                                          const input = element("input", {
                                            value: number(asPrinted(value)),
                                            inputmode: "decimal",
                                            "aria-label": `weight in row ${u}, column ${v}`,
                                            "data-weight": `${u},${v}`,
                                            onchange: () => {
                                              const typed = Number(input.value.trim().replace(",", "."));
                                              if (input.value.trim() === "" || !Number.isFinite(typed))
                                                return showProblem(`'${input.value}' is not a number`);
                                              setWeight(index, layer, block, u * kw + v, typed);
                                            },
                                            onkeydown: (event) => {
                                              const move = {ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
                                              const next = move &&
                                                  byId("kernel").querySelector(`[data-weight="${u + move[0]},${v}"]`);
                                              if (next) next.focus();
                                            },
                                          });
                                          return element("td", {}, input);
                                        })));
  return element("table", {class: "weights", style: `--cols: ${kw}`}, element("tbody", {}, ...rows));
}

function shadedWeights(weights, kh, kw) {
  const most = Math.max(...weights.map(Math.abs)) || 1;
  return cellsSvg({
    y: 0,
    x: 0,
    rows: kh,
    cols: kw,
    label: `the weights, ${kh}x${kw}, as colours`,
    cell: (u, v) => signShade(weights[u * kw + v] / most)
  });
}

/// Of a large kernel, one weight at a time.
function weightEditor(index, layer, block, kh, kw) {
  const field = (label, most) =>
      element("input", {type: "number", min: "0", max: String(most - 1), value: "0", "aria-label": label});
  const row = field("row of the weight", kh), column = field("column of the weight", kw);
  const weight = element("input", {inputmode: "decimal", "aria-label": "weight"});
  const at = () => clamp(Math.trunc(row.value), 0, kh - 1) * kw + clamp(Math.trunc(column.value), 0, kw - 1);
  const read = () => (weight.value = number(asPrinted(layer.weight[block * kh * kw + at()])));
  for (const node of [row, column]) node.addEventListener("input", read);
  weight.addEventListener(
      "change",
      () => Number.isFinite(Number(weight.value)) && setWeight(index, layer, block, at(), Number(weight.value)));
  read();
  return element(
      "div", {class: "bar controls"}, element("label", {}, "weight of row", row),
      element("label", {}, "column", column), weight);
}
