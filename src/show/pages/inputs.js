// The page of apply and edges: the inputs as a table, and one of them in full.
"use strict";

const SHOWN_BY_BROWSERS = /\.(png|jpe?g|webp|bmp|gif)$/i;

const sizesText = (sizes) => sizes.join("x");

const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const isFailed = (input) => input.report.status === "error";

function clippedCount(report) { return report.clipped ? report.clipped.low + report.clipped.high : 0; }

/// Whether a sheet alone is written.
const isSheet = ({sheet, output}) => sheet !== undefined && sheet.output === output;

/// The sizes and the type of the result. Those of the report are the sheet's where a sheet alone is written.
function resultOf({report}) {
  if (!report.output_shape) return undefined;
  if (isSheet(report)) return {shape: report.sheet.result_shape, dtype: report.sheet.result_dtype};
  return {shape: report.output_shape, dtype: report.output_dtype};
}

/// How many numbers the result has.
const valueCount = (input) => resultOf(input).shape.reduce((product, size) => product * size, 1);

/// A picture in the page, or by its file where the page has none.
function pictureSource(survey, link) {
  if (survey?.picture) return survey.picture;
  return data.linked && link !== undefined && SHOWN_BY_BROWSERS.test(link) ? link : undefined;
}

function thumbnail(survey, link) {
  const source = pictureSource(survey, link);
  return source === undefined ? undefined : element("img", {src: source, alt: "", loading: "lazy", class: "thumbnail"});
}

function fileLink(name, link) {
  const text = name === "-" ? "standard stream" : name;
  return link === undefined ? text : element("a", {href: link}, text);
}

/// Where the output of one layer lies on its input: the centre of its first value is that of the first window.
function outputBox(input) {
  const {report} = input;
  if (!report.stride || !report.pads || !report.kernel?.shape || report.pool) return undefined;
  const [kh, kw] = report.kernel.shape.slice(-2);
  const [oh, ow] = resultOf(input).shape.slice(-2);
  const along = (kernel, dilation, pad, stride, count) => {
    const centre = (dilation * (kernel - 1) + 1) / 2 - pad;
    return {begin: centre - stride / 2, size: count * stride};
  };
  const y = along(kh, report.dilation[0], report.pads[0], report.stride[0], oh);
  const x = along(kw, report.dilation[1], report.pads[1], report.stride[1], ow);
  return {left: x.begin, top: y.begin, width: x.size, height: y.size};
}

function factRows(input) {
  const {report} = input, result = resultOf(input), rows = [];
  const add = (name, value) => {
    if (value !== null && value !== undefined && value !== "") rows.push([name, String(value)]);
  };
  if (report.input_shape) add("input", `${sizesText(report.input_shape)} ${report.input_dtype}`);
  if (result) add("output", `${sizesText(result.shape)} ${result.dtype}`);
  if (report.sheet)
    add("sheet",
        `${report.sheet.output}, ${sizesText(report.sheet.shape)}, of ${counted(report.sheet.tiles, "tile")} in ${
            counted(report.sheet.columns, "column")}`);
  if (!report.kernel) return rows;
  const banks = report.layers ?? [report];
  banks.forEach((bank, i) => {
    const name = bank.pool ? `${bank.pool} pool` : bank.kernel.name;
    const parts =
        [bank.add ? `${name}, plus ${bank.add}` :
             bank.kernel.shape ? `${name} ${sizesText(bank.kernel.shape)}` :
                                 name];
    if (!bank.add) parts.push(`stride ${sizesText(bank.stride)}`);
    if (bank.pads && !bank.add)
      parts.push(
          bank.pads.some((pad) => pad > 0) ? `padding ${bank.pads.join(",")} ${bank.padding_mode}` : "padding 0");
    if (bank.dilation && bank.dilation.some((d) => d > 1)) parts.push(`dilation ${sizesText(bank.dilation)}`);
    if (bank.combine !== "none") parts.push(`combine ${bank.combine}`);
    if (bank.from) parts.push(`from ${bank.from}`);
    if (bank.activation) parts.push(`activation ${bank.activation}`);
    add(report.layers ? `layer ${i + 1}` : "kernel", parts.join(", "));
    add(report.layers ? "" : "algorithm",
        `${bank.algorithm}, ${bank.instruction_set}, ${counted(bank.threads, "thread")}`);
  });
  add("map",
      report.map + (report.map_gain > 1 ? ` x${report.map_gain}` : "") +
          (report.signed_zero ? `, ${report.signed_zero} zero` : "") +
          (report.normalize_percentile ? ` from percentile ${report.normalize_percentile.join(" to ")}` : "") +
          (report.threshold !== undefined ? `, threshold ${report.threshold}` : ""));
  if (report.edges) {
    add("edges", report.edges.output_kind + (report.edges.thin ? ", thin" : "") + `, color ${report.edges.color}`);
    if (report.edges.thresholds)
      add("thresholds",
          `${shortNumber(report.edges.thresholds.low)} and ${shortNumber(report.edges.thresholds.high)} (${
              report.edges.thresholds.source})`);
    add("edge pixels", report.edges.edge_pixels);
  }
  if (report.min !== null)
    add("response",
        `${shortNumber(report.min)} to ${shortNumber(report.max)}` +
            (report.mean !== null ? `, mean ${shortNumber(report.mean)}` : ""));
  if (report.clipped && report.map !== "none")
    add("clipped",
        `${report.clipped.low} low, ${report.clipped.high} high (${
            percent(clippedCount(report), input.response_count)})`);
  if (report.nan_count > 0) add("NaN", report.nan_count);
  if (report.memory_needed !== null) add("memory", `at most ${shortNumber(report.memory_needed / 1e6, 3)} MB`);
  return rows;
}

function facts(rows) {
  return element(
      "table", {class: "facts"},
      ...rows.map(([name, value]) => element("tr", {}, element("th", {scope: "row"}, name), element("td", {}, value))));
}

function warningList(warnings) {
  return warnings.length === 0 ? undefined :
                                 element("ul", {class: "warnings"}, ...warnings.map((text) => element("li", {}, text)));
}

function histograms(input) {
  const {report, before, responses, after} = input;
  const charts = element("div", {class: "charts"});
  const draw = (logarithmic) => {
    charts.replaceChildren();
    if (before) charts.append(histogramChart("input", before.histogram, {logarithmic, colours: true}));
    const marks = [];
    if (report.threshold !== undefined) marks.push([report.threshold, "threshold"]);
    if (report.edges?.thresholds)
      marks.push([report.edges.thresholds.low, "low"], [report.edges.thresholds.high, "high"]);
    if (responses) {
      const clipped = report.map !== "none" && report.clipped && clippedCount(report) > 0 ?
          {...report.clipped, of: input.response_count} :
          undefined;
      charts.append(histogramChart("responses", responses.histogram, {logarithmic, kept: input.kept, clipped, marks}));
    }
    if (after) charts.append(histogramChart("output", after.histogram, {logarithmic, colours: true}));
  };
  draw(true);
  const box = element("input", {type: "checkbox", checked: true, onchange: () => draw(box.checked)});
  return element(
      "section", {class: "panel"}, element("h2", {}, "Histograms"),
      element("label", {class: "controls"}, box, "logarithmic counts"), charts);
}

/// "after", or for a tensor of several channels the one that is shown.
function afterName(input) {
  const channels = resultOf(input).shape.at(-3);
  return input.after?.picture_channels === 1 && channels > 2 ? `after: channel 0 of ${channels}` : "after";
}

/// Everything about one input.
function inputDetail(input) {
  const {report, before, after} = input;
  const parts = [];
  if (isFailed(input))
    parts.push(element("p", {class: "alert"}, `${report.error.kind} error: ${report.error.message}`));
  if (report.status === "skipped") parts.push(element("p", {}, "Skipped: its output was there already."));
  const beforeSource = pictureSource(before, isFailed(input) ? undefined : input.input_link),
        afterSource = pictureSource(after, isSheet(report) ? undefined : input.output_link);
  if (report.status === "ok" && beforeSource && afterSource) {
    const picture = (survey, source, shape, name) =>
        survey?.picture ? surveyPicture(survey, name) : {src: source, height: shape.at(-2), width: shape.at(-1), name};
    parts.push(element(
        "section", {class: "panel"}, element("h2", {}, "Before and after"),
        compareView(
            picture(before, beforeSource, report.input_shape, "before"),
            picture(after, afterSource, resultOf(input).shape, afterName(input)), outputBox(input))));
  } else if (beforeSource) {
    parts.push(element(
        "section", {class: "panel"}, element("h2", {}, "Before"),
        element("img", {src: beforeSource, alt: "the input", class: "alone"})));
  }
  if (input.sheet?.picture)
    parts.push(element(
        "section", {class: "panel"}, element("h2", {}, "Sheet"),
        element("img", {src: input.sheet.picture, alt: "the channels of the result as tiles", class: "alone"})));
  if (before || after) parts.push(histograms(input));
  const panels = [], rows = factRows(input);
  if (rows.length > 0)
    panels.push(element("section", {class: "panel"}, element("h2", {}, "What was done"), facts(rows)));
  if (report.seconds)
    panels.push(element("section", {class: "panel"}, element("h2", {}, "Time"), timings(report.seconds)));
  if (report.warnings.length > 0)
    panels.push(element("section", {class: "panel"}, element("h2", {}, "Warnings"), warningList(report.warnings)));
  parts.push(element("div", {class: "panels"}, ...panels));
  return parts;
}

/// A column that the table has only if there are warnings.
const WARNINGS = {
  name: "Warnings",
  key: (input) => input.report.warnings.length,
  isNumber: true
};

const COLUMNS = [
  {name: "#", key: (input) => input.number, isNumber: true},
  {name: "Picture"},
  {name: "Input", key: (input) => input.report.input},
  {name: "Status", key: (input) => ["error", "ok", "skipped"].indexOf(input.report.status)},
  {name: "Output", key: (input) => input.report.output ?? ""},
  {name: "Size", key: (input) => (input.report.output_shape ? valueCount(input) : -1), isNumber: true},
  {
    name: "Clipped",
    key: (input) => (input.report.clipped ? clippedCount(input.report) / input.response_count : -1),
    isNumber: true
  },
  WARNINGS,
  {name: "Time", key: (input) => (input.report.seconds ? totalTime(input.report.seconds) : -1), isNumber: true},
];

const ROWS_AT_ONCE = 500;

/// The table of all inputs. `select` is called with an input whose details are to be shown.
function inputTable(inputs, select) {
  const longest = Math.max(...inputs.map((input) => (input.report.seconds ? totalTime(input.report.seconds) : 0)));
  const body = element("tbody");
  const isWarned = inputs.some((input) => input.report.warnings.length > 0);
  const columns = COLUMNS.filter((column) => column !== WARNINGS || isWarned);
  const heads = columns.map((column) => {
    const head = element("th", {scope: "col", class: column.isNumber ? "number" : undefined});
    head.append(
        column.key ? element("button", {class: "sort", onclick: () => sortBy(column)}, column.name) : column.name);
    return head;
  });
  const more = element("button", {class: "controls"});

  // Failures come first until another order is chosen.
  let order = [...inputs].sort((a, b) => isFailed(b) - isFailed(a) || a.number - b.number);
  let sorted = null, descending = false, shown = ROWS_AT_ONCE;

  const cell = (content, isNumber) => element("td", {class: isNumber ? "number" : undefined}, content ?? "");

  /// The cells behind the status of an input that did not fail.
  const outcome = (input) => {
    const {report} = input, cells = [];
    cells.push(element("td", {class: "outcome"}, report.output ? fileLink(report.output, input.output_link) : ""));
    cells.push(cell(report.output_shape ? sizesText(resultOf(input).shape) : "", true));
    const clips = report.clipped && report.map !== "none";
    cells.push(cell(clips ? percent(clippedCount(report), input.response_count) : "", true));
    const {warnings} = report;
    if (columns.includes(WARNINGS))
      cells.push(cell(warnings.length > 0 ? element("span", {title: warnings.join("\n")}, warnings.length) : "", true));
    if (!report.seconds) return [...cells, cell("")];
    const time = element("span", {class: "number"}, seconds(totalTime(report.seconds)));
    return [...cells, element("td", {class: "time"}, time, timeBar(report.seconds, longest))];
  };
  const row = (input) => {
    const {report} = input, failed = isFailed(input);
    const name = report.input === "-" ? "standard input" : report.input;
    const pictures = element(
        "td", {class: "pictures"}, thumbnail(input.before, failed ? undefined : input.input_link),
        thumbnail(input.after, report.status === "ok" ? input.output_link : undefined));
    const rest = failed ? [element("td", {class: "outcome", colspan: columns.length - 4}, report.error.message)] :
                          outcome(input);
    return element(
        "tr", {class: `status-${report.status}`, "data-number": String(input.number)}, cell(String(input.number), true),
        pictures, element("th", {scope: "row"}, element("button", {class: "name", onclick: () => select(input)}, name)),
        cell(failed ? "failed" : report.status), ...rest);
  };
  const show = () => {
    body.replaceChildren(...order.slice(0, shown).map(row));
    const left = order.length - shown;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(left, ROWS_AT_ONCE)} more`;
    columns.forEach((column, i) => {
      if (column === sorted)
        heads[i].setAttribute("aria-sort", descending ? "descending" : "ascending");
      else
        heads[i].removeAttribute("aria-sort");
    });
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", {numeric: true}) : a - b);
  function sortBy(column) {
    descending = column === sorted && !descending;
    sorted = column;
    order.sort((a, b) => (descending ? -1 : 1) * compare(column.key(a), column.key(b)) || a.number - b.number);
    show();
  }
  more.addEventListener("click", () => {
    shown += ROWS_AT_ONCE;
    show();
  });
  show();
  const legend =
      element("p", {class: "faint legend"}, ...STEPS.map((step) => element("span", {class: `key step-${step}`}, step)));
  return element(
      "div", {},
      element(
          "div", {class: "scroll"},
          element("table", {class: "inputs"}, element("thead", {}, element("tr", {}, ...heads)), body)),
      more, legend);
}

function showInputs(main) {
  const inputs = data.inputs.map((input, i) => ({...input, number: i + 1}));
  const failed = inputs.filter(isFailed);
  if (failed.length > 0 && inputs.length > 1)
    main.append(element("p", {class: "alert", role: "status"}, `${failed.length} of ${inputs.length} inputs failed.`));
  if (data.not_started > 0)
    main.append(element(
        "p", {class: "alert"}, `The run was stopped: ${data.not_started} inputs were not started, and are not shown.`));
  const detail = element("section", {class: "detail"});
  const show = (input) => {
    const name = input.report.input === "-" ? "standard input" : input.report.input;
    const heading = element("h2", {class: "detail-title", tabindex: "-1"}, name);
    const step = (text, by) => {
      const next = inputs[input.number - 1 + by];
      return element("button", {disabled: next === undefined, onclick: () => select(next)}, text);
    };
    const head = element(
        "div", {class: "bar"}, heading,
        element("span", {class: "bar controls"}, step("Previous", -1), step("Next", 1)));
    detail.replaceChildren(...(inputs.length > 1 ? [head] : []), ...inputDetail(input));
    for (const row of document.querySelectorAll("tr[data-number]"))
      row.toggleAttribute("aria-current", row.dataset.number === String(input.number));
  };
  const select = (input) => {
    show(input);
    detail.querySelector("h2").focus();
    detail.scrollIntoView({block: "start"});
  };
  if (inputs.length > 1)
    main.append(element("section", {class: "panel"}, element("h2", {}, "Inputs"), inputTable(inputs, select)));
  main.append(detail);
  if (inputs.length > 0) show(inputs.find((input) => input.report.status === "ok") ?? failed[0] ?? inputs[0]);
}
