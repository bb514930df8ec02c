import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startServer } from '../../scripts/servers.mjs';
import { ROOT } from './provider.ts';

export const NGINX = process.env.TEST_NGINX ?? '';

/** Puts one text in the place of another, which must be there. */
const put = (config: string, what: RegExp, instead: string): string => {
  if (!what.test(config)) throw new Error(`the proxy's configuration has no ${what}`);
  return config.replace(what, instead);
};

/**
 * nginx in front of nodes on these ports, with the configuration that the project gives out; only the addresses are others, and
 * it believes what the tests say about who asks. `limited`: each address begins only so many sign-ins.
 */
export async function startNginx(ports: readonly number[], { limited = false } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  let config = readFileSync(join(ROOT, 'docker/proxy.conf'), 'utf8');
  const servers = ports.map((node) => `server 127.0.0.1:${node} max_fails=0;`).join('\n  ');
  config = put(config, /server 127\.0\.0\.1:3100 max_fails=0;\s+server 127\.0\.0\.1:3200 max_fails=0;/, servers);
  config = put(config, /listen 3000;/, `listen 127.0.0.1:${port};`);
  config = put(config, /X-Forwarded-For \$remote_addr;/, 'X-Forwarded-For $proxy_add_x_forwarded_for;');
  if (!limited) config = put(config, /limit_req zone=begun burst=100 nodelay;/, '');
  writeFileSync(join(directory, 'proxy.conf'), config);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  writeFileSync(
    join(directory, 'nginx.conf'),
    [
      ...['daemon off;', 'worker_processes 1;', `pid ${directory}/pid;`, 'events { worker_connections 1024; }'],
      "http { log_format answers '$status $upstream_status';",
      ...[`access_log ${directory}/answers.log answers;`, ...paths, `include ${directory}/proxy.conf; }`],
    ].join('\n'),
  );
  const server = await startServer(NGINX, port, directory, 'http', () => [
    ...['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'errors.log')],
  ]);
  return {
    url: `http://localhost:${port}`,
    /** How many requests the proxy had to answer itself, because a node died over them or none was there. */
    broken(): number {
      const lines = readFileSync(join(directory, 'answers.log'), 'utf8').split('\n');
      return lines.filter((line) => /50[24]$/.test(line)).length;
    },
    async close(): Promise<void> {
      await server.stop({ keep: true, signal: 'SIGTERM' });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type Nginx = Awaited<ReturnType<typeof startNginx>>;
