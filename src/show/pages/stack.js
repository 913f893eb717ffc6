// The page of shape: the layers drawn to scale, and the part of each that one output sees.
"use strict";

/// What each output of a layer sees of the layer's input, along one axis: output j sees `span` places from
/// begin + j * stride on. Receptive fields are in pixels of the network's input, so two of them give it.
function windowAlong(field, before, axis) {
  const unit = before.stride[axis];
  return {
    begin: (field.offset[axis] - before.offset[axis]) / unit,
    span: (field.size[axis] - before.size[axis]) / unit + 1,
    stride: field.stride[axis] / unit
  };
}

/// The tensor that layer `i`, counted from 1, reads.
function readBy(layers, i) { return layers[i - 1].reads ?? i - 1; }

/// For each tensor up to `last`, the rows and columns that the output at [y, x] of tensor `last` sees; they may lie
/// outside. Nothing for tensors that it does not depend on. A sum sees the same place of both its operands.
function seenBy(layers, last, at) {
  const fields = [{size: [1, 1], stride: [1, 1], offset: [0, 0]}, ...layers.map((layer) => layer.receptive_field)];
  const windows = [];
  const see = (tensor, seen) => {
    const before = windows[tensor] ?? seen;
    windows[tensor] = seen.map(
        ({first, last: end}, axis) =>
            ({first: Math.min(first, before[axis].first), last: Math.max(end, before[axis].last)}));
  };
  see(last, at.map((place) => ({first: place, last: place})));
  for (let i = last; i > 0; --i) {
    if (windows[i] === undefined) continue;
    const read = readBy(layers, i), {adds} = layers[i - 1];
    if (adds !== undefined) {
      see(adds, windows[i]);
      see(read, windows[i]);
      continue;
    }
    see(read, windows[i].map((seen, axis) => {
      const {begin, span, stride} = windowAlong(fields[i], fields[read], axis);
      return {first: begin + seen.first * stride, last: begin + seen.last * stride + span - 1};
    }));
  }
  return windows;
}

/// Channels, height and width of the input and of each output.
function stackTensors(report) {
  const tensor = (name, shape) => {
    const [channels, height, width] = shape.slice(-3);
    return {name, channels, height, width};
  };
  return [
    tensor("input", report.input_shape),
    ...report.layers.map((layer, i) => tensor(`${i + 1} ${layer.name}`, layer.output_shape))
  ];
}

/// The tensors as boxes whose faces are height by width, to one scale, and whose depth shows channels. `windows` are
/// marked on the faces.
function stackDrawing(tensors, layers, windows, wanted) {
  const longest = Math.max(...tensors.map((t) => Math.max(t.height, t.width)));
  const most = Math.max(...tensors.map((t) => t.channels));
  const scale = 200 / longest, depthScale = Math.min(60 / most, 12);
  const least = 2, gap = 34, labelWidth = 104;
  const side = (size) => Math.max(least, size * scale);
  const tallest = Math.max(...tensors.map((t) => side(t.height)));
  const deepest = Math.max(...tensors.map((t) => side(t.height) / 2 + 0.7 * t.channels * depthScale));
  const middle = Math.max(deepest, tallest / 2) + 14, foot = middle + tallest / 2;
  let x = 12;
  const boxes = tensors.map((tensor) => {
    const width = side(tensor.width), height = side(tensor.height), depth = Math.max(1, tensor.channels * depthScale);
    const box = {x, y: middle - height / 2, width, height, depth, ...{ tensor }};
    x += Math.max(width + depth * 0.7, labelWidth) + gap;
    return box;
  });
  const height = foot + 62;
  const chart = svgElement("svg", {
    viewBox: `0 0 ${x} ${height}`,
    width: x,
    height,
    class: "stack",
    role: "img",
    "aria-label": "The input and the outputs of the layers as boxes, to scale"
  });
  const points = (list) => list.map((point) => point.map((v) => v.toFixed(1)).join(",")).join(" ");
  /// The window on a face, cut off `beyond` pixels outside it.
  const windowOf = (i, beyond) => {
    if (windows[i] === undefined) return undefined;
    const box = boxes[i], [rows, columns] = windows[i];
    const along = (start, length, size, {first, last}) => {
      const clip = (value) =>
          Math.min(start + length + beyond, Math.max(start - beyond, start + (length * value) / size));
      return [clip(first), clip(last + 1)];
    };
    const [left, right] = along(box.x, box.width, box.tensor.width, columns);
    const [upper, lower] = along(box.y, box.height, box.tensor.height, rows);
    return {x: left, y: upper, width: right - left, height: lower - upper};
  };
  boxes.forEach((box, i) => {
    const dx = box.depth * 0.7, dy = -box.depth * 0.7;
    const {x: left, y: upper, width, height: tall} = box, right = left + width, lower = upper + tall;
    const group = svgElement("g", {class: i === wanted ? "box chosen" : "box"});
    group.append(svgElement("polygon", {
      points: points([[left, upper], [left + dx, upper + dy], [right + dx, upper + dy], [right, upper]]),
      class: "box-top"
    }));
    group.append(svgElement("polygon", {
      points: points([[right, upper], [right + dx, upper + dy], [right + dx, lower + dy], [right, lower]]),
      class: "box-side"
    }));
    group.append(svgElement("rect", {x: left, y: upper, width, height: tall, class: "box-face"}));
    const {tensor} = box;
    const name = tensor.name.length > 16 ? `${tensor.name.slice(0, 15)}…` : tensor.name;
    group.append(svgElement("title", {}, `${tensor.name}: ${tensor.channels}x${tensor.height}x${tensor.width}`));
    [name, `${tensor.channels}x${tensor.height}x${tensor.width}`].forEach(
        (line, row) =>
            group.append(svgText(left, foot + 24 + 15 * row, line, {class: row === 0 ? "chart-title" : ""})));
    chart.append(group);
  });
  for (let i = 0; i < boxes.length; ++i) {
    const window = windowOf(i, 0), next = windowOf(i + 1, 0);
    if (window === undefined) continue;
    if (next !== undefined && readBy(layers, i + 1) === i) {
      for (const [from, to] of [[window.y, next.y], [window.y + window.height, next.y + next.height]])
        chart.append(svgElement("line", {x1: window.x + window.width, y1: from, x2: next.x, y2: to, class: "sight"}));
    }
    chart.append(svgElement("rect", {...window, class: "window"}));
    const reach = windowOf(i, 9);
    if (reach.width > window.width || reach.height > window.height)
      chart.append(svgElement("rect", {...reach, class: "reach"}));
    const [rows, columns] = windows[i];
    chart.append(svgText(
        boxes[i].x, foot + 54, `${rows.last - rows.first + 1}x${columns.last - columns.first + 1}`,
        {class: "window-text"}));
  }
  return chart;
}

function sightText(tensors, windows, last, at) {
  const {height, width} = tensors[0];
  const [rows, columns] = windows[0];
  const outside = rows.first < 0 || columns.first < 0 || rows.last >= height || columns.last >= width;
  return `Output (${at[0]}, ${at[1]}) of ${tensors[last].name} sees rows ${rows.first} to ${rows.last} and columns ${
             columns.first} to ${columns.last} of the input, ` +
      `${rows.last - rows.first + 1}x${columns.last - columns.first + 1} pixels${
             outside ? "; those outside are padding" : ""}.`;
}

function stackPanel(report) {
  const tensors = stackTensors(report), layers = report.layers;
  const holder = element("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": "Drawing of the layers"});
  const sentence = element("p", {"aria-live": "polite"});
  const choice = element(
      "select", {}, ...tensors.slice(1).map((tensor, i) => element("option", {value: String(i + 1)}, tensor.name)));
  choice.value = String(tensors.length - 1);
  const rowInput = element("input", {type: "range", min: "0"}),
        columnInput = element("input", {type: "range", min: "0"});
  const show = () => {
    const last = Number(choice.value), at = [Number(rowInput.value), Number(columnInput.value)];
    const windows = seenBy(layers, last, at);
    holder.replaceChildren(stackDrawing(tensors, layers, windows, last));
    sentence.textContent = sightText(tensors, windows, last, at);
  };
  const choose = () => {
    const {height, width} = tensors[Number(choice.value)];
    for (const [input, size] of [[rowInput, height], [columnInput, width]]) {
      input.max = String(size - 1);
      input.value = String(Math.floor((size - 1) / 2));
    }
    show();
  };
  choice.addEventListener("change", choose);
  rowInput.addEventListener("input", show);
  columnInput.addEventListener("input", show);
  choose();
  return element(
      "section", {class: "panel"}, element("h2", {}, "Layers, to scale"),
      element(
          "div", {class: "bar controls"}, element("label", {}, "Output of", choice),
          element("label", {}, "row", rowInput), element("label", {}, "column", columnInput)),
      sentence, holder,
      element(
          "p", {class: "faint"},
          "Faces are height by width, all to one scale, at least 2 pixels a side; depth shows channels. Marked: the part of each layer that the chosen output sees; dashed where it reaches into padding."));
}

function costTable(report) {
  const {layers} = report;
  const isTimed = layers[0].seconds !== undefined;
  const share = (layer) => (isTimed ? layer.seconds : layer.macs);
  const most = Math.max(...layers.map(share));
  const number = (value) =>
      element("td", {class: "number"}, typeof value === "number" ? value.toLocaleString("en") : value);
  const heads = [
    "layer", isTimed ? "share of time" : "share of MACs", "input → output", "kernel", "parameters", "MACs", "bytes",
    "field", "stride", "fully connected", ...(isTimed ? ["time", "GMAC/s", "algorithm"] : [])
  ];
  const row = (name, input, output, layer, bar) => element(
      "tr", {}, element("th", {scope: "row"}, name), element("td", {class: "time"}, bar ?? ""),
      element("td", {}, `${sizesText(input)} → ${sizesText(output)}`), number(layer.kernel ?? ""),
      number(layer.parameters), number(layer.macs), number(layer.activation_bytes),
      number(sizesText(layer.receptive_field.size)), number(sizesText(layer.receptive_field.stride)),
      number(layer.fully_connected_weights),
      ...(isTimed ?
              [
                number(seconds(layer.seconds)), number(shortNumber(layer.gmac_per_second, 3)),
                element("td", {}, layer.algorithm ?? "")
              ] :
              []));
  const bar = (layer) => svgElement(
      "svg", {
        viewBox: "0 0 100 10",
        preserveAspectRatio: "none",
        class: "time-bar",
        role: "img",
        "aria-label": isTimed ? seconds(layer.seconds) : `${layer.macs} MACs`
      },
      svgElement(
          "rect", {x: 0, y: 0, width: most > 0 ? (100 * share(layer)) / most : 0, height: 10, class: "step-convolve"}));
  return element(
      "section", {class: "panel"}, element("h2", {}, isTimed ? "Sizes, costs and times" : "Sizes and costs"),
      element(
          "div", {class: "scroll"},
          element(
              "table", {class: "costs"},
              element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {scope: "col"}, head)))),
              element(
                  "tbody", {},
                  ...layers.map(
                      (layer, i) =>
                          row(`${i + 1} ${layer.name}`, layer.input_shape, layer.output_shape, layer, bar(layer))),
                  row("all", report.input_shape, report.output_shape, report)))),
      element(
          "p", {class: "faint"},
          "bytes: size of the output in f32; field: receptive field in pixels of the input; fully connected: weights of such a layer between the same shapes."));
}

function showStack(main) {
  const {report} = data;
  if (report.error) main.append(element("p", {class: "alert"}, report.error.message));
  main.append(stackPanel(report), costTable(report));
}
