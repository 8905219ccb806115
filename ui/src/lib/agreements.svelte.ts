// Names of the agreements that run here, asked for once.
import { api, type Schema } from './api';
import type { Text } from './words.svelte';

let all = $state.raw<Schema['AgreementView'][]>();
let asked = false;

function ask() {
  if (asked) return;
  asked = true;
  api<Schema['AgreementView'][]>('/agreements').then(
    (list) => (all = list),
    () => (asked = false),
  );
}

export function agreementNames(id: string | undefined): Text | undefined {
  ask();
  return all?.find((a) => a.id === id || a.label === id)?.names;
}

/** The agreements that run here. */
export function agreementsHere(): Schema['AgreementView'][] {
  ask();
  return (all ?? []).filter((a) => a.here && a.id);
}
