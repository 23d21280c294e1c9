import type { Situation } from './situation.ts';

/**
 * Why neither the app's start nor its restart is run here, as a sentence without its end: it could make new certificates
 * for every node (docs/platform.md). Undefined where it may be run.
 */
export function appStartRisk({ observed: { app }, config, certificatesMissing }: Situation) {
  // In TLS mode, or where nothing says whether it is, nobody knows without the app's view what it would do.
  if (!app.ok && (config === undefined || config.tls !== undefined))
    return `${app.why.replace(/\.$/, '')}, so nothing tells what the app would do to certificates; find out why confd does not write it`;
  return certificatesMissing;
}
