/**
 * A sample relying party: the plan's member portal, and a partner's app that needs consent. It is a real OpenID Connect
 * client on openid-client; what it does, any relying party does.
 */
import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import Koa from 'koa';
import * as openid from 'openid-client';
import getRawBody from 'raw-body';
import { AGREEMENTS, dashboard, html, layout, SECTIONS, table, welcome } from './pages.ts';

export interface PortalSettings {
  readonly issuer: string;
  /** Where the portal itself stands. */
  readonly url: string;
  readonly plan: string;
  readonly clients: readonly { client_id: string; client_secret?: string | undefined }[];
}

interface Visit {
  /** What each sign-in under way must come back with, by its `state`: there may be one in each tab. */
  pending?: Readonly<Record<string, { readonly verifier: string; readonly nonce: string }>>;
  idToken?: string;
  refreshToken?: string;
  claims?: Readonly<Record<string, unknown>>;
}

interface App {
  readonly clientId: string;
  readonly callback: string;
  readonly home: string;
  readonly scope: string;
}

const PORTAL: App = {
  clientId: 'member-portal',
  callback: '/callback',
  home: '/',
  scope: 'openid profile email phone address membership',
};
const PARTNER: App = {
  clientId: 'walking-app',
  callback: '/partner/callback',
  home: '/partner',
  scope: 'openid profile email',
};

export function makePortal(settings: PortalSettings): Koa {
  const { url, plan } = settings;
  const visits = new Map<string, Visit>();
  const configurations = new Map<string, Promise<openid.Configuration>>();

  /** Discovery, once it has worked; until then it is tried at each visit. */
  function configuration({ clientId }: App): Promise<openid.Configuration> {
    const known = configurations.get(clientId);
    if (known !== undefined) return known;
    const secret = settings.clients.find(({ client_id }) => client_id === clientId)?.client_secret;
    const insecure = settings.issuer.startsWith('http:') ? { execute: [openid.allowInsecureRequests] } : {};
    const found = openid.discovery(new URL(settings.issuer), clientId, secret, undefined, insecure);
    configurations.set(clientId, found);
    found.catch(() => configurations.delete(clientId));
    return found;
  }

  /** The visit of this browser to one of the two apps. */
  function visitOf(ctx: Koa.ParameterizedContext, app: App): Visit {
    const id = ctx.cookies.get(`visit-${app.clientId}`);
    return (id === undefined ? undefined : visits.get(id)) ?? {};
  }

  /** Begins a visit under a new id; an id that somebody planted is never used. */
  function beginVisit(ctx: Koa.ParameterizedContext, app: App, visit: Visit): void {
    const cookie = `visit-${app.clientId}`;
    visits.delete(ctx.cookies.get(cookie) ?? '');
    const id = randomBytes(16).toString('base64url');
    visits.set(id, visit);
    ctx.cookies.set(cookie, id, { httpOnly: true, sameSite: 'lax' });
  }

  function show(ctx: Koa.ParameterizedContext, title: string, body: string, status = 200): void {
    const name = visitOf(ctx, PORTAL).claims?.name;
    const member = name === undefined ? undefined : { name: String(name), account: `${settings.issuer}/account` };
    ctx.status = status;
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = layout(plan, title, body, member);
  }

  async function signIn(ctx: Koa.ParameterizedContext, app: App): Promise<void> {
    const config = await configuration(app);
    const [state, verifier, nonce] = [openid.randomState(), openid.randomPKCECodeVerifier(), openid.randomNonce()];
    const visit = visitOf(ctx, app);
    beginVisit(ctx, app, { ...visit, pending: { ...visit.pending, [state]: { verifier, nonce } } });
    const asked = ['ui_locales', 'acr_values'].flatMap((name) => {
      const value = ctx.query[name];
      return typeof value === 'string' ? [[name, value]] : [];
    });
    const to = openid.buildAuthorizationUrl(config, {
      redirect_uri: url + app.callback,
      scope: app.scope,
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...Object.fromEntries(asked),
    });
    ctx.redirect(to.href);
  }

  async function comeBack(ctx: Koa.ParameterizedContext, app: App): Promise<void> {
    const visit = visitOf(ctx, app);
    const state = String(ctx.query.state);
    const pending = visit.pending?.[state];
    // Back button or a bookmark: nothing is under way, so there is nothing to answer. Who is not signed in here (the
    // portal was restarted) is asked for once more, which a live session answers by itself.
    if (pending === undefined) return ctx.redirect(visit.claims === undefined && app === PORTAL ? '/login' : app.home);
    const config = await configuration(app);
    const tokens = await openid.authorizationCodeGrant(config, new URL(ctx.originalUrl, url), {
      pkceCodeVerifier: pending.verifier,
      expectedState: state,
      expectedNonce: pending.nonce,
      idTokenExpected: true,
    });
    const { sub } = tokens.claims() ?? {};
    const info = await openid.fetchUserInfo(config, tokens.access_token, String(sub));
    beginVisit(ctx, app, {
      claims: { ...tokens.claims(), ...info },
      ...(tokens.id_token === undefined ? {} : { idToken: tokens.id_token }),
      ...(tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token }),
    });
    ctx.redirect(app.home);
  }

  /** The provider tells that a session has ended (OpenID Connect Back-Channel Logout 1.0, 2.6): so does every visit of it. */
  async function hearOfLogout(ctx: Koa.ParameterizedContext, app: App): Promise<void> {
    const { jwks_uri } = (await configuration(app)).serverMetadata();
    const keys = createRemoteJWKSet(new URL(String(jwks_uri)));
    const token = new URLSearchParams(await getRawBody(ctx.req, { limit: '16kb', encoding: 'utf8' })).get(
      'logout_token',
    );
    const wanted = { issuer: settings.issuer, audience: app.clientId, typ: 'logout+jwt' };
    const { payload } = await jwtVerify(token ?? '', keys, wanted);
    for (const [id, { claims }] of visits) {
      if (claims?.aud === app.clientId && claims.sid === payload.sid) visits.delete(id);
    }
    ctx.status = 204;
  }

  const router = new Router();
  router.get('/', (ctx) => {
    const { claims } = visitOf(ctx, PORTAL);
    if (claims === undefined) return show(ctx, 'Welcome', welcome());
    show(ctx, `Welcome, ${claims.given_name}`, dashboard());
  });
  router.get('/login', (ctx) => signIn(ctx, PORTAL));
  router.get('/callback', (ctx) => comeBack(ctx, PORTAL));
  for (const { path, title, rows } of SECTIONS) {
    router.get(path, (ctx) => {
      if (visitOf(ctx, PORTAL).claims === undefined) return ctx.redirect('/login');
      show(ctx, title, table(rows));
    });
  }
  for (const { path, title, rows } of AGREEMENTS) router.get(path, (ctx) => show(ctx, title, table(rows)));
  router.get('/profile', (ctx) => {
    const { claims } = visitOf(ctx, PORTAL);
    if (claims === undefined) return ctx.redirect('/login');
    show(ctx, 'What the portal knows about you', table(Object.entries(claims)));
  });
  router.get('/refresh', async (ctx) => {
    const visit = visitOf(ctx, PORTAL);
    if (visit.refreshToken === undefined) return ctx.redirect('/login');
    const tokens = await openid.refreshTokenGrant(await configuration(PORTAL), visit.refreshToken);
    visit.claims = { ...visit.claims, ...tokens.claims() };
    if (tokens.refresh_token !== undefined) visit.refreshToken = tokens.refresh_token;
    ctx.redirect('/profile');
  });
  router.get('/logout', async (ctx) => {
    const visit = visitOf(ctx, PORTAL);
    const hint = visit.idToken === undefined ? {} : { id_token_hint: visit.idToken };
    const to = openid.buildEndSessionUrl(await configuration(PORTAL), {
      ...hint,
      post_logout_redirect_uri: `${url}/signed-out`,
    });
    ctx.redirect(to.href);
  });
  router.get('/signed-out', (ctx) => {
    const visit = visitOf(ctx, PORTAL);
    for (const key of Object.keys(visit) as (keyof Visit)[]) delete visit[key];
    show(ctx, 'You are signed out', welcome());
  });
  router.get('/partner', (ctx) => {
    const { claims } = visitOf(ctx, PARTNER);
    const body =
      claims === undefined
        ? '<p>This app belongs to a partner of the plan.</p><p><a id="connect" class="button" href="/partner/login">Connect my plan</a></p>'
        : table(Object.entries(claims));
    show(ctx, 'Step by Step Walking App', body);
  });
  router.get('/partner/login', (ctx) => signIn(ctx, PARTNER));
  router.get('/partner/callback', (ctx) => comeBack(ctx, PARTNER));

  for (const one of [PORTAL, PARTNER]) {
    router.post(`${one.home.replace(/\/$/, '')}/backchannel-logout`, (ctx) => hearOfLogout(ctx, one));
  }

  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { error: code, message } = error as { error?: string; message?: string };
      const denied = code === 'access_denied';
      show(
        ctx,
        denied ? 'Not connected' : 'Sign-in did not work',
        `<p>${denied ? 'You did not allow it, so nothing was shared.' : html(code ?? message)}</p><p><a href="/">Go on</a></p>`,
        denied ? 200 : 502,
      );
    }
  });
  app.use(router.routes());
  return app;
}
