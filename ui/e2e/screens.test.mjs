// The screens in a real Chromium, in three languages and both directions, against the demonstration's nodes.
// Started by tools/screens.sh, which sets BASE, CHROMIUM and perhaps SHOTS (a folder for pictures of each screen).
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { after, before } from 'node:test';
import { base, begin, end, enter, late, node, open, shots, startNode, test, visitor } from './stage.mjs';

const languages = ['ar', 'en', 'fr'];
let record; // address of an entry of the memorandum's log
let log;
let forked; // the log of which two histories were signed

before(async () => {
  await begin();
  const { context } = await enter('en');
  const logs = await (await context.request.get(base + '/api/v1/logs')).json();
  log = logs.find((l) => l.agreement !== 'own').id;
  const { results } = await (await context.request.get(base + '/api/v1/arrivals?kind=intel&limit=50')).json();
  record = `/record/${log}/${results.find((r) => r.log === log).index}`; // what was shared last, and nobody took back
  forked = (await (await context.request.get(base + '/api/v1/follows')).json()).find((f) => f.evidence?.length).id;
  await context.close();
});
after(end);

test("the newcomer's five minutes: approve, share after the preview, recall, verify, and a forgery that fails", async () => {
  const { context, page, complaints } = await enter('en');
  await open(page, '/agreements/sahlan-norvia');
  if (await page.locator('ins').count()) {
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('version 3', { exact: true }).first().waitFor();
  }
  // What each version changed in the one before it stands with the text.
  const versions = page.locator('#text details', { hasText: 'Foreign Ministry of Norvia' }).or(page.locator('#text details', { hasText: 'CERT-Sahlan' }));
  await versions.filter({ hasText: 'version 2' }).locator('summary').click();
  await versions.locator('ins', { hasText: 'schools' }).waitFor();
  await versions.filter({ hasText: 'version 1' }).locator('summary').click();
  await versions.getByText('The first text.').waitFor();
  await page.getByRole('link', { name: 'Exchange' }).first().click();
  await page.getByRole('link', { name: 'Share threat information' }).click();
  await page.getByLabel('What to share').fill('192.0.2.99\nevil[.]example');
  await page.locator('#under').selectOption({ label: 'Sahlan–Norvia Memorandum on Cyber Cooperation' });
  await page.getByLabel('Operational cooperation').check();
  await page.getByRole('button', { name: 'See who gets it' }).click();
  await page.getByText('Foreign Ministry of Norvia · gets it').waitFor();
  await page.getByText('Darb Energy · does not get it').waitFor();
  await page.getByRole('button', { name: 'Sign and publish' }).click();
  await page.getByRole('link', { name: 'Look at it and its proof' }).click();
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.locator('[data-verdict=holds]').waitFor();
  await page.getByRole('button', { name: 'Try with one bit changed' }).click();
  await page.locator('[data-verdict=fails]').waitFor();
  const held = await (await context.request.get(`${base}/log/${log}/checkpoint`)).text();
  await page.getByRole('button', { name: 'Recall' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Recall' }).click();
  await page.getByText('withheld by the rules').first().waitFor();
  await open(page, record);
  await page.getByLabel('A checkpoint that you hold').fill(held);
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.getByText('it is the history that you hold').waitFor();
  assert.equal(await page.locator('[data-verdict]').getAttribute('data-verdict'), 'holds');
  await page.getByLabel('A checkpoint that you hold').fill(held.replace(/\n(\d+)\n/, (_, n) => `\n${Number(n) - 1}\n`));
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.locator('[data-verdict=fails]').waitFor();
  // What eight of its objects have to do with is said once.
  const known = page.locator('section[aria-labelledby=background] li');
  await known.filter({ hasText: 'SANDGLASS' }).waitFor();
  assert.deepEqual(await known.allInnerTexts(), ['malware SANDGLASS (shown by: indicator × 8)']);
  // A commitment that it serves is a link to where the agreement says it.
  await page.locator('a[href$="#c-2"]').click();
  const article = page.locator('#c-2');
  await article.waitFor();
  await page.waitForFunction(() => document.querySelector('#c-2').getBoundingClientRect().top < 200);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("another program's file: a MISP event and a table, with what could not be carried, and once only", async () => {
  const { context, page, complaints } = await enter('en');
  const event = JSON.stringify({ Event: { uuid: '84ee5858-a5d0-4c5f-9512-3db747f61ecc', info: 'Campaign against ports', date: '2024-05-01', timestamp: '1714600600', threat_level_id: '2', analysis: '2', distribution: '3', published: true, Orgc: { name: 'X', uuid: '55f6ea5e-2c60-40e5-964f-47a8950d210f' }, Attribute: [{ uuid: '84ee5858-a5d0-4c5f-9512-3db747f61e01', type: 'domain', category: 'Network activity', to_ids: true, value: 'evil.example', timestamp: '1714600500', distribution: '5' }, { uuid: '84ee5858-a5d0-4c5f-9512-3db747f61e02', type: 'btc', category: 'Financial fraud', to_ids: true, value: '1BoatSLRHtKNngkdXEeobR76b53LETtpyT', timestamp: '1714600500', distribution: '5' }] } });
  for (const again of [false, true]) {
    await open(page, '/exchange/share');
    await page.getByLabel('Open a file').setInputFiles({ name: 'event.json', mimeType: 'application/json', buffer: Buffer.from(event) });
    await page.getByRole('button', { name: 'See who gets it' }).click();
    await page.getByText('Campaign against ports').waitFor();
    await page.getByText('STIX has no form for the type btc').waitFor();
    assert.equal(await page.getByText('This version is here already').count(), again ? 1 : 0);
    await page.getByRole('button', { name: 'Sign and publish' }).click();
    await page.getByText(again ? 'This version is here already' : 'Published at place').waitFor();
  }
  await open(page, '/exchange/share');
  await page.getByLabel('Open a file').setInputFiles({ name: 'table.csv', mimeType: 'text/csv', buffer: Buffer.from('domain,comment\nbad.example,x\nnot a name,y\n') });
  await page.getByRole('button', { name: 'See who gets it' }).click();
  await page.getByText('line 3').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('by the keyboard alone', async () => {
  const { context, page } = await enter('fr');
  await open(page, '/today');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '#main');
  const reach = async (name) => {
    await page.getByRole('link', { name }).first().waitFor();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate(() => document.activeElement.textContent.trim())).startsWith(name)) return;
    }
    assert.fail(`${name} is not reached`);
  };
  await reach('Accords');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Accords' }).waitFor();
  await reach('Mémorandum');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /Mémorandum/ }).waitFor();
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), null);
  await context.close();
});

test('hostile text is shown as text, isolated, and flagged where it deceives', async () => {
  const { context, page, complaints } = await enter('ar');
  const names = ['<script>window.hurt=1</script><img src=x onerror="window.hurt=1">', 'invoice\u202Efdp.exe', 'p\u0430ypal login', 'س'.repeat(100_000), 'عربي and English ‏mixed‎ 123'];
  const now = '2026-11-22T00:00:00.000Z';
  const bundle = { type: 'bundle', id: 'bundle--9b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e', objects: names.map((name, i) => ({ type: 'indicator', spec_version: '2.1', id: `indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f6${i}`, created: now, modified: now, name, description: name.slice(0, 400), pattern: "[domain-name:value = 'a.example']", pattern_type: 'stix', valid_from: now })) };
  const made = await context.request.post(`${base}/api/v1/logs/${log}/records?kind=intel&tlp=TLP:GREEN`, { data: bundle });
  assert.equal(made.status(), 201, await made.text());
  const { index } = await made.json();
  await open(page, `/record/${log}/${index}`);
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  await page.getByText('<script>window.hurt=1</script>').first().waitFor();
  assert.ok((await page.locator('.deceit', { hasText: 'U+202E' }).count()) >= 1);
  assert.ok((await page.getByText('أحرف متشابهة من أبجديات مختلفة').count()) >= 1);
  assert.ok((await page.locator('h3 bdi').first().textContent()).length < 3000);
  assert.equal(await page.locator('h3 bdi').nth(1).evaluate((e) => getComputedStyle(e).unicodeBidi), 'isolate');
  await open(page, '/exchange');
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wider <= 0);
  assert.deepEqual(complaints, []);
  if (shots) await page.screenshot({ path: `${shots}/hostile.png`, fullPage: true });

  // Two versions of one object in one bundle, and the same tag twice: each is shown.
  const twice = { ...bundle, id: 'bundle--9b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5f', objects: ['first', 'second'].map((name, i) => ({ ...bundle.objects[0], id: 'indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f70', modified: `2026-11-22T00:00:0${i}.000Z`, name, labels: ['x:y="z"', 'x:y="z"'] })) };
  const again = await context.request.post(`${base}/api/v1/logs/${log}/records?kind=intel&tlp=TLP:GREEN`, { data: twice });
  assert.equal(again.status(), 201, await again.text());
  await open(page, `/record/${log}/${(await again.json()).index}`);
  await page.locator('h3', { hasText: 'first' }).waitFor();
  await page.locator('h3', { hasText: 'second' }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a lost connection, a reload, an expired session: nothing typed is lost, and the screen says so', async () => {
  const { context, page } = await enter('en');
  await open(page, '/exchange/share');
  await page.getByLabel('What to share').fill('203.0.113.7');
  await context.setOffline(true);
  await page.getByRole('button', { name: 'See who gets it' }).click();
  await page.getByText('The node does not answer. What you typed is kept').waitFor();
  await context.setOffline(false);
  await page.reload();
  await page.waitForSelector('main h1');
  assert.equal(await page.getByLabel('What to share').inputValue(), '203.0.113.7');
  // Another language changes the words, and nothing else.
  await page.getByRole('radio', { name: 'TLP:GREEN' }).check();
  await page.getByRole('button', { name: 'Français' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Partager' }).waitFor();
  assert.ok(await page.getByRole('radio', { name: 'TLP:GREEN' }).isChecked());
  await page.getByRole('button', { name: 'English' }).first().click();
  await page.locator('#under').selectOption({ label: 'Sahlan–Norvia Memorandum on Cyber Cooperation' });
  await page.getByLabel('Operational cooperation').waitFor();
  await context.clearCookies();
  await page.getByRole('button', { name: 'See who gets it' }).click();
  await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
  assert.equal(await page.getByLabel('What to share').inputValue(), '203.0.113.7');
  await context.close();
});

test('two browsers, two parties: each sees its own node, live', async () => {
  const sahlan = await enter('en');
  const { doors } = await (await sahlan.context.request.get(base + '/session')).json();
  const other = doors.find((d) => !d.url.startsWith(base));
  const context = await visitor('fr');
  const page = await context.newPage();
  await page.goto(other.url);
  await page.waitForSelector('main h1');
  assert.notEqual((await (await context.request.get(new URL(other.url).origin + '/session')).json()).party.id, (await (await sahlan.context.request.get(base + '/session')).json()).party.id);
  await open(sahlan.page, '/exchange');
  const made = await sahlan.context.request.post(`${base}/api/v1/logs/own/records?kind=report&tlp=TLP:CLEAR`, { data: { period: { from: '2026-11-01', to: '2026-11-02' }, summary: { en: 'Live.' } } });
  assert.equal(made.status(), 201);
  const { index, log: own } = await made.json();
  await sahlan.page.locator(`a[href="/record/${own}/${index}"]`).waitFor();
  await context.close();
  await sahlan.context.close();
});

test('two histories: Today leads to the evidence, which is checked here and holds offline', async () => {
  const { context, page, complaints } = await enter('en');
  await open(page, '/today');
  await page.getByRole('link', { name: /History mismatch/ }).click();
  await page.waitForURL('**/record**');
  if (new URL(page.url()).pathname === '/record') await page.locator('li.card', { hasText: 'Two histories were signed' }).getByRole('link').first().click(); // more than one
  const fork = page.locator('[data-fork]').first(); // another host may have shown a third tree meanwhile
  await fork.waitFor();
  assert.equal(await page.locator('[data-fork]').count(), 1);
  const signed = fork.locator(':scope > ul').getByText("the log's key signed the checkpoint");
  await signed.nth(1).waitFor();
  assert.equal(await signed.count(), 2);
  const roots = await fork.locator(':scope > ul li bdi.code').allTextContents();
  assert.equal(new Set(roots).size, 2);
  const [download] = await Promise.all([page.waitForEvent('download'), fork.getByRole('link', { name: 'Download the evidence' }).first().click()]);
  const said = execFileSync(process.env.MITHAQ, ['log', 'verify', '--evidence', await download.path()], { encoding: 'utf8' });
  assert.match(said, /signed two trees/);
  await open(page, '/record');
  await page.locator('li.card', { hasText: 'Two histories were signed' }).waitFor();

  // Who co-signed is told by name, and by its key alone where nobody knows whose that is.
  const [{ party }] = (await (await context.request.get(base + '/session')).json()).doors.filter((d) => d.names.en.includes('Norvia'));
  await page.route('**/api/v1/follows', async (route) => {
    const all = await (await route.fetch()).json();
    await route.fulfill({ json: all.map((l) => ({ ...l, cosigned: [{ key: 'k-aaaaaaaaaaaaaaaa', party }, { key: 'k-bbbbbbbbbbbbbbbb' }] })) });
  });
  await open(page, `/record/${forked}`);
  await page.locator('dd', { hasText: 'k-aaaaaaaa' }).getByRole('link', { name: 'Foreign Ministry of Norvia' }).waitFor();
  await page.locator('dd', { hasText: 'k-bbbbbbbb' }).getByText('a witness not known here').waitFor();

  // Somebody decides, when asked once more; then it waits for nobody.
  await fork.getByRole('button', { name: 'Show it to the members' }).click();
  await fork.getByRole('button', { name: 'Cancel' }).press('Enter'); // it has the focus
  await fork.getByRole('button', { name: 'Show it to the members' }).click();
  await fork.getByRole('group').getByRole('button', { name: 'Show it to the members' }).click();
  await fork.getByText('Shown to the members').waitFor();
  await open(page, '/today');
  await page.getByRole('link', { name: /History mismatch/ }).first().waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('an address that nothing has, and a search that is left', async () => {
  const { context, page } = await enter('ar');
  assert.equal((await page.goto(base + '/nowhere')).status(), 404);
  await page.getByRole('heading', { level: 1, name: 'لا توجد هذه الصفحة' }).waitFor();
  await open(page, '/exchange?q=' + encodeURIComponent('لا شيء كهذا'));
  const field = page.getByRole('searchbox');
  assert.equal(await field.inputValue(), 'لا شيء كهذا');
  await page.getByRole('button', { name: 'اعرض كل شيء' }).click();
  await page.locator('main article').first().waitFor();
  await field.fill('sandglass');
  await page.waitForURL('**q=sandglass');
  await page.locator('nav').getByRole('link', { name: 'تبادل المعلومات' }).first().click();
  await page.waitForFunction(() => document.querySelector('input[type=search]').value === '');

  // The drawer goes when its own screen is chosen, and where the list stands beside the screen.
  await page.setViewportSize({ width: 800, height: 900 });
  const drawer = page.locator('dialog[open]');
  await page.getByRole('button', { name: 'القائمة' }).click();
  await drawer.getByRole('link', { name: 'تبادل المعلومات' }).click();
  await drawer.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'القائمة' }).click();
  await drawer.waitFor();
  await page.setViewportSize({ width: 1280, height: 900 });
  await drawer.waitFor({ state: 'detached' });

  // What could not be asked is not told as nothing.
  await page.route('**/api/v1/matters', (route) => route.fulfill({ status: 500, json: { title: 'x', status: 500 } }));
  await page.goto(base + '/today');
  await page.locator('main').getByRole('alert').waitFor();
  await page.route('**/api/v1/matters', (route) => route.fulfill({ status: 403, json: { title: 'x', status: 403, code: 'forbidden' } }));
  await open(page, '/today');
  await context.close();
});

test('the report of kept promises on paper: from the first page on, in the report’s own colours, with addresses', async () => {
  const { context, page } = await enter('ar', { colorScheme: 'dark' });
  await open(page, '/promises/sahlan-norvia/report');
  await page.emulateMedia({ media: 'print' });
  assert.ok((await page.locator('article header').boundingBox()).y < 100);
  assert.equal(await page.locator('article h1').evaluate((e) => getComputedStyle(e).color), 'rgb(0, 0, 0)');
  assert.ok(await page.getByText(`${base}/record/${log}/`).first().isVisible());
  const pages = (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages <= 3, `${pages} pages`);
  await context.close();
});

test('what a first visit costs', async (t) => {
  const { context, page } = await enter('ar');
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.setCacheDisabled', { cacheDisabled: true });
  let script = 0;
  const scripts = new Set();
  client.on('Network.responseReceived', (e) => /javascript|json/.test(e.response.mimeType) && /\/assets\//.test(e.response.url) && scripts.add(e.requestId));
  client.on('Network.loadingFinished', (e) => scripts.has(e.requestId) && (script += e.encodedDataLength));
  await open(page, '/today');
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  t.diagnostic(`script before the first screen: ${Math.round(script / 1024)} KiB compressed; first contentful paint: ${Math.round(paint)} ms`);
  assert.ok(script > 0 && script <= 170 * 1024, `${script} bytes of script`);
  await context.close();
});

/** The code of RFC 6238 that a telephone would show. */
function code(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  return ((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).toString().padStart(6, '0');
}

test('signing in: a password, then codes as well, then a passkey instead', async () => {
  await startNode();
  const context = await visitor('ar');
  const page = await context.newPage();
  const found = [];
  const look = async (name) => {
    const { violations } = await new AxeBuilder({ page }).analyze();
    found.push(...violations.map((v) => `${name}: ${v.id}: ${v.nodes[0].html}`));
    if (shots) await page.screenshot({ path: `${shots}/ar-${name}.png`, fullPage: true });
  };
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  const password = async () => {
    await page.locator('#name').fill('amal');
    await page.locator('#password').fill('a dozen words');
    await page.locator('form button').click();
  };
  const out = async () => {
    await page.getByRole('button', { name: 'خروج' }).first().click();
    await page.locator('#password').waitFor();
  };
  await page.goto(node + '/account');
  await page.locator('#password').waitFor();
  await look('sign-in');
  await password();
  await page.getByRole('heading', { name: 'كيف أدخل' }).waitFor();
  await page.getByRole('button', { name: 'إعداد' }).click();
  const secret = await page.locator('bdi.code.break-all').innerText();
  await look('account');
  await page.locator('#first-code').fill(code(secret));
  await page.getByRole('button', { name: 'اطلب الرموز من الآن' }).click();
  await page.getByRole('button', { name: 'إزالة' }).waitFor();
  await out();
  await password();
  await page.locator('#code').fill('000000');
  await page.locator('form button').click();
  await page.getByText('الرمز خاطئ أو استُعمل من قبل').waitFor();
  await page.locator('#code').fill(code(secret, Date.now() + 30000)); // the next one: none is taken twice, and the clock goes on meanwhile
  await page.locator('form button').click();
  await page.getByRole('button', { name: 'إضافة مفتاح مرور' }).click();
  await page.getByRole('button', { name: 'إزالة' }).nth(1).waitFor();
  await out();
  await page.getByRole('button', { name: 'الدخول بمفتاح مرور' }).click();
  await page.getByRole('heading', { name: 'كيف أدخل' }).waitFor();
  assert.deepEqual(found, []);
  await context.close();
});

const quick = !!process.env.QUICK; // for the checks, which have less than two minutes: see UNTIL
const screens = (locale) => quick ? (locale === 'ar' ? ['/today', '/promises/sahlan-norvia', '/agreements/sahlan-norvia', record, '/admin'] : ['/today', '/exchange/share']) : ['/today', '/promises', '/promises/sahlan-norvia', '/promises/sahlan-norvia/report', '/agreements', '/agreements/sahlan-norvia', '/agreements/demo-call', '/participants', '/exchange', '/exchange/share', '/desk', '/watch', '/record', `/record/${log}`, `/record/${forked}`, record, '/record/verify', '/admin'];

for (const locale of languages) {
  test(`every screen in ${locale}: axe finds nothing, nothing is wider than a telephone`, async (t) => {
    const { context, page, complaints } = await enter(locale, { colorScheme: locale === 'fr' ? 'dark' : 'light' });
    const found = [];
    for (const path of screens(locale)) {
      if (late()) {
        t.diagnostic(`no time is left for ${path} and what comes after it`);
        break;
      }
      await open(page, path);
      assert.equal(await page.getAttribute('html', 'dir'), locale === 'ar' ? 'rtl' : 'ltr');
      const { violations } = await new AxeBuilder({ page }).analyze();
      found.push(...violations.map((v) => `${path}: ${v.id}: ${v.nodes[0].html}`));
      if (shots) await page.screenshot({ path: `${shots}/${locale}${path.replace(log, 'log').replace(forked, 'forked').replaceAll('/', '-')}.png`, fullPage: true });
      for (const width of [320, 640]) { // 640: a screen of 1280 at 200 %
        await page.setViewportSize({ width, height: 800 });
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wider > 0) found.push(`${path} is ${wider} px wider than ${width}`);
        const tables = width === 320 ? await page.evaluate(() => [...document.querySelectorAll('main table')].filter((e) => e.getBoundingClientRect().width > e.parentElement.clientWidth + 1).length) : 0;
        if (tables) found.push(`${path}: ${tables} tables scroll sideways`);
        if (shots && !quick && width === 320) await page.screenshot({ path: `${shots}/${locale}${path.replace(log, 'log').replace(forked, 'forked').replaceAll('/', '-')}-telephone.png`, fullPage: true });
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    }
    assert.deepEqual([...found, ...complaints], []);
    await context.close();
  });
}
