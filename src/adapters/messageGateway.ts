import { createHmac } from 'node:crypto';
import { type Carrier, GaveUp } from '../core/messages/message.ts';

const WAIT_MS = 5_000;

/**
 * Sends texts, calls and letters through the plan's provider, by HTTP; docs/message-gateway.md says how the request looks and how
 * its signature is checked. 408, 429, 5xx and no answer are tried again with the same Idempotency-Key; another 4xx is final.
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
      const final = status >= 400 && status < 500 && status !== 408 && status !== 429;
      throw final ? new GaveUp(`the gateway refuses it: ${status}`) : new Error(`the gateway answers ${status}`);
    },
  };
}
