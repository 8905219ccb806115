// The three catalogues have the same keys, the plural forms that each language needs, and the same parameters; no words
// stand in the screens outside them; no style names a physical side.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'svelte/compiler';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const catalogues = Object.fromEntries(['ar', 'en', 'fr'].map((l) => [l, JSON.parse(readFileSync(join(root, 'words', l + '.json'), 'utf8'))]));
const files = readdirSync(root, { recursive: true }).map(String).filter((f) => /\.(svelte|ts|css)$/.test(f) && !f.endsWith('openapi.d.ts'));
const sources = Object.fromEntries(files.map((f) => [f, readFileSync(join(root, f), 'utf8')]));

const parameters = (entry) => {
  const texts = typeof entry === 'string' ? [entry] : Object.values(entry);
  return [...new Set(texts.flatMap((s) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1])))].filter((p) => p !== 'n' || typeof entry === 'string').sort();
};

test('every catalogue has every key, its forms and parameters', () => {
  const keys = Object.keys(catalogues.en).sort();
  for (const [lang, words] of Object.entries(catalogues)) {
    assert.deepEqual(Object.keys(words).sort(), keys, lang);
    const forms = new Intl.PluralRules(lang).resolvedOptions().pluralCategories.toSorted();
    for (const [key, entry] of Object.entries(words)) {
      if (typeof entry === 'string') assert.notEqual(entry.trim(), '', `${lang} ${key}`);
      else assert.deepEqual(Object.keys(entry).sort(), forms, `${lang} ${key} has the forms of the language`);
      assert.equal(typeof entry, typeof catalogues.en[key], `${lang} ${key}`);
      assert.deepEqual(parameters(entry), parameters(catalogues.en[key]), `${lang} ${key} has other parameters`);
    }
  }
});

test('every key is used, and every key that is used exists', () => {
  const all = Object.entries(sources).map(([, s]) => s).join('\n');
  for (const [, key] of all.matchAll(/\bt\('([^']+)'/g)) assert.ok(key in catalogues.en, `t('${key}') is in no catalogue`);
  const prefixes = new Set([...all.matchAll(/\bword\(([^,]+),/g)].flatMap((m) => [...m[1].matchAll(/'([\w.-]+)'/g)]).concat([...all.matchAll(/`([\w.]+)\.\$\{/g)]).map((m) => m[1] + '.'));
  for (const key of Object.keys(catalogues.en)) {
    const used = all.includes(`'${key}'`) || all.includes(`"${key}"`) || [...prefixes].some((p) => key.startsWith(p));
    assert.ok(used, `${key} is used nowhere`);
  }
});

/** What is the same in all languages: the mark of what is invented, and names of techniques. */
const allowed = /^(خيالي|Fictional|Fictif|TLP:[A-Z+]+)$/u;
const spoken = new Set(['title', 'aria-label', 'aria-description', 'placeholder', 'alt', 'label']);

test('no words stand in the screens outside the catalogues', () => {
  for (const [file, source] of Object.entries(sources)) {
    if (!file.endsWith('.svelte') || file.endsWith('Design.svelte')) continue; // shown in development builds only
    const visit = (node, parent) => {
      if (!node || typeof node !== 'object') return;
      if (Array.isArray(node)) return node.forEach((n) => visit(n, parent));
      if (node.type === 'Text') {
        const words = node.data.trim();
        const attribute = parent?.type === 'Attribute' ? parent.name : undefined;
        if (/\p{L}{2}/u.test(words) && !allowed.test(words) && (!attribute || spoken.has(attribute))) assert.fail(`${file}: "${words.slice(0, 60)}" is in no catalogue`);
        return;
      }
      for (const [name, value] of Object.entries(node)) {
        if (name !== 'instance' && name !== 'module' && name !== 'css') visit(value, node.type ? node : parent);
      }
    };
    visit(parse(source, { modern: true }).fragment);
  }
});

test('no style names a physical side', () => {
  const physical = /(?<![\w-])(?:-?(?:ml|mr|pl|pr|left|right|border-l|border-r|rounded-l|rounded-r|rounded-tl|rounded-tr|rounded-bl|rounded-br|scroll-ml|scroll-mr)-[\w[.]+|text-left|text-right|float-left|float-right)(?![\w-])|(?:margin|padding|border)-(?:left|right)\s*:|(?<![\w-])(?:left|right)\s*:\s*[\d-]/;
  for (const [file, source] of Object.entries(sources)) {
    const found = physical.exec(source);
    assert.equal(found, null, `${file}: ${found?.[0]}: use the logical side (ms-, pe-, start-, inset-inline-…)`);
  }
});

test('every value that people typed is isolated', () => {
  for (const [file, source] of Object.entries(sources)) {
    assert.ok(!source.includes('{@html'), `${file}: {@html} shows text as HTML`);
  }
});
