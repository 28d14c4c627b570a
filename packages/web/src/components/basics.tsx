/** The small parts that every page is made of. */

import type { ApiError, LabelMap } from '@tyto/api';
import { type ReactNode, useState } from 'react';
import { useText } from '../i18n/useText.ts';
import { formatAge, formatAgo } from '../lib/format.ts';
import type { Severity } from '../lib/severity.ts';
import { formatTimeZoned } from '../lib/time.ts';
import { useNow } from '../state/now.ts';
import { refreshAll } from '../state/poll.ts';
import { hrefOf, navigate } from '../state/router.ts';
import { useSettings } from '../state/settings.ts';
import { Icon, type IconName } from './icons.tsx';

/** How long "Copied" stays. */
const COPIED_MS = 1500;

export function Link(props: {
  to: string;
  children: ReactNode;
  className?: string;
  label?: string;
  current?: boolean;
}) {
  return (
    <a
      href={hrefOf(props.to)}
      className={props.className}
      aria-label={props.label}
      aria-current={props.current === true ? 'page' : undefined}
      onClick={(event) => {
        const isPlain = !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (!isPlain || event.button !== 0) return;
        event.preventDefault();
        navigate(props.to);
        window.scrollTo(0, 0);
      }}
    >
      {props.children}
    </a>
  );
}

/** A link out of Tyto; it never hands over where the reader came from. */
export function OutsideLink({ href, children }: { href: string; children: ReactNode }) {
  const text = useText();
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
      <Icon name="external" size={12} />
      <span className="hidden-text">{text.common.newTab}</span>
    </a>
  );
}

/** "12 s ago", kept up to date, with the exact time on hover. */
export function Ago({ ms }: { ms: number }) {
  const nowMs = useNow();
  const { language, zone } = useSettings();
  const text = useText();
  if (!Number.isFinite(ms)) return <span>{text.common.never}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatTimeZoned(ms, zone)}>
      {formatAgo(Math.max(0, nowMs - ms), language)}
    </time>
  );
}

/** How long something has lasted: "3 h 12 min". */
export function Since({ ms }: { ms: number }) {
  const nowMs = useNow();
  const { language, zone } = useSettings();
  if (!Number.isFinite(ms)) return <span>–</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatTimeZoned(ms, zone)}>
      {formatAge(Math.max(0, nowMs - ms), language)}
    </time>
  );
}

export function LabelChips({ labels, without = [] }: { labels: LabelMap; without?: string[] }) {
  const entries = Object.entries(labels).filter(([name]) => !without.includes(name));
  if (entries.length === 0) return null;
  return (
    <ul className="chips">
      {entries.map(([name, value]) => (
        <li key={name} className="chip">
          <span className="chip-name">{name}</span>
          <span className="chip-value">{value}</span>
        </li>
      ))}
    </ul>
  );
}

const SEVERITY_ICONS: Readonly<Record<Severity, IconName>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
  none: 'none',
};

export function SeverityBadge({ severity }: { severity: Severity }) {
  const text = useText();
  return (
    <Badge tone={severity} icon={SEVERITY_ICONS[severity]}>
      {text.severity[severity]}
    </Badge>
  );
}

export type Tone = 'critical' | 'warning' | 'info' | 'none' | 'good' | 'unknown';

export function Badge(props: { tone: Tone; icon: IconName; children: ReactNode }) {
  return (
    <span className={`badge tone-${props.tone}`}>
      <Icon name={props.icon} size={14} />
      {props.children}
    </span>
  );
}

/** A place where nothing is, and what to do about it. */
export function EmptyState(props: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={props.icon} size={28} />
      <p className="empty-title">{props.title}</p>
      {props.children === undefined ? null : <div className="empty-detail">{props.children}</div>}
    </div>
  );
}

/** Lines where text will be, of about its height, so that nothing jumps. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const text = useText();
  const widths = [92, 78, 85, 64];
  return (
    <div className="skeleton" role="status" aria-label={text.common.loading}>
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <span key={index} style={{ width: `${widths[index % widths.length]}%` }} />
      ))}
    </div>
  );
}

/** A failed load without any older data to show. */
export function LoadError({ error, title }: { error: ApiError; title?: string }) {
  const text = useText();
  return (
    <div className="notice tone-critical" role="alert">
      <Icon name="critical" />
      <div>
        <strong>{title ?? text.common.failed}</strong>
        <p className="mono wrap">{error.message}</p>
        <button type="button" className="button small" onClick={refreshAll}>
          {text.common.retry}
        </button>
      </div>
    </div>
  );
}

export function CopyButton(props: { getText: () => string; children: ReactNode }) {
  const text = useText();
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await copyText(props.getText());
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), COPIED_MS);
  };
  return (
    <button type="button" className="button small" onClick={() => void copy()}>
      <Icon name={isCopied ? 'good' : 'copy'} size={14} />
      {isCopied ? text.common.copied : props.children}
    </button>
  );
}

/** The clipboard exists on secure origins only; elsewhere a hidden text area still works. */
async function copyText(value: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(value);
    return;
  }
  const area = document.createElement('textarea');
  area.value = value;
  area.className = 'hidden-text';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** A choice among few: all visible, one pressed. */
export function Choices<Choice extends string>(props: {
  label: string;
  value: Choice;
  choices: readonly (readonly [value: Choice, text: ReactNode])[];
  onChange: (value: Choice) => void;
}) {
  return (
    <fieldset className="choices" aria-label={props.label}>
      {props.choices.map(([value, content]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {content}
        </button>
      ))}
    </fieldset>
  );
}

export function FilterInput(props: {
  value: string;
  placeholder: string;
  onChange: (value: string) => void;
}) {
  return (
    <input
      type="search"
      className="input filter"
      value={props.value}
      placeholder={props.placeholder}
      aria-label={props.placeholder}
      spellCheck={false}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}
