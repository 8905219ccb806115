// What an operator brings and sets up, in a real Chromium: geometry for the map, and who is told outside the screens. Started by
// tools/screens.sh, which gives the tests' own node ui/e2e/map.geojson as its map_file.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { base, begin, end, enter, node, open, shots, signIn, test } from './stage.mjs';

before(begin);
after(end);

test('the map: tiles without geometry; the operator’s areas above them, said in words, and reached by the keyboard', async () => {
  const operator = await signIn('dana'); // whom no other test asks for a second factor
  const answer = await operator.context.request.get(node + '/api/v1/map');
  assert.equal(answer.status(), 200, await answer.text());
  const geometry = await answer.json();
  await operator.context.close();

  const { context, page, complaints } = await enter('ar');
  const tiles = page.locator('section[aria-labelledby=tiles]');
  await open(page, '/today');
  assert.equal(await tiles.locator('svg[role=img]').count(), 0);
  const parties = await tiles.locator('li a').count();
  assert.ok(parties >= 2);

  let scripts = 0;
  page.on('response', (r) => /Geography/.test(r.url()) && scripts++);
  await page.route('**/api/v1/map', (route) => route.fulfill({ json: geometry }));
  await open(page, '/today');
  const map = tiles.locator('svg[role=img]');
  await map.waitFor();
  assert.equal(scripts, 1, 'what draws the map is loaded when there is one');
  assert.equal(await map.locator('path').count(), 2);
  assert.equal(await map.locator('circle').count(), 1, 'a dot for the party whose area it is');
  assert.match(await map.getAttribute('aria-label'), /وزارة خارجية نورفيا/);
  const [x, other] = await map.locator('path').evaluateAll((all) => all.map((p) => p.getBoundingClientRect().x));
  assert.ok(x > other, 'east is on the right in Arabic as well');
  assert.equal(await tiles.locator('li a').count(), parties, 'the tiles stay');
  await tiles.locator('li a').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/participants/**');
  await open(page, '/today');
  await map.waitFor();
  const { violations } = await new AxeBuilder({ page }).include('section[aria-labelledby=tiles]').analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  if (shots) await page.screenshot({ path: `${shots}/ar-map.png`, fullPage: true });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('somebody is told by a webhook: added on screen, tried, and removed', async () => {
  const got = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      got.push({ ...JSON.parse(body), signed: request.headers['webhook-signature'] });
      response.writeHead(204).end();
    });
  });
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  const { context, page, complaints } = await enter('fr');
  await open(page, '/admin');
  const part = page.locator('section[aria-labelledby=notifiers]');
  await part.locator('#notify-name').fill('cellule');
  await part.locator('#notify-kind').selectOption('webhook');
  await part.locator('#notify-to').fill(`http://127.0.0.1:${receiver.address().port}/x`);
  await part.getByRole('button', { name: 'Ajouter' }).click();
  await part.getByText('whsec_').waitFor();
  await part.getByRole('button', { name: 'Envoyer un essai' }).click();
  await part.getByText('L’essai a été envoyé.').waitFor();
  const tried = got.filter((message) => message.occasion === 'test'); // of what waits in the demonstration it may be told meanwhile
  assert.equal(tried.length, 1);
  assert.match(tried[0].signed, /^v1,/);
  assert.match(tried[0].text, /Message d’essai/);
  assert.ok(tried[0].link.startsWith(base), tried[0].link);
  const { violations } = await new AxeBuilder({ page }).include('section[aria-labelledby=notifiers]').analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  await part.getByRole('button', { name: 'Retirer' }).click();
  await part.getByRole('group', { name: 'Retirer' }).getByRole('button', { name: 'Retirer' }).click();
  await part.getByText('Personne n’est prévenu hors des écrans.').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
  receiver.close();
});

test('ready-made settings for TAXII clients let them in with the token that was just made', async () => {
  const { context, page } = await enter('en');
  await open(page, '/admin');
  const form = page.locator('form', { has: page.locator('#token-name') });
  await page.locator('#token-name').fill('siem');
  await form.getByRole('button', { name: 'Make a token' }).click();
  await form.getByRole('status').waitFor();
  await page.getByText('Ready-made settings for TAXII clients').click();
  const settings = Object.fromEntries(await page.locator('details pre').evaluateAll((all) => all.map((pre) => [pre.previousElementSibling.textContent, pre.textContent])));
  const asked = async (address, authorization) => (await fetch(address, { headers: { Authorization: authorization, Accept: 'application/taxii+json;version=2.1' } })).status;
  const basic = (user, password) => 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64');
  const [, server, user, password] = /Server\("([^"]+)", user="([^"]+)", password="([^"]+)"\)/.exec(settings['taxii2-client']);
  assert.equal(await asked(server, basic(user, password)), 200, 'taxii2-client');
  const { TAXII2_DISCOVERY_URL: url, TAXII2_USERNAME: name, TAXII2_PASSWORD: word } = Object.fromEntries(settings.OpenCTI.split('\n').map((l) => l.split('=')));
  assert.equal(await asked(url, basic(name, word)), 200, 'OpenCTI');
  const field = (program, label) => new RegExp(`^${label} +(\\S+)$`, 'm').exec(settings[program])[1];
  assert.equal(await asked(`${field('MISP', 'base URL')}/${field('MISP', 'API root')}/collections/${field('MISP', 'collection')}/`, 'basic ' + field('MISP', 'API key')), 200, 'MISP');
  assert.equal(await asked(field('Splunk', 'discovery'), basic(field('Splunk', 'user'), field('Splunk', 'password'))), 200, 'Splunk');
  assert.equal(await asked(`${field('Microsoft Sentinel', 'API root URL')}collections/${field('Microsoft Sentinel', 'collection ID')}/`, basic(field('Microsoft Sentinel', 'username'), field('Microsoft Sentinel', 'password'))), 200, 'Sentinel');
  const [, bearer, at] = /Authorization: (Bearer [^"]+)"[^]* (http\S+)$/.exec(settings.curl);
  assert.equal(await asked(at, bearer), 200, 'curl');
  await context.close();
});
