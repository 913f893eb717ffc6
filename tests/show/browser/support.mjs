// Pages of convtool in Chromium.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, rmSync} from "node:fs";
import {createRequire} from "node:module";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before} from "node:test";

const {chromium} = createRequire(join(process.env.BROWSER_MODULES, "/"))("playwright-core");

/// A folder of its own for each file of tests.
export const folder = mkdtempSync(join(tmpdir(), "convtool-browser-"));
export const inFolder = (name) => join(folder, name);
export const sample = (name) => join(process.env.PROJECT, "samples", name);

let browser;
before(async () => {
  browser = await chromium.launch({executablePath: process.env.CHROMIUM, args: ["--no-sandbox"]});
});
after(async () => {
  await browser.close();
  rmSync(folder, {recursive: true});
});

/// Runs convtool in the folder and returns its standard output.
export function convtool(...args) {
  return execFileSync(
      process.env.CONVTOOL, args,
      {cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28});
}

/// Tabs by their options. Pages share them, since opening one takes longer than most tests.
const tabs = new Map();

async function tabWith(options) {
  const key = JSON.stringify(options);
  if (!tabs.has(key)) {
    const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
    context.setDefaultTimeout(20000);
    tabs.set(key, await context.newPage());
  }
  return tabs.get(key);
}

/// Opens a page of the folder and hands it to `test`. Fails if the page asks for an address that is not its own and
/// that `isAllowed` does not allow, logs an error or throws. Leaves the tab as it was: empty, for the screen, with the
/// pointer in its corner.
export async function withPage(name, options, test, isAllowed = () => false) {
  const page = await tabWith(options), address = `file://${inFolder(name)}`, problems = [];
  page.on("request", (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith("data:") && !isAllowed(url)) problems.push(`asks for ${url}`);
  });
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  try {
    await page.goto(address);
    await test(page);
    assert.deepEqual(problems, []);
    await page.goto("about:blank");
    await page.emulateMedia({media: null});
    await page.mouse.move(0, 0);
  } catch (error) {  // the tab may be in any state
    tabs.delete(JSON.stringify(options));
    throw error;
  } finally {
    page.removeAllListeners();
  }
}

/// Numbers from 0 to below 1, the same for the same seed (Park and Miller, Random number generators, 1988).
export function randomNumbers(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}
