/**
 * The least that a program of this toolchain can do to ask a member: one request, and nothing before it.
 * `bare-check ENDPOINT [CERTIFICATES]`.
 */
export {};

const [endpoint, dir] = process.argv.slice(2);
const certificate = (name: string) => Bun.file(`${dir}/${name}.pem`);
const tls = dir && {
  tls: { ca: certificate('ca'), cert: certificate('client'), key: certificate('client-key') },
};
fetch(`${endpoint}/health`, tls || {})
  .then((reply) => reply.text())
  .then((text) => process.exit(/"health":"true"/.test(text) ? 0 : 1));
