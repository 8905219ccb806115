// Passkeys, through the browser's own reading and writing of their JSON forms.
import { plain, Problem } from './api';
import type { Factor } from './me.svelte';

interface Options {
  publicKey: never;
}

/** Whether this browser knows passkeys and may use them here (https, or this machine). */
export function possible(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && 'parseCreationOptionsFromJSON' in PublicKeyCredential;
}

async function ask(what: () => Promise<Credential | null>): Promise<string> {
  let made: Credential | null;
  try {
    made = await what();
  } catch (e) {
    throw new Problem(0, 'passkey', e instanceof Error ? e.message : '');
  }
  if (!made) throw new Problem(0, 'passkey', '');
  return JSON.stringify((made as PublicKeyCredential).toJSON());
}

/** Makes a passkey for the person who is signed in. */
export async function addPasskey(label: string): Promise<Factor[]> {
  const { publicKey } = await plain<Options>('/session/passkeys', { method: 'POST' });
  const raw = await ask(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) }));
  return plain<Factor[]>('/session/passkeys/confirm?label=' + encodeURIComponent(label), { method: 'POST', raw, type: 'application/json' });
}

/** Proves a passkey; the answer is the same as to signing in by a password. */
export async function usePasskey<T>(): Promise<T> {
  const { publicKey } = await plain<Options>('/session/passkey', { method: 'POST' });
  const raw = await ask(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) }));
  return plain<T>('/session/passkey/confirm', { method: 'POST', raw, type: 'application/json' });
}
