// Drafts and approvals in a real Chromium: two people of one party, each with a key of their own, and a node that restarts
// under them. Started by tools/screens.sh.
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { begin, end, node, open, shots, signIn, startNode, stopNode, test } from './stage.mjs';

before(begin);
after(end);

test('two officers: a draft saved as one types, through a restart of the node, seen by the other, approved, signed, published', async () => {
  const basim = await signIn('basim', 'en');
  const dana = await signIn('dana', 'ar');
  await open(basim.page, '/desk', node);
  await open(dana.page, '/desk', node);
  await basim.page.locator('#which').selectOption({ index: 1 });
  await basim.page.getByRole('button', { name: 'Begin' }).click();
  const text = basim.page.getByLabel('The text, with its next version number');
  const words = (await text.inputValue()).replace('version = "1"', 'version = "2"').replace('within a day', 'within an hour');
  await text.fill(words);
  await basim.page.getByText('Saved on the node').waitFor();
  await basim.page.locator('ins', { hasText: 'hour' }).first().waitFor(); // the difference, by article
  const look = async (who, name) => {
    const { violations } = await new AxeBuilder({ page: who.page }).analyze();
    assert.deepEqual(violations.map((v) => `${name}: ${v.id}: ${v.nodes[0].html}`), []);
    if (shots) await who.page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  };
  await look(basim, 'en-desk-writing');

  // The node restarts under the open page: what is typed meanwhile is kept, the page says so, and saves it by itself.
  await stopNode();
  await text.fill(words + '# typed while the node was away\n');
  await basim.page.getByText('Not saved on the node yet').waitFor();
  await basim.page.getByText('The node does not answer. What you typed is kept').waitFor();
  await startNode();
  await basim.page.getByText('Saved on the node').waitFor();
  await basim.page.getByText('The node does not answer').waitFor({ state: 'hidden' });
  await basim.page.reload();
  assert.match(await text.inputValue(), /typed while the node was away/);

  // The other officer sees it come by itself, and writes on it; two who write at once are told.
  await dana.page.getByRole('link', { name: 'تعديل' }).click();
  await dana.page.locator('#text').fill(words + '# from Dana\n');
  await dana.page.getByText('محفوظة على العقدة').waitFor();
  await basim.page.waitForFunction(() => document.querySelector('#text')?.value.includes('from Dana'));
  await basim.page.locator('#by-en').fill('The council');
  await basim.page.locator('#basis-en').fill('Decision 12');
  // Whoever goes on while what was typed before is still on its way is not taken for two people.
  let release;
  const held = new Promise((done) => (release = done));
  const asked = new Promise((done) => basim.page.route('**/api/v1/drafts/*', async (route) => {
    done();
    await held;
    await route.continue();
  }));
  await asked;
  await basim.page.locator('#note-en').fill('As agreed in March');
  await basim.page.getByRole('button', { name: 'Ask for approval' }).click();
  release();
  await basim.page.getByRole('button', { name: 'Approve', exact: true }).click();
  await basim.page.getByText('You have done your part').waitFor();
  await dana.page.getByRole('button', { name: 'موافقة وتوقيع' }).click();
  await look(dana, 'ar-desk-signing');
  await basim.page.getByRole('button', { name: 'Sign', exact: true }).click();
  await basim.page.getByRole('button', { name: 'Publish the act' }).click();
  await basim.page.getByText('Published and entered into the roll.').waitFor();
  await open(basim.page, '/agreements/house-register', node);
  await basim.page.getByText('Version 2', { exact: false }).first().waitFor();
  assert.deepEqual([...basim.complaints, ...dana.complaints], []);
  await basim.context.close();
  await dana.context.close();
});

test("nobody signs with another's key, and an analyst sees no drafts", async () => {
  const basim = await signIn('basim');
  const drafts = await (await basim.context.request.get(node + '/api/v1/drafts')).json();
  const draft = await (await basim.context.request.get(`${node}/api/v1/drafts/${drafts[0].id}`)).json();
  const me = (await (await basim.context.request.get(node + '/session')).json()).person.officer;
  const other = draft.officers.find((o) => o.key !== me).key;
  const answer = await basim.context.request.post(`${node}/api/v1/drafts/${draft.id}/sign`, { data: { officer: other }, headers: { Origin: node } });
  assert.equal(answer.status(), 403, await answer.text());
  await basim.context.close();
});
