import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSource, type Source, shipped, top } from './sources.ts';

/** The rooms, the top one first. A file may import from its own room and from those below it. */
const rooms = [
  'bin',
  'src/cli',
  'hooks',
  'src/install',
  'src/act',
  'src/act/heal',
  'src/report',
  'src/plan',
  'src/diagnose',
  'src/observe',
  'src/state',
  'src/appcenter',
  'src/cluster',
  'src/settings',
  'src/machine',
  'src/words',
] as const;

/** The place of a file's room in the table, by the longest name that fits; -1 where none does. */
const roomOf = (path: string): number =>
  rooms.reduce((best, room, at) => {
    const longer = room.length > (rooms[best]?.length ?? 0);
    return path.startsWith(`${room}/`) && longer ? at : best;
  }, -1);

/** Imports that run upwards, types included. */
const upward = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ path: target }) => roomOf(target) !== -1 && roomOf(target) < roomOf(path))
      .map(({ path: target }) => `${path} imports ${target}`),
  );

/** Circles of files that need each other at run time, each by the import that closes it. */
function circles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      found.push([...way.slice(way.indexOf(path)), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const { path: target, isType } of byPath.get(path)?.imports ?? [])
      if (!isType) visit(target, [...way, path]);
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return found;
}

test('every file that ships is in a room, and every room has a file', () => {
  assert.equal(
    shipped.filter(({ path }) => roomOf(path) === -1).map(({ path }) => path),
    [],
  );
  assert.equal(
    rooms.filter((_, at) => !shipped.some(({ path }) => roomOf(path) === at)),
    [],
  );
});

/** Text that is imported as such, and that ships beside the code. */
const isTemplate = (path: string): boolean =>
  /^src\/.*\.(sh|fish|conf|service|mustache|json)$/.test(path) && existsSync(join(top, path));

test('every import of a file of this repository is seen, and leads to one', () => {
  const known = new Set(shipped.map(({ path }) => path));
  const all = shipped.flatMap(({ imports }) => imports.map(({ path }) => path));
  assert.ok(all.length > shipped.length, `${all.length} imports`);
  assert.equal(
    [...new Set(all.filter((path) => !known.has(path)))].filter((path) => !isTemplate(path)),
    ['package.json'],
    'the version, for the operator’s command',
  );
});

test('every arrow runs downwards', () => assert.equal(upward(shipped), []));

test('no file needs itself by way of others at run time', () => assert.equal(circles(shipped), []));

test('arrows that run upwards, and circles, would be seen', () => {
  const plan = parseSource('src/plan/a.ts', "import type { B } from '../act/heal/b.ts';\nexport type A = B;");
  const heal = parseSource('src/act/heal/b.ts', "export * from './c.ts';\nexport const b = 1;");
  const beside = parseSource('src/act/heal/c.ts', "export const c = async () => import('./b.ts');");
  const gate = parseSource('src/act/heal/d.ts', "export { gate } from '../gate.ts';");
  const types = parseSource('src/plan/e.ts', "import type { A } from './a.ts';\nexport type E = A;");
  const self = parseSource('src/machine/f.ts', "export type F = import('../settings/g.ts').G;");
  assert.equal(upward([plan, heal, beside, gate, types, self]), [
    'src/plan/a.ts imports src/act/heal/b.ts',
    'src/act/heal/d.ts imports src/act/gate.ts',
    'src/machine/f.ts imports src/settings/g.ts',
  ]);
  assert.equal(circles([plan, heal, beside, types]), [
    'src/act/heal/b.ts → src/act/heal/c.ts → src/act/heal/b.ts',
  ]);
});

test.run();
