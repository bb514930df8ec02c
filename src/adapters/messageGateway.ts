import { createHmac } from 'node:crypto';
import { type Carrier, GaveUp } from '../core/messages/message.ts';

const WAIT_MS = 5_000;
const FINAL = new Set([400, 410, 422]);

/**
 * Sends texts, calls and letters through the plan's provider, by HTTP; docs/message-gateway.md says how the request looks and how
 * its signature is checked. 400, 410 and 422 are about this message and final; every other answer than 2xx, and none, may be about us (a
 * clock, a secret, a route) and is tried again with the same Idempotency-Key.
 */
export function gatewayCarrier(url: string, secret: string): Carrier {
  return {
    async send(id, { channel, to, subject, text, locale }) {
      const body = JSON.stringify({ id, channel, to, ...(channel === 'letter' ? { subject } : {}), text, locale });
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
      const answer = await fetch(url, {
        ...{ method: 'POST', body, redirect: 'manual', signal: AbortSignal.timeout(WAIT_MS) },
        headers: {
          'Content-Type': 'application/json',
          'Idempotency-Key': id,
          'X-Timestamp': timestamp,
          'X-Signature': `v1=${signature}`,
        },
      });
      await answer.body?.cancel();
      const { status } = answer;
      if (status >= 200 && status < 300) return;
      throw FINAL.has(status)
        ? new GaveUp(`the gateway refuses it: ${status}`)
        : new Error(`the gateway answers ${status}`);
    },
  };
}
