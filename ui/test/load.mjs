// Loads a module of src/lib that imports nothing, by taking its types away.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

export function load(name) {
  const source = readFileSync(new URL(`../src/lib/${name}.ts`, import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 } });
  return import('data:text/javascript;base64,' + Buffer.from(outputText).toString('base64'));
}
