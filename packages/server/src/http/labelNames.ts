/**
 * Label names in paths: `U__`, and what stands for other characters than letters, digits and
 * colons. Specification: the text escaping of Prometheus' UTF-8 proposal.
 */

const PARTS = /__|_([0-9a-fA-F]{1,6})_|[^_]+|_/g;

/** The name itself; a text that is no escaped name stands for what it is. */
export function unescapeLabelName(text: string): string {
  if (!text.startsWith('U__')) return text;
  let name = '';
  for (const [part, code] of text.slice('U__'.length).matchAll(PARTS)) {
    // One that stands alone is no escape; Prometheus' own documentation writes it so.
    if (part === '__' || part === '_') name += '_';
    else if (code === undefined) name += part;
    else {
      const point = codePoint(code);
      if (point === undefined) return text;
      name += point;
    }
  }
  return name;
}

function codePoint(digits: string): string | undefined {
  const code = Number.parseInt(digits, 16);
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code > 0x10ffff || isSurrogate ? undefined : String.fromCodePoint(code);
}
