import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.ts';
import { SECRETS, SETTINGS } from '../../src/config/schema.ts';
import { stepsOf } from '../support/image.ts';
import { ROOT } from '../support/provider.ts';

const Service = z.looseObject({
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  image: z.string().optional(),
  network_mode: z.string().optional(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  stop_grace_period: z.string().default('10s'),
  ports: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.unknown()).default({}),
  volumes: z.array(z.string()).default([]),
});

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { services, volumes } = z
  .looseObject({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.unknown()) })
  .parse(parse(read('docker-compose.yml'), { merge: true }));
const of = (name: string) => Service.parse(services[name]);
const nodes = Object.entries(services).filter(([, { build }]) => build !== undefined);

describe('docker-compose.yml', () => {
  test('has two nodes behind a proxy, MongoDB as a replica set, Redis with its append-only file, and a mail catcher', () => {
    expect(Object.keys(services).sort()).toEqual(['mail', 'mongo', 'provider-a', 'provider-b', 'proxy', 'redis']);
    expect(nodes.map(([name]) => name)).toEqual(['provider-a', 'provider-b']);
    expect(of('mongo').command).toContain('--replSet');
    expect(of('redis').command).toEqual(expect.arrayContaining(['--appendonly', 'yes', 'noeviction']));
    for (const [, { build }] of nodes) expect(stepsOf(build?.target ?? '')).not.toEqual([]);
  });

  test('has no two builds that write the image of one name', () => {
    const names = nodes.flatMap(([, { image }]) => image ?? []);
    expect(names).toEqual([...new Set(names)]);
  });

  test.each(nodes)('%s has settings that there are, and that the provider starts with', (_, { environment }) => {
    const known = [...Object.keys(SETTINGS.shape), ...SECRETS.map((name) => `${name}_FILE`)];
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
    expect(loadConfig(environment, ROOT)).toMatchObject({
      servers: { mongoUri: expect.stringContaining('//mongo:'), redisUrl: expect.stringContaining('//redis:') },
    });
  });

  test.each(nodes)('%s has no rights, writes nothing but its data, and has the time to end', (_, node) => {
    expect(node).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(node.volumes).toEqual(['provider-data:/data']);
    expect(Number.parseInt(node.stop_grace_period, 10)).toBeGreaterThanOrEqual(
      Number(node.environment.DRAIN_SECONDS) + 15,
    );
  });

  test('sends mail to the catcher, which is where no TLS is asked of it', () => {
    for (const [, { environment, network_mode }] of nodes) {
      const { hostname, port } = new URL(environment.SMTP_URL ?? '');
      expect([hostname, port, network_mode]).toEqual(['127.0.0.1', '1025', of('mail').network_mode]);
    }
    expect(of('proxy').ports).toContain('127.0.0.1:8025:8025');
  });

  test('passes requests on to both nodes, and opens its ports to this machine only', () => {
    const behind = [...read('docker/proxy.conf').matchAll(/server 127\.0\.0\.1:(\d+)/g)].map(([, port]) => port);
    expect(behind).toEqual(nodes.map(([, { environment }]) => environment.PORT));
    // Pages go on from a node that starts, forms never; a node that has said 503 is not left out.
    expect(read('docker/proxy.conf')).toMatch(/^ +proxy_next_upstream error timeout http_503;$/m);
    expect([...read('docker/proxy.conf').matchAll(/max_fails=0;/g)]).toHaveLength(nodes.length);
    const ports = Object.values(services).flatMap((service) => service.ports);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    const { origin } = new URL(String(of('provider-a').environment.ISSUER));
    expect(origin).toBe('http://localhost:3000');
    expect(ports).toContain('127.0.0.1:3000:3000');
  });

  test('names only services and volumes that there are', () => {
    const waitedFor = Object.values(services).flatMap(({ depends_on }) => Object.keys(depends_on));
    expect(waitedFor.filter((name) => !Object.hasOwn(services, name))).toEqual([]);
    const named = Object.values(services).flatMap((one) => one.volumes.map((volume) => volume.split(':')[0] ?? ''));
    expect(named.filter((name) => !name.startsWith('.') && !Object.hasOwn(volumes, name))).toEqual([]);
  });
});
