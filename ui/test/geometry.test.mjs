// The dot of an area stands in its middle, and never outside of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { middle } = await load('geometry');

test('the middle of an area', () => {
  const square = [[10, 20], [14, 20], [14, 24], [10, 24], [10, 20]];
  assert.deepEqual(middle([square]), [12, 22]);
  assert.deepEqual(middle([square.toReversed()]), [12, 22]);
  assert.deepEqual(middle([[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], square]), [12, 22], 'of the largest part');
  const many = [[0, 0], ...Array.from({ length: 50 }, (_, i) => [i / 50, 4]), [4, 4], [4, 0], [0, 0]]; // a coast with many points
  assert.ok(Math.abs(middle([many])[0] - 2) < 0.3);
  const bent = [[0, 0], [6, 0], [6, 1], [1, 1], [1, 5], [6, 5], [6, 6], [0, 6], [0, 0]]; // its centre of gravity is outside
  const [x, y] = middle([bent]);
  assert.ok(x > 0 && x < 1 && y > 1 && y < 5, `${x}, ${y}`);
  assert.deepEqual(middle([[[3, 4], [3, 4]]]), [3, 4]);
  assert.deepEqual(middle([]), [0, 0]);
});
