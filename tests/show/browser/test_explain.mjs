// The page of `convtool explain`, compared with `explain --json` and `apply`.

import assert from "node:assert/strict";
import {copyFileSync, readFileSync, statSync, writeFileSync} from "node:fs";
import {test} from "node:test";

import {convtool, inFolder, randomNumbers, sample, withPage} from "./support.mjs";

const kGrid = "[[0,1,2],[3,4,5],[6,7,8]]";

/// What `explain --json` says of an output, in the form of convtool.at().
function explained(args, y, x, channel) {
  const json = JSON.parse(convtool("explain", ...args, "--at", `${y},${x}`, "--channel", String(channel), "--json"));
  const last = {...json, ...json.layers?.[0]}, {response} = json;
  const {terms, sum, stored, clipped} = last.parts ? {...last, ...last.parts[0]} : last;
  return {
    input: terms.map((t) => t.input),
    weight: terms.map((t) => t.weight),
    product: terms.map((t) => t.product),
    sum,
    response,
    stored,
    clipped
  };
}

/// Compares what the page says of an output with what the program says. Products and stored values are equal; a
/// response may differ in the last bits of a double, where the engine's is a float.
async function checkOutput(page, args, y, x, channel = 0) {
  const said = await page.evaluate(([y, x, c]) => convtool.at(y, x, c), [y, x, channel]);
  const expected = explained(args, y, x, channel), where = `output (${y}, ${x}), channel ${channel}`;
  assert.deepEqual(said.window.flat(2), expected.input, where);
  assert.deepEqual(said.weights.flat(2), expected.weight, where);
  assert.deepEqual(said.products.flat(2), expected.product, where);
  if (expected.sum !== null)  // a max pool has none
    assert.ok(Math.abs(said.sum - expected.sum) <= 1e-12 * Math.max(1, ...expected.product.map(Math.abs)), where);
  assert.equal(said.stored, expected.stored, where);
  assert.equal(said.clipped, expected.clipped, where);
}

/// How many sheets of paper the page takes.
async function sheetsOf(page) {
  return (await page.pdf({format: "A4"})).toString("latin1").match(/\/Type \/Page\b/g).length;
}

/// Moves the pointer to the middle of a cell of a field; `range` is [y, x, rows, cols].
async function hover(page, field, [top, left, rows, cols], y, x) {
  const box = await page.locator(`#${field} canvas, #${field} svg.cells`).first().boundingBox();
  await page.mouse.move(box.x + ((x - left + 0.5) / cols) * box.width, box.y + ((y - top + 0.5) / rows) * box.height);
}

const text = (page, id) => page.locator(`#${id}`).innerText();
const isOk = (page) => page.evaluate(() => convtool.ok);
const output = (page) => page.evaluate(() => convtool.output());

test("a 3x3 input: hovering an output shows the numbers of explain --json", async () => {
  const args = [kGrid, "-k", "[[0,1],[2,3]]"];
  convtool("explain", ...args, "-o", "grid.html");
  await withPage("grid.html", {}, async (page) => {
    assert.equal(await isOk(page), true);
    assert.deepEqual(await output(page), [[19, 25], [37, 43]]);
    for (const [y, x] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      await hover(page, "output-field", [0, 0, 2, 2], y, x);
      const expected = explained(args, y, x, 0);
      assert.equal(await text(page, "sum-title"), `output (${y}, ${x}) = ${expected.stored}`);
      const cells = (kind) => page.locator(`#products text.${kind}`).allTextContents();
      assert.deepEqual((await cells("window")).map(Number), expected.input);
      assert.deepEqual((await cells("weight")).map(Number), expected.weight);
      assert.deepEqual((await cells("product")).map(Number), expected.product);
      assert.match(await text(page, "ways"), new RegExp(`sum of 4 products\\s+${expected.sum}\\s`));
      await checkOutput(page, args, y, x);
    }
    await hover(page, "input-field", [0, 0, 3, 3], 1, 1);
    assert.match(await text(page, "input-caption"), /^4 outputs see row 1, column 1/);
    assert.equal(await page.locator(".mark.seeing").count(), 4);
    await hover(page, "input-field", [0, 0, 3, 3], 0, 2);
    assert.match(await text(page, "input-caption"), /^1 output sees row 0, column 2/);
  });
});

test("the automatic map follows the weights", async () => {
  const next = randomNumbers(3);
  const pixels = Array.from({length: 48}, () => Math.floor(next() * 256)).join(" ");
  writeFileSync(inFolder("automatic.pgm"), `P2\n8 6\n255\n${pixels}\n`);
  const args = (...more) => ["automatic.pgm", "-k", ...more];
  convtool("explain", ...args("[[1,-1]]"), "-o", "automatic.html");
  const set = (page, options) => page.evaluate((o) => convtool.set(o), options);
  await withPage("automatic.html", {}, async (page) => {
    const check = async (kernel, map, options = {}, words = []) => {
      await set(page, {weight: JSON.parse(kernel), ...options});
      for (const [y, x] of [[0, 0], [1, 2], [2, 1]]) await checkOutput(page, args(kernel, ...words), y, x);
      assert.equal(await page.evaluate(() => model.map.name), map);
    };
    await checkOutput(page, args("[[1,-1]]"), 1, 1);
    await check("[[1,1]]", "clip");
    assert.match(
        await text(page, "status"), /The automatic map is now clip, since the weights of some output do not sum to 0/);
    await check("[[0.1,-0.1]]", "abs");  // times 64
    await check("[[0.1,-0.1]]", "abs", {stride: 2}, ["--stride", "2"]);
    await check("[[0.6,-0.6]]", "abs", {stride: 1});
    await check("[[0.1,0.2,-0.3]]", "abs");    // 0 up to rounding
    await check("[[0.1,0.2,-0.301]]", "abs");  // nearly 0
    await check("[[0.1,0.2,-0.31]]", "clip");
    await check("[[0.25,-0.25,0.25,-0.25]]", "abs");  // no edge gives half of the range
    await page.evaluate(() => convtool.reset());
    await checkOutput(page, args("[[1,-1]]"), 1, 1);
  });

  convtool("explain", ...args("[[1,-1]]", "--map", "clip"), "-o", "given.html");
  await withPage("given.html", {}, async (page) => {
    await set(page, {weight: [[-1, 1]]});
    await checkOutput(page, args("[[-1,1]]", "--map", "clip"), 1, 2);
  });
  convtool("explain", ...args("[[1,1]]", "--threshold", "200", "--depth", "u16"), "-o", "threshold.html");
  await withPage("threshold.html", {}, async (page) => {
    await set(page, {weight: [[1, -1]]});
    for (const x of [0, 1, 2, 3])
      await checkOutput(page, args("[[1,-1]]", "--threshold", "200", "--depth", "u16"), 1, x);
  });
});

test("the controls change the layer as the options of apply do", async () => {
  const input = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [1, 3, 5, 7, 9], [2, 4, 6, 8, 0], [9, 7, 5, 3, 1]];
  writeFileSync(inFolder("input.json"), JSON.stringify(input));
  const base = ["input.json", "-k", "[[1,0,-1],[2,1,3],[0,1,4]]"];
  convtool("explain", ...base, "-o", "controls.html");
  const applied = (...options) => JSON.parse(convtool("apply", ...base, ...options, "-o", "-", "-q"));
  await withPage("controls.html", {}, async (page) => {
    const fillIn = async (id, value) => {
      await page.locator(`#${id}`).fill(value);
      await page.keyboard.press("Enter");
    };
    await fillIn("stride", "2");
    assert.deepEqual(await output(page), applied("--stride", "2"));
    assert.match(await text(page, "size-height"), /^⌊\(5 \+ 0 \+ 0 − \(1·\(3 − 1\) \+ 1\)\) \/ 2⌋ \+ 1 = 2$/);
    await page.locator("[data-more=padding]").click();
    assert.deepEqual(await output(page), applied("--stride", "2", "--padding", "1"));
    for (const mode of ["reflect", "symmetric", "replicate", "circular", "zeros"]) {
      await page.locator("#padding_mode").selectOption(mode);
      assert.deepEqual(await output(page), applied("--stride", "2", "--padding", "1", "--padding-mode", mode), mode);
    }
    await page.locator("[data-less=stride]").click();
    for (const padding of ["same", "full", "0x2", "same_lower"]) {
      await fillIn("padding", padding);
      assert.deepEqual(await output(page), applied("--padding", padding), padding);
    }
    await fillIn("padding", "1,0,2,3");
    assert.deepEqual(await output(page), applied("--pads", "1,0,2,3"));
    await fillIn("padding", "same");
    await page.locator("[data-more=dilation]").click();
    assert.deepEqual(await output(page), applied("--padding", "same", "--dilation", "2"));
    await page.locator("#flip").check();
    assert.deepEqual(await output(page), applied("--padding", "same", "--dilation", "2", "--flip"));
    await page.getByLabel("weight in row 0, column 1").fill("2,5");
    await page.keyboard.press("Tab");
    const changed = [base[0], "-k", "[[1,2.5,-1],[2,1,3],[0,1,4]]", "--padding", "same", "--dilation", "2", "--flip"];
    assert.deepEqual(await output(page), JSON.parse(convtool("apply", ...changed, "-o", "-", "-q")));
    await checkOutput(page, changed, 2, 3);
    assert.match(await text(page, "status"), /has been changed/);

    const before = await output(page);
    await fillIn("dilation", "9");
    await fillIn("padding", "0");
    assert.match(await text(page, "problem"), /the kernel is larger than the padded input/);
    await fillIn("stride", "0");
    assert.match(await text(page, "problem"), /must be at least 1/);
    await page.locator("#reset").click();
    assert.equal(await page.locator("#problem").isHidden(), true);
    assert.deepEqual(await output(page), applied());
    assert.notDeepEqual(before, applied());

    assert.equal(
        await page.evaluate(() => {
          convtool.set({
            stride: [2, 1],
            padding: "same",
            padding_mode: "reflect",
            dilation: 1,
            flip: true,
            weight: [[1, 2], [3, 4]]
          });
          return document.getElementById("stride").value;
        }),
        "2x1");
    assert.deepEqual(
        await output(page),
        JSON.parse(convtool(
            "apply", base[0], "-k", "[[1,2],[3,4]]", "--stride", "2x1", "--padding", "same", "--padding-mode",
            "reflect", "--flip", "-o", "-", "-q")));
    await assert.rejects(page.evaluate(() => convtool.set({weight: [[1, 2], [3]]})), /not a block of numbers/);
    await assert.rejects(page.evaluate(() => convtool.set({padding_mode: "mirror"})), /not one of zeros/);
  });
});

test("photographs", async () => {
  const layer = {weight: [], bias: [10, -20, 30]}, random = randomNumbers(7);
  for (let o = 0; o < 3; ++o)
    layer.weight.push(Array.from(
        {length: 3},
        () => Array.from({length: 3}, () => Array.from({length: 3}, () => Math.round(random() * 20 - 9) / 16))));
  writeFileSync(inFolder("layer.json"), JSON.stringify(layer));
  for (const [name, args, outputs] of [
           ["grey", [sample("camera.png"), "-k", "sobel-x", "--gray"], [[120, 80], [0, 0], [200, 201]]],
           [
             "colour", [sample("coffee.png"), "-k", "layer.json", "--stride", "2", "--padding", "1"],
             [[0, 0], [50, 60], [17, 100]]
           ],
           ["bank", [sample("camera.png"), "-k", "sobel"], [[120, 80], [5, 6]]],
           ["signed", [sample("camera.png"), "-k", "sobel-x", "--map", "signed"], [[100, 110]]],
           ["floats", [sample("coffee.png"), "-k", "gaussian:sigma=9", "--depth", "f32"], [[60, 80]]],
  ]) {
    convtool("explain", ...args, "-o", `${name}.html`);
    await withPage(`${name}.html`, {}, async (page) => {
      assert.equal(await isOk(page), true, name);
      const channels = await page.evaluate(() => convtool.output().length);
      for (const [y, x] of outputs)
        for (let c = 0; c < channels; ++c) await checkOutput(page, args, y, x, c);
      const [rows, cols] = await page.evaluate(() => [convtool.output()[0].length, convtool.output()[0][0].length]);
      await hover(page, "output-field", [0, 0, rows, cols], 30, 40);
      const {stored} = explained(args, 30, 40, 0);
      const [, shown] = (await text(page, "sum-title")).match(/^output \(30, 40\).* = (\S+)$/);
      assert.ok(Math.abs(Number(shown) - stored) <= 1e-5 * Math.abs(stored), name);  // shown with six digits
    });
  }
});

test("a large photograph is a page of at most 3 MB, around the place that is asked for", async () => {
  const random = randomNumbers(3), [h, w] = [2160, 3840];
  const pixels = Buffer.from(Array.from({length: h * w * 3}, () => Math.floor(random() * 256)));  // does not compress
  writeFileSync(inFolder("noise.ppm"), Buffer.concat([Buffer.from(`P6 ${w} ${h} 255\n`), pixels]));
  const args = ["noise.ppm", "-k", "gaussian:sigma=2"];
  convtool("explain", ...args, "--at", "2100,3800", "-o", "noise.html");
  assert.ok(statSync(inFolder("noise.html")).size <= 3e6);
  await withPage("noise.html", {}, async (page) => {
    assert.equal(await isOk(page), true);
    assert.match(await text(page, "sum-title"), /^output \(2100, 3800\)/);
    await checkOutput(page, args, 2100, 3800, 1);
    await checkOutput(page, args, h - 1, w - 1, 2);
    await assert.rejects(page.evaluate(() => convtool.at(0, 0, 0)), /the page has rows/);
    assert.match(await text(page, "input-caption"), /of the input/);
    assert.equal(await page.locator("#overview img").count(), 1);
  });
});

test("random problems", async () => {
  const random = randomNumbers(19), pick = (...list) => list[Math.floor(random() * list.length)];
  const block = (sizes, value) =>
      sizes.length === 0 ? value() : Array.from({length: sizes[0]}, () => block(sizes.slice(1), value));
  for (let i = 0; i < 16; ++i) {
    const whole = random() < 0.5, value = () => whole ? Math.round(random() * 20 - 10) : Math.fround(random() * 4 - 2);
    const groups = pick(1, 1, 2), perGroup = pick(1, 2), kh = pick(1, 2, 3), kw = pick(1, 2, 3, 4);
    const input = block([groups * perGroup, pick(4, 7, 20), pick(5, 6, 9)], value);
    const layer = {
      weight: block([groups * pick(1, 2), perGroup, kh, kw], value),
      groups,
      stride: pick(1, 2, 3),
      dilation: pick(1, 1, 2),
      padding: pick("valid", "same", "full", 1),
      padding_mode: pick("zeros", "constant", "symmetric", "replicate", "circular"),
      activation: pick("none", "relu", "abs"),
      divisor: pick(1, 9, 0.5),
    };
    if (layer.padding_mode === "constant") layer.padding_value = value();
    if (random() < 0.5) layer.bias = block([layer.weight.length], value);
    const dilated = layer.dilation * (Math.max(kh, kw) - 1) + 1;
    if (dilated > Math.min(input[0].length, input[0][0].length)) layer.dilation = 1;
    writeFileSync(inFolder("k.json"), JSON.stringify(layer));
    writeFileSync(inFolder("x.json"), JSON.stringify(input));
    const args =
        ["x.json", "-k", "k.json", ...pick([], ["--flip"]), ...pick([], [], ["--map", "normalize"], ["--map", "abs"])];
    convtool("explain", ...args, "-o", "random.html");
    await withPage("random.html", {}, async (page) => {
      assert.equal(await isOk(page), true, JSON.stringify({args, layer, input}));
      const result = await output(page), c = Math.floor(random() * result.length);
      const y = Math.floor(random() * result[0].length), x = Math.floor(random() * result[0][0].length);
      const said = await page.evaluate((at) => convtool.at(...at), [y, x, c]), expected = explained(args, y, x, c);
      assert.deepEqual(said.window.flat(2), expected.input);
      assert.deepEqual(said.weights.flat(2), expected.weight);
    });
  }
});

test("a network with a pool: each step is a tab, and a value leads back to its own", async () => {
  const random = randomNumbers(5),
        input = Array.from({length: 12}, () => Array.from({length: 12}, () => Math.round(random() * 9)));
  writeFileSync(inFolder("net.json"), JSON.stringify({
    layers: [
      {weight: [[[[1, 0], [0, -1]]], [[[0, 1], [1, 0]]]], activation: "relu"},
      {pool: "max", size: 2, stride: 2},
      {weight: [[[[1, 2], [3, 4]], [[0, 1], [0, 0]]]], padding: 1},
    ]
  }));
  writeFileSync(inFolder("digits.json"), JSON.stringify(input));
  const args = ["digits.json", "-k", "net.json"];
  convtool("explain", ...args, "-o", "net.html");
  await withPage("net.html", {}, async (page) => {
    assert.equal(await isOk(page), true);
    assert.deepEqual((await output(page)).flat(2), JSON.parse(convtool("apply", ...args, "-o", "-", "-q")).flat(2));
    const tabs = page.locator("#steps [role=tab]");
    assert.equal(await tabs.count(), 3);
    const layers = JSON.parse(convtool("explain", ...args, "--at", "2,2", "--json")).layers;
    await hover(page, "output-field", [0, 0, 6, 6], 2, 2);
    for (const [i, {window: {y, x}}] of layers.slice(0, 1).entries())
      assert.match(
          await page.locator("#chain li").nth(i).innerText(),
          new RegExp(`rows ${y[0]} to ${y[1]} and columns ${x[0]} to ${x[1]}`));
    const whole = layers[2].receptive_field;
    assert.match(
        await page.locator("#chain li").nth(2).innerText(),
        new RegExp(`rows ${whole.y[0]} to ${whole.y[1]} and columns ${whole.x[0]} to ${whole.x[1]} of the input`));
    // The receptive field is marked in the figure of the input.
    assert.equal(await page.locator("#chain-fields .field").count(), 4);
    const kCell = 44, mark = page.locator("#chain-fields .field").nth(0).locator("rect.mark");
    const places = await mark.evaluate((rect) => ["y", "x", "height", "width"].map((name) => rect.getAttribute(name)));
    assert.deepEqual(
        places.map((length) => length / kCell),
        [whole.y[0], whole.x[0], whole.y[1] - whole.y[0] + 1, whole.x[1] - whole.x[0] + 1]);
    const box = await page.locator("#input-field svg.cells").boundingBox();  // of 5x5 values and padding
    await page.mouse.click(box.x + (2.5 / 7) * box.width, box.y + (3.5 / 7) * box.height);
    assert.equal(await tabs.nth(1).getAttribute("aria-selected"), "true");
    assert.match(await text(page, "sum-title"), /^output \(2, 1\)/);
    await tabs.nth(0).click();
    assert.match(await text(page, "input-title"), /^Input 1×12×12/);
  });
});

/// Whether the page shows what `apply` writes, and at some outputs the terms of `explain --json`.
async function checkPage(page, args, random, what) {
  assert.equal(await isOk(page), true, what);
  const result = await output(page);
  const floats = (values) => values.flat(2).map(Math.fround);  // the shortest text of a float may be one of two
  assert.deepEqual(floats(result), floats(JSON.parse(convtool("apply", ...args, "-o", "-", "-q"))), what);
  for (let i = 0; i < 4; ++i) {
    const below = (n) => Math.floor(random() * n);
    const [c, y, x] = [below(result.length), below(result[0].length), below(result[0][0].length)];
    await checkOutput(page, args, y, x, c);
  }
}

test("random layers that enlarge, pools of unequal windows, and residual blocks", async () => {
  const random = randomNumbers(23), pick = (...list) => list[Math.floor(random() * list.length)];
  const block = (sizes) => sizes.length === 0 ? Math.round(random() * 20 - 10) :
                                                Array.from({length: sizes[0]}, () => block(sizes.slice(1)));
  const activation = () => pick("none", "none", "relu", "abs");
  const transposed = (c_i, c_o) => ({
    transposed: true,
    weight: block([c_i, c_o, pick(1, 2, 3, 4), pick(2, 3)]),
    stride: [pick(1, 2, 3), pick(2, 4)],
    dilation: [pick(1, 2), 1],
    padding: [pick(0, 1), 0],
    output_padding: [0, 1],
    bias: block([c_o]),
    activation: activation()
  });
  const kinds = [
    (c) => transposed(c, pick(1, 2)),
    () => ({upsample: "nearest", scale: [pick(1, 2, 3), pick(1, 2)], activation: activation()}),
    () => ({upsample: "bilinear", scale: [pick(1, 2, 4), pick(1, 2, 4)], activation: activation()}),
    () => ({
      pool: "mean",
      size: pick(2, 4),
      stride: 2,
      padding: 1,
      ceil_mode: pick(true, false),
      count_include_pad: pick(true, false),
      activation: activation()
    }),
    () => ({pool: "max", size: 3, stride: 2, padding: 1, ceil_mode: true, activation: "abs"}),
  ];
  for (let i = 0; i < 20; ++i) {
    const c = pick(1, 2), h = pick(4, 5, 7), w = pick(5, 6);
    const last = kinds[i % kinds.length](c), conv = () => ({weight: block([c, c, 3, 3]), padding: 1});
    const residual = [
      {name: "a", ...conv()}, {name: "b", ...conv(), activation: "relu"}, {name: "c", from: "a", ...conv()},
      {name: "s", add: "b", activation: activation()}, last
    ];
    const net = i < 10 ? last : {layers: residual};
    writeFileSync(inFolder("k.json"), JSON.stringify(net));
    writeFileSync(inFolder("x.json"), JSON.stringify(block([c, h, w])));
    const args = ["x.json", "-k", "k.json", ...pick([], i < 10 && last.transposed ? ["--flip"] : [])];
    convtool("explain", ...args, "-o", "random.html");
    await withPage("random.html", {}, async (page) => {
      await checkPage(page, args, random, JSON.stringify(net));
      if (i >= 10 || !last.transposed) return;
      await page.evaluate(() => convtool.set({stride: [3, 5], padding: 1}));
      writeFileSync(inFolder("k.json"), JSON.stringify({...last, stride: [3, 5], padding: 1}));
      await checkPage(page, args, random, "changed");
    });
  }
});

test("a residual block: a sum names both addends, and its chain goes back through both", async () => {
  writeFileSync(inFolder("residual.json"), JSON.stringify({
    layers: [
      {name: "stem", weight: [[1, 2, 1]], padding: "same"}, {name: "body", weight: [[1, 1, 1]], padding: "same"},
      {name: "sum", add: "stem", activation: "relu"}
    ]
  }));
  convtool("explain", "[[1,2,3,4,5]]", "-k", "residual.json", "--at", "0,2", "-o", "residual.html");
  await withPage("residual.html", {}, async (page) => {
    assert.equal(await isOk(page), true);
    assert.match(await text(page, "ways"), /step 2 body\s+36\s+\+ step 1 stem\s+12\s+sum\s+48/);
    assert.equal(await page.locator("#stride").isDisabled(), true);
    const chain = await text(page, "chain");
    assert.match(chain, /step 3 sees .* column 2 of the output of step 2/);
    assert.match(chain, /step 3 sees .* column 2 of the output of step 1/);
    assert.match(chain, /step 2 sees .* columns 1 to 3 of the output of step 1/);
    assert.match(chain, /step 1 sees .* columns 0 to 4 of the input/);
  });
});

test("the weights of a transposed convolution that reach an output have a frame", async () => {
  const kernel = '{"transposed": true, "weight": [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]], "stride": 2, "padding": 1}';
  const reaching = (page) => page.locator("input.reaching").evaluateAll((list) => list.map((i) => i.dataset.weight));
  convtool("explain", kGrid, "-k", kernel, "-o", "transposed.html", "--at", "1,1");
  await withPage("transposed.html", {}, async (page) => {
    assert.deepEqual(await reaching(page), ["0,0", "0,2", "2,0", "2,2"]);
    await page.locator("#flip").check();
    assert.deepEqual(await reaching(page), ["0,0", "0,2", "2,0", "2,2"]);
    await hover(page, "output-field", [0, 0, 5, 5], 0, 1);
    assert.deepEqual(await reaching(page), ["1,0", "1,2"]);
    assert.match(await text(page, "size-width"), /= 5$/);
    await page.locator("#padding").fill("same");
    await page.keyboard.press("Enter");
    assert.match(await text(page, "problem"), /the padding of a transposed convolution is a number, such as 1/);
  });
});

test("a shape without numbers", async () => {
  convtool("explain", "5x5", "--kernel-size", "3", "--stride", "2", "--padding", "1", "-o", "shape.html");
  await withPage("shape.html", {}, async (page) => {
    assert.equal(await isOk(page), true);
    assert.match(await text(page, "size-width"), /= 3$/);
    assert.equal(await page.locator("#input-field rect.cell").count(), 49);
    assert.equal(await page.locator("#input-field rect.cell.padding").count(), 24);
    assert.equal(await page.locator("#input-field text").count(), 0);
    await page.locator("#stride").fill("1");
    await page.keyboard.press("Enter");
    assert.match(await text(page, "size-width"), /= 5$/);
    assert.equal(await output(page), null);
  });
});

test("the keyboard alone reaches everything", async () => {
  convtool("explain", sample("coffee.png"), "-k", "sharpen", "-o", "keys.html");
  await withPage("keys.html", {}, async (page) => {
    const reached = new Set();
    for (let i = 0; i < 80; ++i) {
      await page.keyboard.press("Tab");
      const found = await page.evaluate(() => {
        const node = document.activeElement;
        if (node === document.body) return null;
        const all = [...document.querySelectorAll("*")], style = getComputedStyle(node);
        return [all.indexOf(node), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
      });
      if (found === null) continue;
      reached.add(found[0]);
      assert.ok(found[1], `the focus on element ${found[0]} is visible`);
    }
    const missed = await page.evaluate(
        (seen) => [...document.querySelectorAll("*")]
                      .map((node, i) => [node, i])
                      .filter(
                          ([node, i]) => node.matches("button, input, select, [tabindex='0']") && !node.disabled &&
                              node.tabIndex === 0 && node.checkVisibility() && !seen.includes(i))
                      .map(([node]) => node.outerHTML),
        [...reached]);
    assert.deepEqual(missed, []);
    const unnamed = await page.evaluate(
        () => [...document.querySelectorAll("button, input, select, [tabindex='0']")]
                  .filter(
                      (node) => !node.textContent.trim() && !node.getAttribute("aria-label") && !node.labels?.length)
                  .map((node) => node.outerHTML));
    assert.deepEqual(unnamed, []);

    await page.locator("#output-field .field").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
    assert.match(await text(page, "sum-title"), /^output \(2, 1\)/);
    assert.match(await text(page, "said"), /^output \(2, 1\)/);
    await page.keyboard.press("Space");
    assert.equal(await text(page, "play"), "Pause");
    await page.waitForFunction(() => !document.getElementById("sum-title").textContent.startsWith("output (2, 1)"));
    await page.keyboard.press("Space");
    assert.equal(await text(page, "play"), "Play");
    await page.locator("#input-field .field").focus();
    await page.keyboard.press("ArrowRight");
    assert.match(await text(page, "said"), /outputs see row/);
    await page.locator("#output-tabs [role=tab]").first().focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.locator("#output-tabs [role=tab]").nth(1).getAttribute("aria-selected"), "true");
  });
});

test("a touch moves the window, and marks the outputs that see a place of the input", async () => {
  convtool("explain", kGrid, "-k", "[[1,2]]", "-o", "touch.html");
  await withPage("touch.html", {hasTouch: true, viewport: {width: 400, height: 800}}, async (page) => {
    await page.locator("#output-field .field").scrollIntoViewIfNeeded();
    const box = await page.locator("#output-field svg.cells").boundingBox();
    const place = (row, col) => ({x: box.x + (col + 0.5) / 2 * box.width, y: box.y + (row + 0.5) / 3 * box.height});
    const {x, y} = place(1, 1);
    await page.touchscreen.tap(x, y);
    assert.match(await text(page, "sum-title"), /^output \(1, 1\)/);
    const session = await page.context().newCDPSession(page);
    const touch = (type, ...touchPoints) => session.send("Input.dispatchTouchEvent", {type, touchPoints});
    await touch("touchStart", place(0, 0));
    for (let step = 1; step <= 8; ++step) await touch("touchMove", place(step / 4, 0));
    await touch("touchEnd");
    assert.match(await text(page, "sum-title"), /^output \(2, 0\)/);

    const input = await page.locator("#input-field svg.cells").boundingBox();
    await page.touchscreen.tap(input.x + input.width / 2, input.y + input.height / 2);
    assert.match(await text(page, "input-caption"), /^2 outputs see row 1, column 1/);
    assert.equal(await page.locator(".mark.seeing").count(), 2);
  });
});

test("a map that stretches the range follows a change", async () => {
  const random = randomNumbers(11), [h, w] = [20, 18];
  writeFileSync(inFolder("grey.pgm"), Buffer.concat([
    Buffer.from(`P5 ${w} ${h} 255\n`),
    Buffer.from(Array.from({length: h * w}, () => Math.floor(random() * 200))),
  ]));
  for (const map
           of [["--map", "normalize"], ["--map", "normalize", "--normalize-percentile", "5,90"], ["--map", "signed"]]) {
    const args = ["grey.pgm", "-k", "sobel-x", ...map], channels = map.includes("signed") ? 3 : 1;
    convtool("explain", ...args, "-o", "map.html");
    convtool("apply", ...args, "--stride", "3", "-o", channels === 3 ? "map.ppm" : "map.pgm", "-q");
    const file = readFileSync(inFolder(channels === 3 ? "map.ppm" : "map.pgm"));
    const pixels = [...file.subarray(file.length - 7 * 6 * channels)];
    await withPage("map.html", {}, async (page) => {
      assert.equal(await isOk(page), true);
      await page.evaluate(() => convtool.set({stride: 3}));
      const result = await output(page), seen = [];
      for (let y = 0; y < 7; ++y)
        for (let x = 0; x < 6; ++x)
          for (let c = 0; c < channels; ++c) seen.push(result[c][y][x]);
      assert.deepEqual(seen, pixels, map.join(" "));
    });
  }
});

test("pages fit 400 pixels and follow the system's colours; the projector's are larger", async () => {
  for (const [name, args] of [
           ["small", [kGrid, "-k", "[[1.25,2],[3,4.125]]", "--padding", "2"]],
           ["wide", [sample("coffee.png"), "-k", "sobel", "--gray"]]]) {
    convtool("explain", ...args, "-o", `${name}.html`);
    for (const colorScheme of ["light", "dark"])
      await withPage(`${name}.html`, {viewport: {width: 400, height: 800}, colorScheme}, async (page) => {
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 400), name);
        const level = await page.evaluate(
            () => Number(getComputedStyle(document.documentElement).backgroundColor.match(/\d+/)[0]));
        assert.equal(level > 128, colorScheme === "light");
      });
  }
  convtool("explain", kGrid, "-k", "[[0,1],[2,3]]", "-o", "projector.html");
  await withPage("projector.html", {}, async (page) => {
    const height = () =>
        page.evaluate(() => document.querySelector("#output-field .cells rect").getBoundingClientRect().height);
    const before = await height();
    await page.getByRole("button", {name: "Projector"}).click();
    assert.ok(await height() > 1.2 * before);
    await page.emulateMedia({media: "print"});
    assert.equal(await page.locator(".player").isVisible(), false);
    assert.equal(await page.locator("#products").isVisible(), true);
  });
});

test("on a telephone the blocks of products stand side by side, or below each other, and none wraps alone", async () => {
  for (const [kernel, isRow] of [["sobel-x", true], ["gaussian:sigma=1", false]]) {
    convtool("explain", sample("coffee.png"), "-k", kernel, "--at", "50,50", "-o", "phone.html");
    await withPage("phone.html", {viewport: {width: 390, height: 844}}, async (page) => {
      const boxes = await page.locator("#products .product-row").first().locator(".cells").evaluateAll(
          (list) => list.map((block) => block.getBoundingClientRect().toJSON()));
      assert.equal(boxes.length, 3);
      for (const [before, after] of [[boxes[0], boxes[1]], [boxes[1], boxes[2]]]) {
        if (isRow) assert.ok(after.left >= before.right && Math.abs(after.top - before.top) < 2, JSON.stringify(boxes));
        if (!isRow) assert.ok(after.top >= before.bottom && after.left === before.left, JSON.stringify(boxes));
      }
    });
  }
});

test("a page whose arithmetic differs from the engine's says so", async () => {
  convtool("explain", kGrid, "-k", "[[0,1],[2,3]]", "-o", "right.html");
  const page = readFileSync(inFolder("right.html"), "utf8"), wrong = page.replace("37.0,43.0]", "37.0,44.0]");
  assert.notEqual(page, wrong);
  writeFileSync(inFolder("wrong.html"), wrong);
  await withPage("wrong.html", {}, async (page) => {
    assert.equal(await isOk(page), false);
    assert.equal(
        await text(page, "alert"),
        "This page computes 43 for output (1, 1) of channel 0, the engine 44. They may differ by rounding of at most " +
            (await text(page, "alert")).match(/at most (\S+)\. Do/)[1] + ". Do not rely on this page.");
    assert.equal(await page.locator("#alert").isVisible(), true);
  });
});

test("names are text, whatever they contain", async () => {
  const name = `<img src=x onerror="document.title='broken'">&'.png`;
  copyFileSync(sample("camera.png"), inFolder(name));
  writeFileSync(inFolder("name.json"), JSON.stringify({name: "</script><b>k</b>", weight: [[1, 2]]}));
  convtool("explain", name, "-k", "name.json", "-o", "name.html");
  await withPage("name.html", {}, async (page) => {
    assert.equal(await page.title(), `${name} under </script><b>k</b>`);
    assert.equal(await page.locator("h1 *, b, img[src=x]").count(), 0);
  });
});

test("wide padding makes a picture of a small input, and too wide padding is refused", async () => {
  const input = Array.from({length: 8}, (_, y) => Array.from({length: 8}, (_, x) => y * 8 + x));
  writeFileSync(inFolder("eight.json"), JSON.stringify(input));
  convtool("explain", "eight.json", "-k", "[[1,2],[3,4]]", "-o", "eight.html");
  await withPage("eight.html", {}, async (page) => {
    const elements = () => page.evaluate(() => document.querySelectorAll("*").length);
    assert.equal(await page.locator("#input-field rect.cell").count(), 64);
    await page.evaluate(() => convtool.set({padding: 150, padding_mode: "replicate"}));
    assert.ok(await elements() < 2000);
    assert.equal(await page.locator("#input-field canvas").getAttribute("width"), "308");
    const pixels = await page.$eval("#input-field canvas", (canvas) => {
      const {data} = canvas.getContext("2d").getImageData(0, 0, 308, 308);
      return [[0, 0], [307, 0], [153, 154]].map(([x, y]) => data[(y * 308 + x) * 4]);
    });
    assert.deepEqual(pixels, [0, 7, 35].map((value) => Math.round(255 * value / 63)));  // corners, and (4, 3)
    await hover(page, "input-field", [-150, -150, 308, 308], 0, 0);
    assert.ok(await elements() < 2000);
    await assert.rejects(
        page.evaluate(() => convtool.set({padding: 1000})),
        /the padded input would be 2008x2008 and the output 1x2007x2007, but this page shows at most 1048576 values/);
    assert.equal((await output(page)).length, 307);
    await page.evaluate(() => convtool.reset());
    assert.equal(await page.locator("#input-field rect.cell").count(), 64);
  });
});

test("a huge shape without numbers is drawn without a canvas of its size", async () => {
  convtool("explain", "50000x50000", "--kernel-size", "3", "-o", "huge.html");
  await withPage("huge.html", {}, async (page) => {
    assert.equal(await page.locator("canvas").count(), 0);
    assert.match(await text(page, "size-width"), /= 49998$/);
    const box = await page.locator("#output-field .blank").boundingBox();
    assert.ok(Math.abs(box.width - box.height) < 1 && box.width > 100);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    assert.match(await text(page, "sum-title"), /^output \(2\d{4}, 2\d{4}\)/);
  });
});

test("a long, thin shape without numbers has a height", async () => {
  for (const [shape, kernel] of [["1x100000", "1x3"], ["100000x1", "3x1"]]) {
    convtool("explain", shape, "--kernel-size", kernel, "-o", "thin.html");
    await withPage("thin.html", {}, async (page) => {
      const {width, height} = await page.locator("#output-field .blank").boundingBox();
      assert.ok(width >= 8 && height >= 8 && width <= 1280 && height <= 450, `${shape}: ${width} x ${height}`);
    });
  }
});

test("the status names the bound of rounding only in its details", async () => {
  convtool("explain", kGrid, "-k", "[[0,1],[2,3]]", "-o", "status.html");
  await withPage("status.html", {}, async (page) => {
    assert.match(await text(page, "status"), /^This page agrees with the engine in all 4 values\.\s+How they are/);
    await page.locator("#status summary").click();
    assert.match(await text(page, "status"), /in floats/);
  });
});

test("the magnifier leaves cells that no kernel reads empty", async () => {
  writeFileSync(
      inFolder("chain.json"), JSON.stringify({layers: [{weight: [[[[1]]]], bias: [1]}, {weight: [[[[1, 1, 1]]]]}]}));
  convtool("explain", sample("camera.png"), "-k", "chain.json", "--at", "0,0", "-o", "chain.html");
  await withPage("chain.html", {}, async (page) => {
    const cells = await page.$$eval(
        "#input-magnifier rect.padding",
        (all) => all.map((cell) => [cell.style.fill, cell.nextElementSibling?.nodeName]));
    assert.ok(cells.length > 0);
    assert.ok(cells.every(([fill, next]) => fill === "" && next !== "text"), JSON.stringify(cells));
  });
});

test(
    "the sum of a photograph stands below its pictures, on a projector without scrolling, in print on one sheet",
    async () => {
      convtool("explain", sample("coffee.png"), "-k", "sharpen", "-o", "photo.html");
      await withPage("photo.html", {viewport: {width: 1280, height: 720}}, async (page) => {
        assert.equal(await sheetsOf(page), 1);
        await page.getByRole("button", {name: "Projector"}).click();
        for (const place of ["#products .cells >> nth=0", "#products .cells >> nth=2", ".way tr:last-child"]) {
          const box = await page.locator(place).boundingBox();
          assert.ok(box.y >= 0 && box.y + box.height <= 720, `${place} ends at ${box.y + box.height}`);
        }
      });
      convtool("explain", sample("camera.png"), "-k", "gaussian", "--then", "sobel-x", "-o", "chain-photo.html");
      await withPage("chain-photo.html", {}, async (page) => assert.equal(await sheetsOf(page), 1));
    });

test("a scaled input is the first tab, and the page's numbers are the engine's", async () => {
  const next = randomNumbers(5);
  const pixels = Array.from({length: 3 * 48}, () => Math.floor(next() * 256)).join(" ");
  writeFileSync(inFolder("scaled.ppm"), `P3\n8 6\n255\n${pixels}\n`);
  const scaling = ["--input-scale", "1/255", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"];
  for (const more of [[], ["--padding-mode", "zeros"], ["--channel-order", "bgr"], ["--map", "offset", "--depth", "u16"]]) {
    convtool("explain", "scaled.ppm", "-k", "sobel-x", ...scaling, ...more, "-o", "scaled.html");
    await withPage("scaled.html", {}, async (page) => {
      assert.equal(await isOk(page), true);
      assert.match(await text(page, "steps"), /input/);
    });
  }
});

test("layers without weights of every kind are drawn", async () => {
  const layers = "conv 3x2 4 s2 p1x0, bn, relu, dwconv 3 same, avgpool 2, maxpool 2 s1, linear 3";
  convtool("explain", "3x12x14", "--layers", layers, "-o", "layers.html");
  await withPage("layers.html", {}, async (page) => {
    assert.equal(await page.locator("#steps [role=tab]").count(), 7);
  });
});
