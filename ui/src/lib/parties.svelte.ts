// Names of parties by id, asked for once.
import { SvelteMap } from 'svelte/reactivity';
import { api, Problem, seg, type Schema } from './api';
import { link } from './link.svelte';
import { me } from './me.svelte';
import type { Text } from './words.svelte';

const known = new SvelteMap<string, Text>();
const asked = new Set<string>();

/** The names of a party as far as they are known; what is not known yet is asked for. */
export function partyNames(id: string | undefined): Text | undefined {
  if (!id) return undefined;
  if (id === me.party?.id) return me.party.names;
  const found = known.get(id);
  if (!found && link.up && !asked.has(id)) {
    asked.add(id);
    api<Schema['PartyPage']>(`/parties/${seg(id)}`).then(
      (p) => p.names && known.set(id, p.names),
      (e: unknown) => {
        if (!(e instanceof Problem) || e.status === 0) asked.delete(id); // else a stranger stays an id
      },
    );
  }
  return found;
}
