import { parseEnvFile } from '../machine/systemd/env-file.ts';
import { PROXY_ROLE } from './roles.ts';

/**
 * Whether the app's view, as text, says that this node is a proxy: then every hook does just what the app's own
 * does. Without a view the role is unknown, and what needs to know it asks the guard `role`.
 */
export const saysProxy = (appEnv: string | undefined): boolean =>
  appEnv !== undefined && parseEnvFile(appEnv).MY_ROLE === PROXY_ROLE;
