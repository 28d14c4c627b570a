/** Small pictures, drawn here; decoration beside words, so hidden from screen readers. */

import { OWL_BEAK, OWL_FACE, OWL_HEAD } from './owl.ts';

export type IconName =
  | 'home'
  | 'query'
  | 'targets'
  | 'alerts'
  | 'status'
  | 'good'
  | 'critical'
  | 'warning'
  | 'info'
  | 'none'
  | 'unknown'
  | 'down'
  | 'settings'
  | 'close'
  | 'plus'
  | 'copy'
  | 'trash'
  | 'clock'
  | 'chevron'
  | 'left'
  | 'right'
  | 'external'
  | 'muted'
  | 'keyboard'
  | 'minus';

/** A circle around the icon. */
const RING = 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8';

const PATHS: Readonly<Record<IconName, string>> = {
  home: 'M2.5 7.5 8 3l5.5 4.5M4 6.5V13h8V6.5M6.8 13V9.5h2.4V13',
  query: 'M2.5 12.5 6 8l2.5 2.5 5-6.5M2.5 3v10.5h11',
  targets:
    'M8 2.2v2.3M8 11.5v2.3M2.2 8h2.3M11.5 8h2.3M8 3.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4',
  alerts: 'M4 11V7a4 4 0 0 1 8 0v4l1.2 1.2H2.8zM6.8 13.8h2.4',
  status: 'M2.5 3.5h11v4h-11zM2.5 8.5h11v4h-11zM5 5.5h.01M5 10.5h.01',
  good: `${RING}M5.2 8.2l2 2 3.7-4.2`,
  critical: 'M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4zM8 4.8v4M8 11.2h.01',
  warning: 'M8 2.2 14.3 13H1.7zM8 6.4v3.2M8 11.3h.01',
  info: `${RING}M8 7.4v3.8M8 4.9h.01`,
  none: 'M1.5 8h3l1.5-4 3 8 1.5-4h4',
  unknown: `${RING}M6.2 6.4a1.8 1.8 0 1 1 2.4 1.9c-.4.2-.6.5-.6 1M8 11.4h.01`,
  down: `${RING}M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8`,
  settings:
    'M2.5 4.5h6M12 4.5h1.5M10.2 3v3M2.5 8h1.5M7.5 8h6M5.8 6.5v3M2.5 11.5h6M12 11.5h1.5M10.2 10v3',
  close: 'm4 4 8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  copy: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7',
  trash: 'M3 4.5h10M6.3 4.5V3h3.4v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
  clock: `${RING}M8 4.5V8l2.4 1.6`,
  chevron: 'm4.5 6.5 3.5 3.5 3.5-3.5',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  external: 'M6.5 3.5h-3v9h9v-3M9 3.5h3.5V7M12.5 3.5 7.5 8.5',
  muted: 'M4 11V7a4 4 0 0 1 6.8-2.8M12 7.5V11l1.2 1.2H5.5M6.8 13.8h2.4M2 2l12 12',
  keyboard: 'M1.8 4h12.4v8H1.8zM4.3 6.7h.01M6.8 6.7h.01M9.3 6.7h.01M11.7 6.7h.01M5 9.5h6',
};

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: the heart-shaped face of a barn owl, awake. */
export function OwlMark({ size = 26 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      aria-hidden="true"
      focusable="false"
      className="owl"
    >
      <path className="owl-head" d={OWL_HEAD} />
      <path className="owl-face" d={OWL_FACE} />
      <circle className="owl-eye" cx="11.3" cy="16" r="2.3" />
      <circle className="owl-eye" cx="20.7" cy="16" r="2.3" />
      <path className="owl-beak" d={OWL_BEAK} />
    </svg>
  );
}
