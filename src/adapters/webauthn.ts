import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type { Passkey, PasskeyResponse, WebAuthn } from '../core/factors/passkey.ts';

const bytes = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'));
const listed = ({ id, transports }: Passkey) => ({ id, transports: [...transports] as never[] });

/** WebAuthn for one origin (`issuer`) by @simplewebauthn/server. */
export function webAuthn(issuer: string, name: string): WebAuthn {
  const { hostname: rpID } = new URL(issuer);
  const expected = (challenge: string) => ({
    ...{ expectedChallenge: challenge, expectedOrigin: issuer, expectedRPID: rpID, requireUserVerification: true },
  });
  /** What the library says no to by throwing: a wrong challenge, origin or signature, a counter that went back. */
  const judged = <Verdict>(verdict: Promise<Verdict>): Promise<Verdict | undefined> => verdict.catch(() => undefined);

  return {
    creationOptions: ({ id, username, displayName, passkeys }, challenge) =>
      generateRegistrationOptions({
        ...{ rpName: name, rpID, userName: username, userDisplayName: displayName, challenge: bytes(challenge) },
        ...{ userID: new Uint8Array(Buffer.from(id)), attestationType: 'none', timeout: 300_000 },
        excludeCredentials: passkeys.map(listed),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      }),

    requestOptions: (passkeys, challenge) =>
      generateAuthenticationOptions({
        ...{ rpID, challenge: bytes(challenge), userVerification: 'required', timeout: 300_000 },
        allowCredentials: passkeys.map(listed),
      }),

    async create(response: PasskeyResponse, challenge) {
      const answer = { response: response as never, ...expected(challenge) };
      const { registrationInfo } = (await judged(verifyRegistrationResponse(answer))) ?? {};
      if (registrationInfo === undefined) return undefined;
      const { credential, credentialBackedUp: backedUp } = registrationInfo;
      return {
        ...{ id: credential.id, publicKey: Buffer.from(credential.publicKey).toString('base64url') },
        ...{ counter: credential.counter, transports: credential.transports ?? [], backedUp },
      };
    },

    async get(response, challenge, passkey) {
      const { id, publicKey, counter } = passkey;
      const answer = { response: response as never, ...expected(challenge) };
      const credential = { id, publicKey: bytes(publicKey), counter };
      const verdict = await judged(verifyAuthenticationResponse({ ...answer, credential }));
      if (!verdict?.verified) return undefined;
      const { newCounter, credentialBackedUp } = verdict.authenticationInfo;
      return { ...passkey, counter: newCounter, backedUp: credentialBackedUp };
    },
  };
}
