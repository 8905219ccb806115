// What the tests in Chromium share: the browser, a way in, and a node of their own that can be stopped and started.
// Started by tools/screens.sh, which sets BASE (the demonstration), NODE, NODE_DIR and MITHAQ, CHROMIUM and perhaps SHOTS (a
// folder for pictures of each screen).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test as always } from 'node:test';
import { chromium } from 'playwright-core';

export const base = process.env.BASE;
export const node = process.env.NODE;
export const shots = process.env.SHOTS;
export let browser;
let running;

/** Whether the time that the checks have is over: UNTIL, in seconds since 1970. */
export const late = () => Number(process.env.UNTIL ?? Infinity) * 1000 < Date.now();

/** A test that is left out, and named, when no time is left for it. */
export const test = (name, run) => always(name, (t) => (late() ? t.skip('no time is left for it') : run(t)));

export async function begin() {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  if (shots) mkdirSync(shots, { recursive: true });
}

export async function end() {
  await browser?.close();
  await stopNode();
}

/** Starts the node of the tests and waits until it answers. */
export async function startNode() {
  if (running) return;
  running = spawn(process.env.MITHAQ, ['serve', '--dir', process.env.NODE_DIR], { stdio: 'ignore' });
  writeFileSync(process.env.NODE_DIR + '.pid', String(running.pid));
  for (let i = 0; i < 1200; i++) {
    if (running.exitCode !== null) break;
    try {
      if ((await fetch(node + '/healthz')).ok) return;
    } catch {
      // not yet
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the node does not come up');
}

export async function stopNode() {
  if (!running) return;
  const gone = once(running, 'exit');
  running.kill('SIGTERM');
  await gone;
  running = undefined;
  writeFileSync(process.env.NODE_DIR + '.pid', '');
}

function listen(page) {
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(e.message));
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/.test(m.text()) && complaints.push(m.text()));
  return complaints;
}

/** A browser of its own. */
export async function visitor(locale, options = {}) {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(60_000); // of a machine that does much else
  return context;
}

/** Asks until the answer is as expected: what a page shows, its node may tell elsewhere a moment later. */
export async function comes(what, expected) {
  for (const end = Date.now() + 60_000; ; await new Promise((done) => setTimeout(done, 100))) {
    const got = await what();
    if (expected(got)) return got;
    if (Date.now() > end) throw new Error(`${expected} never came to it: ${JSON.stringify(got)}`);
  }
}

/** A browser of its own that came in by the first door, and complains of whatever its console complains of. */
export async function enter(locale, options = {}) {
  const context = await visitor(locale, options);
  const page = await context.newPage();
  const complaints = listen(page);
  const { doors } = await (await context.request.get(base + '/session')).json();
  await page.goto(doors.find((d) => d.url.startsWith(base)).url);
  await page.waitForSelector('main h1');
  return { context, page, complaints };
}

/** A browser of its own in which somebody signed in at the node of the tests. */
export async function signIn(name, locale = 'en') {
  await startNode();
  const context = await visitor(locale);
  const answer = await context.request.post(node + '/session', { data: { name, password: 'a dozen words', code: '' }, headers: { Origin: node } });
  if (!answer.ok()) throw new Error(`${name} is not let in: ${answer.status()} ${await answer.text()}`);
  const page = await context.newPage();
  return { context, page, complaints: listen(page) };
}

export async function open(page, path, at = base) {
  await page.goto(at + path);
  await page.waitForSelector('main h1');
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
}
