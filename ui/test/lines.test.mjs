// The difference of two texts, line by line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { lines } = await load('lines');

test('lines tell what was put in and taken out', () => {
  assert.deepEqual(lines('a\nb\nc', 'a\nx\nc').filter((l) => l.op !== 'keep'), [{ op: 'delete', text: 'b' }, { op: 'insert', text: 'x' }]);
  for (const [a, b] of [['', ''], ['a', ''], ['a\nb\nc\nd', 'b\nd\ne'], ['x\ny', 'x\ny']]) {
    const all = lines(a, b);
    assert.equal(all.filter((l) => l.op !== 'insert').map((l) => l.text).join('\n'), a);
    assert.equal(all.filter((l) => l.op !== 'delete').map((l) => l.text).join('\n'), b);
  }
});
