// Fields: grids of numbers, and pictures, on which a pointer, a touch or the arrow keys choose a place.
"use strict";

const kCell = 44;         // units of SVG
const kMostNumbers = 16;  // larger fields are pictures
const kMostPadded = 40;   // with padding

/// A colour for `share`, from 0 to 1, and one for text on it.
function shade(share) {
  const level = Math.round(255 * clamp(share, 0, 1));
  return {fill: `rgb(${level} ${level} ${level})`, ink: level > 140 ? "#000" : "#fff"};
}

/// A colour for a weight or product: orange above zero, blue below, stronger further from it.
function signShade(share) {
  const colour = share >= 0 ? "var(--positive)" : "var(--negative)";
  return {fill: `color-mix(in srgb, ${colour} ${Math.round(100 * Math.min(Math.abs(share), 1))}%, var(--paper))`};
}

/// An SVG drawing of the cells [y, y + rows) x [x, x + cols). `cell(y, x)` returns {text, kind, fill, ink}; the kind is
/// a class of explain.css. Cells are squares, or wider where a text is long.
function cellsSvg({y, x, rows, cols, cell, label}) {
  const cells = [];
  let longest = 1;
  for (let i = 0; i < rows; ++i)
    for (let j = 0; j < cols; ++j) {
      const content = cell(y + i, x + j);
      cells.push({i, j, content});
      longest = Math.max(longest, (content.text ?? "").length);
    }
  const width = kCell * clamp(longest / 4, 1, 1.75), size = Math.min(18, (width * 1.5) / longest);
  const svg = svgElement("svg", {
    viewBox: `-1 -1 ${cols * width + 2} ${rows * kCell + 2}`,
    class: "cells",
    "aria-hidden": label ? undefined : "true",
    role: label ? "img" : undefined,
    "aria-label": label,
  });
  // Those with a frame of their own come last: their neighbours would cover a part of it.
  const isFramed = ({content}) => /\bin-window\b/.test(content.kind ?? "");
  for (const {i, j, content} of [...cells.filter((c) => !isFramed(c)), ...cells.filter(isFramed)]) {
    const rect =
        svgElement("rect", {x: j * width, y: i * kCell, width, height: kCell, class: `cell ${content.kind ?? ""}`});
    if (content.fill) rect.style.fill = content.fill;
    svg.append(rect);
    if (content.text === undefined || content.text === "") continue;
    const text = svgElement(
        "text",
        {x: (j + 0.5) * width, y: (i + 0.5) * kCell, "font-size": size, class: `cell-text ${content.kind ?? ""}`},
        content.text);
    if (content.ink) text.style.fill = content.ink;
    svg.append(text);
  }
  svg.style.setProperty("--cols", (cols * width) / kCell);
  svg.cellSize = [kCell, width];
  return svg;
}

/// A field that can have the focus. `pick(y, x)` is called for a place that a pointer is over, `press(y, x)` for one
/// that is clicked, and `key(event)` for a key. Without them it is a figure.
class Field {
  constructor(label, listeners) {
    if (!listeners) {
      this.root = element("div", {class: "field still", role: "img", "aria-label": label});
      return;
    }
    const {pick, press, key} = listeners;
    this.root = element("div", {class: "field", tabindex: "0", role: "application", "aria-label": label});
    const place = (event) => {
      const box = this.drawing.getBoundingClientRect(), {y, x, rows, cols} = this.range;
      const at = [
        Math.floor(((event.clientY - box.top) / box.height) * rows),
        Math.floor(((event.clientX - box.left) / box.width) * cols)
      ];
      return [y + clamp(at[0], 0, rows - 1), x + clamp(at[1], 0, cols - 1)];
    };
    const move = (event) => this.range && pick(...place(event));
    this.root.addEventListener("pointermove", move);
    this.root.addEventListener("pointerdown", move);
    this.root.addEventListener("click", (event) => this.range && press && press(...place(event)));
    this.root.addEventListener("keydown", key);
  }

  /// Shows numbers: a range of cells as in cellsSvg().
  showNumbers(range) {
    this.range = range;
    this.drawing = cellsSvg(range);
    this.marks = svgElement("g");
    this.cellSize = this.drawing.cellSize;
    this.drawing.append(this.marks);
    this.root.replaceChildren(this.drawing);
  }

  /// Shows a picture: `colour(c, y, x)` returns the share of full intensity of R, G and B.
  showPicture(range, colour) {
    const {y, x, rows, cols} = range;
    const canvas = element("canvas", {width: cols, height: rows, class: "picture"});
    const context = canvas.getContext("2d"), image = context.createImageData(cols, rows);
    for (let i = 0; i < rows; ++i)
      for (let j = 0; j < cols; ++j) {
        for (const c of [0, 1, 2]) image.data[(i * cols + j) * 4 + c] = 255 * colour(c, y + i, x + j);
        image.data[(i * cols + j) * 4 + 3] = 255;
      }
    context.putImageData(image, 0, 0);
    this.range = range;
    this.drawing = canvas;
    this.marks = svgElement("g");
    this.cellSize = [1, 1];
    const overlay =
        svgElement("svg", {viewBox: `0 0 ${cols} ${rows}`, class: "overlay", "aria-hidden": "true"}, this.marks);
    this.root.replaceChildren(element("div", {class: "frame"}, canvas, overlay));
    this.root.style.setProperty("--ratio", cols / rows);
  }

  /// Shows a rectangle of that shape: of any size, without values.
  showBlank(range) {
    const {rows, cols} = range;
    this.range = range;
    this.marks = svgElement("g");
    this.cellSize = [1, 1];
    this.drawing = svgElement(
        "svg", {viewBox: `0 0 ${cols} ${rows}`, class: "blank", preserveAspectRatio: "none", "aria-hidden": "true"},
        this.marks);
    this.root.replaceChildren(element("div", {class: "frame"}, this.drawing));
    this.root.style.setProperty("--ratio", cols / rows);
  }

  /// Replaces the marks: rectangles {y, x, rows, cols, kind}.
  mark(rectangles) {
    const {y, x} = this.range, [h, w] = this.cellSize;
    this.marks.replaceChildren(...rectangles.map((r) => svgElement("rect", {
                                                   x: (r.x - x) * w,
                                                   y: (r.y - y) * h,
                                                   width: r.cols * w,
                                                   height: r.rows * h,
                                                   class: `mark ${r.kind}`,
                                                 })));
  }
}
