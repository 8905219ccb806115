// A draft that is kept on the node as one types. What the node does not have yet stays in this tab, so that a lost connection,
// an ended session, a restart of the node or a reload loses nothing; who changes the same draft meanwhile is not overwritten
// without a word.
import { api, Problem, seg, type Schema } from './api';
import { me } from './me.svelte';

type Draft = Schema['KeptDraft'];
type Request = Schema['ActRequest'];

/** How long nothing is typed before it is sent, in milliseconds. */
const pause = 700;

export class Writing {
  /** What the node has. */
  draft = $state.raw() as Draft;
  /** What the person writes. */
  act = $state() as Request;
  /** saved: the node has it; typing, saving: it will; unsaved: it did not answer; moved: somebody else changed it. */
  state = $state<'saved' | 'typing' | 'saving' | 'unsaved' | 'moved'>('saved');
  error = $state.raw<unknown>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changed = 0;
  #sending: Promise<boolean> | undefined;

  constructor(draft: Draft) {
    this.take(draft);
    const typed = read(draft.id);
    if (!typed || draft.state !== 'writing') return;
    this.act = typed.act;
    if (typed.revision === draft.revision) this.typed();
    else this.state = 'moved';
  }

  /** What the node has replaces what was typed. */
  take(draft: Draft) {
    clearTimeout(this.#timer);
    this.draft = draft;
    this.act = structuredClone(draft.act);
    this.state = 'saved';
    this.error = undefined;
    forget(draft.id);
  }

  typed() {
    this.#changed++;
    keep(this.draft.id, { revision: this.draft.revision, act: $state.snapshot(this.act) as Request });
    if (this.state === 'moved') return;
    this.state = 'typing';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), pause);
  }

  /** Sends what was typed, now. It reports whether the node has all of it. */
  async save(): Promise<boolean> {
    clearTimeout(this.#timer);
    while (this.#sending) await this.#sending; // two at once would be told apart as two people
    if (this.state === 'saved') return true;
    if (this.state === 'moved') return false;
    clearTimeout(this.#timer);
    this.#sending = this.#send();
    try {
      return await this.#sending;
    } finally {
      this.#sending = undefined;
    }
  }

  async #send(): Promise<boolean> {
    this.state = 'saving';
    this.error = undefined;
    const was = this.#changed;
    try {
      this.draft = await api<Draft>(`/drafts/${seg(this.draft.id)}`, { method: 'PUT', body: { revision: this.draft.revision, act: $state.snapshot(this.act) } });
    } catch (e) {
      const moved = e instanceof Problem && e.code === 'conflict';
      this.state = moved ? 'moved' : 'unsaved';
      this.error = e;
      return false;
    }
    this.state = 'saved';
    if (was !== this.#changed) {
      this.typed();
      return false;
    }
    forget(this.draft.id);
    return true;
  }

  /** Writes over what somebody else changed. */
  async overwrite() {
    this.draft = await api<Draft>(`/drafts/${seg(this.draft.id)}`);
    this.state = 'typing';
    await this.save();
  }

  /** Stops; what is typed and not sent stays in this tab. */
  stop() {
    clearTimeout(this.#timer);
  }
}

interface Typed {
  revision: number;
  act: Request;
}

// Whoever signs in after somebody else in one tab does not find what that person typed.
const name = (id: string) => `mithaq-draft-${me.person?.name ?? ''}-${id}`;

function read(id: string): Typed | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(name(id)) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(id: string, typed: Typed) {
  try {
    sessionStorage.setItem(name(id), JSON.stringify(typed));
  } catch {
    // it holds while the page is open
  }
}

function forget(id: string) {
  try {
    sessionStorage.removeItem(name(id));
  } catch {
    // it holds while the page is open
  }
}
