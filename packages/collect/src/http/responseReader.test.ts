import { describe, expect, it, test } from 'vitest';
import { ResponseError, ResponseReader } from './responseReader.ts';
import { cut, type Reading, readPieces } from './testing.ts';

/** Reads it whole, in two pieces cut everywhere, and byte by byte: all say the same. */
function read(text: string, { ends = true, cuts = true } = {}): Reading {
  const bytes = Buffer.from(text, 'latin1');
  const whole = readPieces([bytes], ends);
  const everywhere = Array.from(bytes, (_, at) => at);
  expect(readPieces(cut(bytes, everywhere), ends)).toEqual(whole);
  if (!cuts) return whole;
  for (const at of everywhere) expect(readPieces(cut(bytes, [at]), ends)).toEqual(whole);
  return whole;
}

function lines(...all: string[]): string {
  return all.map((line) => `${line}\r\n`).join('');
}

const OK = 'HTTP/1.1 200 OK';
const CHUNKED = 'Transfer-Encoding: chunked';

describe('the end of a body', () => {
  it('is told by Content-Length', () => {
    const text = `${lines(OK, 'Content-Type: text/plain', 'content-LENGTH:5', '')}a 1\r\n`;
    expect(read(text, { ends: false })).toEqual({
      status: 200,
      statusText: 'OK',
      headers: { 'content-type': 'text/plain', 'content-length': '5' },
      body: 'a 1\r\n',
      reusable: true,
      error: undefined,
    });
  });

  it('is at the head where Content-Length is 0', () => {
    const all = read(lines(OK, 'Content-Length: 0', ''), { ends: false });
    expect(all).toMatchObject({ body: '', reusable: true, error: undefined });
  });

  it('is told by the last chunk, whatever the length of the others', () => {
    const text = lines(
      OK,
      CHUNKED,
      '',
      '3',
      'abc',
      '00A',
      '0123456789',
      'b',
      'lmnopqrstuv',
      '0',
      '',
    );
    const all = read(text, { ends: false });
    expect(all).toMatchObject({ body: 'abc0123456789lmnopqrstuv', reusable: true });
  });

  it('comes after extensions of chunks and trailers, which mean nothing', () => {
    const chunks = [
      '2;name=value;"quoted, ;"',
      'ab',
      '1 ; x',
      'c',
      '000;last',
      'Sum: 5',
      'X: y',
      '',
    ];
    const all = read(lines(OK, 'transfer-encoding: Chunked', '', ...chunks), { ends: false });
    expect(all).toMatchObject({ body: 'abc', reusable: true, error: undefined });
    expect(all.headers).not.toHaveProperty('sum');
  });

  it('takes chunk sizes that are padded with many zeros', () => {
    const text = lines(OK, CHUNKED, '', '00000000000000000003', 'abc', '0000000000000000', '');
    expect(read(text)).toMatchObject({ body: 'abc', reusable: true, error: undefined });
  });

  it('is the end of the connection where nothing else tells', () => {
    const text = lines(OK, 'Content-Type: text/plain', '', 'a 1', '', 'b 2');
    expect(read(text, { ends: false })).toMatchObject({ reusable: undefined, error: undefined });
    expect(read(text)).toMatchObject({ body: 'a 1\r\n\r\nb 2\r\n', reusable: false });
    expect(read(lines(OK, ''))).toMatchObject({ body: '', reusable: false, error: undefined });
  });

  it.each([204, 304])('is at the head of a response with status %i, whatever it says', (status) => {
    for (const header of ['X: y', 'Content-Length: 7', CHUNKED, 'Content-Length: many']) {
      const all = read(lines(`HTTP/1.1 ${status} Nothing`, header, ''), { ends: false });
      expect(all).toMatchObject({ status, body: '', reusable: true, error: undefined });
    }
  });

  it('is told by the chunks where there is a Content-Length too; then the connection ends', () => {
    const chunks = ['1', 'a', '0', ''];
    for (const length of ['Content-Length: 500', 'Content-Length: what']) {
      for (const headers of [
        [CHUNKED, length],
        [length, CHUNKED],
      ]) {
        const all = read(lines(OK, ...headers, '', ...chunks), { ends: false });
        expect(all).toMatchObject({ body: 'a', reusable: false, error: undefined });
      }
    }
  });

  it('may be told several times by the same Content-Length', () => {
    for (const headers of [['5', '5'], ['5, 5'], ['5,5 ,\t5', '5']]) {
      const all = headers.map((length) => `Content-Length: ${length}`);
      expect(read(`${lines(OK, ...all, '')}a 1 \n`)).toMatchObject({
        body: 'a 1 \n',
        reusable: true,
      });
    }
  });

  it.each([
    ['5', '6'],
    ['5, 6'],
    ['5', ''],
    [''],
    ['5,'],
    ['-5'],
    ['+5'],
    ['0x5'],
    ['5 5'],
    ['5.0'],
    ['5e0'],
    ['9999999999999999'],
    ['\xa05'],
    ['\v5'],
    ['5, \xa05'],
  ])('is not told by Content-Length %j, %j', (...lengths) => {
    const headers = lengths.map((length) => `Content-Length: ${length}`);
    const { status, error } = read(`${lines(OK, ...headers, '')}a 1\r\nb`);
    expect(status).toBeUndefined();
    expect(error).toMatch(/^malformed HTTP response: the (Content-Length|header) "/);
  });

  it.each([
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'identity',
    '',
    'chunked;q=1',
    '"chunked"',
    '\vchunked',
    'chunked\xa0',
    'chunked\r',
    'chun\0ked',
  ])('is not told by the transfer encoding %j', (encoding) => {
    const { status, error } = read(lines(OK, `Transfer-Encoding: ${encoding}`, '', '0', ''));
    expect(status).toBeUndefined();
    expect(error).toMatch(/^malformed HTTP response: the (transfer encoding|header) "/);
  });

  it('is not told by two transfer encodings', () => {
    const { error } = read(lines(OK, CHUNKED, CHUNKED, '', '0', ''));
    expect(error).toBe('malformed HTTP response: the transfer encoding "chunked, chunked"');
  });
});

describe('a connection', () => {
  const reusable = (version: string, ...headers: string[]) => {
    const head = lines(`HTTP/1.${version} 200 OK`, 'Content-Length: 1', ...headers, '');
    return read(`${head}a`, { ends: false }).reusable;
  };

  it('stays with HTTP/1.1 unless it is to close', () => {
    expect(reusable('1')).toBe(true);
    expect(reusable('1', 'Connection: Keep-Alive')).toBe(true);
    expect(reusable('1', 'Connection: x, CLOSE ')).toBe(false);
    expect(reusable('1', 'Connection: keep-alive', 'Connection: close')).toBe(false);
    expect(reusable('1', 'Connection: not-close, close-by')).toBe(true);
  });

  it('closes with HTTP/1.0 unless it is to stay', () => {
    expect(reusable('0')).toBe(false);
    expect(reusable('0', 'Connection: keep-alive')).toBe(true);
    expect(reusable('0', 'Connection: keep-alive, close')).toBe(false);
    expect(reusable('0', 'Connection: no-keep-alive')).toBe(false);
  });

  it('closes after chunks of HTTP/1.0, which does not know them', () => {
    const head = lines('HTTP/1.0 200 OK', CHUNKED, 'Connection: keep-alive', '');
    const all = read(head + lines('1', 'a', '0', ''), { ends: false });
    expect(all).toMatchObject({ body: 'a', reusable: false });
  });
});

describe('interim responses', () => {
  it('are not the response, and their headers not its headers', () => {
    const interim = [
      lines('HTTP/1.1 100 Continue', ''),
      lines('HTTP/1.1 102 Processing', 'Content-Length: 9', ''),
      lines('HTTP/1.1 103 Early Hints', 'Link: </a>', 'Connection: close', ''),
    ];
    const all = read(`${interim.join('')}${lines(OK, 'Content-Length: 1', '')}a`);
    const headers = { 'content-length': '1' };
    expect(all).toMatchObject({ status: 200, headers, body: 'a', reusable: true });
  });

  it('do not go on forever', () => {
    const all = read(lines('HTTP/1.1 100 Continue', '').repeat(3000), { cuts: false });
    expect(all.error).toBe('malformed HTTP response: headers that do not end');
  });

  it('do not switch to another protocol', () => {
    const all = read(lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: h2c', ''));
    expect(all.error).toBe('malformed HTTP response: a switch to another protocol');
  });
});

describe('lines', () => {
  it('may end with a line feed alone', () => {
    const text = `${OK}\nContent-Length: 3\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n`;
    expect(read(text)).toMatchObject({ body: 'abc', error: undefined });
  });

  it.each([
    'HTTP/1.1 200',
    'HTTP/1.1 200 ',
    'HTTP/1.0 404 Not Found: \xe4 at all',
    'HTTP/1.1 999 Request denied',
  ])('begin with a status: %s', (line) => {
    const all = read(lines(line, 'Content-Length: 0', ''));
    expect(all.error).toBeUndefined();
    expect(all.status).toBe(Number(line.slice(9, 12)));
    expect(all.statusText).toBe(line.slice(13));
  });

  it.each([
    '',
    ' HTTP/1.1 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\0K',
    'SSH-2.0-OpenSSH_9.6',
    '220 mail ESMTP',
    '\x16\x03\x01\x02\x00\x01',
  ])('do not begin with %j', (line) => {
    const all = read(lines(line, 'Content-Length: 0', ''));
    expect(all.status).toBeUndefined();
    expect(all.error).toBe(`malformed HTTP response: ${JSON.stringify(line)}`);
  });

  it.each([
    'Content-Length : 5',
    ' folded',
    '\tfolded: too',
    ': no name',
    'no colon',
    'Name\xe4: x',
    'Na me: x',
    'Na\0me: x',
    'Name: a\0b',
    'Name: a\rb',
    'Name: \x1b[31m',
    'Name: \x7f',
  ])('are no headers: %j', (line) => {
    const all = read(lines(OK, 'Content-Length: 0', line, ''));
    expect(all.status).toBeUndefined();
    expect(all.error).toBe(`malformed HTTP response: the header ${JSON.stringify(line)}`);
  });

  it('keep their values as they are, without the blanks around them', () => {
    const all = read(
      lines(
        OK,
        'A:\t b  c \t',
        'a: d',
        '__proto__: e',
        'F:',
        'G: \xa0\xe4\t\xa0',
        'Content-Length: 0',
        '',
      ),
    );
    expect(all.error).toBeUndefined();
    expect(all.headers).toMatchObject({ a: 'b  c, d', f: '', g: '\xa0\xe4\t\xa0' });
    expect(Object.entries(all.headers)).toContainEqual(['content-length', '0']);
  });

  it('are read in one go, whatever they consist of', () => {
    const header = `A: b${' '.repeat(60_000)}c`;
    const all = read(lines(OK, header, 'Content-Length: 0', ''), { cuts: false });
    expect(all.headers.a).toHaveLength(60_002);
  });

  it('say once what the type is and where to go: the first one counts', () => {
    const types = ['Content-Type: text/plain', 'content-type: text/html'];
    const all = read(lines(OK, ...types, 'Location: /a', 'Location: /b', 'Content-Length: 0', ''));
    expect(all.headers).toMatchObject({ 'content-type': 'text/plain', location: '/a' });
  });

  it.each(['', 'x', '-1', '+1', '0x1', '1 2', 'g', '1,', ' 1', '1\r', '1;a\rb', '10000000000000'])(
    'are no chunk size: %j',
    (size) => {
      const all = read(lines(OK, CHUNKED, '', size, 'a', '0', ''));
      expect(all).toMatchObject({ body: '', reusable: undefined });
      expect(all.error).toBe(`malformed HTTP response: the chunk size ${JSON.stringify(size)}`);
    },
  );

  it('end a chunk where its size says', () => {
    const all = read(lines(OK, CHUNKED, '', '2', 'abc', '0', ''));
    expect(all.body).toBe('ab');
    expect(all.error).toBe('malformed HTTP response: a chunk that is longer than it says');
  });
});

describe('nothing but a body is without end', () => {
  const head = lines(OK, CHUNKED, '');
  const endless: readonly (readonly [string, string, string, string])[] = [
    ['a status line', 'HTTP/1.1 200 ', 'x', 'headers that do not end'],
    ['a header', `${OK}\r\nA: `, 'x', 'headers that do not end'],
    ['headers', `${OK}\r\n`, 'A: b\r\n', 'headers that do not end'],
    ['a chunk size', head, '0', 'a chunk size that does not end'],
    ['an extension of a chunk', `${head}5;`, 'x', 'a chunk size that does not end'],
    ['the line after a chunk', `${head}1\r\na`, ' ', 'a chunk size that does not end'],
    ['a trailer', `${head}0\r\nA: `, 'x', 'headers that do not end'],
    ['trailers', `${head}0\r\n`, 'A: b\r\n', 'headers that do not end'],
    [
      'extensions of small chunks',
      head,
      `1;${'x'.repeat(100)}\r\na\r\n`,
      'chunks that are mostly not body',
    ],
  ];
  test.each(endless)('%s', (_, start, more, error) => {
    const text = start + more.repeat(Math.ceil(100_000 / more.length));
    expect(read(text, { cuts: false }).error).toBe(`malformed HTTP response: ${error}`);
  });

  it('headers may be as long as they may, in whatever pieces', () => {
    const text = lines(OK, 'Content-Length: 0', `A: ${'x'.repeat(64 * 1024 - 43)}`, '');
    expect(text.length).toBe(64 * 1024);
    expect(read(text, { cuts: false })).toMatchObject({ error: undefined, reusable: true });
    expect(read(text.replace('x', 'xx'), { cuts: false }).error).toContain('do not end');
  });

  it('chunks of one byte may make a body of any length', () => {
    const text = head + '1\r\na\r\n'.repeat(50_000) + lines('0', '');
    const all = read(text, { cuts: false });
    expect(all.error).toBeUndefined();
    expect(all.body).toBe('a'.repeat(50_000));
  });
});

describe('a connection that ends', () => {
  it('before the response: EOF', () => {
    expect(read('').error).toBe('EOF');
  });

  const sized = `${lines(OK, 'Content-Length: 5', '')}abcde`;
  const interim = lines('HTTP/1.1 100 Continue', '');
  const chunked = lines(OK, CHUNKED, '', '5;x', 'abcde', '0', 'A: b', '');
  it.each([sized, chunked, interim + sized])('within the response: unexpected EOF, %j', (text) => {
    for (let length = 1; length < text.length; length++) {
      const all = read(text.slice(0, length), { cuts: false });
      expect(all).toMatchObject({ error: 'unexpected EOF', reusable: undefined });
    }
    expect(read(text).error).toBeUndefined();
  });
});

test('bytes after the response are an error, after the response was taken', () => {
  for (const more of ['x', '\r\n', lines(OK, 'Content-Length: 0', '')]) {
    const all = read(`${lines(OK, 'Content-Length: 1', '')}a${more}`);
    expect(all).toMatchObject({ body: 'a', reusable: true });
    expect(all.error).toBe('malformed HTTP response: bytes that nobody has asked for');
  }
});

test('one response after the other is read, each when it was asked for', () => {
  const seen: string[] = [];
  const reader = new ResponseReader({
    onHead: ({ headers }) => seen.push([...headers.keys()].join()) > 0,
    onBody: (piece) => seen.push(Buffer.from(piece).toString()),
    onEnd: (reusable) => seen.push(String(reusable)),
  });
  expect(() => reader.push(Buffer.from('H'))).toThrow(ResponseError);
  reader.expect();
  reader.push(Buffer.from(`${lines(OK, 'Content-Length: 1', '')}a`));
  reader.end();
  reader.expect();
  reader.push(Buffer.from(lines(OK, 'A: b', CHUNKED, '', '1', 'b', '0', '')));
  expect(seen).toEqual(['content-length', 'a', 'true', 'a,transfer-encoding', 'b', 'true']);
});

test('what is not wanted is not read', () => {
  const reader = new ResponseReader({
    onHead: () => false,
    onBody: () => expect.unreachable(),
    onEnd: () => expect.unreachable(),
  });
  reader.expect();
  reader.push(Buffer.from(lines(OK, CHUNKED, '', 'no', 'chunk')));
  reader.push(Buffer.from('more'));
  reader.end();
});
