// Text that people typed, taken apart so that what would deceive the eye is seen: controls that turn the direction,
// characters without a shape, letters of two look-alike scripts in one word.

export interface Piece {
  text: string;
  /** Name of a hidden character, in place of which the piece is shown. */
  hidden?: string;
}

export interface Seen {
  pieces: Piece[];
  hidden: number;
  mixed: string[];
  cut: number;
}

/** Direction controls, zero-width characters, tags, other controls. ZWNJ and ZWJ stay where Arabic or Indic script needs them. */
const unseen = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB]|[\u{E0000}-\u{E0FFF}]|(?<![\p{L}\p{M}])[\u200C\u200D]|[\u200C\u200D](?![\p{L}\p{M}])/gu;

const latin = /\p{Script=Latin}/u;
const lookalike = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;

/** How many characters of one text are shown before somebody asks for more. */
export const shownAtOnce = 2000;

/** Text for the middle of a sentence: isolated (U+2068 and U+2069), and with names in place of hidden characters. */
export function isolated(text: string): string {
  return '\u2068' + examine(text, 200).pieces.map((p) => (p.hidden ? `[${p.hidden}]` : p.text)).join('') + '\u2069';
}

export function examine(text: string, limit = shownAtOnce): Seen {
  const cut = Math.max(0, text.length - limit);
  const shown = cut > 0 ? text.slice(0, limit) : text;
  const pieces: Piece[] = [];
  let last = 0;
  let hidden = 0;
  for (const m of shown.matchAll(unseen)) {
    if (m.index > last) pieces.push({ text: shown.slice(last, m.index) });
    pieces.push({ text: m[0], hidden: 'U+' + (m[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0') });
    hidden++;
    last = m.index + m[0].length;
  }
  if (last < shown.length || pieces.length === 0) pieces.push({ text: shown.slice(last) });
  const mixed: string[] = [];
  for (const m of shown.matchAll(/[\p{L}\p{M}]{2,64}/gu)) {
    if (mixed.length < 5 && latin.test(m[0]) && lookalike.test(m[0])) mixed.push(m[0]);
  }
  return { pieces, hidden, mixed, cut };
}
