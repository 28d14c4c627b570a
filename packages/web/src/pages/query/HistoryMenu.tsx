/** The queries that ran before, to run again. */

import { useRef } from 'react';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';

export function HistoryMenu(props: {
  history: readonly string[];
  onPick: (expr: string) => void;
  onClear: () => void;
}) {
  const text = useText();
  const details = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (details.current !== null) details.current.open = false;
  };
  return (
    <details
      className="menu"
      ref={details}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) close();
      }}
    >
      <summary className="button ghost" title={text.query.history} aria-label={text.query.history}>
        <Icon name="clock" />
      </summary>
      <div className="menu-body history">
        {props.history.length === 0 ? <p className="faint">{text.query.historyEmpty}</p> : null}
        <ul>
          {props.history.map((expr) => (
            <li key={expr}>
              <button
                type="button"
                className="history-item mono"
                onClick={() => {
                  close();
                  props.onPick(expr);
                }}
              >
                {expr}
              </button>
            </li>
          ))}
        </ul>
        {props.history.length > 0 ? (
          <button type="button" className="button small" onClick={props.onClear}>
            {text.query.historyClear}
          </button>
        ) : null}
      </div>
    </details>
  );
}
