// What somebody is typing, kept in this tab until it is sent: a reload or a restart of the node loses nothing.
import { me } from './me.svelte';

export function kept(key: string, initial = '') {
  const name = `mithaq-kept-${me.person?.name ?? ''}-${key}`; // not for whoever signs in next
  let value = $state(initial);
  try {
    value = sessionStorage.getItem(name) ?? initial;
  } catch {
    // it holds while the page is open
  }
  return {
    get value() {
      return value;
    },
    set value(v: string) {
      value = v;
      try {
        if (v === initial) sessionStorage.removeItem(name);
        else sessionStorage.setItem(name, v);
      } catch {
        // it holds while the page is open
      }
    },
    clear() {
      this.value = initial;
    },
  };
}
