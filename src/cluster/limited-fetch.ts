/** etcd's longest answer to us is a member list; whoever listens there may not be etcd. */
const MAX_BYTES = 1 << 20;

/** The body of a reply as text. @throws when it is longer than any that we ask for */
export async function limitedText(reply: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of reply.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) throw new Error(`${reply.url} sends more than ${MAX_BYTES} bytes`);
  }
  return text;
}
