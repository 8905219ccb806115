// The node's JSON API with the types of its own description.
import type { components } from './openapi';
import { lost, found } from './link.svelte';
import { ended } from './me.svelte';

export type Schema = components['schemas'];

/** What the node answered instead of what was asked for; its words are the node's own. */
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, detail: string) {
    super(detail);
  }
}

interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  /** A body that goes as it is. */
  raw?: BodyInit;
  type?: string;
  signal?: AbortSignal;
}

async function send(path: string, ask: Ask): Promise<Response> {
  const headers: Record<string, string> = {};
  let body: BodyInit | undefined = ask.raw;
  if (ask.body !== undefined) body = JSON.stringify(ask.body);
  if (body !== undefined) headers['Content-Type'] = ask.type ?? 'application/json';
  let response: Response;
  try {
    response = await fetch(path, { method: ask.method ?? 'GET', headers, body, signal: ask.signal, credentials: 'same-origin' });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    lost();
    throw new Problem(0, 'lost', '');
  }
  found();
  if (response.ok) return response;
  let detail = response.statusText;
  let code = '';
  try {
    const p = (await response.json()) as { detail?: string; code?: string; errors?: { message?: string; location?: string }[] };
    detail = [p.detail ?? detail, ...(p.errors ?? []).map((e) => `${e.message ?? ''} (${e.location ?? ''})`)].join('; ');
    code = p.code ?? '';
  } catch {
    // not a problem of the node's: the status has to do
  }
  if (response.status === 401) ended();
  throw new Problem(response.status, code, detail);
}

/** Asks /api/v1 for JSON. */
export async function api<T>(path: string, ask: Ask = {}): Promise<T> {
  return plain<T>('/api/v1' + path, ask);
}

/** Asks any address of the node for JSON. */
export async function plain<T>(path: string, ask: Ask = {}): Promise<T> {
  const response = await send(path, ask);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Asks for bytes. */
export async function bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await send(path, {})).arrayBuffer());
}

/** What somebody may see, or something else where they may not: any other failure stays one. */
export function permitted<T, U>(asked: Promise<T>, otherwise: U): Promise<T | U> {
  return asked.catch((e: unknown) => {
    if (e instanceof Problem && e.status === 403) return otherwise;
    throw e;
  });
}

export function query(params: Record<string, string | number | string[] | undefined>): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const v of Array.isArray(value) ? value : [value]) {
      if (v !== undefined && v !== '') q.append(name, String(v));
    }
  }
  const s = q.toString();
  return s ? '?' + s : '';
}

export const seg = encodeURIComponent;
