/** The sources of this repository, parsed: what the checks of its house look at. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

export const top = join(import.meta.dirname, '../..');

interface Import {
  /** The file that is imported, from the top of the repository. */
  readonly path: string;
  /** `import type`: nothing of it is there at run time. */
  readonly isType: boolean;
}

export interface Source {
  /** From the top of the repository. */
  readonly path: string;
  /** Files of this repository alone. */
  readonly imports: readonly Import[];
  /** Every name in it, with its line: variables, properties, types, and texts that look like a name. */
  readonly identifiers: readonly { readonly name: string; readonly line: number }[];
}

/** @throws when it cannot be parsed */
export function parseSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const identifiers: { name: string; line: number }[] = [];
  const take = (from: unknown, isType: boolean): void => {
    if (typeof from === 'string' && from.startsWith('.'))
      imports.push({ path: join(path, '..', from), isType });
  };
  const named = ({ name, start }: { name: string; start: number }): void =>
    void identifiers.push({ name, line: text.slice(0, start).split('\n').length });
  new Visitor({
    ImportDeclaration: ({ source, importKind }) => take(source.value, importKind === 'type'),
    ExportNamedDeclaration: ({ source, exportKind }) => take(source?.value, exportKind === 'type'),
    ExportAllDeclaration: ({ source, exportKind }) => take(source.value, exportKind === 'type'),
    ImportExpression: ({ source }) => take(source.type === 'Literal' ? source.value : undefined, false),
    TSImportType: ({ source }) => take(source.value, true),
    Identifier: named,
    PrivateIdentifier: named,
    Literal: ({ value, start }) => {
      if (typeof value === 'string' && /^[a-z]+[A-Z0-9]\w*$/.test(value)) named({ name: value, start });
    },
  }).visit(program);
  return { path, imports, identifiers };
}

/** Files by glob, from the top of the repository, sorted. */
export const files = (...globs: readonly string[]): string[] => globSync([...globs], { cwd: top }).sort();

export const textOf = (path: string): string => readFileSync(join(top, path), 'utf8');

/** What ships. */
export const shipped: readonly Source[] = files('{bin,hooks,src}/**/*.ts').map((path) =>
  parseSource(path, textOf(path)),
);
