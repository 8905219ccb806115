// Where in an area its dot belongs.
export type Point = [number, number];
export type Ring = Point[];

/** Twice the area of a ring, negative where it runs the other way round. A ring may repeat its first point at its end. */
function twice(ring: Ring): number {
  return ring.reduce((sum, p, i) => {
    const q = ring[(i + 1) % ring.length] ?? p;
    return sum + p[0] * q[1] - q[0] * p[1];
  }, 0);
}

/**
 * The middle of the largest of an area's rings: its centre of gravity where that lies within it, else the middle of the widest
 * stretch of it at that height, so that the dot of a bent area does not stand in its neighbour's.
 */
export function middle(rings: Ring[]): Point {
  const ring = rings.reduce<Ring>((a, b) => (Math.abs(twice(b)) > Math.abs(twice(a)) ? b : a), rings[0] ?? []);
  const first: Point = ring[0] ?? [0, 0];
  const area = twice(ring);
  if (!area) return first;
  let x = 0;
  let y = 0;
  ring.forEach((p, i) => {
    const q = ring[(i + 1) % ring.length] ?? p;
    // Measured from the first point: far from the origin the products would lose what a small area is made of.
    const [px, py, qx, qy] = [p[0] - first[0], p[1] - first[1], q[0] - first[0], q[1] - first[1]];
    const part = px * qy - qx * py;
    x += (px + qx) * part;
    y += (py + qy) * part;
  });
  const at: Point = [first[0] + x / (3 * area), first[1] + y / (3 * area)];
  // Where the ring crosses that height, from west to east: within between the first and the second, the third and the fourth…
  const crossings = ring.flatMap((p, i) => {
    const q = ring[(i + 1) % ring.length] ?? p;
    return p[1] > at[1] === q[1] > at[1] ? [] : [p[0] + ((at[1] - p[1]) / (q[1] - p[1])) * (q[0] - p[0])];
  }).sort((a, b) => a - b);
  let widest: Point | undefined;
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const [west, east] = [crossings[i] ?? 0, crossings[i + 1] ?? 0];
    if (west <= at[0] && at[0] <= east) return at;
    if (!widest || east - west > widest[1] - widest[0]) widest = [west, east];
  }
  return widest ? [(widest[0] + widest[1]) / 2, at[1]] : at;
}
