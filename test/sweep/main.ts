/**
 * `npm run sweep -- --cases N --seed S`, and if wanted `--lanes L`, `--only N,N…`, `--damages REGEX`, `--etcd BINARY`,
 * `--keep DIR` (what was damaged), `--out FILE` (each case as a line of JSON), `--words FILE` (with what words etcd
 * ended): docs/examiner.md.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { baseRoot } from '../machines/bed/base-root.ts';
import { lastWords } from './last-words.ts';
import { type Case, sweep } from './sweep.ts';
import { isRefused, isServed, isTold, sums, table } from './table.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '2' },
    only: { type: 'string' },
    damages: { type: 'string', default: '.' },
    out: { type: 'string' },
    etcd: { type: 'string' },
    keep: { type: 'string' },
    words: { type: 'string' },
  },
});

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
const tell = ({
  number,
  recording,
  damage,
  examination: { kind, damage: found },
  outcome,
  lastWords,
}: Case): string =>
  `case ${number} (${recording}; ${damage}): etcd ${outcome}, examined ${kind} ${JSON.stringify(found)}\n  ${lastWords.join('\n  ')}`;

const binary = values.etcd ?? join(await baseRoot(console.log), 'opt/etcd/current/etcd');
const beganMs = performance.now();
let done = 0;
const cases = await sweep({
  binary,
  cases: Number(values.cases),
  seed: Number(values.seed),
  lanes: Number(values.lanes),
  damages: new RegExp(values.damages),
  ...(values.keep ? { keep: values.keep } : {}),
  ...(values.only ? { only: values.only.split(',').map(Number) } : {}),
  onCase: (one) => {
    if (values.out) appendFileSync(values.out, `${JSON.stringify(one, plain)}\n`);
    if (++done % 250 === 0)
      console.log(`${done} cases, ${Math.round((performance.now() - beganMs) / 1000)} s`);
    const wrong =
      (isServed(one) && isTold(one)) || (isRefused(one) && !isTold(one)) || one.outcome === 'waits';
    if (wrong || values.only) console.log(tell(one));
  },
});
if (values.words) writeFileSync(values.words, `${JSON.stringify(lastWords(cases), null, 2)}\n`);
console.log(table(cases));
const { served, servedTold, refused, refusedTold } = sums(cases);
console.log(
  `seed ${values.seed}, ${cases.length} cases in ${Math.round((performance.now() - beganMs) / 1000)} s: ${servedTold} of ${served} that etcd serves are called damaged; ${refusedTold} of ${refused} that it refuses are told (${((100 * refusedTold) / refused).toFixed(1)} %)`,
);
process.exit(servedTold === 0 && refusedTold >= 0.95 * refused ? 0 : 1);
