/** The targets of one scrape pool. */

import type { ActiveTarget, TargetHealth } from '@tyto/api';
import { useState } from 'react';
import { Ago, Badge, LabelChips, OutsideLink, type Tone } from '../../components/basics.tsx';
import type { IconName } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { formatSeconds } from '../../lib/format.ts';
import { compareLabelMaps } from '../../lib/series.ts';
import { parseServerTime } from '../../lib/time.ts';
import { explainScrapeError } from './explained.ts';

/** Rows before the reader asks for more; a pool of Kubernetes pods has thousands. */
const SHOWN_MAX = 60;

const HEALTH: Readonly<Record<TargetHealth, readonly [tone: Tone, icon: IconName]>> = {
  up: ['good', 'good'],
  down: ['critical', 'down'],
  unknown: ['unknown', 'unknown'],
};

export function TargetPool(props: {
  pool: string;
  targets: readonly ActiveTarget[];
  all: readonly ActiveTarget[];
}) {
  const text = useText();
  const [limit, setLimit] = useState(SHOWN_MAX);
  const whole = props.all.filter((one) => one.scrapePool === props.pool);
  const upCount = whole.filter((one) => one.health === 'up').length;
  const order = (target: ActiveTarget) => (target.health === 'down' ? 0 : 1);
  const sorted = [...props.targets].sort(
    (a, b) => order(a) - order(b) || compareLabelMaps(a.labels, b.labels),
  );
  const rest = sorted.length - limit;
  return (
    <section className="card pool" aria-label={props.pool}>
      <h2 className="card-title">
        {props.pool}
        <span className={upCount < whole.length ? 'count tone-critical' : 'count tone-good'}>
          {text.targets.counts(upCount, whole.length)}
        </span>
      </h2>
      <ul className="rows">
        {sorted.slice(0, limit).map((target) => (
          <TargetRow key={target.scrapeUrl + JSON.stringify(target.labels)} target={target} />
        ))}
      </ul>
      {rest > 0 ? (
        <button type="button" className="button small" onClick={() => setLimit(limit * 4)}>
          {text.common.showMore(rest)}
        </button>
      ) : null}
    </section>
  );
}

function TargetRow({ target }: { target: ActiveTarget }) {
  const text = useText();
  const [tone, icon] = HEALTH[target.health];
  const scrapedMs = parseServerTime(target.lastScrape);
  return (
    <li className="target">
      <div className="target-state">
        <Badge tone={tone} icon={icon}>
          {text.targets[target.health]}
        </Badge>
      </div>
      <div className="target-main">
        <span className="mono wrap">
          {/^https?:/.test(target.globalUrl) ? (
            <OutsideLink href={safeUrl(target.globalUrl)}>{target.scrapeUrl}</OutsideLink>
          ) : (
            // In the process of Tyto itself: there is nowhere to go.
            <code>{target.scrapeUrl}</code>
          )}
        </span>
        <LabelChips labels={target.labels} />
        {target.lastError === '' ? null : (
          <div className="target-error">
            <p>{explainScrapeError(target.lastError, text)}</p>
            <p className="mono wrap faint">{target.lastError}</p>
          </div>
        )}
        <details className="discovered">
          <summary>{text.targets.discovered}</summary>
          <LabelChips labels={target.discoveredLabels} />
        </details>
      </div>
      <dl className="target-facts">
        <div>
          <dt>{text.targets.lastScrape}</dt>
          <dd>
            <Ago ms={scrapedMs} />
          </dd>
        </div>
        <div>
          <dt>{text.targets.duration}</dt>
          <dd>{Number.isFinite(scrapedMs) ? formatSeconds(target.lastScrapeDuration) : '–'}</dd>
        </div>
        <div>
          <dd className="faint">
            {text.targets.interval(target.scrapeInterval, target.scrapeTimeout)}
          </dd>
        </div>
      </dl>
    </li>
  );
}

/** A target's address comes from discovery; only http(s) becomes a link. */
function safeUrl(url: string): string {
  return /^https?:\/\//i.test(url) ? url : 'about:blank';
}
