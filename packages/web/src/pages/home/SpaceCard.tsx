/** Space by filesystem, the fullest first, and when it runs out. */

import { Link, Skeleton } from '../../components/basics.tsx';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { formatBytes, formatPercent, formatSpan } from '../../lib/format.ts';
import {
  DISK_CRITICAL_RATIO,
  DISK_WARNING_RATIO,
  diskSpaceQueries,
  type Level,
  levelOf,
} from '../../lib/hostSignals.ts';
import { queryLink } from '../../lib/queryState.ts';
import type { Filesystem, HostName, HostState } from '../../state/host.ts';
import { useSettings } from '../../state/settings.ts';
import { LevelMark } from './SignalCards.tsx';

/** Full within four hours is trouble now, within a day is trouble soon. */
const FULL_CRITICAL_MS = 4 * 3_600_000;
const FULL_WARNING_MS = 24 * 3_600_000;
const SHOWN_MAX = 5;

export function SpaceCard(props: { state: HostState | undefined; host: HostName | undefined }) {
  const text = useText();
  const { state, host } = props;
  const filesystems = state?.filesystems ?? [];
  const levels = filesystems.map(spaceLevel);
  const level = levels.find((one) => one === 'critical') ?? levels.find((one) => one === 'warning');
  const expr = diskSpaceQueries(host?.job ?? '', host?.instance ?? '').available;
  return (
    <article className={`card signal level-${level ?? 'good'}`}>
      <header>
        <Link to={queryLink(expr, { tab: 'graph' })} className="signal-title">
          {text.home.space}
        </Link>
        <LevelMark level={level ?? 'good'} />
      </header>
      {state === undefined ? <Skeleton lines={4} /> : null}
      {state !== undefined && filesystems.length === 0 ? (
        <p className="faint">{text.home.noSpace}</p>
      ) : null}
      <ul className="spaces">
        {filesystems.slice(0, SHOWN_MAX).map((one) => (
          <Space key={`${one.device} ${one.mountpoint}`} filesystem={one} />
        ))}
      </ul>
    </article>
  );
}

function Space({ filesystem }: { filesystem: Filesystem }) {
  const text = useText();
  const { language } = useSettings();
  const { usedRatio, availableBytes, sizeBytes, fullInMs } = filesystem;
  return (
    <li className={`space level-${spaceLevel(filesystem)}`} title={filesystem.device}>
      <div className="space-head">
        <span className="mono">{filesystem.mountpoint}</span>
        <span>{formatPercent(usedRatio)}</span>
      </div>
      <div className="bar">
        <span style={{ width: `${Math.min(100, Math.max(0, usedRatio * 100))}%` }} />
      </div>
      <div className="space-foot faint">
        <span>{text.home.spaceLeft(formatBytes(availableBytes), formatBytes(sizeBytes))}</span>
        {fullInMs === undefined ? null : (
          <span className="full-in">
            <Icon name="clock" size={12} /> {text.home.fullIn(formatSpan(fullInMs, language))}
          </span>
        )}
      </div>
    </li>
  );
}

function spaceLevel({ usedRatio, fullInMs }: Filesystem): Level {
  const byRatio = levelOf(usedRatio, DISK_WARNING_RATIO, DISK_CRITICAL_RATIO);
  if (fullInMs === undefined || byRatio === 'critical') return byRatio;
  // A pace that a short burst makes on an empty disk is no alarm.
  if (fullInMs < FULL_CRITICAL_MS && usedRatio > 0.5) return 'critical';
  return fullInMs < FULL_WARNING_MS && usedRatio > 0.3 ? 'warning' : byRatio;
}
