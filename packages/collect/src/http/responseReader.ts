/**
 * Reads one HTTP/1.x response after the other (RFC 9112, sections 4 to 7) out of the bytes of a
 * connection, in whatever pieces they come. Nothing is copied: pieces of a body are views of the
 * bytes given to `push`. It is strict where two readings of a message are possible, and bounds
 * everything that is not body.
 */
export interface ResponseHead {
  readonly status: number;
  /** As sent; '' where there is none. */
  readonly statusText: string;
  /** By lower-case name; values of one name are joined by ", ", unless only one makes sense. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface ResponseListener {
  /** False when the body is not wanted: what still comes is ignored. */
  onHead(head: ResponseHead): boolean;
  /** A piece of the body, valid during the call. */
  onBody(piece: Uint8Array): void;
  /** The whole response was there; `reusable` when the connection takes further requests. */
  onEnd(reusable: boolean): void;
}

/** What came is no response, or only a part of one. */
export class ResponseError extends Error {}

/** Of the status line and the headers, and of the trailers. */
const HEAD_BYTES_MAX = 64 * 1024;
/** Of the line before a chunk, with its extensions. */
const CHUNK_LINE_BYTES_MAX = 4 * 1024;
/** Of the lines before chunks, beyond what small chunks need. As in Go. */
const CHUNK_EXCESS_BYTES_MAX = 16 * 1024;

const NEWLINE = 0x0a;

/** Characters of a header's value (RFC 9110, section 5.5); nobody agrees on what others mean. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Of these the first one counts, as with node:http and in Go: a list of them means nothing. */
const SINGLE = new Set(['content-type', 'location']);

/** What comes next. The ones of the second line are bytes of a body, the others lines. */
type State =
  | ('status' | 'header' | 'chunkSize' | 'chunkEnd' | 'trailer')
  | ('sized' | 'chunk' | 'untilEnd')
  | ('nothing' | 'ignored');

export class ResponseReader {
  readonly #listener: ResponseListener;
  #state: State = 'nothing';
  /** The beginning of a line whose end has not come yet. */
  #line = '';
  /** Bytes of lines since the last piece of body. */
  #lineBytes = 0;
  /** HTTP/1.0. */
  #isOld = false;
  #status = 0;
  #statusText = '';
  #headers = new Map<string, string>();
  #reusable = false;
  /** See CHUNK_EXCESS_BYTES_MAX. */
  #excess = 0;
  /** Bytes of the body, or of its chunk, that are still to come. */
  #left = 0;

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  /** A request was sent: what comes now is its response. */
  expect(): void {
    this.#state = 'status';
    this.#line = '';
    this.#lineBytes = 0;
    this.#headers = new Map();
  }

  /** Throws ResponseError for what is no HTTP, and what the listener throws. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      switch (this.#state) {
        case 'sized':
        case 'chunk':
        case 'untilEnd':
          at = this.#body(bytes, at);
          break;
        case 'ignored':
          return;
        case 'nothing':
          throw malformed('bytes that nobody has asked for');
        default:
          at = this.#lines(bytes, at);
      }
    }
  }

  /** The connection has ended. Throws ResponseError when a response is incomplete. */
  end(): void {
    if (this.#state === 'untilEnd') this.#complete(false);
    else if (this.#state === 'status' && this.#lineBytes === 0) throw new ResponseError('EOF');
    else if (this.#state !== 'nothing' && this.#state !== 'ignored')
      throw new ResponseError('unexpected EOF');
  }

  #body(bytes: Uint8Array, at: number): number {
    const isOpen = this.#state === 'untilEnd';
    const end = isOpen ? bytes.length : Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    this.#listener.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (isOpen || this.#left > 0) return end;
    if (this.#state === 'chunk') this.#state = 'chunkEnd';
    else this.#complete(this.#reusable);
    return end;
  }

  /** Takes a line, or what there is of it; returns where it ends. */
  #lines(bytes: Uint8Array, at: number): number {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const isHead = this.#state !== 'chunkSize' && this.#state !== 'chunkEnd';
    this.#lineBytes += (newline < 0 ? end : end + 1) - at;
    if (this.#lineBytes > (isHead ? HEAD_BYTES_MAX : CHUNK_LINE_BYTES_MAX)) {
      throw malformed(isHead ? 'headers that do not end' : 'a chunk size that does not end');
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1');
    this.#line += text;
    if (newline < 0) return end;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#takeLine(line);
    return end + 1;
  }

  #takeLine(line: string): void {
    if (this.#state === 'status') this.#takeStatus(line);
    else if (this.#state === 'chunkSize') this.#takeChunkSize(line);
    else if (this.#state === 'chunkEnd') {
      if (line !== '') throw malformed('a chunk that is longer than it says');
      this.#state = 'chunkSize';
    } else if (this.#state === 'header') {
      if (line === '') this.#takeHead();
      else this.#takeHeader(line);
    } else if (line === '') {
      // Trailers mean nothing here.
      this.#complete(this.#reusable);
    }
  }

  #takeStatus(line: string): void {
    const parts = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/.exec(line);
    if (parts === null || !VALUE.test(line)) throw malformed(JSON.stringify(line.slice(0, 60)));
    this.#isOld = parts[1] === '0';
    this.#reusable = !this.#isOld;
    this.#status = Number(parts[2]);
    this.#statusText = parts[3] ?? '';
    this.#state = 'header';
  }

  #takeHeader(line: string): void {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = trimmed(line.slice(colon + 1));
    if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name) || !VALUE.test(value)) {
      throw malformed(`the header ${JSON.stringify(line.slice(0, 60))}`);
    }
    const before = this.#headers.get(name);
    if (before !== undefined && SINGLE.has(name)) return;
    this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  #takeHead(): void {
    const status = this.#status;
    if (status === 101) throw malformed('a switch to another protocol');
    if (status < 200) {
      // An interim response: the final one follows.
      this.#headers = new Map();
      this.#state = 'status';
      return;
    }
    const connection = listed(this.#headers.get('connection')?.toLowerCase() ?? '');
    if (connection.includes('close')) this.#reusable = false;
    else if (connection.includes('keep-alive')) this.#reusable = true;
    this.#lineBytes = 0;
    this.#frame();
    const head = { status, statusText: this.#statusText, headers: this.#headers };
    if (!this.#listener.onHead(head)) this.#state = 'ignored';
    else if (this.#state === 'sized' && this.#left === 0) this.#complete(this.#reusable);
  }

  /** How the body's end is told (RFC 9112, section 6.3). */
  #frame(): void {
    const encoding = this.#headers.get('transfer-encoding');
    const length = this.#headers.get('content-length');
    this.#state = 'sized';
    this.#left = 0;
    if (this.#status === 204 || this.#status === 304) return;
    if (encoding !== undefined) {
      if (encoding.toLowerCase() !== 'chunked') {
        throw malformed(`the transfer encoding ${JSON.stringify(encoding.slice(0, 60))}`);
      }
      // Somebody on the way may read the other length, or may not know chunks: the connection ends
      // with this response.
      if (length !== undefined || this.#isOld) this.#reusable = false;
      this.#excess = 0;
      this.#state = 'chunkSize';
    } else if (length === undefined) {
      this.#state = 'untilEnd';
    } else {
      const [first, ...others] = listed(length);
      if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first)) {
        throw malformed(`the Content-Length ${JSON.stringify(length.slice(0, 60))}`);
      }
      this.#left = Number(first);
    }
  }

  #takeChunkSize(line: string): void {
    const parts = /^0*([\da-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line);
    if (parts === null) throw malformed(`the chunk size ${JSON.stringify(line.slice(0, 60))}`);
    this.#lineBytes = 0;
    this.#left = Number.parseInt(parts[1], 16);
    this.#excess = Math.max(0, this.#excess + line.length - 16 - 2 * this.#left);
    if (this.#excess > CHUNK_EXCESS_BYTES_MAX) throw malformed('chunks that are mostly not body');
    this.#state = this.#left > 0 ? 'chunk' : 'trailer';
  }

  #complete(reusable: boolean): void {
    this.#state = 'nothing';
    this.#listener.onEnd(reusable);
  }
}

function listed(text: string): string[] {
  return text.split(',').map(trimmed);
}

/** Without the blanks around it. What else looks like a blank is a part of it. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && (text[start] === ' ' || text[start] === '\t')) start++;
  while (start < end && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(start, end);
}

function malformed(what: string): ResponseError {
  return new ResponseError(`malformed HTTP response: ${what}`);
}
