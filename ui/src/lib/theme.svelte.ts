// Light or dark: as the system says, until somebody chooses.
type Choice = 'light' | 'dark' | 'system';

const key = 'mithaq-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function stored(): Choice {
  try {
    const v = localStorage.getItem(key);
    if (v === 'light' || v === 'dark') return v;
  } catch {
    // storage is off: the system decides
  }
  return 'system';
}

let choice = $state<Choice>(stored());

export const theme = {
  get choice() {
    return choice;
  },
  set choice(c: Choice) {
    choice = c;
    try {
      if (c === 'system') localStorage.removeItem(key);
      else localStorage.setItem(key, c);
    } catch {
      // it holds for this page
    }
    applyTheme();
  },
};

export function applyTheme() {
  const dark = choice === 'dark' || (choice === 'system' && system.matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

system.addEventListener('change', applyTheme);
