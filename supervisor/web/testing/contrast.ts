import type { Page } from 'playwright-core';

/** WCAG 2.2, 1.4.3: every text has this much contrast, whatever its size. */
const leastContrast = 4.5;

/** Texts on a page with too little contrast to their background: each colour pair once, with an example. */
export const faintTexts = (page: Page): Promise<string[]> =>
  page.evaluate((least) => {
    type Colour = readonly [red: number, green: number, blue: number, alpha: number];
    const parse = (text: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return text.startsWith('color(')
        ? [red * 255, green * 255, blue * 255, alpha]
        : [red, green, blue, alpha];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const mix = (index: 0 | 1 | 2) => top[index] * top[3] + below[index] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const luminance = ([red, green, blue]: Colour): number => {
      const linear = (value: number) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const contrast = (one: Colour, other: Colour): number => {
      const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    };
    const ancestors = (element: Element): Element[] => {
      const chain: Element[] = [];
      for (let at: Element | null = element; at !== null; at = at.parentElement) chain.push(at);
      return chain;
    };
    /** What is behind an element. A picture may be anything, so both extremes count. */
    const backdrops = (element: Element): Colour[] => {
      const layers: Colour[] = [];
      for (const at of ancestors(element)) {
        if (at.classList.contains('stage')) {
          const ends: Colour[] = [
            [0, 0, 0, 1],
            [255, 255, 255, 1],
          ];
          return ends.map((end) => layers.reduceRight((below, top) => over(top, below), end));
        }
        const colour = parse(getComputedStyle(at).backgroundColor);
        layers.push(colour);
        if (colour[3] === 1) break;
      }
      return [layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1] as Colour)];
    };
    const hasText = (element: Element): boolean =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    const found = new Map<string, string>();
    for (const element of document.querySelectorAll('body *')) {
      if (!hasText(element) || !element.checkVisibility()) continue;
      // Over a picture these have a shade of their own, or the picture is dimmed; disabled controls are exempt.
      if (element.closest('.cover, .tile-bottom, .visually-hidden, option, svg, :disabled') !== null)
        continue;
      const shown = ancestors(element).reduce((most, at) => most * Number(getComputedStyle(at).opacity), 1);
      const [red, green, blue, alpha] = parse(getComputedStyle(element).color);
      for (const below of backdrops(element)) {
        const text = over([red, green, blue, alpha * shown], below);
        const ratio = contrast(text, below);
        if (ratio >= least) continue;
        const key = `${text.map(Math.round)} on ${below.map(Math.round)}`;
        found.set(key, `${ratio.toFixed(2)}: “${element.textContent?.trim().slice(0, 30)}” (${key})`);
      }
    }
    return [...found.values()];
  }, leastContrast);
