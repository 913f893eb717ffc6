// The pages of --report: what they show, by mouse and by keyboard.

import assert from "node:assert/strict";
import {mkdirSync, writeFileSync} from "node:fs";
import {test} from "node:test";

import {convtool, inFolder, withPage} from "./support.mjs";

/// Writes a grey picture whose pixels are value(y, x).
function pgm(name, height, width, value) {
  const pixels = Buffer.alloc(height * width);
  for (let y = 0; y < height; ++y)
    for (let x = 0; x < width; ++x) pixels[y * width + x] = value(y, x) % 256;
  writeFileSync(inFolder(name), Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), pixels]));
}

const fitsWindow = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

/// Presses Tab until `selector` has the focus.
async function tabTo(page, selector) {
  for (let i = 0; i < 400; ++i) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
  }
  assert.fail(`the keyboard does not reach ${selector}`);
}

const numbersOf = (page) => page.$$eval(".inputs tbody tr", (rows) => rows.map((row) => Number(row.dataset.number)));

test("a batch with a failure: the failure comes first, and the keyboard sorts, chooses, slides and zooms", async () => {
  const names = [];
  for (let i = 0; i < 6; ++i) {
    names.push(i === 3 ? "<b>bad<i>.pgm" : `p${i}.pgm`);
    if (i === 3)
      writeFileSync(inFolder(names[i]), "no picture");
    else
      pgm(names[i], 40 + 10 * ((i * 2) % 5), 60, (y, x) => y * 3 + x * i);
  }
  assert.throws(
      () =>
          convtool("apply", ...names, "-k", "sobel-x", "--map", "offset", "--out-dir", "out", "--report", "batch.html"),
      {status: 1});
  await withPage("batch.html", {}, async (page) => {
    assert.ok(await fitsWindow(page));
    assert.match(await page.textContent(".alert"), /1 of 6 inputs failed/);
    assert.deepEqual(await numbersOf(page), [4, 1, 2, 3, 5, 6]);
    assert.equal(await page.textContent(".inputs tbody tr .name"), "<b>bad<i>.pgm");
    assert.equal(
        await page.$$eval(".inputs tbody img", (images) => images.every((i) => i.complete && i.naturalWidth > 0)),
        true);

    // Sorting by size, upwards and downwards, with the keyboard.
    await tabTo(page, "th:nth-child(6) .sort");
    await page.keyboard.press("Enter");
    assert.equal(await page.getAttribute("th:nth-child(6)", "aria-sort"), "ascending");
    assert.deepEqual(await numbersOf(page), [4, 1, 6, 2, 5, 3]);  // heights 40, 40, 60, 70, 80; the failure has none
    await page.keyboard.press("Enter");
    assert.equal(await page.getAttribute("th:nth-child(6)", "aria-sort"), "descending");
    assert.deepEqual(await numbersOf(page), [3, 5, 2, 1, 6, 4]);  // equals stay in the order of the inputs

    // An input is chosen, and its slider moved, with the keyboard.
    await tabTo(page, "tr[data-number='5'] .name");
    await page.keyboard.press("Enter");
    assert.equal(await page.textContent(".detail h2"), "p4.pgm");
    await tabTo(page, ".split input");
    assert.match(await page.getAttribute(".above", "style"), /inset\(0(px)? 0(px)? 0(px)? 50%\)/);
    for (let i = 0; i < 5; ++i) await page.keyboard.press("ArrowRight");
    assert.match(await page.getAttribute(".above", "style"), /55%/);

    // The zoom is common to both pictures.
    await tabTo(page, ".stage");
    await page.keyboard.press("+");
    await page.keyboard.press("ArrowDown");
    const transforms = await page.$$eval(".world", (worlds) => worlds.map((world) => world.style.transform));
    assert.equal(transforms[0], transforms[1]);
    assert.match(transforms[0], /scale\(1.5\)/);
    await page.keyboard.press("0");
    assert.match(await page.$eval(".world", (world) => world.style.transform), /scale\(1\)/);

    // The mouse moves the slider too.
    const area = await (await page.$(".stage")).boundingBox();
    await page.mouse.click(area.x + area.width / 4, area.y + area.height / 2);
    assert.match(await page.getAttribute(".above", "style"), /25%/);
    await page.click("text=Side by side");
    const [first, second] = await page.$$(".pane");
    assert.ok((await second.boundingBox()).x >= (await first.boundingBox()).x + (await first.boundingBox()).width);

    // The histograms name what the report counts.
    const {report} = await page.evaluate(() => data.inputs[4]);
    const responses = await page.getAttribute(".chart:nth-child(2)", "aria-label");
    assert.ok(responses.includes(`from ${report.min} to ${report.max}`), responses);
    assert.equal(await page.$$eval(".chart", (charts) => charts.length), 3);
    assert.equal(await page.$$eval(".timings .time-bar", (bars) => bars.length), 3);
  });
});

for (const colorScheme of ["light", "dark"])
  test(`a ${colorScheme} window of 400 pixels`, async () => {
    await withPage("batch.html", {colorScheme, viewport: {width: 400, height: 800}}, async (page) => {
      assert.deepEqual(await numbersOf(page), [4, 1, 2, 3, 5, 6]);
      assert.ok(await fitsWindow(page));
    });
  });

test("the clipped ends are marked", async () => {
  pgm("ramp.pgm", 8, 256, (y, x) => x);
  convtool("apply", "ramp.pgm", "-k", "[[2]]", "-o", "clipped.png", "--report", "clipped.html");
  await withPage("clipped.html", {}, async (page) => {
    const charts = await page.$$eval(".chart", (all) => all.map((chart) => chart.getAttribute("aria-label")));
    assert.match(charts[0], /at 0: 0.39 %, at 255: 0.39 %/);
    assert.match(charts[1], /from 0 to 510; clipped: 0 low \(0 %\), 1024 high \(50 %\)/);
    // Responses of 256 to 510 are clipped: the right half of the chart, but for rounding at 255.5.
    const [clip, axis] = await page.$eval(
        ".chart:nth-child(2)",
        (chart) => [chart.querySelector(".clipped"), chart.querySelector(".axis")]
                       .map((e) => e.getBBox())
                       .map(({x, width}) => ({x, width})));
    assert.ok(Math.abs(clip.width / axis.width - (510.5 - 255.5) / 511) < 1e-3);
    assert.ok(Math.abs(clip.x + clip.width - axis.x - axis.width) < 1e-3);
  });
});

test("beyond 200 inputs, thumbnails are the output files", async () => {
  mkdirSync(inFolder("many"));
  for (let i = 0; i < 201; ++i) pgm(`many/${i}.pgm`, 4, 4, (y, x) => i + y + x);
  convtool("apply", "many", "-r", "-k", "sharpen", "--out-dir", "many.out", "-q", "--report", "many.html");
  await withPage("many.html", {}, async (page) => {
    await page.waitForFunction(() => document.querySelector(".thumbnail")?.naturalWidth === 4);
    assert.equal((await numbersOf(page)).length, 201);
  }, (url) => url.includes("/many.out/"));
});

test("learn: the curve of the loss, the kernels and the pictures of a pair", async () => {
  writeFileSync(inFolder("x.json"), "[[0,1,2,5],[3,4,5,1],[6,7,8,2]]");
  writeFileSync(inFolder("y.json"), "[[1,2,1],[3,3,-2],[4,2,1]]");
  const printed = convtool(
      "learn", "--input", "x.json", "--target", "y.json", "--kernel-size", "1x2", "--epochs", "9", "--log-every", "9",
      "--report", "learn.html");
  await withPage("learn.html", {}, async (page) => {
    const label = await page.getAttribute(".curve-holder svg", "aria-label");
    const last = await page.evaluate(() => data.curve.losses.at(-1));
    assert.ok(label.endsWith(`to ${Number(last.toPrecision(4))} at epoch 9`), label);
    assert.match(printed, new RegExp(`epoch 9, loss ${last.toFixed(3)}`));
    assert.equal(await page.$$eval("main img", (images) => images.every((image) => image.naturalWidth > 0)), true);
  });
});

test("shape: the layers to scale, and what an output sees", async () => {
  const report = JSON.parse(
      convtool("shape", "1x32x32", "--kernel-size", "5", "--repeat", "5", "--json", "--report", "shape.html"));
  await withPage("shape.html", {}, async (page) => {
    assert.equal(await page.$$eval(".stack .box", (boxes) => boxes.length), 6);
    // Faces are to scale: 32 to 12.
    const sizes = await page.$$eval(".box-face", (faces) => faces.map((face) => face.getBBox().height));
    assert.ok(Math.abs(sizes[0] / sizes[5] - 32 / 12) < 1e-6);
    const [height, width] = report.receptive_field.size;
    assert.match(
        await page.textContent("[aria-live]"),
        new RegExp(`rows 5 to 25 and columns 5 to 25 of the input, ${height}x${width} pixels`));
    await tabTo(page, "select");
    await page.keyboard.press("ArrowUp");
    await tabTo(page, "input[type=range]");
    await page.keyboard.press("Home");
    assert.match(
        await page.textContent("[aria-live]"), /^Output \(0, 7\) of 4 5x5 sees rows 0 to 16 and columns 7 to 23/);
  });
});

test("shape: the windows of kernels that differ, with strides and padding", async () => {
  const kernels = [{weight: [[1]], stride: 2}, {weight: [[1, 1, 1, 1, 1]], pads: [0, 2, 0, 2], stride: 2}];
  writeFileSync(inFolder("bank.json"), JSON.stringify({bank: kernels}));
  convtool("shape", "16x40", "-k", "bank.json", "--repeat", "2", "--report", "bank.html");
  await withPage("bank.html", {}, async (page) => {
    const windows = await page.evaluate(() => seenBy(data.report.layers, 2, [1, 2]));
    // Output (1, 2) sees row 2 and columns 2 to 6 of the layer before it; these see row 4 and columns 2 to 14.
    const expected = [[[4, 4], [2, 14]], [[2, 2], [2, 6]], [[1, 1], [2, 2]]];
    assert.deepEqual(windows.map((axes) => axes.map(({first, last}) => [first, last])), expected);
  });
});

test("shape: what an output sees on both paths of a residual block", async () => {
  const layers = [
    {name: "stem", weight: [[1]], padding: 0}, {name: "body", weight: [[1, 1, 1], [1, 1, 1], [1, 1, 1]], padding: 1},
    {name: "shortcut", from: "stem", weight: [[1]]}, {name: "sum", add: "body"}
  ];
  writeFileSync(inFolder("block.json"), JSON.stringify({layers}));
  convtool("shape", "3x8x8", "-k", "block.json", "--report", "block.html");
  await withPage("block.html", {}, async (page) => {
    const windows = await page.evaluate(() => seenBy(data.report.layers, 4, [4, 5]));
    const expected = [[[3, 5], [4, 6]], [[3, 5], [4, 6]], [[4, 4], [5, 5]], [[4, 4], [5, 5]], [[4, 4], [5, 5]]];
    assert.deepEqual(windows.map((axes) => axes.map(({first, last}) => [first, last])), expected);
    // The output of the shortcut does not depend on the body.
    const alone = await page.evaluate(() => Array.from(seenBy(data.report.layers, 3, [4, 5]), (w) => w !== undefined));
    assert.deepEqual(alone, [true, true, false, true]);
    const first = JSON.parse(convtool("shape", "3x8x8", "-k", "block.json", "--json")).layers[0];
    assert.deepEqual(first.input_shape, [3, 8, 8]);
  });
});

test("shape: the table has the shape that each layer reads", async () => {
  const layers = [
    {name: "stem", weight: [[1]]}, {name: "body", weight: [[1]], stride: 2},
    {name: "shortcut", from: "stem", weight: [[1]], stride: 2}, {add: "body"}
  ];
  writeFileSync(inFolder("table.json"), JSON.stringify({layers}));
  convtool("shape", "1x8x8", "-k", "table.json", "--report", "table.html");
  await withPage("table.html", {}, async (page) => {
    const cells = await page.$$eval(".costs tbody tr td:nth-child(3)", (all) => all.map((cell) => cell.textContent));
    assert.deepEqual(
        cells, ["1x8x8 → 1x8x8", "1x8x8 → 1x4x4", "1x8x8 → 1x4x4", "1x4x4 → 1x4x4", "1x8x8 → 1x4x4"]);
  });
});

test("the facts of a network name activations, sums and what layers read", async () => {
  pgm("net.pgm", 6, 6, (y, x) => y * x);
  const layers = [
    {name: "stem", weight: [[1]], activation: "relu"}, {name: "body", weight: [[2]]},
    {name: "side", from: "stem", weight: [[3]]}, {name: "join", add: "body", activation: {leaky_relu: {slope: 0.2}}}
  ];
  writeFileSync(inFolder("net.json"), JSON.stringify({layers}));
  const report = JSON.parse(convtool("apply", "net.pgm", "-k", "net.json", "--report", "net.html", "--json"));
  assert.equal(report.layers[3].add, "body");
  assert.equal(report.layers[2].from, "stem");
  assert.equal(report.layers[0].activation, "relu");
  assert.equal(report.layers[1].activation, undefined);
  await withPage("net.html", {}, async (page) => {
    const facts = await page.textContent(".facts");
    assert.match(facts, /stem 1x1, stride 1x1, padding 0, activation relu/);
    assert.match(facts, /side 1x1, stride 1x1, padding 0, from stem/);
    assert.match(facts, /join, plus body, activation leaky_relu of slope 0.2/);
  });
});

test("a sheet without an output: the result lies on the input by its own size", async () => {
  pgm("plain.pgm", 40, 60, (y, x) => y * 3 + x);
  const kernels = Array.from({length: 8}, (_, k) => [[[k, 1, 0], [0, -1, 2], [1, 1, 1]]]);
  writeFileSync(inFolder("eight.json"), JSON.stringify(kernels));
  convtool("apply", "plain.pgm", "-k", "eight.json", "--sheet", "sheet.png", "--report", "sheet.html");
  await withPage("sheet.html", {}, async (page) => {
    const style = await page.$eval(".above img", ({style}) => [style.left, style.top, style.width, style.height]);
    assert.deepEqual(
        style.map(parseFloat), [100 / 60, 100 / 40, 100 * 58 / 60, 95].map((n) => Number(n.toPrecision(6))));
    const facts = await page.textContent(".facts");
    assert.match(facts, /output8x38x58 f32/);
    const ofPart = await page.evaluate(() => resultOf({report: data.inputs[0].report}));  // as of one without previews
    assert.deepEqual(ofPart, {shape: [8, 38, 58], dtype: "f32"});
    assert.match(facts, /sheetsheet\.png, 3x\d+x\d+, of 8 tiles in 4 columns/);
    assert.equal(await page.textContent(".above .tag"), "after: channel 0 of 8");
    const sheet = await page.$eval(
        "img[alt='the channels of the result as tiles']",
        ({src, naturalWidth, naturalHeight}) => [src.startsWith("data:image/"), naturalWidth, naturalHeight]);
    const [, sheetHeight, sheetWidth] = facts.match(/sheetsheet\.png, 3x(\d+)x(\d+)/).map(Number);
    assert.deepEqual(sheet, [true, sheetWidth, sheetHeight]);
  });
});

test("shares of clipped values leave an alpha channel out", async () => {
  // In each row, 0 to 127 are doubled within the range, so half of the values are clipped.
  const rows = Buffer.from(Array.from({length: 4 * 256 * 4}, (_, i) => (i % 4 === 3 ? 255 : (i >> 2) % 256)));
  // A TIFF file: sizes, bits per sample (a list behind the pixels), no compression, RGB, one strip, 4 samples, alpha.
  const end = 8 + rows.length, tags = [
    [256, 256], [257, 4], [258, end, 4], [259, 1], [262, 2], [273, 8], [277, 4], [278, 4], [279, rows.length], [338, 2]
  ];
  const tail = Buffer.alloc(8 + 2 + 12 * tags.length + 4), start = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  start.writeUInt32LE(end + 8, 4);
  for (const i of [0, 1, 2, 3]) tail.writeUInt16LE(8, 2 * i);
  tail.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, value, count = 1], i) => {
    const at = 10 + 12 * i, isLong = [273, 279].includes(tag);
    tail.writeUInt16LE(tag, at);
    tail.writeUInt16LE(isLong ? 4 : 3, at + 2);
    tail.writeUInt32LE(count, at + 4);
    tail.writeUInt32LE(value, at + 8);
  });
  writeFileSync(inFolder("alpha.tif"), Buffer.concat([start, rows, tail]));
  const printed = convtool("apply", "alpha.tif", "-k", "[[2]]", "-o", "doubled.png", "--report", "alpha.html");
  assert.match(printed, /clipped 1536 \(50 %\)/);
  await withPage("alpha.html", {}, async (page) => {
    assert.match(await page.textContent(".facts"), /0 low, 1536 high \(50 %\)/);
    assert.match(await page.getAttribute(".chart:nth-child(2)", "aria-label"), /1536 high \(50 %\)/);
  });
});

test("shape: layers without weights, some of which have no window", async () => {
  convtool("shape", "3x32x32", "--layers", "conv 5 6, relu, bn, maxpool 2, linear 10", "--report", "layers.html");
  await withPage("layers.html", {}, async (page) => {
    assert.equal(await page.$$eval(".stack .box", (boxes) => boxes.length), 6);
  });
});
