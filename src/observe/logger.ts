import { destination, type Logger, pino } from 'pino';

export type { Logger };

/** Where log lines go when not to standard output; for tests that read them. */
export interface LogSink {
  write(line: string): void;
}

/**
 * JSON lines. Whatever is logged by accident under one of these names is blanked; nothing logs a request's body, query or
 * cookies in the first place.
 */
export function makeLogger(level: string, sink?: LogSink): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['password', 'client_secret', 'code', 'token', '*.password', '*.client_secret'],
      censor: '[blanked]',
    },
  };
  return pino(options, sink ?? standardOutput());
}

/**
 * Standard output, with one write for all lines of a turn of the event loop: a write for each took a tenth of a short request's
 * time. What waits is written before the process ends.
 */
function standardOutput(): LogSink {
  const output = destination({ fd: 1, sync: true });
  // On a full disk lines are lost, and nobody is turned away for it.
  output.on('error', () => undefined);
  let waiting = '';
  const write = () => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') output.write(lines);
  };
  process.once('exit', write);
  return {
    write(line) {
      if (waiting === '') setImmediate(write);
      waiting += line;
    },
  };
}
