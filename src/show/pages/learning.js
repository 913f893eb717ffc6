// The page of learn: the curve of the loss, how well the kernel fits, and what it makes of the pairs.
"use strict";

function fitRows(report) {
  const rows = [["method", report.method === "gd" ? "gradient descent" : "least squares"]];
  const add = (name, value) => {
    if (value !== null && value !== undefined)
      rows.push([name, typeof value === "number" ? shortNumber(value) : String(value)]);
  };
  add("rate", report.rate);
  add("momentum", report.momentum);
  add("epochs", report.epochs);
  add("ridge", report.ridge);
  if (report.rank !== undefined) add("rank", `${report.rank} of ${report.columns}`);
  const fit = report.fit ?? report;
  add("loss", fit.loss);
  add("mean squared error", fit.mean_squared_error);
  add("R²", fit.r_squared);
  if (report.held_out) {
    add("held out: loss", report.held_out.loss);
    add("held out: mean squared error", report.held_out.mean_squared_error);
    add("held out: R²", report.held_out.r_squared);
  }
  add("unknowns", report.unknowns);
  add("written to", report.output);
  return rows;
}

function lossPanel(curve) {
  if (curve.epochs.length === 0)
    return element(
        "section", {class: "panel"}, element("h2", {}, "Loss"),
        element("p", {}, "Least squares has no epochs: the kernel of least loss is computed at once."));
  const curves = [{name: "learned", kind: "learned", values: curve.losses}];
  if (curve.held_out.length > 0) curves.push({name: "held out", kind: "held-out", values: curve.held_out});
  const positive = curve.losses.filter((loss) => loss > 0);
  const holder = element("div", {class: "curve-holder"});
  const draw = (logarithmic) => holder.replaceChildren(
      curveChart("loss before each step", curve.epochs, curves, logarithmic && positive.length > 0));
  const spreads = positive.length > 0 && Math.max(...positive) / Math.min(...positive) > 20;
  const box = element("input", {type: "checkbox", checked: spreads, onchange: () => draw(box.checked)});
  draw(spreads);
  return element(
      "section", {class: "panel"}, element("h2", {}, "Loss"), element("label", {class: "controls"}, box, "logarithmic"),
      holder);
}

function pairPanel(pair, number) {
  const limit = shortNumber(pair.residual.white, 4);
  const figure = (survey, caption) => element(
      "figure", {}, element("img", {src: survey.picture, alt: caption, class: "alone"}),
      element("figcaption", {}, caption));
  return element(
      "section", {class: "panel"}, element("h2", {}, `Pair ${number}: ${pair.input_name} to ${pair.target_name}`),
      compareView(surveyPicture(pair.target, "target"), surveyPicture(pair.learned, "learned")),
      element(
          "div", {class: "figures pair"}, figure(pair.input, "input"),
          figure(
              pair.residual, `residual, learned minus target: orange above, blue below, full colour from ${limit} on`)),
      element(
          "div", {class: "charts"}, histogramChart("target", pair.target.histogram, {colours: true}),
          histogramChart("residual", pair.residual.histogram, {logarithmic: true})));
}

function showLearning(main) {
  main.append(
      element(
          "div", {class: "panels"}, lossPanel(data.curve),
          element("section", {class: "panel"}, element("h2", {}, "Fit"), facts(fitRows(data.report)))),
      kernelPanel(data.head.kernels));
  data.pairs.forEach((pair, i) => main.append(pairPanel(pair, i + 1)));
  if (data.pairs_in_all > data.pairs.length)
    main.append(
        element("p", {class: "faint"}, `The first ${data.pairs.length} of ${data.pairs_in_all} pairs are shown.`));
}
