/** Asking the data: several queries one below the other; the address holds their state. */

import { useRef, useState } from 'react';
import { Choices } from '../components/basics.tsx';
import { Icon } from '../components/icons.tsx';
import { useText } from '../i18n/useText.ts';
import { parseHistory, remember } from '../lib/history.ts';
import { EMPTY_PANEL, formatPanels, type PanelState, parsePanels } from '../lib/queryState.ts';
import { currentLocation, navigate, useLocation } from '../state/router.ts';
import { readStored, writeStored } from '../state/storage.ts';
import { Panel } from './query/Panel.tsx';
import '../styles/query.css';

const REFRESH_SECONDS = ['0', '5', '15', '60'] as const;

export function QueryPage() {
  const text = useText();
  const { search } = useLocation();
  const panels = parsePanels(search);
  const ids = usePanelIds(panels.length);
  const [refresh, setRefresh] = useState<(typeof REFRESH_SECONDS)[number]>('0');
  const [history, setHistory] = useState(() => parseHistory(readStored('history')));
  const keep = (next: readonly string[]) => {
    setHistory([...next]);
    writeStored('history', JSON.stringify(next));
  };
  return (
    <div className="page query-page">
      <h1 className="hidden-text">{text.query.title}</h1>
      {panels.map((panel, index) => (
        <Panel
          key={ids.list[index]}
          panel={panel}
          number={index + 1}
          refreshMs={Number(refresh) * 1000}
          history={history}
          onChange={(next) => show(panels.with(index, next))}
          onRan={(expr) => keep(remember(history, expr))}
          onClearHistory={() => keep([])}
          onDuplicate={() => {
            ids.insert(index + 1);
            show(panels.toSpliced(index + 1, 0, panel));
          }}
          onRemove={
            panels.length === 1
              ? undefined
              : () => {
                  ids.remove(index);
                  show(panels.toSpliced(index, 1));
                }
          }
        />
      ))}
      <div className="query-foot">
        <button
          type="button"
          className="button"
          onClick={() => {
            ids.insert(panels.length);
            const last = panels.at(-1) ?? EMPTY_PANEL;
            show([...panels, { ...last, expr: '' }]);
          }}
        >
          <Icon name="plus" />
          {text.query.add}
        </button>
        <div className="query-refresh">
          <span className="faint">{text.query.refresh}</span>
          <Choices
            label={text.query.refresh}
            value={refresh}
            choices={REFRESH_SECONDS.map((seconds) => [
              seconds,
              seconds === '0' ? text.query.refreshOff : seconds === '60' ? '1m' : `${seconds}s`,
            ])}
            onChange={setRefresh}
          />
        </div>
      </div>
    </div>
  );
}

function show(panels: readonly PanelState[]): void {
  const { path } = currentLocation();
  navigate(`${path === 'graph' ? 'graph' : 'query'}${formatPanels(panels)}`);
}

/** Names for the panels that stay with them when others come and go. */
function usePanelIds(count: number) {
  const next = useRef(count);
  const list = useRef(Array.from({ length: count }, (_, index) => index));
  if (list.current.length !== count) {
    list.current = Array.from({ length: count }, () => next.current++);
  }
  return {
    list: list.current,
    insert: (index: number) => list.current.splice(index, 0, next.current++),
    remove: (index: number) => list.current.splice(index, 1),
  };
}
