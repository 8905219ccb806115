// From an upload to a sighting in a real Chromium: one party shares after seeing who gets it, the other's detection finds it
// in traffic of its own, a person there looks at the evidence and tells the author. Started by tools/screens.sh.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { base, begin, comes, end, enter, open, shots, test, visitor } from './stage.mjs';

before(begin);
after(end);

/** Twenty calls of one machine, five minutes apart, as Zeek writes them. */
function traffic(name) {
  const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify({ _path: 'dns', ts: new Date(Date.now() - (20 - i) * 300_000).toISOString(), uid: `C${i}`, 'id.orig_h': '10.20.0.99', 'id.orig_p': 5353, 'id.resp_h': '10.20.0.53', 'id.resp_p': 53, query: name }));
  const file = `${process.env.DEMO_DIR}/found.json`;
  writeFileSync(file, lines.join('\n') + '\n');
  return file;
}

test('upload, preview of who gets it, publish, arrives at the other party, seen in its traffic, told to the author', async () => {
  const sahlan = await enter('en');
  const { doors } = await (await sahlan.context.request.get(base + '/session')).json();
  const norvia = await visitor('ar');
  const there = await norvia.newPage();
  const door = doors.find((d) => d.names.en.includes('Norvia'));
  const origin = new URL(door.url).origin;
  await there.goto(door.url);
  await there.waitForSelector('main h1');
  await open(there, '/exchange', origin);

  await open(sahlan.page, '/exchange/share');
  await sahlan.page.getByLabel('Open a file').setInputFiles({ name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('seen-by-norvia.example\n') });
  await sahlan.page.locator('#under').selectOption({ label: 'Sahlan–Norvia Memorandum on Cyber Cooperation' });
  await sahlan.page.getByRole('button', { name: 'See who gets it' }).click();
  await sahlan.page.getByText('Foreign Ministry of Norvia · gets it').waitFor();
  await sahlan.page.getByText('Darb Energy · does not get it').waitFor();
  await sahlan.page.getByRole('button', { name: 'Sign and publish' }).click();
  const link = await sahlan.page.getByRole('link', { name: 'Look at it and its proof' }).getAttribute('href');
  await there.locator(`a[href="${link}"]`).first().waitFor(); // it arrives by itself

  await open(there, '/watch', origin);
  execFileSync(process.env.MITHAQ, ['detect', '--dir', `${process.env.DEMO_DIR}/norvia`, '--indicators', 'node', '--publish', '--validity', 'any', traffic('seen-by-norvia.example')], { stdio: 'pipe' });
  const mine = there.locator('main li.card', { has: there.locator(`a[href="${link}"]`) });
  await mine.waitFor(); // live
  if (!(await mine.locator('details').evaluate((d) => d.open))) await mine.locator('summary').first().click();
  await mine.getByText('seen-by-norvia.example').first().waitFor();
  await mine.getByText('مؤشر مشارَك يذكر هذا النطاق').waitFor();
  await mine.locator('svg[role=img]').first().waitFor(); // the beacon's plot, with its words
  assert.match(await mine.locator('svg[role=img]').first().getAttribute('aria-label'), /٢٠/);
  await mine.getByText('10.20.0.99', { exact: false }).first().waitFor();
  await mine.getByLabel('الجهة المتضررة').fill('هيئة الموانئ'); // the agreement permits it: its words stand beside
  await mine.getByText('يجوز أن تذكر المشاهدة', { exact: false }).waitFor();
  const { violations } = await new AxeBuilder({ page: there }).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  if (shots) await there.screenshot({ path: `${shots}/ar-watch-evidence.png`, fullPage: true });
  await mine.getByRole('button', { name: 'أبلغ صاحبه' }).click();
  await mine.waitFor({ state: 'detached' });
  await open(sahlan.page, '/watch');
  const came = sahlan.page.locator('section[aria-labelledby=came] article').first();
  await came.getByText('Foreign Ministry of Norvia').waitFor();
  await came.getByText('seen 16 times').waitFor(); // of twenty: how often is told as a power of two
  await open(sahlan.page, link);
  await sahlan.page.locator('section[aria-labelledby=sighted]').getByText('seen 16 times').waitFor();
  await open(sahlan.page, '/watch');
  const asked = async (path) => (await sahlan.context.request.get(base + path)).json();
  // Who was hit came along, once.
  await comes(() => asked('/api/v1/search?q=' + encodeURIComponent('هيئة الموانئ')), (found) => found.results?.length === 1);

  // One key for a false alarm, which travels back as well.
  await sahlan.page.locator('main li.card button').first().focus();
  const left = await sahlan.page.locator('main section[aria-labelledby=own] li.card').count();
  await sahlan.page.keyboard.press('f');
  await sahlan.page.waitForFunction((n) => document.querySelectorAll('main section[aria-labelledby=own] li.card').length < n, left);
  await comes(() => asked('/api/v1/sightings?state=false-positive'), (list) => list.length === 1 && list[0].leaf); // sent as a record
  assert.deepEqual(sahlan.complaints, []);
  await norvia.close();
  await sahlan.context.close();
});
