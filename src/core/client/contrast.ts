/** A colour in sRGB, each part from 0 to 255. */
type Rgb = readonly [red: number, green: number, blue: number];

/** `#0b6b62`, in lower case. */
export const isColor = (text: string): boolean => /^#[\da-f]{6}$/.test(text);

const read = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
const write = (rgb: Rgb): string => `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

function luminance(hex: string): number {
  const [red, green, blue] = read(hex).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** How well two colours are told apart, from 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** This share of the way, from 0 to 1, from one colour to another. */
export const mixed = (from: string, to: string, share: number): string => {
  const target = read(to);
  return write(read(from).map((part, i) => part + ((target[i] ?? 0) - part) * share) as unknown as Rgb);
};

/** What text needs on its ground (WCAG 2.2, 1.4.3). */
export const ENOUGH = 4.5;

/** The colour itself or, where it stands out too little from this ground, the nearest one towards black or white that does. */
export function readableOn(ground: string, color: string, towards: '#000000' | '#ffffff'): string {
  const steps = Array.from({ length: 101 }, (_, step) => mixed(color, towards, step / 100));
  return steps.find((one) => contrast(one, ground) >= ENOUGH) ?? towards;
}
