import type { HealContext } from '../heal-context.ts';

const TELL_MS = 5000;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);

/** How far the data have come, as a sentence: of how many bytes, and how many came in the last `tookMs`. */
export function arrivalText(bytes: number, ofBytes: number, cameBytes: number, tookMs: number): string {
  const of = `${megabytes(ofBytes)} MB`;
  if (bytes >= ofBytes) return `All ${of} have arrived; etcd reads them now.`;
  const so = `${megabytes(Math.max(0, bytes))} of ${of} have arrived`;
  if (cameBytes <= 0) return `${so}, none in the last ${Math.round(tookMs / 1000)} s.`;
  const leftSec = Math.ceil(((ofBytes - bytes) * tookMs) / cameBytes / 1000);
  return `${so}, ${megabytes((cameBytes * 1000) / tookMs)} MB/s, about ${leftSec} s are left.`;
}

/**
 * Logs now and then how much of the data of the new member has arrived. The snapshot comes as one file beside etcd's
 * database, as large as that of who sends it (etcd: snap/db.go, SaveDBFrom; etcdserver/snapshot_merge.go).
 * @returns what is to be called while they arrive
 */
export function arrival({ machine, log, config, situation, record }: HealContext): () => Promise<void> {
  const ofBytes = Math.max(0, ...situation.cluster.serving.map(({ reply }) => reply.dbSizeBytes));
  let [bytes, atMs] = [0, machine.monotonicMs()];
  return async () => {
    const nowMs = machine.monotonicMs();
    const tookMs = nowMs - atMs;
    if (tookMs < TELL_MS) return;
    const came = (await machine.sizeOf(`${config.dataDir}/member/snap`)) - bytes;
    [bytes, atMs] = [bytes + came, nowMs];
    const progress = { bytes, ofBytes, bytesPerSecond: Math.round((came * 1000) / tookMs) };
    log.info(
      { event: 'progress', healId: record.id, ...progress },
      arrivalText(bytes, ofBytes, came, tookMs),
    );
  };
}
