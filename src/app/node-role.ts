import { readFileSync } from 'node:fs';
import { parseEnvFile } from '../node/env-file.ts';
import { PROXY_ROLE } from './roles.ts';

/** Whether this node is a proxy: then every hook does just what the app's own does. */
export function isProxy(appEnvPath: string): boolean {
  try {
    return parseEnvFile(readFileSync(appEnvPath, 'utf8')).MY_ROLE === PROXY_ROLE;
  } catch {
    return false; // Without the app's view the role is unknown; what needs to know it asks the guard `role`.
  }
}
