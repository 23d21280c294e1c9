import type { Alarm } from '../../../cluster/cluster.ts';
import type { HealContext } from '../heal-context.ts';

/** Alarms of this node's old member, which the cluster does not list any more. */
const ofRemoved = ({ situation: { cluster }, record: { oldMemberId } }: HealContext): readonly Alarm[] =>
  cluster.alarms.filter(
    ({ memberId }) => memberId === oldMemberId && !cluster.members.some(({ id }) => id === memberId),
  );

const named = ({ alarm, memberId }: Alarm): string => `${alarm} of ${memberId}`;

/**
 * Takes back the alarms of the member that this heal has removed, and only those: an alarm outlives its member (etcd
 * #14379), and keeps writes out of the whole cluster. One that cannot be taken back does not keep a heal from ending.
 * @returns what was done, as the rest of a sentence; empty where there was none
 */
export async function disarmRemoved(heal: HealContext): Promise<string> {
  const said: string[] = [];
  for (const alarm of ofRemoved(heal)) {
    try {
      await heal.cluster.disarm(heal.servingEndpoints, alarm);
      said.push(`; its alarm ${named(alarm)} is disarmed`);
    } catch (error) {
      const why = (error as Error).message;
      const text = `The alarm ${named(alarm)}, a member that is removed, could not be disarmed: ${why}. Action: \`etcdctl alarm disarm\`, which disarms those of all members (docs/runbook.md says how etcdctl is called here).`;
      heal.log.warn({ event: 'alarm-stays', ...alarm }, text);
      said.push(`; its alarm ${named(alarm)} could not be disarmed (${why})`);
    }
  }
  return said.join('');
}

/** Alarms that are left to a person, as the rest of a sentence; empty where there are none. */
export function alarmsLeft(heal: HealContext): string {
  const left = heal.situation.cluster.alarms.filter((alarm) => !ofRemoved(heal).includes(alarm));
  return left.length === 0 ? '' : `; alarms that are raised: ${left.map(named).join(', ')}`;
}
