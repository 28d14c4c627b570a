/**
 * What html/template does: what an action prints is escaped for the place where it stands, in text,
 * in an attribute, in an address, a script or a style. The place is found by following the markup
 * as it is written; what actions print never changes it. Comments are left out.
 * Specification: https://pkg.go.dev/html/template
 */
import { print, SafeHtml, SafeUrl, toJson, type Value } from './values.ts';

type Place = 'text' | 'comment' | 'tag' | 'beforeValue' | 'value' | 'raw';
type Kind = 'plain' | 'url' | 'script' | 'style';

const URL_ATTRIBUTES = new Set([
  'action',
  'archive',
  'background',
  'cite',
  'classid',
  'codebase',
  'data',
  'formaction',
  'href',
  'icon',
  'longdesc',
  'manifest',
  'poster',
  'profile',
  'src',
  'usemap',
  'xmlns',
]);
/** What stands for a value that could do harm. */
const UNSAFE = 'ZgotmplZ';

export class HtmlContext {
  #place: Place = 'text';
  /** The element whose text is no markup: `script`, `style`, `title`, `textarea`. */
  #raw = '';
  #tag = '';
  #attribute = '';
  #kind: Kind = 'plain';
  #quote = '';
  /** Whether something of the attribute's value is written, and whether that has a query. */
  #hasValue = false;
  #inQuery = false;

  /** Text of the template itself, without its comments. */
  literal(text: string): string {
    let out = '';
    let at = 0;
    while (at < text.length) {
      const { shown, end } = this.#step(text, at);
      out += shown;
      at = end;
    }
    return out;
  }

  /** What an action prints; `last` is the function that it ends with, '' for none. */
  value(value: Value, last: string): string {
    switch (this.#place) {
      case 'comment':
        return '';
      case 'text':
        if (value instanceof SafeHtml) return value.text;
        return last === 'html' ? print(value) : escapeText(print(value));
      case 'raw':
        return this.#inRaw(value);
      case 'tag':
        return /^[\w-]*$/.test(print(value)) ? print(value) : UNSAFE;
      case 'beforeValue':
        this.#beginValue(' ');
        return this.#inValue(value, last);
      case 'value':
        return this.#inValue(value, last);
    }
  }

  #step(text: string, at: number): { shown: string; end: number } {
    switch (this.#place) {
      case 'text':
        return this.#stepText(text, at);
      case 'comment': {
        const close = text.indexOf('-->', at);
        if (close < 0) return { shown: '', end: text.length };
        this.#place = 'text';
        return { shown: '', end: close + 3 };
      }
      case 'raw':
        return this.#stepRaw(text, at);
      case 'tag':
        return this.#stepTag(text, at);
      case 'beforeValue': {
        const space = /^\s+/.exec(text.slice(at, at + 100))?.[0];
        if (space !== undefined) return { shown: space, end: at + space.length };
        const quote = text[at] === '"' || text[at] === "'" ? text[at] : ' ';
        this.#beginValue(quote);
        return quote === ' ' ? { shown: '', end: at } : { shown: quote, end: at + 1 };
      }
      case 'value':
        return this.#stepValue(text, at);
    }
  }

  #stepText(text: string, at: number): { shown: string; end: number } {
    const open = text.indexOf('<', at);
    if (open < 0) return { shown: text.slice(at), end: text.length };
    if (text.startsWith('<!--', open)) {
      this.#place = 'comment';
      return { shown: text.slice(at, open), end: open + 4 };
    }
    const tag = /^<(\/?[a-z][^\s/>]*)/i.exec(text.slice(open, open + 100));
    if (tag === null) return { shown: text.slice(at, open + 1), end: open + 1 };
    this.#place = 'tag';
    this.#tag = tag[1].toLowerCase();
    this.#attribute = '';
    const end = open + tag[0].length;
    return { shown: text.slice(at, end), end };
  }

  #stepTag(text: string, at: number): { shown: string; end: number } {
    const character = text[at];
    if (character === '>') {
      const isRaw = ['script', 'style', 'title', 'textarea'].includes(this.#tag);
      this.#place = isRaw ? 'raw' : 'text';
      this.#raw = isRaw ? this.#tag : '';
      return { shown: '>', end: at + 1 };
    }
    if (character === '=' && this.#attribute !== '') {
      this.#place = 'beforeValue';
      return { shown: '=', end: at + 1 };
    }
    const name = /^[^\s=>/"']+/.exec(text.slice(at, at + 200))?.[0];
    if (name === undefined) return { shown: character, end: at + 1 };
    this.#attribute = name.toLowerCase();
    return { shown: name, end: at + name.length };
  }

  #beginValue(quote: string): void {
    this.#place = 'value';
    this.#quote = quote;
    this.#kind = kindOf(this.#attribute);
    this.#hasValue = false;
    this.#inQuery = false;
  }

  #stepValue(text: string, at: number): { shown: string; end: number } {
    const rest = this.#quote === ' ' ? /[\s>]/g : this.#quote === '"' ? /"/g : /'/g;
    rest.lastIndex = at;
    const end = rest.exec(text)?.index ?? text.length;
    const shown = text.slice(at, end);
    if (shown !== '') this.#hasValue = true;
    if (/[?#]/.test(shown)) this.#inQuery = true;
    if (end === text.length) return { shown, end };
    this.#place = 'tag';
    this.#attribute = '';
    return this.#quote === ' ' ? { shown, end } : { shown: shown + text[end], end: end + 1 };
  }

  #stepRaw(text: string, at: number): { shown: string; end: number } {
    const close = new RegExp(`</${this.#raw}(?=[\\s/>]|$)`, 'gi');
    close.lastIndex = at;
    const found = close.exec(text);
    if (found === null) return { shown: text.slice(at), end: text.length };
    this.#place = 'tag';
    this.#tag = `/${this.#raw}`;
    this.#attribute = '';
    const end = found.index + found[0].length;
    return { shown: text.slice(at, end), end };
  }

  #inRaw(value: Value): string {
    if (this.#raw === 'script') return scriptValue(value);
    if (this.#raw === 'style') return styleValue(print(value));
    return escapeText(print(value));
  }

  #inValue(value: Value, last: string): string {
    const text = this.#valueText(value, last);
    this.#hasValue = true;
    if (this.#kind === 'url' && /[?#]/.test(text)) this.#inQuery = true;
    if (last === 'html' && this.#kind === 'plain') return text;
    return this.#quote === ' ' ? escapeUnquoted(text) : escapeText(text);
  }

  #valueText(value: Value, last: string): string {
    const text = print(value);
    switch (this.#kind) {
      case 'script':
        return scriptValue(value);
      case 'style':
        return styleValue(text);
      case 'plain':
        return value instanceof SafeHtml ? withoutTags(text) : text;
      case 'url':
        if (this.#inQuery) return last === 'urlquery' ? text : escapeUrlPart(text);
        if (value instanceof SafeUrl || this.#hasValue || isHarmless(text)) {
          return normalizeUrl(text);
        }
        return `#${UNSAFE}`;
    }
  }
}

function kindOf(attribute: string): Kind {
  const name = attribute.replace(/^data-/, '').replace(/^.*:/, '');
  if (URL_ATTRIBUTES.has(attribute) || URL_ATTRIBUTES.has(name)) return 'url';
  if (name.startsWith('on')) return 'script';
  if (name === 'style') return 'style';
  return /src|uri|url/.test(name) ? 'url' : 'plain';
}

const ENTITIES: Readonly<Record<string, string>> = {
  '\0': '\uFFFD',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
};

/** For text and for quoted attributes. */
function escapeText(text: string): string {
  return text.replace(/[\0"&'+<>]/g, (character) => ENTITIES[character]);
}

/** What the function `html` of text/template escapes. */
export function escapeMarkup(text: string): string {
  return text.replace(/[\0"&'<>]/g, (character) => ENTITIES[character]);
}

function escapeUnquoted(text: string): string {
  const escaped = escapeText(text).replace(
    /[\t\n\v\f\r =`]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
  return escaped === '' ? UNSAFE : escaped;
}

/** A scheme that runs nothing, or none. */
function isHarmless(url: string): boolean {
  const colon = url.indexOf(':');
  if (colon < 0 || url.slice(0, colon).includes('/')) return true;
  return /^(https?|mailto)$/i.test(url.slice(0, colon));
}

function normalizeUrl(url: string): string {
  return url.replace(/%[0-9a-f]{2}|[\s\S]/giu, (part) =>
    part.length > 2 || /^[!#$&*+,/:;=?@[\]\-._~A-Za-z0-9]$/.test(part) ? part : percentCoded(part),
  );
}

function escapeUrlPart(text: string): string {
  return text.replace(/[^\-._~A-Za-z0-9]/gu, percentCoded);
}

function percentCoded(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

/** A value of JavaScript, which cannot end the script that it stands in. */
function scriptValue(value: Value): string {
  return escapeJson(JSON.stringify(toJson(value)) ?? 'null');
}

/** JSON as Go writes it: safe inside of HTML and of scripts. */
export function escapeJson(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function styleValue(text: string): string {
  const isSafe = !/[\0"'()/;@[\\\]`{}<>]|--/.test(text) && !/expression|mozbinding/i.test(text);
  return isSafe ? text : UNSAFE;
}

function withoutTags(html: string): string {
  return html.replace(/<[^<>]*>/g, '');
}
