// The agreements that are known here and their names, asked for when somebody wants one that has not come, and again when news comes.
import { api, type Schema } from './api';
import { link } from './link.svelte';
import { live } from './live.svelte';
import type { Text } from './words.svelte';

let all = $state.raw<Schema['AgreementView'][]>();
let asked: number | undefined; // the newest arrival when they were asked for last

function ask() {
  const now = live.newest;
  if (asked === now || !link.up) return;
  asked = now;
  api<Schema['AgreementView'][]>('/agreements').then(
    (list) => (all = list),
    () => (asked = undefined), // asked for again when the node answers, or with the next news
  );
}

export function agreementNames(id: string | undefined): Text | undefined {
  const found = all?.find((a) => a.id === id || a.label === id);
  if (!found && id) ask();
  return found?.names;
}

/** The agreements that run here. */
export function agreementsHere(): Schema['AgreementView'][] {
  ask();
  return (all ?? []).filter((a) => a.here && a.id);
}
