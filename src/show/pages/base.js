// What all pages share: their data, functions that make elements, and the buttons that change the view.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

/// An HTML element. Attributes named on... are listeners. Text among the children is text, never markup.
function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/// The same for SVG.
function svgElement(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/// A number with at most `digits` significant digits.
function shortNumber(value, digits = 6) {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(digits)));
}

/// Buttons with data-set="NAME=VALUE" set that attribute of the page, or remove it where it is set. The attributes are
/// theme=light, theme=dark and view=projector (base.css).
function listenToViewButtons() {
  const root = document.documentElement;
  const buttons = [...document.querySelectorAll("button[data-set]")];
  const show = () => {
    for (const button of buttons) {
      const [name, value] = button.dataset.set.split("=");
      button.setAttribute("aria-pressed", root.dataset[name] === value);
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const [name, value] = button.dataset.set.split("=");
      if (root.dataset[name] === value) delete root.dataset[name];
      else root.dataset[name] = value;
      show();
      window.dispatchEvent(new Event("resize"));
    });
  }
  for (const button of document.querySelectorAll("button[data-print]")) button.addEventListener("click", () => print());
  show();
}
listenToViewButtons();
