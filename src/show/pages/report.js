// Puts the page of --report together.
"use strict";

function kernelPanel(kernels) {
  return element(
      "section", {class: "panel"}, element("h2", {}, kernels.length > 1 ? "Kernels" : "Kernel"),
      element(
          "div", {class: "figures"},
          ...kernels.map(
              (kernel) => element(
                  "figure", {}, element("img", {src: `data:image/svg+xml,${encodeURIComponent(kernel.svg)}`, alt: ""}),
                  element("figcaption", {}, kernel.caption)))));
}

function headPanels() {
  const {command, options, kernels} = data.head;
  const panels = [];
  if (kernels.length > 0 && data.kind !== "learn") panels.push(kernelPanel(kernels));
  const rows =
      Object.entries(options).flatMap(([name, values]) => values.map((value) => [name, value === "true" ? "" : value]));
  panels.push(element(
      "section", {class: "panel"}, element("h2", {}, "Options"), element("p", {}, element("code", {}, command)),
      rows.length > 0 ? element(
                            "table", {class: "facts"},
                            ...rows.map(
                                ([name, value]) => element(
                                    "tr", {}, element("th", {scope: "row"}, element("code", {}, name)),
                                    element("td", {}, element("code", {}, value))))) :
                        undefined));
  return element("div", {class: "panels"}, ...panels);
}

/// One picture's page is about that picture.
function nameTitle() {
  let name;
  if (data.kind === "batch" && data.inputs.length === 1) name = data.inputs[0].report.input;
  if (data.kind === "shape") name = `${sizesText(data.report.input_shape)} to ${sizesText(data.report.output_shape)}`;
  if (name === undefined) return;
  document.title = `${data.head.command}: ${name}`;
  document.querySelector("h1").textContent = document.title;
}

{
  nameTitle();
  const main = document.querySelector("main");
  const kinds = {batch: showInputs, learn: showLearning, shape: showStack};
  kinds[data.kind](main);
  main.append(headPanels());
}
