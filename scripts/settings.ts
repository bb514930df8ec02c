/** `npm run settings` writes config/README.md, the reference of all settings, from their schema. A test holds the two together. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SECRETS, SETTINGS } from '../src/config/schema.ts';

/** What zod tells of a setting as JSON Schema, and what the schema's `meta` adds. */
const Setting = z.looseObject({
  description: z.string(),
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  default: z.union([z.string(), z.number()]).optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  fallback: z.string().optional(),
  values: z.string().optional(),
});
type Setting = z.infer<typeof Setting>;

/** The reference as Markdown. Throws when a setting has no description. */
export function settingsReference(): string {
  const { properties } = z.toJSONSchema(SETTINGS, { io: 'input' });
  const rows = Object.entries(properties ?? {}).map(([name, schema]) => row(name, Setting.parse(schema)));
  return `${BEGINNING}\n${rows.join('\n')}\n${END}`;
}

function row(name: string, setting: Setting): string {
  const secret = (SECRETS as readonly string[]).includes(name) ? 'yes' : '';
  const cells = [`\`${name}\``, values(name, setting), fallback(setting), setting.description, secret];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function values(name: string, { values: words, enum: choices, type, format, minimum, maximum }: Setting): string {
  if (words !== undefined) return words;
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ');
  if (type === 'integer') return `${minimum} to ${maximum}`;
  if (format === 'uri') return 'an address';
  return name.endsWith('_FILE') ? 'the path of a file' : 'text';
}

function fallback({ fallback: words, default: value }: Setting): string {
  if (words !== undefined) return words;
  return value === undefined ? 'none' : `\`${value}\``;
}

const BEGINNING = `# Settings

Written by \`npm run settings\` from \`src/config/schema.ts\`; do not edit it here.

Settings are environment variables. An empty one counts as not set. Whatever is wrong is listed in one message at start.
A secret may also stand in a file, named by the setting with \`_FILE\` behind it (\`COOKIE_KEYS_FILE\`). Where several secrets
stand in one setting, they are comma-separated, and the first is the current one: to change a secret, put the new one
before it, and drop the old one when nothing needs it any longer.

| setting | values | default | for | secret |
| --- | --- | --- | --- | --- |`;

const END = `
## Production

\`NODE_ENV=production\` needs MongoDB, Redis, an https issuer and secrets of its own. It takes none from \`DATA_DIR\`, and refuses
secrets that are short, easy to guess, or the same in two settings. These lines, typed into a shell, write a complete file:

\`\`\`sh
(umask 077; cat > provider.env <<END
NODE_ENV=production
ISSUER=https://login.example.org
PORT=3000
MONGODB_URI=mongodb://provider:PASSWORD@mongo-1.example.org,mongo-2.example.org,mongo-3.example.org/idp?replicaSet=rs0&w=majority&tls=true
REDIS_URL=rediss://provider:PASSWORD@redis.example.org:6379
SMTP_URL=smtps://provider:PASSWORD@mail.example.org:465
TRUSTED_PROXIES=10.0.0.10,10.0.0.11
PLAN_FILE=/etc/provider/plan.json
CLIENTS_FILE=/etc/provider/clients.json
WORKERS=0
COOKIE_KEYS=$(openssl rand -base64 32)
KEY_ENCRYPTION_KEY=$(openssl rand -base64 32)
PASSWORD_PEPPER=$(openssl rand -base64 32)
ROSTER_KEY=$(openssl rand -base64 32)
METRICS_TOKEN=$(openssl rand -base64 32)
END
)
\`\`\`

\`config/plan.json\` shows what a plan file holds, the README what a clients file does; the clients may also be made by
\`scripts/clients\`. \`TRUSTED_PROXIES\` are the proxies and nobody else, because they are believed. \`PASSWORD\` is that of each server's
account for the provider, percent-encoded; that of MongoDB is one of the database \`idp\`, or named by \`authSource\`.

With Node 24, start it by \`node --env-file=provider.env src/main.ts\`, and the commands by
\`node --env-file=provider.env src/commands/clients.ts list\`; or hand the file to the container with \`--env-file\`, where the
commands are \`docker exec <container> scripts/clients list\`, with \`-it\` those that ask for a password. Every node needs the same file. Keep a copy of the secrets away from the databases: without \`PASSWORD_PEPPER\` no password is right any
longer, without \`KEY_ENCRYPTION_KEY\` the signing keys cannot be read, and without \`ROSTER_KEY\` no membership is found. MongoDB should be a replica set; Redis runs with
its append-only file and \`maxmemory-policy noeviction\`, because sessions that it throws away sign members out.

## Redis

| form | \`REDIS_URL\` |
| --- | --- |
| one server | \`redis://user:password@host:6379/0\` |
| a Cluster, by some of its nodes | \`redis://user:password@host:6379,redis://host:6379,redis://host:6379\` |
| a Cluster, by one address for all | \`redis+cluster://user:password@host:6379\` |
| behind Sentinels | \`redis+sentinel://user:password@host:26379,host:26379,host:26379/name?sentinel-user=…&sentinel-password=…\` |

- \`rediss\` instead of \`redis\` is TLS, to Sentinels as well; \`NODE_EXTRA_CA_CERTS\` names who signed the certificates, where that is
  an authority of your own. A Cluster tells its nodes' addresses: for certificates that are made out to names set \`cluster-announce-hostname\` and
  \`cluster-preferred-endpoint-type hostname\`, and for any but plain networks what it announces must be reachable from here.
- Users and passwords are percent-encoded, and left out where there are none. Those of the first node of a list hold for all.
- A command waits two seconds at most, and is then answered to the member as a page that says so, with Retry. Nobody is signed in without
  Redis, because wrong passwords are counted there.
- How long a failover takes is the servers' setting: \`cluster-node-timeout 5000\`, or \`down-after-milliseconds 5000\` for Sentinels, is about
  six seconds without sign-ins. We find the new primary within two more, without a restart.
- Replicas follow a moment later: a primary that dies takes the last milliseconds along. Who loses a session by it signs in again.
  \`min-replicas-to-write 1\` keeps a primary that was cut off from taking writes that will be lost.
- An operation never touches two slots of a Cluster.

## Changing KEY_ENCRYPTION_KEY

1. Put the new key in front: \`KEY_ENCRYPTION_KEY=new,old\`.
2. Restart every node. Nodes that run on the old setting cannot open what the others seal from now on: where they restart one
   after another, and no sign-in may fail meanwhile, go by way of \`old,new\` on all of them first.
3. Run \`scripts/keys reseal\`, with the new setting. It seals with the new key what lasts, which is signing keys and the seeds of
   authenticator apps; says how many it found; and finds none when it is run once more. \`--dry-run\` only counts.
4. Take the old key out a week later, and restart. Until then messages that wait and visits that are under way may need it.
   What is on record needs it no longer once a seal was made with the new one, a minute after the restart.

## Restoring a back-up

1. Stop every node.
2. Restore MongoDB. Redis may be restored, left as it is or be empty; empty means that codes and journeys under way begin anew.
3. \`scripts/sessions end-all --yes\`: a back-up brings back sessions and refresh tokens that were ended since it was made, and this ends
   all of them by one write. Members sign in again.
4. Start the nodes, and run \`scripts/audit verify\`. What was put on record since the back-up is gone; the number of the newest seal, kept
   elsewhere, says how much.

Passwords, second steps, roles and clients are as they were then: who was locked out, frozen or disabled since has to be again.

## Watching it

- \`GET /health/live\` answers 200 while the process serves. \`GET /health/ready\` answers 200 when requests may be sent to it, and
  503 when MongoDB or Redis does not answer within two seconds, or the process is on its way out.
- \`GET /metrics\` has the figures for Prometheus (\`Authorization: Bearer <METRICS_TOKEN>\`): answers to steps, password
  hashes, stores, protocol endpoints, requests and the process; summed up where there are several workers.
- On SIGTERM readiness is gone at once, requests are served for \`DRAIN_SECONDS\` more, and those in flight then have ten
  seconds to finish. A second SIGTERM ends at once.
- What ends a process for good must wait \`DRAIN_SECONDS\` and 15 seconds more (\`docker stop --time\`,
  \`terminationGracePeriodSeconds\`).
- With several \`WORKERS\`, one that dies is replaced.
`;

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../config/README.md'), settingsReference());
