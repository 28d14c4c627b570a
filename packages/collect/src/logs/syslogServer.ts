/**
 * Receives syslog over TCP, framed by lengths or by newlines (RFC 6587), and over UDP, a message a
 * datagram. Messages are stored in batches. Syslog has no answers: while the store takes nothing, a
 * TCP connection is not read, so that its sender keeps what it has; datagrams are lost and counted.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import { Labels } from '@tyto/model';
import { parseSyslog, utf8Bytes } from '@tyto/wire';
import type { LogReceiver } from './logReceiver.ts';

export interface SyslogListener {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly tenant: string;
  /** Added to the streams of what comes here. */
  readonly labels: Labels;
}

export interface SyslogOptions {
  readonly receiver: LogReceiver;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MESSAGE_BYTES_MAX = 256 * 1024;
const CONNECTIONS_MAX = 1000;
const IDLE_MS_MAX = 10 * 60_000;
/** A batch is stored when it is this old or has so many bytes. */
const BATCH_MS_MAX = 250;
const BATCH_BYTES_MAX = 1024 * 1024;
/** Bytes that wait, over all connections; senders wait beyond that. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
const RETRY_MS = 1000;
const NEWLINE = 0x0a;

export class SyslogServer {
  /** Messages that were stored, and those that were lost. */
  messages = 0;
  lost = 0;
  readonly #listener: SyslogListener;
  readonly #options: SyslogOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #udp: UdpSocket | undefined;
  #waiting: { text: string; from: string }[] = [];
  #waitingBytes = 0;
  #timer: Timer | undefined;
  #storing: Promise<void> | undefined;
  #isClosed = false;

  constructor(listener: SyslogListener, options: SyslogOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  /** Resolves with the port. Rejects with the system's error when it is taken. */
  listen(): Promise<number> {
    return this.#listener.protocol === 'tcp' ? this.#listenTcp() : this.#listenUdp();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#server?.close();
    this.#udp?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#timer?.cancel();
    await this.#storing;
    if (this.#waiting.length > 0) await this.#store(false);
  }

  #listenTcp(): Promise<number> {
    const server = createServer((socket) => this.#read(socket));
    server.maxConnections = CONNECTIONS_MAX;
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#listener.port, this.#listener.host, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  #listenUdp(): Promise<number> {
    const type = this.#listener.host.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket(type);
    this.#udp = socket;
    socket.on('message', (message, { address }) => {
      if (this.#waitingBytes > WAITING_BYTES_MAX) this.lost++;
      else this.#add(message.toString('utf8'), address, message.length);
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(this.#listener.port, this.#listener.host, () => {
        socket.on('error', (error) => this.#complain(error));
        resolve(socket.address().port);
      });
    });
  }

  #read(socket: Socket): void {
    const from = socket.remoteAddress ?? '';
    const frames = new Frames((text, bytes) => this.#add(text, from, bytes));
    this.#sockets.add(socket);
    socket.setTimeout(IDLE_MS_MAX, () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', (error) => this.#complain(error));
    socket.on('end', () => frames.end());
    socket.on('data', (piece: Buffer) => {
      if (!frames.add(piece)) {
        const most = `${MESSAGE_BYTES_MAX} bytes`;
        this.#options.logger.warn('a syslog message is too long', { from, most });
        socket.destroy();
        return;
      }
      if (this.#waitingBytes <= WAITING_BYTES_MAX) return;
      socket.pause();
    });
  }

  #add(given: string, from: string, bytes: number): void {
    const text = given.replace(/[\r\n\0]+$/, '');
    if (text === '') return;
    this.#waiting.push({ text, from });
    this.#waitingBytes += bytes;
    if (this.#storing !== undefined) return;
    if (this.#waitingBytes >= BATCH_BYTES_MAX) this.#start();
    else this.#timer ??= this.#options.clock.schedule(BATCH_MS_MAX, () => this.#start());
  }

  #start(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#storing !== undefined) return;
    this.#storing = this.#store(true).finally(() => {
      this.#storing = undefined;
      if (this.#waiting.length > 0 && !this.#isClosed) this.#start();
    });
  }

  /** Stores what waits; tries again until the store takes it, or once. */
  async #store(retries: boolean): Promise<void> {
    const taken = this.#waiting;
    const bytes = this.#waitingBytes;
    const { receiver, logger } = this.#options;
    this.#waiting = [];
    for (;;) {
      try {
        const { status, message, refusedLines } = await receiver.store(
          this.#listener.tenant,
          this.#batchOf(taken),
        );
        if (status !== 204) logger.warn('syslog messages were refused', { reason: message });
        this.messages += taken.length - refusedLines;
        this.lost += refusedLines;
        break;
      } catch (error) {
        logger.error('syslog messages could not be stored', { error: errorMessage(error) });
        if (!retries || this.#isClosed) {
          this.lost += taken.length;
          break;
        }
        await new Promise<void>((done) => this.#options.clock.schedule(RETRY_MS, done));
      }
    }
    this.#waitingBytes -= bytes;
    for (const socket of this.#sockets) socket.resume();
  }

  #batchOf(taken: readonly { text: string; from: string }[]) {
    const batch = this.#options.receiver.batch(this.#listener.tenant);
    const nowMs = this.#options.clock.nowMs();
    let order = 0n;
    for (const { text, from } of taken) {
      const message = parseSyslog(text, nowMs);
      const pairs = [...this.#listener.labels.entries()];
      batch.stream(
        Labels.fromEntries([
          ['job', 'syslog'],
          ['service_name', message.app],
          ['host', message.hostname || from],
          ['facility', message.facility],
          ...pairs,
        ]),
      );
      const metadata = Labels.fromEntries([
        ['severity', message.severity],
        ['proc_id', message.process],
        ['msg_id', message.messageId],
        ...message.data.map(([name, value]) => [name.replace(/\W/g, '_'), value] as const),
      ]);
      const time = message.timestampNs ?? BigInt(nowMs) * 1_000_000n + order++;
      batch.entry(time, message.text, utf8Bytes(message.text), metadata);
    }
    return batch;
  }

  #complain(error: unknown): void {
    this.#options.logger.debug('a syslog connection failed', { error: errorMessage(error) });
  }
}

/** Cuts what a connection brings into messages: `<length> <message>`, or a line each. */
class Frames {
  readonly #onMessage: (text: string, bytes: number) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onMessage: (text: string, bytes: number) => void) {
    this.#onMessage = onMessage;
  }

  /** False for a message that is too long; nothing more may be added then. */
  add(piece: Buffer): boolean {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (;;) {
      const frame = nextFrame(bytes, at);
      if (frame === undefined) break;
      if (frame.end - frame.start > MESSAGE_BYTES_MAX) return false;
      if (frame.end > bytes.length) break;
      this.#onMessage(bytes.toString('utf8', frame.start, frame.end), frame.end - frame.start);
      at = frame.next;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return this.#rest.length <= MESSAGE_BYTES_MAX + LENGTH_DIGITS_MAX + 1;
  }

  /** The last line may have no newline. */
  end(): void {
    if (this.#rest.length > 0) this.#onMessage(this.#rest.toString('utf8'), this.#rest.length);
    this.#rest = Buffer.alloc(0);
  }
}

const LENGTH_DIGITS_MAX = 7;
const COUNTED = /^([1-9]\d{0,6}) </;

/** The next message from `at` on, as far as its length is known; it may reach beyond the bytes. */
function nextFrame(
  bytes: Buffer,
  at: number,
): { start: number; end: number; next: number } | undefined {
  const head = bytes.toString('latin1', at, at + LENGTH_DIGITS_MAX + 2);
  const counted = COUNTED.exec(head);
  if (counted !== null) {
    const start = at + counted[1].length + 1;
    const end = start + Number(counted[1]);
    return { start, end, next: end };
  }
  const end = bytes.indexOf(NEWLINE, at);
  return end < 0 ? undefined : { start: at, end, next: end + 1 };
}
