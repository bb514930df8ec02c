import type { RequestListener } from 'node:http';
import type { Config } from './config/load.ts';

/** Whether the sample relying party runs beside the provider. */
export const hasPortal = ({ portalPort, clients }: Config): boolean =>
  portalPort !== 0 &&
  clients.some(
    ({ client_id, redirect_uris }) =>
      client_id === 'member-portal' && redirect_uris.includes(`http://localhost:${portalPort}/callback`),
  );

/** The sample relying party. It is no part of the provider, and not there in production. */
export async function samplePortal({ issuer, clients, portalPort, plan }: Config): Promise<RequestListener> {
  const { makePortal } = await import('../examples/portal/portal.ts');
  return makePortal({ issuer, clients, url: `http://localhost:${portalPort}`, plan: plan.name }).callback();
}

/** Tells a developer where to click and whom to sign in as. */
export function greet(config: Config): void {
  const { production, issuer, members, portalPort, servers } = config;
  if (production) return;
  const portalOut = portalPort !== 0 && !hasPortal(config);
  const [member] = members;
  console.log(
    [
      '',
      `  The identity provider runs at ${issuer} on ${servers === undefined ? 'the embedded store' : 'MongoDB and Redis'}.`,
      ...(hasPortal(config) ? [`  Open http://localhost:${portalPort} and choose "Sign in".`] : []),
      ...(portalOut
        ? ['  The sample portal is left out: CLIENTS_FILE has no client "member-portal" that comes back to its port.']
        : []),
      ...(member === undefined
        ? []
        : [`  Sign in as ${member.username} with the password ${member.password ?? '(imported)'}`]),
      '',
    ].join('\n'),
  );
}
