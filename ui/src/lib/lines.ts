// The difference of two texts by lines: the longest common run of lines stays, between what begins and ends alike.
export interface Line {
  op: 'keep' | 'insert' | 'delete';
  text: string;
}

/** Beyond this many pairs of lines to compare, everything between is shown as taken out and put in. */
const most = 4_000_000;

export function lines(before: string, after: string): Line[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail);
  const y = b.slice(head, b.length - tail);
  const keep = (text: string): Line => ({ op: 'keep', text });
  return [...a.slice(0, head).map(keep), ...between(x, y), ...a.slice(a.length - tail).map(keep)];
}

function between(x: string[], y: string[]): Line[] {
  if (x.length * y.length > most) return [...x.map((text): Line => ({ op: 'delete', text })), ...y.map((text): Line => ({ op: 'insert', text }))];
  const w = y.length + 1;
  const length = new Uint32Array((x.length + 1) * w);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      length[i * w + j] = x[i] === y[j] ? (length[(i + 1) * w + j + 1] ?? 0) + 1 : Math.max(length[(i + 1) * w + j] ?? 0, length[i * w + j + 1] ?? 0);
    }
  }
  const out: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      out.push({ op: 'keep', text: x[i] ?? '' });
      i++;
      j++;
    } else if (i < x.length && (j === y.length || (length[(i + 1) * w + j] ?? 0) >= (length[i * w + j + 1] ?? 0))) out.push({ op: 'delete', text: x[i++] ?? '' });
    else out.push({ op: 'insert', text: y[j++] ?? '' });
  }
  return out;
}
