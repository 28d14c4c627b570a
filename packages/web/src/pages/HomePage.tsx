/** "Is everything all right?" answered in five seconds, and what to do if not. */

import type { ActiveTarget } from '@tyto/api';
import { useText } from '../i18n/useText.ts';
import { firingRules } from '../lib/alerts.ts';
import { compareLabelMaps } from '../lib/series.ts';
import { judge } from '../lib/verdict.ts';
import { Badge, Link, LoadError, Skeleton } from '../components/basics.tsx';
import { Icon } from '../components/icons.tsx';
import { useConnection } from '../state/connection.ts';
import { useStrains } from '../state/host.ts';
import { useRules, useSuppressed, useTargets } from '../state/live.ts';
import { FiringList } from './home/FiringList.tsx';
import { HostPanel } from './home/HostPanel.tsx';
import { VerdictBanner } from './home/VerdictBanner.tsx';
import { explainScrapeError } from './targets/explained.ts';

/** More than this is read on the targets page. */
const DOWN_SHOWN_MAX = 8;

export function HomePage() {
  const rules = useRules();
  const targets = useTargets();
  const suppressed = useSuppressed();
  const strains = useStrains();
  const connection = useConnection();
  const activeTargets = targets.data?.activeTargets ?? [];
  const groups = rules.data ?? [];
  const firing = firingRules(groups, suppressed.data ?? []);
  const isLoaded = rules.data !== undefined && targets.data !== undefined;
  const isConnected = connection.failingSinceMs === undefined;
  const verdict =
    isLoaded || !isConnected
      ? judge({ firing, groups, targets: activeTargets, strains: strains.data ?? [], isConnected })
      : undefined;
  const error = rules.error ?? targets.error;
  const down = activeTargets
    .filter((target) => target.health === 'down')
    .sort((a, b) => compareLabelMaps(a.labels, b.labels));
  return (
    <div className="page home">
      <VerdictBanner verdict={verdict} />
      {error !== undefined && isConnected ? <LoadError error={error} /> : null}
      <div className={down.length > 0 ? 'home-problems two' : 'home-problems'}>
        {firing.length > 0 ? <FiringList firing={firing} /> : null}
        {down.length > 0 ? <TargetsDown down={down} /> : null}
      </div>
      {/* Out of sight until what stands above it is known, so that it does not move. */}
      <div hidden={verdict === undefined}>
        <HostPanel targets={activeTargets} />
        <Watched targets={activeTargets} />
      </div>
      {verdict === undefined ? <Skeleton lines={8} /> : null}
    </div>
  );
}

/** Every scrape pool and how much of it answers. */
function Watched({ targets }: { targets: readonly ActiveTarget[] }) {
  const text = useText();
  const pools = [...Map.groupBy(targets, (target) => target.scrapePool)].sort();
  if (pools.length === 0) return null;
  return (
    <section className="watched" aria-labelledby="watched">
      <h2 id="watched">{text.home.watched}</h2>
      <ul>
        {pools.map(([pool, ones]) => {
          const upCount = ones.filter((one) => one.health === 'up').length;
          const isWhole = upCount === ones.length;
          return (
            <li key={pool}>
              <Link to={`targets?q=${encodeURIComponent(pool)}`} className="pool-link">
                <Badge tone={isWhole ? 'good' : 'critical'} icon={isWhole ? 'good' : 'down'}>
                  {upCount}/{ones.length}
                </Badge>
                {pool}
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function TargetsDown({ down }: { down: readonly ActiveTarget[] }) {
  const text = useText();
  const rest = down.length - DOWN_SHOWN_MAX;
  return (
    <section className="card" aria-labelledby="targets-down">
      <h2 id="targets-down" className="card-title">
        {text.home.targetsDown}
        <span className="count tone-critical">{down.length}</span>
      </h2>
      <ul className="rows">
        {down.slice(0, DOWN_SHOWN_MAX).map((target) => (
          <DownRow key={`${target.scrapePool} ${target.scrapeUrl}`} target={target} />
        ))}
      </ul>
      {rest > 0 ? (
        <Link to="targets?state=down" className="more">
          {text.common.showMore(rest)}
        </Link>
      ) : null}
    </section>
  );
}

function DownRow({ target }: { target: ActiveTarget }) {
  const text = useText();
  return (
    <li className="down-row">
      <span className="tone-critical">
        <Icon name="down" />
      </span>
      <div>
        <Link
          to={`targets?state=down&q=${encodeURIComponent(target.labels.instance ?? '')}`}
          className="strong"
        >
          {target.labels.job} <span className="faint">/</span> {target.labels.instance}
        </Link>
        <p>{explainScrapeError(target.lastError, text)}</p>
        <p className="mono faint wrap">{target.lastError}</p>
      </div>
    </li>
  );
}
