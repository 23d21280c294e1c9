import { parse as parseLossless } from 'lossless-json';
import * as v from 'valibot';
import type { TlsFiles } from '../machine/etcd/etcd-config.ts';
import { run } from '../machine/os/run.ts';
import { ClusterError } from './cluster.ts';
import { isTransient } from './transient-refusals.ts';

export interface EtcdctlOptions {
  readonly program: string;
  readonly tls: TlsFiles | undefined;
  /**
   * `user:password`, handed over in the environment of etcdctl, never in its arguments; undefined without
   * authentication. What it throws is why no call is made.
   */
  readonly credentials: () => string | undefined;
}

/** etcd's JSON holds 64-bit IDs as numbers: every whole number is read as a bigint. */
export const readJson = (text: string): unknown =>
  parseLossless(text, undefined, (number) => (/^-?\d+$/.test(number) ? BigInt(number) : Number(number)));

/** Calls by etcdctl (API 3): with every kind of certificate and credentials that etcd has. */
export function etcdctl({ program, tls, credentials }: EtcdctlOptions) {
  const environment = () => {
    try {
      const user = credentials();
      return { ETCDCTL_API: '3', ...(user ? { ETCDCTL_USER: user } : {}) };
    } catch (error) {
      throw new ClusterError((error as Error).message, false);
    }
  };
  const tlsFlags = tls ? [`--cacert=${tls.ca}`, `--cert=${tls.cert}`, `--key=${tls.key}`] : [];
  /**
   * Makes one call: the words behind `etcdctl`, its reply read with a schema, and what is put on its standard input.
   * @throws ClusterError
   */
  return async <S extends v.GenericSchema>(
    endpoints: readonly string[],
    words: readonly string[],
    schema: S,
    timeoutMs: number,
    input?: string,
  ) => {
    const limits = [`--command-timeout=${timeoutMs}ms`, `--dial-timeout=${timeoutMs}ms`];
    const flags = [`--endpoints=${endpoints.join(',')}`, '--write-out=json', ...limits, ...tlsFlags];
    const limited = { timeoutMs: timeoutMs + 300, env: environment(), input };
    const { stdout, failure, timedOut, tooMuch } = await run([program, ...words, ...flags], limited);
    const what = `etcdctl ${words.slice(0, 2).join(' ')} at ${endpoints.join(',')}`;
    if (tooMuch) throw new ClusterError(`${what} sends more than ${stdout.length} bytes`, false);
    if (failure !== undefined) {
      // Of what etcdctl printed the last line says what went wrong.
      const said = timedOut ? 'context deadline exceeded' : (failure.split('\n').at(-1) ?? '');
      throw new ClusterError(`${what}: ${said}`, isTransient(said));
    }
    try {
      return v.parse(schema, readJson(stdout));
    } catch (error) {
      const why = `the reply is not understood (${(error as Error).message}): ${stdout.slice(0, 200)}`;
      throw new ClusterError(`${what}: ${why}`, false);
    }
  };
}
