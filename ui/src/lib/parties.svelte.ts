// Names of parties by id, asked for once.
import { SvelteMap } from 'svelte/reactivity';
import { api, seg, type Schema } from './api';
import { me } from './me.svelte';
import type { Text } from './words.svelte';

const known = new SvelteMap<string, Text>();
const asked = new Set<string>();

/** The names of a party as far as they are known; what is not known yet is asked for. */
export function partyNames(id: string | undefined): Text | undefined {
  if (!id) return undefined;
  if (id === me.party?.id) return me.party.names;
  const found = known.get(id);
  if (!found && !asked.has(id)) {
    asked.add(id);
    api<Schema['PartyPage']>(`/parties/${seg(id)}`).then(
      (p) => p.names && known.set(id, p.names),
      () => undefined, // a stranger stays an id
    );
  }
  return found;
}
