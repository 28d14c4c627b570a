/**
 * The pages behind the links in notifications: one incident, and one button. A GET changes nothing,
 * because mail and chat follow links on their own; the button posts. No JavaScript, no styles from
 * elsewhere, everything escaped. What a link allows is in its token, which is signed.
 */
import type { Clock } from '@tyto/base';
import { TytoError } from '@tyto/base';
import type { Incident, Incidents } from '@tyto/incidents';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { incidentPage, messagePage, STYLE_HASH } from './incidentHtml.ts';
import { languageOf } from './incidentWords.ts';

interface PageOptions {
  readonly clock: Clock;
  readonly incidents: Incidents;
}

interface WithToken {
  readonly Params: { readonly token: string };
}

const PATH = '/tyto/incident/:token';
const COOKIE = 'tyto_name';
const COOKIE_SECONDS = 365 * 86_400;
const NAME_LENGTH_MAX = 100;

export function registerIncidentPages(app: FastifyInstance, options: PageOptions): void {
  const { incidents } = options;
  app.get<WithToken>(PATH, async (request, reply) => {
    const language = languageOf(request.headers['accept-language']);
    const link = open(options, request.params.token);
    if (typeof link === 'string') {
      return sendPage(reply, link === 'expired' ? 410 : 404, messagePage(link, language));
    }
    const name = link.person || nameInCookie(request);
    return sendPage(
      reply,
      200,
      incidentPage({
        incident: link.incident,
        canAcknowledge: link.action === 'acknowledge',
        name,
        language,
        nowMs: options.clock.nowMs(),
        newestValue: (key) => incidents.newestValue(key),
      }),
    );
  });
  app.post<WithToken>(PATH, async (request, reply) => {
    const language = languageOf(request.headers['accept-language']);
    const link = open(options, request.params.token);
    if (typeof link === 'string') {
      return sendPage(reply, link === 'expired' ? 410 : 404, messagePage(link, language));
    }
    if (link.action !== 'acknowledge') {
      return sendPage(reply, 403, messagePage('not allowed', language));
    }
    const typed = nameInForm(request);
    const by = typed || link.person || 'somebody with the link';
    try {
      await incidents.actions.acknowledge(link.incident.id, { by, from: `link ${request.ip}` });
    } catch (error) {
      // It was over before the button was pressed: the page says so.
      if (!(error instanceof TytoError) || error.kind !== 'bad_data') throw error;
    }
    if (typed !== '') rememberName(reply, typed);
    // Loading the page again then posts nothing again; relative, whatever stands before the path.
    return reply.code(303).header('location', request.params.token).send();
  });
}

type Opened = {
  readonly incident: Incident;
  readonly action: 'view' | 'acknowledge';
  readonly person: string;
};

function open({ clock, incidents }: PageOptions, token: string): Opened | 'unknown' | 'expired' {
  const link = incidents.readLink(token);
  const incident = link === undefined ? undefined : incidents.store.get(link.incident);
  if (link === undefined || incident === undefined) return 'unknown';
  if (link.expiresAtMs < clock.nowMs()) return 'expired';
  return { incident, action: link.action, person: link.person };
}

function sendPage(reply: FastifyReply, status: number, html: string): FastifyReply {
  return reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
      vary: 'Accept-Language, Cookie',
      'content-security-policy':
        `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; ` +
        "frame-ancestors 'none'; base-uri 'none'",
    })
    .send(html);
}

function nameInForm({ body }: FastifyRequest): string {
  if (!(body instanceof URLSearchParams)) return '';
  return (body.get('name') ?? '').trim().slice(0, NAME_LENGTH_MAX);
}

function nameInCookie(request: FastifyRequest): string {
  const match = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]*)`).exec(request.headers.cookie ?? '');
  try {
    return decodeURIComponent(match?.[1] ?? '').slice(0, NAME_LENGTH_MAX);
  } catch {
    return '';
  }
}

function rememberName(reply: FastifyReply, name: string): void {
  const value = `${COOKIE}=${encodeURIComponent(name)}`;
  reply.header('set-cookie', `${value}; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax`);
}
