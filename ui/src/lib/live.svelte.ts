// News from the node over server-sent events. The browser itself comes back after a break and says where it stopped.
import { look, ended } from './me.svelte';
import { lost, found } from './link.svelte';

let newest = $state(0);
let local = $state(0);
let source: EventSource | undefined;
let later: ReturnType<typeof setTimeout> | undefined;

export const live = {
  /** The number of the newest arrival; whatever shows arrivals reads it and asks again when it grows. */
  get newest() {
    return newest;
  },
  /** Differs whenever drafts or sightings here have changed. */
  get local() {
    return local;
  },
};

export function listen() {
  hush();
  source = new EventSource('/live');
  source.addEventListener('open', found);
  source.addEventListener('arrivals', (e) => {
    newest = (JSON.parse((e as MessageEvent<string>).data) as { newest: number }).newest;
  });
  source.addEventListener('local', (e) => {
    local = (JSON.parse((e as MessageEvent<string>).data) as { number: number }).number;
  });
  source.addEventListener('ended', () => {
    hush();
    ended();
  });
  source.addEventListener('error', () => {
    if (source?.readyState !== EventSource.CLOSED) return lost();
    hush(); // the node refused: perhaps the session is over
    look().catch(() => undefined);
    later = setTimeout(listen, 15_000);
  });
}

export function hush() {
  clearTimeout(later); // whoever signs out is listened for no more
  source?.close();
  source = undefined;
}
