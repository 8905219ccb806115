// Whether the node answers. When it does not, it is asked again until it does.
let up = $state(true);
let timer: ReturnType<typeof setTimeout> | undefined;

export const link = {
  get up() {
    return up;
  },
};

export function lost() {
  if (!up) return;
  up = false;
  again(1000);
}

export function found() {
  up = true;
  clearTimeout(timer);
}

function again(wait: number) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    try {
      const r = await fetch('/healthz', { cache: 'no-store' });
      if (r.ok) return found();
    } catch {
      // not yet
    }
    again(Math.min(wait * 1.5, 10_000));
  }, wait);
}
