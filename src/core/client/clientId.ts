/** An id for a client: readable in a log, and with some random characters like no other. */
export function clientIdFor(name: unknown, random: string): string {
  const plain = String(name ?? 'client')
    .normalize('NFKD')
    .toLowerCase();
  const words = plain.replace(/\p{M}/gu, '').match(/[a-z0-9]+/g) ?? ['client'];
  return `${words.join('-').slice(0, 40)}-${random}`;
}
