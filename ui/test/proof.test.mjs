// Proofs as the browser checks them: trees of every size up to 300, and what must not hold.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { load } from './load.mjs';

const p = await load('proof');
const sha = (...b) => createHash('sha256').update(Buffer.concat(b.map((x) => Buffer.from(x)))).digest();
const leaf = (object) => sha([0, 1], sha(object));
const node = (l, r) => sha([1], l, r);
const largest = (n) => 2 ** Math.floor(Math.log2(n - 1));
const root = (l) => (l.length === 1 ? l[0] : node(root(l.slice(0, largest(l.length))), root(l.slice(largest(l.length)))));
const path = (m, l) => {
  if (l.length === 1) return [];
  const k = largest(l.length);
  return m < k ? [...path(m, l.slice(0, k)), root(l.slice(k))] : [...path(m - k, l.slice(k)), root(l.slice(0, k))];
};
const objects = Array.from({ length: 300 }, (_, i) => Buffer.from(`object ${i}`));
const leaves = objects.map(leaf);

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const raw = Buffer.concat([Buffer.of(1), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
const name = 'mithaq/l-test';
const id = sha(Buffer.from(name + '\n'), raw).subarray(0, 4);
const vkey = `${name}+${id.toString('hex')}+${raw.toString('base64')}`;
const checkpoint = (n) => {
  const text = `${name}\n${n}\n${root(leaves.slice(0, n)).toString('base64')}\n`;
  return `${text}\n— ${name} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString('base64')}\n`;
};
const proofOf = (i, n) => `c2sp.org/tlog-proof@v1\nindex ${i}\n${path(i, leaves.slice(0, n)).map((h) => h.toString('base64') + '\n').join('')}\n${checkpoint(n)}`;
const tiles = (now) => async (level, n, width) => {
  const out = [];
  for (let i = 0; i < width; i++) {
    const from = (n * 256 + i) * 256 ** level;
    out.push(root(leaves.slice(from, from + 256 ** level)));
  }
  assert.ok((n * 256 + width) * 256 ** level <= now, 'a tile beyond the log is asked for');
  return new Uint8Array(Buffer.concat(out));
};

test('every place of trees of many sizes is proved', async () => {
  for (const n of [1, 2, 3, 5, 8, 13, 64, 255, 256, 257, 300]) {
    for (const i of new Set([0, n >> 1, n - 1])) {
      const results = await p.verify(proofOf(i, n), new Uint8Array(objects[i]), vkey);
      assert.ok(p.holds(results), `${i} of ${n}: ${JSON.stringify(results)}`);
    }
    assert.deepEqual(Buffer.from(await p.rootOf(n, 300, tiles(300))), root(leaves.slice(0, n)), `root of ${n}`);
  }
});

test('what was forged does not hold', async () => {
  const good = proofOf(7, 13);
  const object = new Uint8Array(objects[7]);
  for (const [what, proof, o, key] of [
    ['another object', good, new Uint8Array(objects[8]), vkey],
    ['another place', good.replace('index 7', 'index 6'), object, vkey],
    ['a place beyond', good.replace('index 7', 'index 99'), object, vkey],
    ['another size', good.replace('\n13\n', '\n14\n'), object, vkey],
    ['a hash less', good.replace(/(index 7\n)[^\n]+\n/, '$1'), object, vkey],
    ['another name', good, object, vkey.replace('l-test', 'l-else')],
    ['no signature', good.replace(/— .*\n/, ''), object, vkey],
    ['not a proof', 'hello', object, vkey],
    ['too long', good + 'x'.repeat(70_000), object, vkey],
    ['a broken key', good, object, 'nonsense'],
  ]) assert.ok(!p.holds(await p.verify(proof, o, key)), what);
  assert.ok(!p.holds(await p.verify(good, undefined, vkey)), 'without its object nothing is proved');
});

test('the checkpoint that somebody holds decides', async () => {
  const held = async (text, now = 300) => (await p.verify(proofOf(7, 300), new Uint8Array(objects[7]), vkey, { text, tiles: tiles(now), now })).find((r) => r.step === 'held').ok;
  assert.equal(await held(checkpoint(300)), true);
  assert.equal(await held(checkpoint(41)), true);
  const other = objects.map((_, i) => leaf(Buffer.from(`other ${i}`)));
  const text = `${name}\n41\n${root(other.slice(0, 41)).toString('base64')}\n`;
  assert.equal(await held(`${text}\n— ${name} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString('base64')}\n`), false, 'a fork');
  assert.equal(await held('nonsense'), false);
  assert.equal(await held(checkpoint(41).replace(/— .*\n/, '')), false, 'unsigned');
});

test('tiles are named as in tlog-tiles', () => {
  assert.equal(p.tilePath(0, 5, 256), 'tile/0/005');
  assert.equal(p.tilePath(2, 1234067, 13), 'tile/2/x001/x234/067.p/13');
});
