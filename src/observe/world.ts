import type { Cluster } from '../cluster/cluster.ts';
import type { TlsFiles } from '../machine/etcd/etcd-config.ts';
import type { Health, Machine } from '../machine/machine.ts';
import type { Mode } from '../settings/settings-table.ts';
import type { Places } from '../state/places.ts';

/** The world as heal-node reaches it: one seam for this machine, one for the cluster. */
export interface World {
  readonly machine: Machine;
  readonly places: Places;
  /** The cluster, reached with the certificates that this node's configuration names. */
  cluster(tls: TlsFiles | undefined): Cluster;
  health(clientUrl: string, tls: TlsFiles | undefined, timeoutMs: number): Promise<Health>;
  /** What stands under a key of the platform's metadata service. @throws when it does not answer, or has none */
  metadata(key: string): Promise<string>;
  /** `HEAL_BIRTHMARK`: the cluster carries a key of ours. */
  readonly birthmarkOn: boolean;
  /** `HEAL_ON_DIVERGENCE=heal`. */
  readonly healsDivergence: boolean;
  /** `HEAL_MODE` as it stands now: it may change while a heal is under way. */
  mode(): Promise<Mode>;
}
