/** A second of H.264 (64×64, Constrained Baseline, a keyframe and nine pictures after it), so small that each picture fits a packet. */

const stream = Buffer.from(
  'AAAAAWdCwAqmERCbARAAAAMAEAAAAwFA8SJhGAAAAAFoyEIBNLIAAAFliIIThjAT4wz8v5/wIs2Y9H/8SyIACIY31f0CEdINgGSDBiICAjo8ms3/wKBGCEABkGIKO2GU5f8l' +
    'D9j/4h//hoSnMt/d6gcC4AChCgXD0UsgkVsfBCQVsfp8T08dF5ci9eBKrPevDmCQQAIFgjD32mcZKwba3zb7E3yIP3e/73eCq9H9+Zj706/pP6bDQq/5AtCIUTjb+sJYR2AB' +
    'BPWvWv/wZ7mGHo2/TzPr//7MELgbNJmQxGQ0S+U//JunwwSB4YEcULPp8VSaJzmovj1dOmENd+6WFAHHDQYVO4WG6H6tGPWh+/9FKvY3e73rwMAASoCBA8LDylSxh8bu/Rhb' +
    'GF7BKsQP/7TWDEoHAJ0UXu8J6QkfGCXAAAAAAUGaHCdrgVo3rmMAAAABQZoqDcb6nR19SLNYS/6+EAAAAAFBmjsNxvrg6rHar1OrAAAAAUGaSQNxvghqqrv+t9Y7/qdTAAAA' +
    'AUGaWUEcb68W6wl181jP+f31VPAAAAABQZppgVxvqnSWbq36nUIAAAABQZp5wVxtaRxEWva3V65LgAAAAAFBmoiAZxqNB99G+p1K8EWtewAAAAFBmpiQZx/qjKU=',
  'base64',
);

/** One picture's NAL units, parameter sets first. */
export type Picture = readonly Buffer[];

/** Rate of the sample stream. */
export const PICTURES_PER_SECOND = 10;
/** The sample stream's pictures. */
export const samplePictures: readonly Picture[] = picturesOf(stream);

function picturesOf(annexB: Buffer): Picture[] {
  const pictures: Buffer[][] = [];
  let waiting: Buffer[] = [];
  for (const nal of nalsOf(annexB)) {
    waiting.push(nal);
    const type = (nal[0] ?? 0) & 0x1f;
    if (type !== 1 && type !== 5) continue;
    pictures.push(waiting);
    waiting = [];
  }
  return pictures;
}

function nalsOf(annexB: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = annexB.indexOf('000001', 0, 'hex'); at >= 0; at = annexB.indexOf('000001', at + 3, 'hex'))
    starts.push(at + 3);
  return starts.map((start, i) => {
    const next = starts[i + 1];
    let end = next === undefined ? annexB.length : next - 3;
    while (next !== undefined && annexB[end - 1] === 0) end--;
    return annexB.subarray(start, end);
  });
}
