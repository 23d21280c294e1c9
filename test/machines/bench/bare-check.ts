/** The least that a program of this toolchain can do to ask a member: one request, and nothing before it. */
fetch(`${process.argv[2]}/health`)
  .then((reply) => reply.text())
  .then((text) => process.exit(/"health":"true"/.test(text) ? 0 : 1));
