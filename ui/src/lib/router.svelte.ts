// Addresses of the screens. Links are ordinary links; clicks on them change the screen without loading the page again.
let path = $state(location.pathname);
let query = $state.raw(new URLSearchParams(location.search));

export const route = {
  get path() {
    return path;
  },
  get query() {
    return query;
  },
  /** The parts of the address after the screen's name, decoded. */
  get parts(): string[] {
    return path.split('/').filter(Boolean).map(decode);
  },
};

/** What an address says; as it stands where it cannot be read. */
export function decode(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

function show() {
  path = location.pathname;
  query = new URLSearchParams(location.search);
}

/** Goes to an address of the screens. */
export function go(to: string, replace = false) {
  if (replace) history.replaceState(null, '', to);
  else {
    history.pushState(null, '', to);
    scrollTo(0, 0);
  }
  const before = path;
  show();
  if (!replace && before !== path) queueMicrotask(() => document.getElementById('main')?.focus({ preventScroll: true }));
}

/** Makes an address of parts, each of which may be anything. */
export function at(...parts: (string | number)[]): string {
  return '/' + parts.map((p) => encodeURIComponent(String(p))).join('/');
}

export function followLinks() {
  addEventListener('popstate', show);
  document.addEventListener('click', (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || !(e.target instanceof Element)) return;
    const a = e.target.closest('a');
    if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin || !isScreen(a.pathname)) return;
    if (a.hash && a.pathname === location.pathname && a.search === location.search) return; // the browser goes there, and so does its focus
    e.preventDefault();
    go(a.pathname + a.search + a.hash);
  });
}

const screens = new Set(['', 'sign-in', 'promises', 'today', 'agreements', 'participants', 'exchange', 'desk', 'watch', 'record', 'admin', 'account', 'design']);

function isScreen(pathname: string): boolean {
  return screens.has(pathname.split('/')[1] ?? '');
}
