/** What is scraped, pool by pool, and what is wrong with what is not answering. */

import type { ActiveTarget, TargetHealth } from '@tyto/api';
import { Choices, EmptyState, FilterInput, LoadError, Skeleton } from '../components/basics.tsx';
import { useText } from '../i18n/useText.ts';
import { useTargets } from '../state/live.ts';
import { useSearchValue } from '../state/searchValue.ts';
import { DroppedTargets } from './targets/DroppedTargets.tsx';
import { TargetPool } from './targets/TargetPool.tsx';
import '../styles/lists.css';

const HEALTHS: readonly TargetHealth[] = ['down', 'up', 'unknown'];

export function TargetsPage() {
  const text = useText();
  const targets = useTargets();
  const [filter, setFilter] = useSearchValue('q');
  const [state, setState] = useSearchValue('state');
  if (targets.data === undefined) {
    return targets.error === undefined ? (
      <Skeleton lines={8} />
    ) : (
      <LoadError error={targets.error} />
    );
  }
  const all = targets.data.activeTargets;
  const count = (health: TargetHealth) => all.filter((one) => one.health === health).length;
  const shown = all.filter((one) => (state === '' || one.health === state) && fits(one, filter));
  const pools = Map.groupBy(shown, (target) => target.scrapePool);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{text.targets.title}</h1>
        <Choices
          label={text.targets.state}
          value={state}
          choices={[
            ['', `${text.common.all} ${all.length}`],
            ...HEALTHS.filter((health) => health !== 'unknown' || count(health) > 0).map(
              (health) => [health as string, `${text.targets[health]} ${count(health)}`] as const,
            ),
          ]}
          onChange={setState}
        />
        <FilterInput value={filter} placeholder={text.targets.filterHint} onChange={setFilter} />
      </div>
      {all.length === 0 ? (
        <EmptyState icon="targets" title={text.targets.empty}>
          {text.targets.emptyDetail}
        </EmptyState>
      ) : null}
      {all.length > 0 && shown.length === 0 ? (
        <EmptyState icon="targets" title={text.targets.noMatch} />
      ) : null}
      {[...pools]
        .sort(([a, ones], [b, others]) => downCount(others) - downCount(ones) || (a < b ? -1 : 1))
        .map(([pool, ones]) => (
          <TargetPool key={pool} pool={pool} targets={ones} all={all} />
        ))}
      <DroppedTargets />
    </div>
  );
}

function downCount(targets: readonly ActiveTarget[]): number {
  return targets.filter((one) => one.health === 'down').length;
}

/** Every word of the filter occurs somewhere in the target. */
function fits(target: ActiveTarget, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const labels = Object.entries(target.labels).map(([name, value]) => `${name}=${value}`);
  const text = [...labels, target.scrapeUrl, target.lastError, target.scrapePool].join(' ');
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}
