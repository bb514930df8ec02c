import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { ROOT } from './provider.ts';

const FOLDER = join(ROOT, 'deploy/kubernetes');

/** What every object of Kubernetes has. */
const Manifest = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string().optional() }).default({}),
});
export type Manifest = z.infer<typeof Manifest>;

export const MANIFEST_FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

export const manifestsIn = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
    return Manifest.parse(document.toJS());
  });

/** The one object of its kind, or the one of that name. */
export function manifest<Shape extends z.ZodType>(kind: string, shape: Shape, name?: string): z.infer<Shape> {
  const found = MANIFEST_FILES.flatMap(manifestsIn).filter(
    (one) => one.kind === kind && (name === undefined || one.metadata.name === name),
  );
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
  return shape.parse(found[0]);
}

const Probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.string() }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});

const Container = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })),
  env: z.array(
    z.object({
      name: z.string(),
      value: z.string().optional(),
      valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }).optional(),
    }),
  ),
  startupProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});

const PodTemplate = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    terminationGracePeriodSeconds: z.number().optional(),
    containers: z.tuple([Container]),
    volumes: z.array(
      z.looseObject({
        name: z.string(),
        secret: z.looseObject({ secretName: z.string() }).optional(),
        configMap: z.object({ name: z.string() }).optional(),
      }),
    ),
  }),
});

export const Deployment = z.object({
  spec: z.looseObject({
    replicas: z.number().optional(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: PodTemplate,
  }),
});
export const Job = z.object({ spec: z.looseObject({ template: PodTemplate }) });
export const ConfigMap = z.object({ data: z.record(z.string(), z.string()) });
export const Secret = z.object({ stringData: z.record(z.string(), z.string()) });
