// What deceives the eye is found, and what a language needs is left alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { examine } = await load('deceit');

const hidden = (s) => examine(s).pieces.filter((p) => p.hidden).map((p) => p.hidden);

test('direction controls and characters without a shape are shown', () => {
  assert.deepEqual(hidden('invoice\u202Efdp.exe'), ['U+202E']);
  assert.deepEqual(hidden('a\u200Bb\uFEFFc'), ['U+200B', 'U+FEFF']);
  assert.deepEqual(hidden('\u2066x\u2069'), ['U+2066', 'U+2069']);
  assert.deepEqual(hidden('bell\u0007'), ['U+0007']);
  assert.deepEqual(hidden('tag\u{E0041}'), ['U+E0041']);
});

test('joiners inside Arabic-script words are a matter of spelling', () => {
  assert.deepEqual(hidden('می‌خواهم'), []);
  assert.deepEqual(hidden('a \u200C b'), ['U+200C']);
});

test('ordinary text in three languages is left as it is', () => {
  for (const s of ['الوفاء بالالتزامات', 'Kept promises', 'Journal et preuves « à jour »', 'line\nline\ttab', '']) {
    assert.deepEqual(examine(s), { pieces: [{ text: s }], hidden: 0, mixed: [], cut: 0 });
  }
});

test('look-alike letters in one word are named', () => {
  assert.deepEqual(examine('pаypal is not paypal').mixed, ['pаypal']);
  assert.deepEqual(examine('Москва and London, Ω').mixed, []);
});

test('a hundred thousand characters are cut, and nothing is lost', () => {
  const long = 'س'.repeat(100_000);
  const seen = examine(long);
  assert.equal(seen.pieces[0].text.length + seen.cut, 100_000);
  assert.equal(examine(long, Infinity).pieces[0].text, long);
});
