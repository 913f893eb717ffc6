// Two pictures, one on the other with a slider between them, or side by side. Zoom and place are shared.
"use strict";

/// `before` and `after` are {src, height, width, name, note}, where height and width are those of the original.
/// `box` is where `after` lies on `before`, in pixels of `before`: {left, top, width, height}.
function compareView(before, after, box) {
  const state = {split: 50, zoom: 1, x: 0, y: 0, side: false};
  const place = (picture, {left, top, width, height}) => {
    const image = element("img", {src: picture.src, alt: picture.name, draggable: "false"});
    image.style.left = `${(100 * left) / before.width}%`;
    image.style.top = `${(100 * top) / before.height}%`;
    image.style.width = `${(100 * width) / before.width}%`;
    image.style.height = `${(100 * height) / before.height}%`;
    const world = element("div", {class: "world"}, image);
    return {image, world, pane: element("div", {class: "pane"}, world, element("span", {class: "tag"}, picture.name))};
  };
  const panes = [
    place(before, {left: 0, top: 0, width: before.width, height: before.height}),
    place(after, box ?? {left: 0, top: 0, width: before.width, height: before.height}),
  ];
  panes[1].pane.classList.add("above");
  const divider = element("div", {class: "divider", "aria-hidden": "true"});
  const stage = element(
      "div", {
        class: "stage",
        tabindex: "0",
        role: "group",
        "aria-label": `${before.name} and ${after.name}: arrow keys move, + and - zoom, 0 fits`,
      },
      panes[0].pane, panes[1].pane, divider);
  stage.style.setProperty("--ratio", before.width / before.height);

  const split = element(
      "input", {type: "range", min: "0", max: "100", step: "1", "aria-label": "Slider between before and after"});
  const side = element("button", {}, "Side by side");
  const zoomText = element("output", {class: "zoom"});
  const button = (text, label, action) => element("button", {"aria-label": label, title: label, onclick: action}, text);

  const shift = (share) => -100 * share * state.zoom;
  const show = () => {
    stage.dataset.mode = state.side ? "side" : "slider";
    side.setAttribute("aria-pressed", state.side);
    split.disabled = state.side;
    split.value = state.split;
    split.setAttribute("aria-valuetext", `${state.split} % ${before.name}, ${100 - state.split} % ${after.name}`);
    panes[1].pane.style.clipPath = state.side ? "none" : `inset(0 0 0 ${state.split}%)`;
    divider.style.left = `${state.split}%`;
    for (const {image, world} of panes) {
      world.style.transform = `translate(${shift(state.x)}%, ${shift(state.y)}%) scale(${state.zoom})`;
      const shown = image.clientWidth * state.zoom;
      image.classList.toggle("pixels", image.naturalWidth > 0 && shown >= 1.5 * image.naturalWidth);
    }
    zoomText.textContent = `${shortNumber(state.zoom, 3)}x`;
  };
  const move = (x, y) => {
    const most = 1 - 1 / state.zoom;
    state.x = Math.min(most, Math.max(0, x));
    state.y = Math.min(most, Math.max(0, y));
    show();
  };
  /// Zooms so that the point at this share of the pane stays where it is.
  const zoomTo = (zoom, atX = 0.5, atY = 0.5) => {
    const x = state.x + atX / state.zoom, y = state.y + atY / state.zoom;
    state.zoom = Math.min(64, Math.max(1, zoom));
    move(x - atX / state.zoom, y - atY / state.zoom);
  };
  const setSplit = (value) => {
    state.split = Math.round(Math.min(100, Math.max(0, value)));
    show();
  };

  split.addEventListener("input", () => setSplit(Number(split.value)));
  side.addEventListener("click", () => {
    state.side = !state.side;
    show();
  });
  const placeIn = (event) => {
    const pane = (state.side && event.clientX >= panes[1].pane.getBoundingClientRect().left ? panes[1] : panes[0]).pane;
    const area = pane.getBoundingClientRect();
    return {x: (event.clientX - area.left) / area.width, y: (event.clientY - area.top) / area.height};
  };
  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    const at = placeIn(event);
    const width = panes[0].pane.clientWidth;
    const onDivider = !state.side && (state.zoom === 1 || Math.abs(at.x - state.split / 100) * width < 16);
    drag = {onDivider, from: at, x: state.x, y: state.y};
    stage.setPointerCapture(event.pointerId);
    if (onDivider) setSplit(100 * at.x);
  });
  stage.addEventListener("pointermove", (event) => {
    if (drag === null) return;
    const at = placeIn(event);
    if (drag.onDivider)
      setSplit(100 * at.x);
    else
      move(drag.x - (at.x - drag.from.x) / state.zoom, drag.y - (at.y - drag.from.y) / state.zoom);
  });
  for (const end of ["pointerup", "pointercancel"])
    stage.addEventListener(end, () => {
      drag = null;
    });
  stage.addEventListener("dblclick", (event) => {
    const at = placeIn(event);
    zoomTo(state.zoom * 2, at.x, at.y);
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;  // else the page scrolls
    event.preventDefault();
    const at = placeIn(event);
    zoomTo(state.zoom * 2 ** (-event.deltaY / 200), at.x, at.y);
  }, {passive: false});
  stage.addEventListener("keydown", (event) => {
    const step = 0.1 / state.zoom;
    const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    const towards = moves[event.key];
    if (towards && state.zoom > 1)
      move(state.x + step * towards[0], state.y + step * towards[1]);
    else if (towards && towards[0] !== 0 && !state.side)
      setSplit(state.split + 2 * towards[0]);
    else if (event.key === "+" || event.key === "=")
      zoomTo(state.zoom * 1.5);
    else if (event.key === "-")
      zoomTo(state.zoom / 1.5);
    else if (event.key === "0")
      zoomTo(1);
    else
      return;
    event.preventDefault();
  });
  for (const {image} of panes) image.addEventListener("load", show);
  new ResizeObserver(show).observe(stage);

  const notes = [before, after].filter((picture) => picture.note).map((picture) => `${picture.name}: ${picture.note}`);
  const view = element(
      "div", {class: "compare"},
      element(
          "div", {class: "bar controls"}, element("label", {class: "split"}, before.name, split, after.name), side,
          button("-", "Zoom out", () => zoomTo(state.zoom / 1.5)), zoomText,
          button("+", "Zoom in", () => zoomTo(state.zoom * 1.5)),
          button("Fit", "Fit the whole picture", () => zoomTo(1))),
      stage, notes.length > 0 ? element("p", {class: "faint"}, notes.join("; ")) : undefined);
  show();
  return view;
}

/// What a survey's copy does not show of its original.
function pictureNote(survey) {
  const [items, channels, height, width] = survey.shape;
  const notes = [];
  if (items > 1) notes.push(`the first of ${items} items`);
  const [shownHeight, shownWidth] = survey.picture_size ?? [height, width];
  if (shownHeight < height || shownWidth < width) notes.push(`${shownHeight}x${shownWidth}, of ${height}x${width}`);
  if (survey.dtype === "f32")
    notes.push(`black is ${shortNumber(survey.black, 4)}, white is ${shortNumber(survey.white, 4)}`);
  if (survey.histogram.counts.length === 1 && channels > 2) notes.push(`channel 0 of ${channels}`);
  return notes.join(", ");
}

/// A survey's copy for compareView().
function surveyPicture(survey, name) {
  return {src: survey.picture, height: survey.shape[2], width: survey.shape[3], name, note: pictureNote(survey)};
}
