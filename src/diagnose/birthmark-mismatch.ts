import type { ClusterView } from './cluster-view.ts';

/**
 * Why the cluster that serves is not the one that this node remembers, as a sentence for people; undefined when
 * it is, when nobody serves, or when this node remembers no birthmark.
 */
export function birthmarkMismatch(known: string, { serving }: ClusterView): string | undefined {
  if (known === '') return undefined;
  const other = serving.find(
    ({ reply }) =>
      reply.credentialsRefused === '' && ![reply.birthmark, reply.deletedBirthmark].includes(known),
  );
  if (other === undefined) return undefined;
  const theirs = other.reply.birthmark;
  return `the cluster ${theirs === '' ? 'has no birthmark' : `shows birthmark ${theirs}`}, this node remembers ${known}: it has been founded anew, or restored; if a person did that, \`heal-node adopt\` accepts it`;
}
