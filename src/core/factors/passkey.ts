/** A key pair of which the member's device, or the manager that syncs it, has the private half (WebAuthn Level 3). */
export interface Passkey {
  /** The credential's id, Base64url. */
  readonly id: string;
  /** COSE, Base64url. */
  readonly publicKey: string;
  /** As the device counted last; zero where it does not. */
  readonly counter: number;
  readonly transports: readonly string[];
  /** Whether it is synced to other devices. */
  readonly backedUp: boolean;
  /** Seconds since 1970. */
  readonly addedAt: number;
  readonly usedAt?: number;
  /** What its owner calls it. */
  readonly name?: string;
}

/** Who a new passkey is for. */
interface PasskeyOwner {
  /** The account's id, which the device hands back at sign-in. */
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly passkeys: readonly Passkey[];
}

/** What a device answers, as JSON (WebAuthn Level 3, 5.1.8 and 5.1.9). */
export interface PasskeyResponse {
  readonly id: string;
  readonly [name: string]: unknown;
}

/** The ceremonies of WebAuthn. User verification is always demanded. Challenges are Base64url of 32 bytes. */
export interface WebAuthn {
  creationOptions(owner: PasskeyOwner, challenge: string): Promise<object>;
  /** Without passkeys the member chooses among all that their device has for this site. */
  requestOptions(passkeys: readonly Passkey[], challenge: string): Promise<object>;
  /** The new passkey, or undefined where the response is not right. */
  create(response: PasskeyResponse, challenge: string): Promise<Omit<Passkey, 'addedAt'> | undefined>;
  /** What the passkey has become, or undefined where the response is not right. */
  get(response: PasskeyResponse, challenge: string, passkey: Passkey): Promise<Passkey | undefined>;
}

/** Whom a response says that it is of; only its signature shows that it is. */
export function ownerOf({ response }: PasskeyResponse): string | undefined {
  const { userHandle } = (response ?? {}) as { readonly userHandle?: unknown };
  return typeof userHandle === 'string' ? Buffer.from(userHandle, 'base64url').toString() : undefined;
}

/** Reads what a page has sent; undefined where it is no response. */
export function readPasskeyResponse(text: string): PasskeyResponse | undefined {
  try {
    const response: unknown = JSON.parse(text);
    const id = (response as { readonly id?: unknown } | null)?.id;
    return typeof id === 'string' ? (response as PasskeyResponse) : undefined;
  } catch {
    return undefined;
  }
}
