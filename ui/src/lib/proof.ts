// Offline proofs, checked here in the browser and nowhere else: C2SP tlog-proof, tlog-checkpoint and signed-note, with the
// Merkle tree of RFC 6962. The node's word is not asked; whoever holds a checkpoint compares against it.

export interface Checkpoint {
  origin: string;
  size: number;
  root: Uint8Array<ArrayBuffer>;
  /** What the signatures are over. */
  text: string;
  signatures: { name: string; bytes: Uint8Array<ArrayBuffer> }[];
}

export interface Proof {
  index: number;
  hashes: Uint8Array<ArrayBuffer>[];
  checkpoint: Checkpoint;
}

export type Step = 'format' | 'signature' | 'object' | 'inclusion' | 'held';

export interface Result {
  step: Step;
  /** undefined: could not be checked here. */
  ok: boolean | undefined;
  why?: string;
}

/** Bounds of what is read: a proof has at most one hash for each doubling of a log. */
const maxHashes = 63;
const maxProof = 64 << 10;

function fromBase64(s: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(s) || s.length % 4) throw new Error('base64');
  return Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
}

export const hex = (b: Uint8Array) => Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');

export function fromHex(s: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));
}

export const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((x, i) => x === b[i]);

async function sha256(...parts: Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

const node = (l: Uint8Array<ArrayBuffer>, r: Uint8Array<ArrayBuffer>) => sha256(Uint8Array.of(1), l, r);

/** The leaf of an object: the hash over a version byte and the object's SHA-256. */
export async function leafOf(object: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(Uint8Array.of(0, 1), await sha256(object));
}

function natural(s: string | undefined): number {
  if (s === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(s) || !Number.isSafeInteger(Number(s))) throw new Error('number');
  return Number(s);
}

export function parseCheckpoint(note: string): Checkpoint {
  const split = note.indexOf('\n\n');
  if (note.length > maxProof || split < 0) throw new Error('checkpoint');
  const text = note.slice(0, split + 1);
  const [origin = '', size, root = ''] = text.split('\n');
  const signatures = note.slice(split + 2).split('\n').filter(Boolean).map((line) => {
    const m = /^— (\S+) (\S+)$/.exec(line);
    if (!m?.[1] || !m[2]) throw new Error('signature line');
    return { name: m[1], bytes: fromBase64(m[2]) };
  });
  const hash = fromBase64(root);
  if (!origin || hash.length !== 32) throw new Error('checkpoint');
  return { origin, size: natural(size), root: hash, text, signatures };
}

export function parseProof(s: string): Proof {
  if (s.length > maxProof) throw new Error('length');
  const split = s.indexOf('\n\n');
  const lines = s.slice(0, Math.max(split, 0)).split('\n');
  if (lines[0] !== 'c2sp.org/tlog-proof@v1') throw new Error('header');
  const rest = lines.slice(1).filter((l) => !l.startsWith('extra '));
  const index = natural(/^index (.+)$/.exec(rest[0] ?? '')?.[1]);
  const hashes = rest.slice(1).map(fromBase64);
  if (hashes.length > maxHashes || hashes.some((h) => h.length !== 32)) throw new Error('hashes');
  return { index, hashes, checkpoint: parseCheckpoint(s.slice(split + 2)) };
}

/** Checks the log's own Ed25519 signature (signed-note, type 1) by its verifier key. undefined: this browser knows no Ed25519. */
export async function signedBy(c: Checkpoint, vkey: string): Promise<boolean | undefined> {
  const m = /^(.+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!m?.[1] || !m[2] || !m[3]) throw new Error('key');
  const [, name, id, encoded] = m;
  const key = fromBase64(encoded);
  if (key[0] !== 1 || key.length !== 33 || name !== c.origin) return false;
  const computed = await sha256(new TextEncoder().encode(name + '\n'), key);
  if (hex(computed.slice(0, 4)) !== id) return false;
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey('raw', key.slice(1), 'Ed25519', false, ['verify']);
  } catch {
    return undefined;
  }
  const signed = new TextEncoder().encode(c.text);
  for (const s of c.signatures) {
    if (s.name !== name || s.bytes.length !== 68 || hex(s.bytes.slice(0, 4)) !== id) continue;
    if (await crypto.subtle.verify('Ed25519', imported, s.bytes.slice(4), signed)) return true;
  }
  return false;
}

/** The root that follows from a leaf and its path (RFC 9162, 2.1.3.2), or undefined when the path does not fit the size. */
export async function rootFrom(leaf: Uint8Array<ArrayBuffer>, index: number, size: number, path: Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (index >= size) return undefined;
  let fn = BigInt(index);
  let sn = BigInt(size - 1);
  let r = leaf;
  for (const p of path) {
    if (sn === 0n) return undefined;
    if (fn & 1n || fn === sn) {
      r = await node(p, r);
      while (!(fn & 1n) && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else r = await node(r, p);
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n ? r : undefined;
}

/** Fetches a tile of a log by its level, number and width. */
export type Tiles = (level: number, n: number, width: number) => Promise<Uint8Array<ArrayBuffer>>;

/** The path of a tile below the log's address (C2SP tlog-tiles). */
export function tilePath(level: number, n: number, width: number): string {
  let path = String(n % 1000).padStart(3, '0');
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) path = 'x' + String(rest % 1000).padStart(3, '0') + '/' + path;
  return `tile/${level}/${path}${width < 256 ? `.p/${width}` : ''}`;
}

/** The root of the first `size` leaves of a log that has `now` leaves, from its tiles. */
export async function rootOf(size: number, now: number, tiles: Tiles): Promise<Uint8Array<ArrayBuffer>> {
  const kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  const tile = (level: number, n: number) => {
    const count = Math.floor(now / 256 ** level) - n * 256;
    const key = `${level}/${n}`;
    const got = kept.get(key) ?? tiles(level, n, Math.min(256, count));
    kept.set(key, got);
    return got;
  };
  // The hash over the leaves [i·2^height, (i+1)·2^height), all of which the log has.
  const subtree = async (height: number, i: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (height % 8) return node(await subtree(height - 1, 2 * i), await subtree(height - 1, 2 * i + 1));
    const hashes = await tile(height / 8, Math.floor(i / 256));
    const h = hashes.slice((i % 256) * 32, (i % 256) * 32 + 32);
    if (h.length !== 32) throw new Error('tile');
    return h;
  };
  let root: Uint8Array<ArrayBuffer> | undefined;
  let end = size;
  for (let height = 0; end > 0; height++) {
    const width = 2 ** height;
    if (Math.floor(end / width) % 2 === 0) continue;
    end -= width;
    const h = await subtree(height, end / width);
    root = root ? await node(h, root) : h;
  }
  return root ?? sha256();
}

/** Checks a proof of an object against a verifier key, and against the checkpoint that somebody holds when there is one. */
export async function verify(proofText: string, object: Uint8Array<ArrayBuffer> | undefined, vkey: string, held?: { text: string; tiles?: Tiles; now?: number }): Promise<Result[]> {
  const out: Result[] = [];
  let proof: Proof;
  try {
    proof = parseProof(proofText);
    out.push({ step: 'format', ok: true });
  } catch (e) {
    return [{ step: 'format', ok: false, why: String(e) }];
  }
  try {
    out.push({ step: 'signature', ok: await signedBy(proof.checkpoint, vkey) });
  } catch (e) {
    out.push({ step: 'signature', ok: false, why: String(e) });
  }
  if (!object) out.push({ step: 'object', ok: undefined });
  else {
    const root = await rootFrom(await leafOf(object), proof.index, proof.checkpoint.size, proof.hashes);
    out.push({ step: 'inclusion', ok: root !== undefined && same(root, proof.checkpoint.root) });
  }
  if (held?.text.trim()) out.push(await againstHeld(proof.checkpoint, held, vkey));
  return out;
}

async function againstHeld(c: Checkpoint, held: { text: string; tiles?: Tiles; now?: number }, vkey: string): Promise<Result> {
  try {
    const mine = parseCheckpoint(held.text.trimEnd() + '\n');
    if (mine.origin !== c.origin) return { step: 'held', ok: false, why: 'origin' };
    if ((await signedBy(mine, vkey)) === false) return { step: 'held', ok: false, why: 'signature' };
    if (mine.size === c.size) return { step: 'held', ok: same(mine.root, c.root) };
    if (!held.tiles || held.now === undefined || held.now < Math.max(mine.size, c.size)) return { step: 'held', ok: undefined };
    const roots = await Promise.all([rootOf(mine.size, held.now, held.tiles), rootOf(c.size, held.now, held.tiles)]);
    return { step: 'held', ok: same(roots[0], mine.root) && same(roots[1], c.root) };
  } catch (e) {
    return { step: 'held', ok: false, why: String(e) };
  }
}

/** Whether every check that could be made holds, and the decisive ones were made. */
export function holds(results: Result[]): boolean {
  return results.every((r) => r.ok !== false) && results.some((r) => r.step === 'inclusion' && r.ok) && results.some((r) => r.step === 'signature' && r.ok);
}
