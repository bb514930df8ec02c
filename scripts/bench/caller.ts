import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly location: string;
  readonly body: string;
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
}

/** What a browser calls itself; who answers reads it. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** Connections that are kept, as an app's or a proxy's are. */
export const connections = (most: number): Agent => new Agent({ keepAlive: true, maxSockets: most });

/** A browser or an app: keeps cookies, whatever their path, and follows nothing by itself. */
export class Caller {
  readonly #issuer: string;
  readonly #agent: Agent;
  readonly #cookies = new Map<string, string>();

  constructor(issuer: string, agent: Agent) {
    this.#issuer = issuer;
    this.#agent = agent;
  }

  ask(method: 'GET' | 'POST', address: string, { headers = {}, form }: Sent = {}): Promise<Answer> {
    const body = form && new URLSearchParams(form).toString();
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = {
      'user-agent': AGENT,
      ...headers,
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(address, this.#issuer), { method, agent: this.#agent, headers: all }, (response) => {
        for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk)).once('error', reject);
        response.once('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, location: headers.location ?? '', body: Buffer.concat(chunks).toString() });
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

/** The answer as it is, if it has this status; else the bench is over. */
export function demand(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`answered ${answer.status} instead of ${status}: ${answer.location} ${answer.body.slice(0, 500)}`);
}
