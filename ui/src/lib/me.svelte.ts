// Who is signed in at which party. A session that ends does not take the screen away: it asks for the password on top.
import { plain, type Schema } from './api';
import { usePasskey } from './passkey';

export interface Door {
  party: string;
  names: Record<string, string>;
  url: string;
}

/** What somebody signs in with besides a password. */
export interface Factor {
  kind: 'passkey' | 'totp' | 'oidc';
  id: string;
  label: string;
  created: string;
  used?: string;
}

interface Who {
  person?: Schema['PersonView'];
  party?: Schema['PartyView'];
  doors?: Door[];
  demo?: boolean;
  openid?: string;
}

let who = $state.raw<Who>({});
let known = $state(false);
let over = $state(false);

export const me = {
  get known() {
    return known;
  },
  get person() {
    return who.person;
  },
  get party() {
    return who.party;
  },
  get doors() {
    return who.doors ?? [];
  },
  get demo() {
    return who.demo ?? false;
  },
  /** What the party's own way to sign in is called; empty: there is none. */
  get openID() {
    return who.openid ?? '';
  },
  /** The session ended while a screen was open. */
  get over() {
    return over;
  },
  may(scope: string) {
    return who.person?.scopes?.includes(scope) ?? false;
  },
  /** Whether the person speaks for the party under agreements. */
  get acts() {
    return who.person?.roles?.some((r) => r === 'diplomat' || r === 'duty-officer') ?? false;
  },
};

export function ended() {
  if (who.person) over = true;
}

export async function look() {
  who = await plain<Who>('/session');
  known = true;
  if (who.person) over = false;
}

export async function signIn(name: string, password: string, code: string) {
  who = await plain<Who>('/session', { method: 'POST', body: { name, password, code } });
  over = false;
}

export async function signInByPasskey() {
  who = await usePasskey<Who>();
  over = false;
}

export async function signOut() {
  await plain<void>('/session', { method: 'DELETE' });
  who = { doors: who.doors, demo: who.demo, openid: who.openid };
  over = false;
}
