// Charts of reports as SVG: histograms, curves and bars of time.
"use strict";

const COLOUR_NAMES = ["red", "green", "blue"];

/// "1.2 %".
const percent = (part, all) => (all > 0 ? `${shortNumber((100 * part) / all, 2)} %` : "0 %");

/// "1.25 s" or "12.5 ms".
function seconds(value) { return value >= 1 ? `${shortNumber(value, 3)} s` : `${shortNumber(value * 1000, 3)} ms`; }

/// A number as short as it can be read: "0.25", "1200", "1e9".
function axisNumber(value) {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential(3).replace(/\.?0*e\+?/, "e") :
                                                      shortNumber(value, 4);
}

function svgText(x, y, text, attributes = {}) { return svgElement("text", {x, y, ...attributes}, text); }

/// About `count` round numbers from `low` to `high`.
function ticks(low, high, count) {
  const raw = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((s) => s * unit >= raw) * unit;
  const list = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12); ++i) list.push(i * step);
  return list;
}

/// A histogram of values (show/survey.h). `kept` are the responses that are stored without clipping, `clipped` how many
/// were not: {low, high, of}, where `of` is the number of responses; `marks` are further values to point at, as [value, name].
function histogramChart(title, histogram, {kept, clipped, marks = [], logarithmic = false, colours = false} = {}) {
  const width = 360, height = 190, left = 8, right = 352, top = 34, bottom = 160;
  const {low, high, counts} = histogram;
  const least = histogram.is_whole ? low + 0.5 : low, most = histogram.is_whole ? high - 0.5 : high;
  const total = counts.flat().reduce((sum, count) => sum + count, 0);
  const x = (value) => left + ((right - left) * (value - low)) / (high - low);
  const inside = (value) => Math.min(right, Math.max(left, x(value)));
  const scale = (count) => (logarithmic ? Math.log1p(count) : count);
  const tallest = Math.max(1e-9, ...counts.flat().map(scale));
  const chart = svgElement("svg", {viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img"});
  chart.append(svgText(left, 14, title, {class: "chart-title"}));

  const notes = [];
  const isClipped = kept !== undefined;
  if (isClipped) {
    for (const [from, to] of [[left, inside(kept[0])], [inside(kept[1]), right]]) {
      if (to > from)
        chart.append(svgElement("rect", {x: from, y: top, width: to - from, height: bottom - top, class: "clipped"}));
    }
    for (const end of kept) {
      if (end > low && end < high)
        chart.append(svgElement("line", {x1: x(end), x2: x(end), y1: top, y2: bottom, class: "clip-line"}));
    }
  }
  if (clipped) {
    notes.push(`clipped: ${clipped.low} low (${percent(clipped.low, clipped.of)}), ${clipped.high} high (${
        percent(clipped.high, clipped.of)})`);
  }

  counts.forEach((bins, colour) => {
    const size = (right - left) / bins.length;
    let path = `M${left},${bottom}`;
    bins.forEach((count, i) => {
      const y = bottom - ((bottom - top) * scale(count)) / tallest;
      path += `V${y.toFixed(1)}H${(left + size * (i + 1)).toFixed(1)}`;
    });
    const name = colours && counts.length === 3 ? COLOUR_NAMES[colour] : "grey";
    chart.append(svgElement("path", {d: `${path}V${bottom}Z`, class: `bins bins-${name}`}));
  });

  // Pixels at the ends of an integer type may be clipped already.
  if (histogram.at_low + histogram.at_high > 0) {
    const size = (right - left) / counts[0].length;
    for (const [count, at] of [[histogram.at_low, left], [histogram.at_high, right - size]]) {
      if (count > 0)
        chart.append(svgElement("rect", {x: at, y: bottom + 1, width: size, height: 5, class: "end-mark"}));
    }
    notes.push(`at ${least}: ${percent(histogram.at_low, total)}, at ${most}: ${percent(histogram.at_high, total)}`);
  }
  if (histogram.not_finite > 0) notes.push(`not finite: ${histogram.not_finite}`);
  for (const [value, name] of marks) {
    if (value < low || value > high) continue;
    chart.append(svgElement("line", {x1: x(value), x2: x(value), y1: top, y2: bottom, class: "mark-line"}));
    chart.append(svgText(
        x(value) + (x(value) > width / 2 ? -3 : 3), top + 10, name,
        {class: "chart-note", "text-anchor": x(value) > width / 2 ? "end" : "start"}));
  }
  chart.append(svgElement("line", {x1: left, x2: right, y1: bottom, y2: bottom, class: "axis"}));
  if (low < 0 && high > 0) {
    chart.append(svgElement("line", {x1: x(0), x2: x(0), y1: bottom, y2: bottom + 4, class: "axis"}));
    if (x(0) > left + 60 && x(0) < right - 60) chart.append(svgText(x(0), bottom + 17, "0", {"text-anchor": "middle"}));
  }
  chart.append(svgText(left, bottom + 17, axisNumber(least)));
  chart.append(svgText(right, bottom + 17, axisNumber(most), {"text-anchor": "end"}));
  if (notes.length > 0) chart.append(svgText(left, 28, notes.join("; "), {class: "chart-note"}));
  const label = `${title}: from ${shortNumber(least)} to ${shortNumber(most)}` +
      (notes.length > 0 ? `; ${notes.join("; ")}` : "");
  chart.setAttribute("aria-label", label);
  return chart;
}

/// Curves over the same x. `curves` are {name, values, kind}; `kind` is a class of report.css.
function curveChart(title, xs, curves, logarithmic) {
  const width = 720, height = 300, left = 70, right = 700, top = 30, bottom = 260;
  const shown = (value) => Number.isFinite(value) && (!logarithmic || value > 0);
  const values = curves.flatMap((curve) => curve.values).filter(shown);
  const chart = svgElement("svg", {viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img"});
  const map = logarithmic ? Math.log10 : (value) => value;
  let low = logarithmic ? map(Math.min(...values)) : 0, high = map(Math.max(...values));
  if (!(high > low)) [low, high] = [low - 1, high + 1];
  const first = xs[0], last = xs.at(-1);
  const x = (value) => left + ((right - left) * (value - first)) / Math.max(1, last - first);
  const y = (value) => bottom - ((bottom - top) * (map(value) - low)) / (high - low);
  const levels = logarithmic && high - low >= 2 ? ticks(low, high, 5).filter(Number.isInteger).map((e) => 10 ** e) :
                                                  ticks(low, high, 5).map((v) => (logarithmic ? 10 ** v : v));
  for (const level of levels) {
    chart.append(svgElement("line", {x1: left, x2: right, y1: y(level), y2: y(level), class: "grid"}));
    chart.append(svgText(left - 6, y(level) + 4, axisNumber(level), {"text-anchor": "end"}));
  }
  for (const epoch of ticks(first, Math.max(last, first + 1), 8).filter(Number.isInteger).filter((e) => e <= last))
    chart.append(svgText(x(epoch), bottom + 18, String(epoch), {"text-anchor": "middle"}));
  chart.append(svgElement("line", {x1: left, x2: right, y1: bottom, y2: bottom, class: "axis"}));
  chart.append(svgText((left + right) / 2, height - 4, "epoch", {"text-anchor": "middle"}));
  curves.forEach((curve, index) => {
    const points = xs.map((value, i) => [value, curve.values[i]]).filter(([, value]) => shown(value));
    const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x(px).toFixed(1)},${y(py).toFixed(1)}`).join("");
    chart.append(svgElement("path", {d: path, class: `curve ${curve.kind}`}));
    if (points.length === 1)
      chart.append(
          svgElement("circle", {cx: x(points[0][0]), cy: y(points[0][1]), r: 4, class: `point ${curve.kind}`}));
    chart.append(svgElement(
        "line",
        {x1: right - 190 + 100 * index, x2: right - 170 + 100 * index, y1: 14, y2: 14, class: `curve ${curve.kind}`}));
    chart.append(svgText(right - 165 + 100 * index, 18, curve.name));
  });
  chart.append(svgText(left, 18, title, {class: "chart-title"}));
  chart.setAttribute(
      "aria-label",
      `${title}, from ${shortNumber(curves[0].values[0], 4)} at epoch ${first} to ${
          shortNumber(curves[0].values.at(-1), 4)} at epoch ${last}`);
  return chart;
}

const STEPS = ["decode", "convolve", "encode"];

/// The steps of one input as parts of a bar, which is as long as `longest` seconds at full width.
function timeBar(times, longest) {
  const bar = svgElement("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "time-bar", role: "img"});
  let at = 0;
  for (const step of STEPS) {
    const width = longest > 0 ? (100 * times[step]) / longest : 0;
    bar.append(svgElement("rect", {x: at, y: 0, width, height: 10, class: `step-${step}`}));
    at += width;
  }
  bar.setAttribute("aria-label", STEPS.map((step) => `${step} ${seconds(times[step])}`).join(", "));
  return bar;
}

const totalTime = (times) => STEPS.reduce((sum, step) => sum + times[step], 0);

/// Bars of the steps with their names and times.
function timings(times) {
  const longest = Math.max(...STEPS.map((step) => times[step]));
  const table = element("table", {class: "timings"});
  for (const step of STEPS) {
    const bar = svgElement(
        "svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "time-bar", "aria-hidden": "true"},
        svgElement(
            "rect",
            {x: 0, y: 0, width: longest > 0 ? (100 * times[step]) / longest : 0, height: 10, class: `step-${step}`}));
    table.append(element(
        "tr", {}, element("th", {scope: "row"}, step), element("td", {class: "number"}, seconds(times[step])),
        element("td", {class: "wide"}, bar)));
  }
  return table;
}
