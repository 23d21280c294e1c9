import type { Situation } from './situation.ts';

/** The line of a signature among the last words of the run that counts. It corroborates and proves nothing. */
export const lineOf = (situation: Situation, id: string): string | undefined =>
  situation.matched.find(({ signature }) => signature.id === id)?.line;

/** The same, where etcd has ended with a panic that says so: the only words that may decide alone. */
export const panicOf = (situation: Situation, id: string): string | undefined =>
  situation.crashed && situation.unit?.exitKind === 1 && situation.unit.exitStatus === 2
    ? lineOf(situation, id)
    : undefined;
