import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { SIGNAL_KINDS } from '../core/lockout/signals.ts';
import type { Measures } from '../core/measures.ts';
import { CHANNELS, SENT } from '../core/messages/message.ts';

export interface Metrics extends Measures {
  readonly registry: Registry;
}

/** Seconds. A store answers in a millisecond, a hash in tens of them, and what takes 5 s was given up. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * The measures as Prometheus metrics, in a registry of their own. Anybody may send a method that they made up, so that
 * unknown ones count as one.
 */
export function prometheusMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const histogram = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Histogram({ name, help, labelNames, buckets: BUCKETS, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });

  const steps = counter('idp_journey_steps_total', 'Answers to the steps of a journey', ['step', 'outcome']);
  const messages = counter('idp_messages_total', 'Tries to hand a message to its provider', ['channel', 'outcome']);
  const running = gauge('idp_hash_running', 'Password hashes that run now');
  const waiting = gauge('idp_hash_waiting', 'Password hashes that wait for a place now');
  const refused = counter('idp_hash_refused_total', 'Password hashes refused because too many waited', []);
  const hashes = histogram('idp_hash_duration_seconds', 'How long a password hash took, without its wait', []);
  const stores = histogram('idp_store_duration_seconds', 'How long a store took', ['store', 'operation']);
  const failures = counter('idp_store_failures_total', 'Operations that a store did not answer', [
    'store',
    'operation',
  ]);
  const signals = counter('idp_risk_signals_total', 'Rates that were out of the ordinary', ['kind']);
  const requests = histogram('idp_http_request_duration_seconds', 'How long a request took', ['method', 'status']);
  const endpoints = histogram('idp_protocol_duration_seconds', 'How long a protocol endpoint took', [
    'endpoint',
    'status',
  ]);

  // What alerts watch is there at nought: a series that begins with its first event has not increased by it.
  for (const outcome of ['proven', 'credentials-rejected']) steps.inc({ step: 'password', outcome }, 0);
  for (const channel of CHANNELS) for (const outcome of SENT) messages.inc({ channel, outcome }, 0);
  for (const kind of SIGNAL_KINDS) signals.inc({ kind }, 0);

  return {
    registry,
    stepAnswered: (step, outcome) => steps.inc({ step, outcome }),
    messageTried: (channel, outcome) => messages.inc({ channel, outcome }),
    hashQueue(nowRunning, nowWaiting) {
      running.set(nowRunning);
      waiting.set(nowWaiting);
    },
    hashed: (seconds) => hashes.observe(seconds),
    hashRefused: () => refused.inc(),
    storeAnswered(store, operation, seconds, failed) {
      stores.observe({ store, operation }, seconds);
      if (failed) failures.inc({ store, operation });
    },
    signalRaised: (kind) => signals.inc({ kind }),
    requestAnswered(method, endpoint, status, seconds) {
      const statusClass = `${Math.floor(status / 100)}xx`;
      requests.observe({ method: METHODS.has(method) ? method : 'other', status: statusClass }, seconds);
      if (endpoint !== undefined) endpoints.observe({ endpoint, status: statusClass }, seconds);
    },
  };
}

/** Adds what Node says of its process: memory, processor, event loop, garbage. Once for each process. */
export const measureProcess = ({ registry }: Metrics): void => collectDefaultMetrics({ register: registry });
