// The panel of the sum: products, the way to the stored value, and the windows of a network, from the shown step back
// to the input.
"use strict";

const kMostChannels = 4;

function showProducts({parts}) {
  const place = byId("products");
  place.replaceChildren();
  if (!inputPlane().values) return;
  for (const part of parts) {
    const {kh, kw, channels, terms} = part;
    if (terms.length === 0) {
      place.append(element("p", {class: "faint"}, "No input reaches this output."));
      continue;
    }
    const isLarge = kh > 11 || kw > 11, area = kh * kw;
    if (parts.length > 1) place.append(element("h3", {}, step().layers[part.layer].name || `kernel ${part.layer}`));
    const block = (c, of, kind) => {
      const values = terms.slice(c * area, (c + 1) * area).map(of);
      const most = Math.max(...values.map((v) => Math.abs(v ?? 0))) || 1;
      return cellsSvg({
        y: 0,
        x: 0,
        rows: kh,
        cols: kw,
        cell: (u, v) => {
          const term = terms[c * area + u * kw + v], value = values[u * kw + v];
          const isPadding = kind === "window" && !term.inside ? "padding" : "";
          if (isLarge)
            return value === null ? {kind: isPadding} : {
              kind: isPadding,
              ...(kind === "window" ? shade(shareOf(inputPlane(), value)) : signShade(value / most))
            };
          return {text: value === null ? "" : number(asPrinted(value)), kind: `${isPadding} ${kind}`};
        }
      });
    };
    const names = channelNames(inputPlane().c, hasColours(inputPlane()));
    const shown = isLarge ? [view.inputChannel - terms[0].channel] :
                            Array.from({length: Math.min(channels, kMostChannels)}, (_, c) => c);
    for (const c of shown) {
      const sum = terms.slice(c * area, (c + 1) * area).reduce((total, t) => total + (t.product ?? 0), 0);
      const row = element("div", {class: "product-row"});
      if (channels > 1) row.append(element("span", {class: "faint"}, names[terms[c * area].channel]));
      row.append(block(c, (t) => t.input, "window"));
      if (!isPool(step()) && step().kind !== "sum")
        row.append("×", block(c, (t) => t.weight, "weight"), "=", block(c, (t) => t.product, "product"));
      if (step().kind !== "max") row.append(element("span", {class: "number"}, `sum ${number(sum)}`));
      place.append(row);
    }
    if (channels > shown.length)
      place.append(element(
          "p", {class: "faint"}, `… and ${channels - shown.length} more channels, which are in the sum below.`));
  }
}

/// The way from the sums to the value that is stored, as rows of words and numbers.
function wayOf(found) {
  const rows = [], add = (label, value) => rows.push([label, number(value)]);
  for (const part of found.parts) {
    const several = found.parts.length > 1 ? `${step().layers[part.layer].name || `kernel ${part.layer}`}: ` : "";
    if (step().kind === "max") {
      add("the largest value", part.sum);
      if (part.activation !== "none") add(part.activation, part.response);
      continue;
    }
    if (step().kind === "sum") {
      add(`step ${stepName(step().source)}`, part.terms[0].input);
      add(`+ step ${stepName(step().add)}`, part.terms[1].input);
      add("sum", part.sum);
    } else {
      const what = isPool(step()) ? "value" : "product", n = part.terms.filter((t) => t.product !== null).length;
      add(`${several}sum of ${n} ${what}${n === 1 ? "" : "s"}`, part.sum);
    }
    if (part.divisor !== 1) add(`÷ ${number(part.divisor)}`, part.sum / part.divisor);
    if (part.bias !== 0) add(`+ bias ${number(part.bias)}`, part.sum / part.divisor + part.bias);
    if (part.activation !== "none") add(part.activation, part.response);
  }
  if (step().combine !== "none") add(step().combine, found.response);
  if (found.stored === undefined) return rows;
  const {rule, dtype} = found;
  if (found.mapped !== found.response) {
    const pieces = [rule.absolute ? "|response|" : "response"];
    if (rule.threshold !== null) pieces.push(`> ${number(rule.threshold)}?`);
    if (rule.threshold === null && rule.shift !== 0) pieces.push(`− ${number(rule.shift)}`);
    if (rule.threshold === null && rule.scale !== 1) pieces.push(`times ${number(rule.scale)}`);
    if (rule.threshold === null && rule.offset !== 0) pieces.push(`+ ${number(rule.offset)}`);
    add(`map ${found.map}: ${pieces.join(" ")}`, found.mapped);
  }
  const clipped =
      found.clipped === "no" ? "" : `, clipped to ${found.clipped === "low" ? "the lowest" : "the highest"} value`;
  add(`stored as ${dtype}${clipped}`, asPrinted(found.stored));
  return rows;
}

function showWay(found) {
  const [y, x] = view.at;
  const value = found.stored ?? found.response;
  byId("sum-title").textContent =
      `output (${y}, ${x})${outputPlane().c > 1 ? `, ${outputNames()[view.channel]}` : ""}` +
      (value === null ? "" : ` = ${number(asPrinted(value))}`);
  if (value === null)
    return byId("ways").replaceChildren(element("p", {class: "faint"}, "Sizes alone: the input has no numbers."));
  byId("ways").replaceChildren(element(
      "table", {class: "way"},
      element(
          "tbody", {},
          ...wayOf(found).map(
              ([label, text]) =>
                  element("tr", {}, element("th", {scope: "row"}, label), element("td", {class: "number"}, text))))));
}

/// Along an axis, the first position that output `from` of a layer reads and the last that output `to` reads.
function positionsRead(layer, {pads, extent}, axis, [from, to]) {
  const stride = layer.stride[axis], pad = pads[axis];
  if (enlarges(layer)) return [Math.ceil((from + pad - extent[axis] + 1) / stride), Math.floor((to + pad) / stride)];
  return [from * stride - pad, to * stride - pad + extent[axis] - 1];
}

const hullOf = (spans) => [Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, to]) => to))];

/// For each step from the shown one back that the output depends on: the rows and columns that it reads of each plane
/// that it reads, by the number of that plane.
function chainOf() {
  const chain = [], needed = new Map([[view.step + 1, {rows: [view.at[0], view.at[0]], cols: [view.at[1], view.at[1]]}]]);
  for (let s = view.step; s >= 0; --s) {
    const outputs = needed.get(s + 1), {layers, source, add} = model.steps[s];
    if (!outputs) continue;
    const read = (axis, span) =>
        hullOf(layers.map((layer, i) => positionsRead(layer, model.plans[s].shapes[i], axis, span)));
    const rows = read(0, outputs.rows), cols = read(1, outputs.cols);
    for (const plane of [source === null ? 0 : source + 1, ...(add === null ? [] : [add + 1])]) {
      const before = needed.get(plane) ?? {rows, cols};
      needed.set(plane, {rows: hullOf([before.rows, rows]), cols: hullOf([before.cols, cols])});
      chain.push({step: s, plane, rows, cols});
    }
  }
  return {chain, needed};
}

let chainFields = [];

/// Of a network: what each step reads, up to the shown one, and the output of that.
function showChainFields() {
  byId("chain-panel").hidden = model.steps.length < 2;
  if (model.steps.length < 2) return;
  const planes = [...model.planes.slice(0, view.step + 1), outputPlane()];
  const figures = planes.map((plane, i) => {
    const channel = i > view.step ? view.channel : i === view.step ? view.inputChannel : 0;
    const name = i === 0 ? "input" : `after ${stepName(i - 1)}`;
    const of = plane.c === 1 || hasColours(plane) || !plane.values ? "" : `, channel ${channel}`;
    const field = new Field(name);
    const cell = (y, x) => {
      const value = valueAt(plane, channel, y, x);
      return {text: value === null ? "" : number(value)};
    };
    showField(field, plane, channel, plane, isSmall(plane) && cell, (c, y, x) => valueAt(plane, c, y, x));
    const caption = element("figcaption", {}, element("b", {}, name), element("br"), `${plane_size(plane)}${of}`);
    return {field, figure: element("figure", {}, caption, field.root)};
  });
  chainFields = figures.map(({field}) => field);
  byId("chain-fields").replaceChildren(...figures.flatMap(({figure}, i) => (i === 0 ? [figure] : [
                                                            element("span", {"aria-hidden": "true"}, "→"), figure
                                                          ])));
}

function showChain() {
  if (model.steps.length < 2) return;
  const text = (name, [from, to]) => (from === to ? `${name} ${from}` : `${name}s ${from} to ${to}`);
  const [y, x] = view.at;
  chainFields.at(-1).mark([{y, x, rows: 1, cols: 1, kind: "here"}]);
  const {chain, needed} = chainOf();
  for (let plane = 0; plane <= view.step; ++plane) {
    const {rows, cols} = needed.get(plane) ?? {};
    chainFields[plane].mark(
        rows ? [{y: rows[0], x: cols[0], rows: rows[1] - rows[0] + 1, cols: cols[1] - cols[0] + 1, kind: "window"}] :
               []);
  }
  const items = chain.map(({step: s, plane, rows, cols}) => {
    const size = `${rows[1] - rows[0] + 1}×${cols[1] - cols[0] + 1}`;
    const of = plane === 0 ? "the input" : `the output of step ${plane}`;
    return element("li", {}, `step ${s + 1} sees ${text("row", rows)} and ${text("column", cols)} of ${of} (${size})`);
  });
  byId("chain-title").textContent =
      `What output (${y}, ${x}) of step ${view.step + 1} depends on: its receptive field in each step`;
  byId("chain").replaceChildren(element("ol", {reversed: true}, ...items));
}
