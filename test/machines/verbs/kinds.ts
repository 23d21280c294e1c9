import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../../scripts/compile.ts';
import type { Bed, BedOptions } from '../bed/bed.ts';
import { ipOf } from '../bed/lan.ts';
import { withSettings } from '../bed/scenario.ts';
import { inTls, metadataService } from '../bed/tls.ts';
import type { Ground, Kind } from './row.ts';

const HOLDER = '/opt/hold/holder';
const FOUNDERS = [1, 2, 3].map((sid) => `${sid}=${ipOf(sid)}`).join(' ');

/** heal-node.service runs the holder; a bed is used for many heals. */
const image: NonNullable<BedOptions['image']> = async (dir) => {
  // Five minutes, at 60 times the speed.
  await withSettings('HEAL_MAX_PER_DAY=100', 'HEAL_DEEP_CHECK_INTERVAL=5s')(dir);
  await compile([join(import.meta.dirname, 'holder.ts')], join(dir, HOLDER));
  const dropIns = join(dir, 'etc/systemd/system/heal-node.service.d');
  mkdirSync(dropIns, { recursive: true });
  writeFileSync(join(dropIns, 'holder.conf'), `[Service]\nExecStart=\nExecStart=${HOLDER}\n`);
};

async function startFounders(bed: Bed): Promise<Ground['nodes']> {
  const nodes = bed.machines.slice(0, 3);
  for (const { code, stdout, stderr } of await Promise.all(nodes.map((each) => each.hook('start'))))
    if (code !== 0) throw new Error(`start failed with ${code}: ${stdout} ${stderr}`);
  return nodes;
}

/** Three members, and a node that scaling out may take. */
export const plain: Kind = {
  name: '3 members',
  options: { members: 4, appEnv: { STABLE_NODES: FOUNDERS, ALL_NODES: FOUNDERS }, image },
  found: async (bed) => ({ bed, nodes: await startFounders(bed), end: async () => undefined }),
};

const withTls = inTls(3, image);
/** All that TLS takes is there, ssh and the metadata service too, and TLS is not switched on yet. */
export const tlsOff: Kind = {
  name: '3 members, TLS off and on',
  options: { ...withTls, appEnv: { ...withTls.appEnv, ETCD_ENABLE_TLS: 'false' } },
  found: async (bed) => {
    bed.speakTls(false);
    const end = await metadataService(bed);
    try {
      return { bed, nodes: await startFounders(bed), end };
    } catch (error) {
      await end();
      throw error;
    }
  },
};
