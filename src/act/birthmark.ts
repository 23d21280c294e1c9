import { randomBytes } from 'node:crypto';
import { claim } from '../cluster/claim.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { BIRTHMARK_KEY } from '../cluster/etcd-cluster.ts';
import type { Situation } from '../diagnose/situation.ts';
import type { World } from '../observe/world.ts';
import { markMember } from '../state/member-mark.ts';

/**
 * The cluster's birthmark: a random ID under one key, written once, when all members are well. Every node
 * remembers it on both its disks. A cluster without it, or with another, has been founded anew, or restored.
 */
async function birthmarkOf(cluster: Cluster, endpoint: string, known: string): Promise<string> {
  return (await claim(cluster, [endpoint], BIRTHMARK_KEY, known || randomBytes(16).toString('hex'), 0)).value;
}

const isOne = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);

/**
 * Called while this member serves as the one that it should be: marks this node as one that has been a member, and
 * remembers its data disk, and the cluster's birthmark if it knows none. A cluster in which nobody has ever written
 * anything leaves no mark: it may still be being created, and is founded again then. `adopts` takes the cluster's
 * birthmark over another that it knows.
 * @returns a sentence when the cluster's is not the one that this node knows
 */
export async function rememberCluster(world: World, situation: Situation, adopts = false) {
  const { machine, places, birthmarkOn } = world;
  const { cluster, config, self, observed, birthmarkMismatch } = situation;
  if (config === undefined) return undefined;
  const known = observed.mark.birthmark;
  const [any] = cluster.serving;
  let theirs = any?.reply.birthmark ?? '';
  const allWell = cluster.serving.length > 0 && cluster.serving.length === cluster.members.length - 1;
  // As long as the cluster's own history has it, it is this one that had it, whoever is well.
  const isProved = known !== '' && any?.reply.deletedBirthmark === known && !adopts;
  const endpoint = any?.endpoint ?? config.clientUrl;
  // A key that somebody has deleted comes back as it was: whoever serves in a cluster with all others knows it.
  if (birthmarkOn && theirs === '' && (allWell || isProved) && situation.servesAsOwn)
    theirs = await birthmarkOf(world.cluster(config.tls), endpoint, adopts ? '' : known).catch(() => '');
  const other = adopts || theirs === known ? undefined : birthmarkMismatch;
  const shown = isOne(theirs) ? theirs : '';
  const written = shown !== '' || (self?.revision ?? 0n) > 1n || adopts;
  if (!written && !observed.mark.wasMember) return other;
  const dataDiskId = await machine.fileSystemId(config.dataDir).catch(() => observed.mark.dataDiskId);
  // Adopted is what the cluster shows, also where that is none yet: a later look remembers the one that it gets.
  const birthmark = adopts ? shown : other === undefined ? shown || known : known;
  const { birthmarkRevision = 0n } = birthmark === any?.reply.birthmark ? any.reply : observed.mark;
  await markMember(machine, places, { birthmark, birthmarkRevision, dataDiskId });
  return other;
}
