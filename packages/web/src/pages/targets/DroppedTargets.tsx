/** What discovery found and relabelling removed; asked for when it is opened. */

import { useState } from 'react';
import { LabelChips, LoadError, Skeleton } from '../../components/basics.tsx';
import { useText } from '../../i18n/useText.ts';
import { api } from '../../state/connection.ts';
import { usePoll } from '../../state/poll.ts';

const SHOWN_MAX = 100;

export function DroppedTargets() {
  const text = useText();
  const [isOpen, setIsOpen] = useState(false);
  const dropped = usePoll(
    isOpen ? 'dropped' : undefined,
    async (signal) => (await api.targets({ state: 'dropped' }, { signal })).data.droppedTargets,
    { intervalMs: undefined },
  );
  const rest = (dropped.data?.length ?? 0) - SHOWN_MAX;
  return (
    <details className="card dropped" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        <h2>{text.targets.dropped}</h2>
        <span className="faint">{text.targets.droppedDetail}</span>
      </summary>
      {dropped.data === undefined && dropped.error === undefined ? <Skeleton /> : null}
      {dropped.error === undefined ? null : <LoadError error={dropped.error} />}
      {dropped.data === undefined ? null : (
        <p className="faint">{text.targets.droppedCount(dropped.data.length)}</p>
      )}
      <ul className="rows">
        {(dropped.data ?? []).slice(0, SHOWN_MAX).map((target) => (
          <li key={JSON.stringify(target.discoveredLabels)} className="dropped-row">
            <LabelChips labels={target.discoveredLabels} />
          </li>
        ))}
      </ul>
      {rest > 0 ? <p className="faint">{text.query.moreSeries(rest)}</p> : null}
    </details>
  );
}
