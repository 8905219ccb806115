// What a screen fetches: waiting, there, or failed, and fetched again when what it depends on changes.
import { untrack } from 'svelte';

export class Load<T> {
  value = $state.raw<T>();
  error = $state.raw<unknown>();
  waiting = $state(true);
  #turn = 0;
  #fetch: () => Promise<T>;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
    $effect(() => {
      const running = this.#fetch(); // reads what it depends on before its first await
      untrack(() => void this.#take(running));
    });
  }

  async #take(running: Promise<T>) {
    const turn = ++this.#turn;
    this.waiting = true;
    try {
      const value = await running;
      if (turn !== this.#turn) return;
      this.value = value;
      this.error = undefined;
    } catch (e) {
      if (turn !== this.#turn) return;
      this.error = e;
    }
    this.waiting = false;
  }

  again() {
    return this.#take(this.#fetch());
  }
}
