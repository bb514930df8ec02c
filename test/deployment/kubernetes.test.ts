import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.ts';
import { SECRETS, SETTINGS } from '../../src/config/schema.ts';
import {
  ConfigMap,
  Deployment,
  Job,
  MANIFEST_FILES,
  type Manifest,
  manifest,
  manifestsIn,
  Secret,
} from '../support/manifests.ts';
import { ROOT, startProvider } from '../support/provider.ts';
import { statusOf } from '../support/startedProcess.ts';
import { STORE_PAIRS } from '../support/stores.ts';

const deployment = manifest('Deployment', Deployment);
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const settings = manifest('ConfigMap', ConfigMap, 'provider-settings').data;
const files = manifest('ConfigMap', ConfigMap, 'provider-files').data;
const jobIn = (file: string) => Job.parse(manifestsIn(file)[0]).spec.template;
const job = jobIn('command-job.example.yaml');
const rosterJob = jobIn('roster-job.example.yaml');
const jobs = [job, rosterJob];
const labels = deployment.spec.template.metadata.labels;
/** What may hold a password or be one. */
const CONFIDENTIAL = [...SECRETS, 'MONGODB_URI', 'REDIS_URL', 'SMTP_URL'];
/** Each secret setting may be read from a file. */
const settingOf = (name: string) => SECRETS.find((secret) => name === `${secret}_FILE`) ?? name;
const secretsGiven = Object.fromEntries(
  ['provider-secrets', 'provider-connections'].map((name) => [name, manifest('Secret', Secret, name).stringData]),
);

const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inFolder = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** The environment that a container gets, its files and secrets being in a folder of ours. */
function environmentOf({ env }: typeof container): Record<string, string> {
  const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
  const given: Record<string, string> = {
    MONGODB_URI: 'mongodb://mongo.databases/idp',
    REDIS_URL: 'rediss://redis.databases',
    SMTP_URL: 'smtps://mail.example.org',
  };
  const own = env.map(({ name, value, valueFrom }) => [
    name,
    valueFrom === undefined ? inFolder(basename(String(value)), random()) : given[valueFrom.secretKeyRef.key],
  ]);
  const PLAN_FILE = inFolder(basename(String(settings.PLAN_FILE)), String(files[basename(String(settings.PLAN_FILE))]));
  return { ...settings, ...Object.fromEntries(own), PLAN_FILE };
}

describe('the manifests', () => {
  test('are all put together but the examples', () => {
    const { resources } = z.looseObject({ resources: z.array(z.string()) }).parse(manifestsIn('kustomization.yaml')[0]);
    const others = MANIFEST_FILES.filter((name) => !name.includes('.example.') && name !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(others.sort());
  });

  test.each([
    ['of the provider', container],
    ['of a command', job.spec.containers[0]],
    ['of an import', rosterJob.spec.containers[0]],
  ])('hold settings %s that there are, and that the provider starts with', (_, one) => {
    const names = [...Object.keys(settings), ...one.env.map(({ name }) => name)];
    expect(names.map(settingOf).filter((name) => !Object.hasOwn(SETTINGS.shape, name))).toEqual([]);
    const config = loadConfig(environmentOf(one), ROOT);
    expect(config).toMatchObject({ production: true, issuer: 'https://login.example.org', mfaPolicy: 'required' });
    expect(config.warnings.filter((warning) => !/SMS|SMTP/.test(warning))).toEqual([]);
  });

  test('name the files where they are mounted', () => {
    for (const { spec } of [deployment.spec.template, ...jobs]) {
      const [{ env, volumeMounts }] = spec.containers;
      const mounted = (path: string) => {
        const { name } = volumeMounts.find(({ mountPath }) => mountPath === dirname(path)) ?? {};
        const volume = spec.volumes.find((one) => one.name === name);
        const secret = secretsGiven[volume?.secret?.secretName ?? ''];
        return Object.keys(secret ?? (volume?.configMap?.name === 'provider-files' ? files : {}));
      };
      for (const path of [settings.PLAN_FILE, ...env.map(({ value }) => value)]) {
        if (path !== undefined) expect(mounted(path)).toContain(basename(path));
      }
    }
  });

  test('take secrets from Secrets only, of which the example has the names and no values', () => {
    expect(CONFIDENTIAL.filter((name) => name in settings || `${name}_FILE` in settings)).toEqual([]);
    for (const { env } of [container, ...jobs.map(({ spec }) => spec.containers[0])]) {
      for (const { name, value, valueFrom } of env) {
        expect([name, CONFIDENTIAL.includes(settingOf(name))]).toEqual([name, true]);
        if (valueFrom === undefined) expect(value).toBe(`/run/secrets/provider/${settingOf(name)}`);
        else expect(secretsGiven[valueFrom.secretKeyRef.name]).toHaveProperty(valueFrom.secretKeyRef.key);
      }
    }
    const asked = container.env.map(({ name }) => settingOf(name)).sort();
    expect(Object.values(secretsGiven).flatMap(Object.keys).sort()).toEqual(asked);
    expect(new Set(Object.values(secretsGiven).flatMap((values) => Object.values(values)))).toEqual(new Set(['']));
  });

  test('ask the provider where it answers, and wait for longer than it takes', async () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const provider = await startProvider(STORE_PAIRS[0]);
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect(await statusOf(provider.issuer + probe?.httpGet.path)).toBe(200);
      expect(container.ports.map(({ name }) => name)).toContain(probe?.httpGet.port);
    }
    await provider.close();
    expect(readinessProbe?.httpGet.path).toBe('/health/ready');
    // With a dependency that hangs the answer takes two seconds.
    expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(2);
    // A process is not ended for what is wrong elsewhere.
    expect([startupProbe?.httpGet.path, livenessProbe?.httpGet.path]).toEqual(['/health/live', '/health/live']);
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBeGreaterThan(30);
    // An election of ten seconds, found out as late as may be, takes no pod away.
    const unreadyAfter = (readinessProbe?.periodSeconds ?? 0) * ((readinessProbe?.failureThreshold ?? 0) - 1);
    expect(unreadyAfter).toBeGreaterThanOrEqual(20);
  });

  test('give a process the time that it needs to end', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(Number(settings.DRAIN_SECONDS) + 15);
    // What no longer gets requests must be known before it stops to serve.
    expect(Number(settings.DRAIN_SECONDS)).toBeGreaterThanOrEqual(10);
  });

  test.each([
    ['the provider', pod],
    ['a command', job.spec],
    ['an import', rosterJob.spec],
  ])('run %s without rights, bounded, and unable to write into its image', (_, spec) => {
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: {
            requests: { cpu: expect.any(String), memory: expect.any(String) },
            limits: { cpu: expect.any(String), memory: expect.any(String) },
          },
        },
      ],
    });
    expect(spec.containers[0].volumeMounts.filter(({ name, readOnly }) => name !== 'scratch' && !readOnly)).toEqual([]);
    // The index of a large roster is in a temporary file.
    expect(spec.containers[0].volumeMounts).toContainEqual({ name: 'scratch', mountPath: '/tmp' });
  });

  test('are spread over zones and machines, of those that they may run on', () => {
    const { topologySpreadConstraints: spread } = z
      .looseObject({ topologySpreadConstraints: z.array(z.looseObject({ topologyKey: z.string() })) })
      .parse(pod);
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    for (const one of spread)
      expect(one).toMatchObject({ nodeTaintsPolicy: 'Honor', labelSelector: { matchLabels: labels } });
  });

  test('find the same pods, and a command gets no requests', () => {
    const objects = MANIFEST_FILES.flatMap(manifestsIn);
    const of = (kind: string): Manifest | undefined => objects.find((one) => one.kind === kind);
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(of('Service')).toMatchObject({ spec: { selector: labels, ports: [{ targetPort: 'http' }] } });
    expect(of('PodDisruptionBudget')).toMatchObject({ spec: { selector: { matchLabels: labels } } });
    expect(of('HorizontalPodAutoscaler')).toMatchObject({
      spec: { scaleTargetRef: { kind: 'Deployment', name: of('Deployment')?.metadata.name } },
    });
    expect(of('Ingress')).toMatchObject({
      spec: {
        tls: [{ hosts: [new URL(String(settings.ISSUER)).hostname] }],
        rules: [
          {
            host: new URL(String(settings.ISSUER)).hostname,
            http: { paths: [{ backend: { service: { name: of('Service')?.metadata.name, port: { name: 'http' } } } }] },
          },
        ],
      },
    });
    for (const one of jobs)
      expect(Object.entries(labels).every(([name, value]) => one.metadata.labels[name] === value)).toBe(false);
    expect([container.ports[0]?.containerPort, settings.PORT]).toEqual([3000, '3000']);
  });

  test('show the page of a pod that is not ready, where none is', () => {
    const [main] = manifestsIn('ingress.yaml');
    const name = z.record(z.string(), z.string()).parse(main?.metadata.annotations)[
      'nginx.ingress.kubernetes.io/default-backend'
    ];
    const [service, unready] = ['provider', name].map((one) =>
      manifest('Service', z.object({ spec: z.looseObject({}) }), one),
    );
    expect(unready?.spec).toEqual({ ...service?.spec, publishNotReadyAddresses: true });
    expect(service?.spec).not.toHaveProperty('publishNotReadyAddresses');
  });

  test('keep the figures away from the public host, also where no pod is ready', () => {
    const Rules = z.looseObject({
      rules: z.tuple([z.looseObject({ host: z.string(), http: z.looseObject({ paths: z.array(z.unknown()) }) })]),
    });
    const [main, metrics] = ['provider', 'provider-metrics'].map((name) => {
      const shape = z.object({ metadata: z.unknown(), spec: Rules });
      return manifest('Ingress', shape, name);
    });
    expect(metrics?.spec.rules[0]).toEqual({
      host: main?.spec.rules[0].host,
      http: {
        paths: [
          { path: '/metrics', pathType: 'Exact', backend: { service: { name: 'nothing', port: { name: 'http' } } } },
        ],
      },
    });
    expect(JSON.stringify(metrics?.metadata)).not.toContain('default-backend');
    const { spec } = manifest('Service', z.object({ spec: z.looseObject({}) }), 'nothing');
    expect(spec).not.toHaveProperty('selector');
  });

  test('show rules for the network, to be taken over as they stand', () => {
    const text = readFileSync(join(ROOT, 'deploy/kubernetes/network.yaml'), 'utf8');
    const shown = parse(text.replace(/^( +)# ((?:- to:| {2,}).*)$/gm, '$1$2'));
    const blocks = shown.spec.egress.flatMap(({ to }: { to: { ipBlock?: { cidr: string } }[] }) =>
      to.flatMap(({ ipBlock }) => ipBlock?.cidr ?? []),
    );
    expect(blocks).toEqual(['169.254.20.10/32', '0.0.0.0/0', '10.20.30.40/32']);
  });

  test('keep enough of them while machines are emptied, and leave their number to the scaling', () => {
    const scaling = manifest('HorizontalPodAutoscaler', z.object({ spec: z.looseObject({ minReplicas: z.number() }) }));
    const budget = manifest('PodDisruptionBudget', z.object({ spec: z.looseObject({ maxUnavailable: z.number() }) }));
    // The share is that of the request, and the figures in docs/operations.md are those of the limit.
    const { resources } = z
      .looseObject({ resources: z.record(z.string(), z.looseObject({ cpu: z.string() })) })
      .parse(container);
    expect(resources.requests?.cpu).toBe(resources.limits?.cpu);
    // One that is replaced and one that dies leave one.
    expect(scaling.spec.minReplicas - budget.spec.maxUnavailable).toBeGreaterThanOrEqual(2);
    expect(deployment.spec.replicas).toBeUndefined();
  });

  test('let nobody in but the proxies and the monitoring, and nothing out to private addresses and the machines’ own', () => {
    const Policy = z.object({
      spec: z.object({
        podSelector: z.unknown(),
        policyTypes: z.array(z.string()),
        ingress: z.tuple([
          z.object({
            from: z.array(z.unknown()),
            ports: z.array(z.object({ port: z.number(), protocol: z.string() })),
          }),
        ]),
        egress: z.array(
          z.looseObject({
            to: z.array(
              z.looseObject({ ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()) }).optional() }),
            ),
          }),
        ),
      }),
    });
    const { spec } = manifest('NetworkPolicy', Policy);
    expect([...spec.policyTypes].sort()).toEqual(['Egress', 'Ingress']);
    expect(JSON.stringify(spec.podSelector)).toContain('"provider","provider-command"');
    expect(spec.ingress[0].ports).toEqual([{ protocol: 'TCP', port: Number(settings.PORT) }]);
    expect(spec.ingress[0].from).toHaveLength(2);
    const blocks = spec.egress.flatMap(({ to }) => to.flatMap(({ ipBlock }) => ipBlock ?? []));
    expect(blocks).toHaveLength(1);
    // 169.254.0.0/16 has the address where clouds hand out the rights of a machine.
    for (const range of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '127.0.0.0/8'])
      expect(blocks[0]?.except).toContain(range);
  });

  test('run the image of this version, and a command that it holds', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const image = `registry.example.org/member-identity-provider:${version}`;
    expect(manifestsIn('kustomization.yaml')[0]).toMatchObject({
      images: [{ name: container.image, newName: image.split(':')[0], newTag: version }],
    });
    for (const { spec } of jobs) {
      expect(spec.containers[0].image).toBe(image);
      expect(spec.containers[0].command?.[0]).toMatch(/^\/app\/scripts\/(audit|clients|keys|members|staff)$/);
    }
  });

  test('fetch the file of an import before it starts, into a volume that it only reads', async () => {
    const Fetching = z.looseObject({
      image: z.string(),
      command: z.array(z.string()),
      securityContext: z.unknown(),
      volumeMounts: z.array(z.unknown()),
    });
    const { initContainers } = z.looseObject({ initContainers: z.tuple([Fetching]) }).parse(rosterJob.spec);
    const [fetching] = initContainers;
    const [importing] = rosterJob.spec.containers;
    expect([fetching.image, fetching.securityContext]).toEqual([importing.image, importing.securityContext]);
    expect(fetching.volumeMounts).toEqual([{ name: 'roster', mountPath: '/roster' }]);
    expect(importing.volumeMounts).toContainEqual({ name: 'roster', mountPath: '/roster', readOnly: true });
    expect(importing.command).toContain('/roster/roster.csv');

    const served = createServer((_, response) => response.end('number,name\n')).listen(0);
    const [program, ...words] = fetching.command.map((word) => word.replace('/roster/', `${folder}/`));
    const { port } = served.address() as AddressInfo;
    const env = { PATH: String(process.env.PATH), ROSTER_ADDRESS: `http://localhost:${port}/\n` };
    await promisify(execFile)(String(program), words, { env });
    served.close();
    expect(readFileSync(join(folder, 'roster.csv'), 'utf8')).toBe('number,name\n');
  });
});
