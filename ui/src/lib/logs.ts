// The logs that are read here: this party's own and those of others that are followed.
import { api, permitted, type Schema } from './api';

/** A log, and where it is another's, what is known of following it. */
export type LogHere = Schema['LogView'] & Partial<Schema['FollowView']>;

export async function logsHere(): Promise<LogHere[]> {
  const [all, followed] = await Promise.all([api<Schema['LogView'][]>('/logs'), permitted(api<Schema['FollowView'][] | null>('/follows'), null)]);
  const known = new Map<string, LogHere>(all.map((l) => [l.id, l]));
  for (const f of followed ?? []) known.set(f.id, f); // the same log with more said of it
  return [...known.values()];
}
