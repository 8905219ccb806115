// A pasted list of addresses, names, links and hashes as a STIX 2.1 bundle; a bundle is left as it is, byte for byte.

export interface Reading {
  /** What would be published. */
  body: string;
  count: number;
  /** Lines that are nothing that is known. */
  unread: string[];
}

const kinds: [RegExp, (v: string) => string][] = [
  [/^(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?$/, (v) => `[ipv4-addr:value = '${v}']`],
  [/^(?=.*:)[0-9a-f:]{2,39}(?:\/\d{1,3})?$/i, (v) => `[ipv6-addr:value = '${v}']`],
  [/^https?:\/\/\S{1,2000}$/i, (v) => `[url:value = '${v}']`],
  [/^[0-9a-f]{64}$/i, (v) => `[file:hashes.'SHA-256' = '${v.toLowerCase()}']`],
  [/^[0-9a-f]{40}$/i, (v) => `[file:hashes.'SHA-1' = '${v.toLowerCase()}']`],
  [/^[0-9a-f]{32}$/i, (v) => `[file:hashes.MD5 = '${v.toLowerCase()}']`],
  [/^[^\s@]{1,64}@[a-z0-9.-]+\.[a-z]{2,}$/i, (v) => `[email-addr:value = '${v}']`],
  [/^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}]{2,63}$/u, (v) => `[domain-name:value = '${v.toLowerCase()}']`],
];

/** hxxp and [.] are how people write addresses that must not be clicked. */
const refang = (s: string) => s.replace(/^hxxp/i, 'http').replace(/\[\.\]|\(\.\)|\[dot\]/gi, '.').replace(/\[:\]/g, ':').replace(/\[@\]/g, '@');

export function read(text: string, now = new Date().toISOString(), uuid: () => string = () => crypto.randomUUID()): Reading {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    try {
      const bundle = JSON.parse(trimmed) as { type?: string; objects?: unknown[] };
      return { body: text, count: Array.isArray(bundle.objects) ? bundle.objects.length : 0, unread: [] };
    } catch {
      return { body: '', count: 0, unread: [trimmed.slice(0, 80)] };
    }
  }
  const unread: string[] = [];
  const seen = new Set<string>();
  const objects = trimmed.split(/[\n,;\t]+/).flatMap((line) => {
    const value = refang(line.trim().replace(/^["']|["']$/g, ''));
    if (!value || value.startsWith('#')) return [];
    const kind = kinds.find(([shape]) => shape.test(value));
    if (!kind) {
      unread.push(line.trim().slice(0, 200));
      return [];
    }
    const pattern = kind[1](value.replace(/\\/g, '\\\\').replace(/'/g, "\\'"));
    if (seen.has(pattern)) return [];
    seen.add(pattern);
    return [{ type: 'indicator', spec_version: '2.1', id: 'indicator--' + uuid(), created: now, modified: now, name: value, pattern, pattern_type: 'stix', valid_from: now }];
  });
  return { body: objects.length ? JSON.stringify({ type: 'bundle', id: 'bundle--' + uuid(), objects }) : '', count: objects.length, unread };
}
