import { createTransport } from 'nodemailer';
import { isLoopback } from '../core/loopback.ts';
import { type Carrier, GaveUp } from '../core/messages/message.ts';

const WAIT_MS = 10_000;

/**
 * Sends mail by SMTP (RFC 5321). `smtps://` is TLS from the start; `smtp://` has to change to it (STARTTLS), except on this
 * machine. A permanent refusal of the recipient or the message (55x) is final; everything else is tried again with the same
 * Message-ID, and so is what the server's policy forbids us (enhanced status 5.7, RFC 3463 3.8).
 */
export function smtpCarrier(url: string, from: string, host: string): Carrier {
  const { protocol, hostname } = new URL(url);
  const requireTLS = protocol === 'smtp:' && !isLoopback(hostname);
  const timeouts = { connectionTimeout: WAIT_MS, greetingTimeout: WAIT_MS, socketTimeout: WAIT_MS };
  const transport = createTransport({ url, requireTLS, ...timeouts });
  return {
    async send(id, { to, subject = '', text, html = '', logo, locale }) {
      // Automatic: nobody's out-of-office note answers it (RFC 3834 5).
      const headers = { 'Auto-Submitted': 'auto-generated', 'Content-Language': locale };
      const attachments =
        logo === undefined
          ? []
          : [
              {
                cid: 'logo',
                content: logo.base64,
                encoding: 'base64',
                contentType: logo.type,
                filename: false as const,
              },
            ];
      try {
        await transport.sendMail({ from, to, subject, text, html, messageId: `<${id}@${host}>`, headers, attachments });
      } catch (error) {
        const { responseCode = 0, response = '' } = error as {
          readonly responseCode?: number;
          readonly response?: string;
        };
        // 530, 535 and 5.7.1 are about us and not about the recipient: somebody will mend that.
        if (responseCode >= 550 && responseCode < 560 && !/^55\d[ -]5\.7\./.test(response))
          throw new GaveUp('the mail server refuses it for good', { cause: error });
        throw error;
      }
    },
  };
}
