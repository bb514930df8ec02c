import { createHash, randomBytes } from 'node:crypto';
import type Router from '@koa/router';
import type { Clock } from '../../core/clock.ts';
import type { Expiring } from '../../core/storage/expiring.ts';
import { type PageState, pageContext, seeOther } from '../../http/context.ts';
import type { Render } from '../../http/render.ts';
import type { staffDoor } from '../../http/staffDoor.ts';

/** Where such a sign-in comes back to. */
export const TEST_CALLBACK = '/admin/test-sign-in';
const LIFE_MS = 10 * 60_000;

interface Begun {
  readonly clientId: string;
  readonly verifier: string;
  readonly by: string;
  readonly request: Readonly<Record<string, string>>;
}

export interface TestDependencies {
  readonly enter: ReturnType<typeof staffDoor>;
  readonly expiring: Expiring;
  readonly clock: Clock;
  readonly render: Render;
  readonly issuer: string;
  readonly redeem: (code: {
    readonly code: string;
    readonly clientId: string;
    readonly callback: string;
    readonly verifier: string;
  }) => Promise<object>;
}

/**
 * `GET /admin/clients/app/:id/test-sign-in` sends the administrator through a real sign-in for an app, by authorization code
 * with PKCE, and `GET /admin/test-sign-in` shows each step of it. The app's own address is not needed, nor its secret.
 */
export function mountTestSignIn(router: Router<PageState>, deps: TestDependencies): void {
  const { enter, expiring, clock, render, issuer, redeem } = deps;
  const callback = issuer + TEST_CALLBACK;
  const key = (state: string) => `test-sign-in:${state}`;

  router.get('/admin/clients/app/:id/test-sign-in', async (context) => {
    const ctx = pageContext(context);
    const visit = await enter(ctx, { fresh: false, may: 'clients.change' });
    if (visit === undefined) return;
    const clientId = String(context.params.id);
    const [state, verifier, nonce] = [24, 32, 16].map((bytes) => randomBytes(bytes).toString('base64url')) as [
      string,
      string,
      string,
    ];
    const request = {
      ...{
        client_id: clientId,
        response_type: 'code',
        redirect_uri: callback,
        scope: 'openid profile email',
        state,
        nonce,
      },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    const begun: Begun = { clientId, verifier, by: visit.account.id, request };
    await expiring.put(key(state), begun, clock.now() + LIFE_MS);
    seeOther(ctx, `/auth?${new URLSearchParams(request)}`);
  });

  router.get(TEST_CALLBACK, async (context) => {
    const ctx = pageContext(context);
    const visit = await enter(ctx, { fresh: false, to: '/admin/clients', may: 'clients.change' });
    if (visit === undefined) return;
    const { state, code, error, error_description, iss } = ctx.query;
    const entry = await expiring.get(key(String(state ?? '')));
    const begun = entry?.value as Begun | undefined;
    // Of somebody else's test nothing is shown.
    if (begun === undefined || begun.by !== visit.account.id) return seeOther(ctx, '/admin/clients');
    const { clientId, verifier, request } = begun;
    const answer = Object.entries({ error, error_description, iss, state }).filter(([, value]) => value !== undefined);
    const result =
      typeof code === 'string' ? await redeem({ code, clientId, callback, verifier }) : { fault: 'refused' };
    const path = `/admin/clients/app/${encodeURIComponent(clientId)}`;
    render(ctx, 'admin/test-sign-in', {
      ...{ id: clientId, path, request, answer, result },
      hasCode: code !== undefined,
    });
  });
}
