import { createHash } from 'node:crypto';
import { imageSize } from 'image-size';
import type { ClientMetadata } from './client.ts';
import { contrast, ENOUGH, isColor, mixed, readableOn } from './contrast.ts';

/** How an app looks on our pages and in messages, as far as an administrator has said so. */
export interface Brand {
  /** `#0b6b62` */
  readonly color?: string | undefined;
  readonly logo?: Logo | undefined;
}

/** A logo as it is served: never from elsewhere, so that no page asks a third party for anything. */
interface Logo {
  readonly type: LogoType;
  readonly base64: string;
  /** Of its content, for an address that can be kept forever. */
  readonly digest: string;
}

/** What a page paints in the brand's colour; one set for light pages, one for dark ones. */
export interface Paint {
  readonly brand: string;
  readonly strong: string;
  readonly onBrand: string;
}

const TYPES = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' } as const;
type LogoType = (typeof TYPES)[keyof typeof TYPES];

const MOST_BYTES = 32 * 1024;
const [LEAST_SIDE, MOST_SIDE] = [32, 1_024];

/** The grounds of `views/assets/style.css` that text and buttons in the colour stand on. */
export const GROUNDS = { light: '#f3f6f5', dark: '#18211f', onDark: '#06231f' } as const;

/** What is wrong with a client's `brand_color` and `brand_logo`, one sentence each. */
export function brandFaults({ brand_color: color, brand_logo: logo }: ClientMetadata): string[] {
  const faults = [
    color === undefined ? undefined : colorFault(color),
    logo === undefined ? undefined : logoFault(logo),
  ];
  return faults.filter((fault) => fault !== undefined);
}

function colorFault(color: unknown): string | undefined {
  if (typeof color !== 'string' || !isColor(color)) return 'brand_color is six hexadecimal digits, such as #0b6b62.';
  const ratio = contrast(color, GROUNDS.light);
  if (ratio >= ENOUGH) return undefined;
  const nearest = readableOn(GROUNDS.light, color, '#000000');
  const measured = Math.floor(ratio * 10) / 10;
  return `brand_color ${color} has a contrast of ${measured} : 1 on our pages and needs ${ENOUGH} : 1; ${nearest} has it.`;
}

/** No SVG, which may hold scripts; nothing that moves, which nobody could stop (WCAG 2.2, 2.2.2). */
function logoFault(logo: unknown): string | undefined {
  const sent = /^data:[\w/+.-]*;base64,([\w+/]+={0,2})$/.exec(String(logo));
  if (sent === null) return 'brand_logo is a data: URL in Base64 (RFC 2397).';
  const bytes = Buffer.from(sent[1] ?? '', 'base64');
  if (bytes.length > MOST_BYTES) return `brand_logo has ${bytes.length} bytes and may have ${MOST_BYTES}.`;
  const seen = look(bytes);
  if (seen === undefined) return 'brand_logo is no picture in PNG, JPEG or WebP.';
  if (!String(logo).startsWith(`data:${seen.type};`))
    return `brand_logo says that it is another type than ${seen.type}.`;
  if ([seen.width, seen.height].some((side) => side < LEAST_SIDE || side > MOST_SIDE))
    return `brand_logo is ${seen.width} by ${seen.height} pixels; each side has ${LEAST_SIDE} to ${MOST_SIDE}.`;
  return bytes.includes('acTL') || bytes.includes('ANIM') ? 'brand_logo moves; it has to stand still.' : undefined;
}

function look(
  bytes: Uint8Array,
): { readonly type: LogoType; readonly width: number; readonly height: number } | undefined {
  try {
    const { type, width, height } = imageSize(bytes);
    return type === 'png' || type === 'jpg' || type === 'webp' ? { type: TYPES[type], width, height } : undefined;
  } catch {
    return undefined;
  }
}

/** A logo as its file says that it is, whatever its sender calls it. What is none comes out as it is, for `brandFaults`. */
export function logoUrl(bytes: Uint8Array): string {
  return `data:${look(bytes)?.type ?? ''};base64,${Buffer.from(bytes).toString('base64')}`;
}

/** What is to be another about a look: null takes away, undefined leaves what there is. */
export interface LookChange {
  readonly color?: string | null | undefined;
  /** A `data:` URL. */
  readonly logo?: string | null | undefined;
}

/** The metadata with its look changed, unjudged; see `brandFaults`. */
export function withLook(metadata: ClientMetadata, { color, logo }: LookChange): ClientMetadata {
  const { brand_color, brand_logo, ...rest } = metadata;
  const [nextColor, nextLogo] = [color === undefined ? brand_color : color, logo === undefined ? brand_logo : logo];
  return {
    // Without the look the rest is still metadata, which TypeScript loses behind the index signature.
    ...(rest as ClientMetadata),
    ...(nextColor ? { brand_color: nextColor } : {}),
    ...(nextLogo ? { brand_logo: nextLogo } : {}),
  };
}

/** How an app looks; undefined for one that looks as everything does. */
export function brandOf({ brand_color: color, brand_logo: logo }: ClientMetadata): Brand | undefined {
  if (color === undefined && logo === undefined) return undefined;
  return { color: color as string | undefined, logo: logo === undefined ? undefined : readLogo(String(logo)) };
}

function readLogo(url: string): Logo {
  const [head = '', base64 = ''] = url.split(',');
  const digest = createHash('sha256').update(base64).digest('base64url').slice(0, 22);
  return { type: head.slice('data:'.length, -';base64'.length) as LogoType, base64, digest };
}

/** A colour that is readable on light pages as it is, and what becomes of it on dark ones. */
export function paintOf(color: string): { readonly light: Paint; readonly dark: Paint } {
  // On dark pages the words on a button are dark: both grounds have to be met.
  const onSurface = readableOn(GROUNDS.dark, color, '#ffffff');
  const dark = readableOn(GROUNDS.onDark, onSurface, '#ffffff');
  return {
    light: { brand: color, strong: mixed(color, '#000000', 0.25), onBrand: '#ffffff' },
    dark: { brand: dark, strong: mixed(dark, '#ffffff', 0.25), onBrand: GROUNDS.onDark },
  };
}
