// Scrolls the list of a log's entries from end to end in Chromium and tells how long its frames took. Started by bench/live,
// which sets NODE, COOKIE, LOG and CHROMIUM.
import { chromium } from 'playwright-core';

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const context = await browser.newContext({ locale: 'ar', viewport: { width: 1280, height: 900 } });
const [name, value] = process.env.COOKIE.split('=');
await context.addCookies([{ name, value, url: process.env.NODE }]);
const page = await context.newPage();
const begin = Date.now();
await page.goto(`${process.env.NODE}/record/${process.env.LOG}`);
await page.locator('[role=region] li a').first().waitFor();
const shown = Date.now() - begin;
const seen = await page.evaluate(async () => {
  const list = document.querySelector('main [role=region]');
  const frames = [];
  const steps = 600;
  let last = performance.now();
  let most = 0;
  for (let i = 1; i <= steps; i++) {
    list.scrollTop = (list.scrollHeight * i) / steps;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
    most = Math.max(most, list.querySelectorAll('li').length);
  }
  frames.sort((a, b) => a - b);
  const end = performance.now();
  while (!list.querySelector('li a[href$="/0"]') && performance.now() - end < 10000) await new Promise(requestAnimationFrame);
  return { rows: Number(list.querySelector('li')?.getAttribute('aria-setsize')), frames: frames.length, median: frames[frames.length >> 1], p95: frames[Math.floor(frames.length * 0.95)], worst: frames.at(-1), late: frames.filter((f) => f > 33.4).length, most, filled: performance.now() - end, memory: performance.memory?.usedJSHeapSize };
});
console.log(`${seen.rows} rows, first shown after ${shown} ms; scrolled from end to end in ${seen.frames} frames: median ${seen.median.toFixed(1)} ms, 95th percentile ${seen.p95.toFixed(1)} ms, worst ${seen.worst.toFixed(1)} ms, ${seen.late} over 33 ms; at most ${seen.most} rows in the page; the last ones filled ${Math.round(seen.filled)} ms after the last frame`);
await browser.close();
