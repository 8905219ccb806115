// A pasted list becomes indicators; what is not understood is said; a bundle stays as it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { read } = await load('indicators');
const { lines } = await load('lines');
const patterns = (s) => JSON.parse(read(s).body).objects.map((o) => o.pattern);

test('each kind is recognised, as people write them', () => {
  assert.deepEqual(patterns('192.0.2.45\n2001:db8::1, evil[.]example\nhxxps://evil[.]example/a\n' + 'a'.repeat(64) + '\n# a comment\n"192.0.2.45"\nمثال.إختبار'), [
    "[ipv4-addr:value = '192.0.2.45']", "[ipv6-addr:value = '2001:db8::1']", "[domain-name:value = 'evil.example']", "[url:value = 'https://evil.example/a']", `[file:hashes.'SHA-256' = '${'a'.repeat(64)}']`, "[domain-name:value = 'مثال.إختبار']",
  ]);
});

test('what is not understood is said, and quotes cannot leave the pattern', () => {
  assert.deepEqual(read('hello world\n!!').unread, ['hello world', '!!']);
  assert.deepEqual(patterns("https://a.example/'x"), ["[url:value = 'https://a.example/\\'x']"]);
  assert.equal(read('').body, '');
});

test('a bundle is kept byte for byte', () => {
  const bundle = ' {"type":"bundle", "id":"bundle--1","objects":[{"a":1.50}]}\n';
  assert.deepEqual(read(bundle), { body: bundle, count: 1, unread: [] });
  assert.equal(read('{"type":').body, '');
});

test('lines tell what was put in and taken out', () => {
  assert.deepEqual(lines('a\nb\nc', 'a\nx\nc').filter((l) => l.op !== 'keep'), [{ op: 'delete', text: 'b' }, { op: 'insert', text: 'x' }]);
  for (const [a, b] of [['', ''], ['a', ''], ['a\nb\nc\nd', 'b\nd\ne'], ['x\ny', 'x\ny']]) {
    const all = lines(a, b);
    assert.equal(all.filter((l) => l.op !== 'insert').map((l) => l.text).join('\n'), a);
    assert.equal(all.filter((l) => l.op !== 'delete').map((l) => l.text).join('\n'), b);
  }
});
