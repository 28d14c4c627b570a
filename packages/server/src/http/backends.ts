/**
 * What answers queries: Tyto's own store, and for requests of a rehearsal (see rehearsal.ts) a
 * small one that nobody else sees.
 */
import { randomBytes } from 'node:crypto';
import type { MetricQuerier } from '@tyto/model';
import type { FastifyRequest } from 'fastify';
import type { QueryRunner } from '../queries.ts';

export interface Backend {
  readonly queries: QueryRunner;
  readonly store: MetricQuerier;
}

const HEADER = 'x-tyto-rehearsal';
const KEY_BYTES = 16;

export class Backends {
  readonly #own: Backend;
  #rehearsal: { readonly key: string; readonly backend: Backend } | undefined;

  constructor(own: Backend) {
    this.#own = own;
  }

  of(request: FastifyRequest): Backend {
    const rehearsal = this.#rehearsal;
    return rehearsal !== undefined && this.isRehearsed(request) ? rehearsal.backend : this.#own;
  }

  /** Whether it is a request of a rehearsal, which is not counted among those of people. */
  isRehearsed({ headers }: FastifyRequest): boolean {
    return this.#rehearsal !== undefined && headers[HEADER] === this.#rehearsal.key;
  }

  /** Runs `work` with the headers by which `backend` answers. */
  async rehearse(
    backend: Backend,
    work: (headers: Readonly<Record<string, string>>) => Promise<void>,
  ): Promise<void> {
    const key = randomBytes(KEY_BYTES).toString('hex');
    this.#rehearsal = { key, backend };
    try {
      await work({ [HEADER]: key });
    } finally {
      this.#rehearsal = undefined;
    }
  }
}
