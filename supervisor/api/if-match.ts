const entityTag = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/gy;

/**
 * Whether a tag is one that `If-Match` accepts (RFC 9110, 13.1.1): without the header, or with `*`, all are. A weak tag, and a
 * header that is no list of tags, accept none: what was meant to be prevented must not happen. Pure.
 */
export function expectedBy(ifMatch: string): (tag: string) => boolean {
  if (ifMatch === '' || ifMatch.trim() === '*') return () => true;
  const found = [...ifMatch.matchAll(entityTag)];
  const isList = found.reduce((sum, [text]) => sum + text.length, 0) === ifMatch.length;
  const strong = found.flatMap(([, weak, tag]) => (weak === undefined && tag !== undefined ? [tag] : []));
  return (tag) => isList && strong.includes(tag);
}
