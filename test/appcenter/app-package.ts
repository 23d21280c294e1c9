/** `appcenter/`, read and rendered: what the tests of it look at. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOP = join(import.meta.dirname, '../..');
export const APPCENTER = join(TOP, 'appcenter');
export const BUILT = join(TOP, 'dist/heal-node');
/** Where the image role lays the scripts of `appcenter/bin`. */
export const SCRIPTS = '/opt/heal-node/appcenter';
export const text = (path: string): string => readFileSync(join(APPCENTER, path), 'utf8');

interface Service {
  type?: string;
  order?: number;
  cmd: string;
  timeout?: number;
  service_params?: Record<string, unknown>;
}
export interface Item {
  value_type: string;
  statistics_type: string;
  enums?: string[];
}
interface HealthCheck {
  enable: boolean;
  interval_sec: number;
  timeout_sec: number;
  action_timeout_sec: number;
  healthy_threshold: number;
  unhealthy_threshold: number;
  check_cmd: string;
  action_cmd: string;
}
interface Role {
  role: string;
  services: { start: Service; stop: Service; [name: string]: Service };
  health_check: HealthCheck;
  monitor: {
    cmd: string;
    items: Record<string, Item>;
    groups: Record<string, string[]>;
    display: string[];
    alarm: string[];
  };
}
interface Tab {
  cmd: string;
  roles_to_execute_on: string[];
  description: string;
  timeout: number;
}
interface ClusterJson {
  nodes: [Role, ...Role[]];
  display_tabs: Record<string, Tab>;
}
interface Param {
  key: string;
  type: string;
  label?: string;
  description?: string;
  default?: unknown;
  pattern?: string;
  properties?: Param[];
}

/** The parameters of `config.json` by their whole names, which is what `{{…}}` names. */
const paramsIn = (of: Param, path: readonly string[] = []): [string, Param][] =>
  of.properties?.flatMap((each) => paramsIn(each, [...path, each.key])) ?? [[path.join('.'), of]];

/** @throws when the template names what is not among the parameters */
export function render(template: string, params: Readonly<Record<string, Param>>): ClusterJson {
  const rendered = template.replaceAll(/\{\{([^}]*)\}\}/g, (_, name: string) => {
    const param = params[name];
    if (param === undefined) throw new Error(`config.json does not define ${name}`);
    return JSON.stringify(param.default);
  });
  return JSON.parse(rendered) as ClusterJson;
}

const localeOf = (name: string) => JSON.parse(text(`locale/${name}.json`)) as Record<string, string>;

/** A fresh copy of everything, which a test may change. */
export function appPackage() {
  const params = Object.fromEntries(paramsIn(JSON.parse(text('config.json')) as Param));
  const { nodes, ...whole } = render(text('cluster.json.mustache'), params);
  return { whole, nodes, role: nodes[0], params, en: localeOf('en'), zh: localeOf('zh-cn') };
}
export type AppPackage = ReturnType<typeof appPackage>;

/** What the app has already, by its public package, and must not meet again; the limits hold for both together. */
export const APP = {
  services: [
    'init',
    'destroy',
    'upgrade',
    'backup',
    'restore',
    'repairMajorityNode',
    'repairMinorityNode',
    'compact',
  ],
  params: ['node.ip', 'healthnode.ip', 'unhealthnode.ip'],
  items: [
    'etcd_server_has_leader',
    'etcd_server_is_leader',
    'etcd_server_leader_changes_seen_total',
    'etcd_network_peer_sent_bytes_total',
    'etcd_server_proposals_failed_total',
    'process_resident_memory_bytes',
    'process_virtual_memory_bytes',
  ],
  groups: ['state', 'data', 'memory'],
  tabs: ['TLSConnectionGuide-column'],
  errCodes: ['err_code20', 'err_code21'],
};

export const disjoint = (some: readonly string[], others: readonly string[]): boolean =>
  new Set([...some, ...others]).size === some.length + others.length;
