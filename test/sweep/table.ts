import type { Case } from './sweep.ts';

const count = (cases: readonly Case[], which: (one: Case) => boolean): number => cases.filter(which).length;

/** The examiner says, without any log, that etcd does not come up with these data. */
export const isTold = ({ examination }: Case): boolean =>
  examination.kind === 'damaged' || examination.isRemoved;
export const isServed = ({ outcome }: Case): boolean => outcome === 'serves';
export const isRefused = ({ outcome }: Case): boolean => outcome === 'refuses';

/** The sums that the goals are about. */
export const sums = (cases: readonly Case[]) => ({
  served: count(cases, isServed),
  servedTold: count(cases, (one) => isServed(one) && isTold(one)),
  refused: count(cases, isRefused),
  refusedTold: count(cases, (one) => isRefused(one) && isTold(one)),
  waits: count(cases, ({ outcome }) => outcome === 'waits'),
});

/** The table of a sweep, in Markdown: one row for each way of damaging. */
export function table(cases: readonly Case[]): string {
  const row = (name: string, of: readonly Case[]): string => {
    const { served, servedTold, refused, refusedTold, waits } = sums(of);
    const short = count(of, (one) => one.outcome === 'waits' && one.examination.logShort);
    return `| ${[name, of.length, served, servedTold, refused, refusedTold, waits, short].join(' | ')} |`;
  };
  return [
    '| damaged how | cases | etcd serves | of these called damaged | etcd refuses | of these told | etcd waits | of these a short log, told |',
    '|---|---|---|---|---|---|---|---|',
    ...Map.groupBy(cases, ({ damage }) => damage)
      .entries()
      .toArray()
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, of]) => row(name, of)),
    row('**all**', cases),
  ].join('\n');
}
