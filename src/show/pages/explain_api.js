// The comparison with the engine, window.convtool, and the first view.
"use strict";

function showStatus() {
  const node = byId("status");
  if (!model.comparison) {
    node.textContent = "Sizes alone: there are no numbers to compare with the engine's.";
    return;
  }
  const {compared, equal, close, bound, largest, difference} = model.comparison, isFloat = data.result.dtype === "f32";
  if (difference) {
    const {channel, y, x, own, engine} = difference;
    byId("alert").textContent =
        `This page computes ${own} for output (${y}, ${x}) of channel ${channel}, the engine ${engine}. ` +
        `They may differ by rounding of at most ${shortNumber(bound, 3)}. Do not rely on this page.`;
    byId("alert").hidden = false;
  }
  const values = (n) => (n === 1 ? "1 value" : `${n} values`);
  const parts =
      [equal === compared ? `This page agrees with the engine in ${compared === 1 ? "" : "all "}${values(compared)}.` :
                            `This page agrees with the engine in ${equal} of ${values(compared)}`];
  if (equal < compared)
    parts.push(
        close === 0 ? "." :
            isFloat ? `; ${close} differ within the rounding of the engine's floats.` :
                      `; ${close} differ because a rounding tie lies within the rounding of the engine's floats.`);
  if (!isShown(model.shown(model.last), data.at))
    parts.push(` Output (${data.at.join(", ")}) depends on parts of the picture that this page does not have.`);
  if (model.isChanged) parts.push(" The layer has been changed since: what is shown is computed by this page alone.");
  if (model.map.name !== data.result.map)
    parts.push(` The automatic map is now ${model.map.name}, since the weights ${
        model.map.name === "abs" ? "of every output sum to 0, or nearly" : "of some output do not sum to 0"}.`);
  if (model.rangeIsOld)
    parts.push(" The range that the map stretches is still that of the whole picture before the change.");
  const precision = "Numbers are shown with at most 6 digits. The page computes in doubles, the engine in floats" +
      (bound === 0 ? "; the sums are exact in both." :
                     `. The engine's rounding changes a response by at most ${
                         shortNumber(bound, 3)}; the largest response here is ${shortNumber(largest, 3)}.`);
  node.replaceChildren(
      parts.join(""),
      element("details", {class: "controls"}, element("summary", {}, "How they are compared"), precision));
}

/// For tests and the curious. `at` and `output` are about the last step.
window.convtool = {
  version: 1,
  get ok() { return !model.comparison || model.comparison.difference === null; },
  /// How an output comes about. The window, weights and products are lists [channel][row][column]; of combined kernels
  /// those of the first, and `parts` has all.
  at(y, x, channel = 0) {
    const plane = model.shown(model.last);
    if (!isShown(plane, [y, x]) || !(channel >= 0 && channel < plane.c))
      throw new RangeError(
          `the page has rows ${plane.y} to ${plane.y + plane.rows - 1}, columns ${plane.x} to ` +
          `${plane.x + plane.cols - 1} and channels 0 to ${plane.c - 1} of the output`);
    const explained = model.explain(model.last, y, x, channel);
    const parts = explained.parts.map(({terms, kh, kw, sum, response, divisor, bias, activation}) => {
      const nested = (of) => rowsOf(rowsOf(terms.map(of), kw), kh);
      return {
        window: nested((t) => asPrinted(t.input)),
        weights: nested((t) => asPrinted(t.weight)),
        products: nested((t) => t.product),
        sum,
        divisor,
        bias: asPrinted(bias),
        activation,
        response
      };
    });
    const {window: seen, weights, products, sum} = parts[0];
    return {
      window: seen,
      weights,
      products,
      sum,
      response: explained.response,
      stored: asPrinted(explained.stored ?? null),
      clipped: explained.clipped ?? null,
      ...(parts.length > 1 ? {parts} : {})
    };
  },
  /// Changes the step that is shown. Throws an Error, and changes nothing, where the sizes do not fit.
  set(options) {
    const part = currentPart(), shape = plan().shapes[part.layer];
    model.change(view.step, options, part.layer, blockOf(step().layers[part.layer], shape, part.o, 0));
    showAll();
  },
  reset() {
    model.reset();
    showAll();
  },
  /// What is stored, with as many dimensions as `apply` writes. Of a cropped picture, the part that the page has.
  output() {
    const plane = model.stored;
    if (!plane) return null;
    const channels = rowsOf(rowsOf(Array.from(plane.values, asPrinted), plane.cols), plane.rows);
    const {rank} = data.input;
    return rank === 4 ? [channels] : rank === 3 || plane.c > 1 ? channels : channels[0];
  },
};

showAll();
