/** A path that is there, asked with a method that it does not have: 405, with those it has. */
import type { FastifyInstance } from 'fastify';

export class Methods {
  readonly #routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Notes the routes that are registered from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return;
      const known = this.#routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      this.#routes.set(url, known);
      for (const one of typeof method === 'string' ? [method] : method) known.methods.add(one);
    });
  }

  /** All routes, in the order in which they were registered. */
  get all(): { readonly url: string; readonly methods: readonly string[] }[] {
    return [...this.#routes].map(([url, { methods }]) => ({ url, methods: [...methods] }));
  }

  /** What a path may be asked with, in alphabetical order; none where there is no such path. */
  of(path: string): string[] {
    const found = new Set<string>();
    for (const { pattern, methods } of this.#routes.values()) {
      if (pattern.test(path)) for (const method of methods) found.add(method);
    }
    return [...found].sort();
  }
}

/** `/api/v1/label/:name/values` as an expression. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    return part.startsWith(':') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
