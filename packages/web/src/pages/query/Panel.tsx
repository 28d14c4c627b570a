/** One query: its expression, how to look at it, and what came back. */

import type { ApiError } from '@tyto/api';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Choices, EmptyState } from '../../components/basics.tsx';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { formatCount, formatSeconds } from '../../lib/format.ts';
import type { PanelState } from '../../lib/queryState.ts';
import { useSettings } from '../../state/settings.ts';
import { HistoryMenu } from './HistoryMenu.tsx';
import { ResultGraph } from './ResultGraph.tsx';
import { ResultTable } from './ResultTable.tsx';
import { TimeControls } from './TimeControls.tsx';
import { type Outcome, useQuery } from './useQuery.ts';

const PromqlEditor = lazy(async () => ({
  default: (await import('../../editor/PromqlEditor.tsx')).PromqlEditor,
}));

export interface PanelProps {
  readonly panel: PanelState;
  readonly number: number;
  readonly refreshMs: number;
  readonly history: readonly string[];
  readonly onChange: (panel: PanelState) => void;
  readonly onRan: (expr: string) => void;
  readonly onClearHistory: () => void;
  readonly onDuplicate: () => void;
  readonly onRemove: (() => void) | undefined;
}

export function Panel(props: PanelProps) {
  const { panel, onChange } = props;
  const text = useText();
  const [draft, setDraft] = useState(panel.expr);
  const [runCount, setRunCount] = useState(0);
  const running = useQuery(panel, runCount, props.refreshMs);
  useEffect(() => setDraft(panel.expr), [panel.expr]);
  const run = (expr: string) => {
    props.onRan(expr);
    if (expr === panel.expr) setRunCount(runCount + 1);
    else onChange({ ...panel, expr });
  };
  const showTable = running.outcome?.kind === 'table' ? running.outcome : undefined;
  const showGraph = running.outcome?.kind === 'graph' ? running.outcome : undefined;
  return (
    <section className="card panel" aria-label={text.query.panel(props.number)}>
      <ExpressionRow {...props} draft={draft} onDraft={setDraft} onRun={run} running={running} />
      <div className="panel-bar">
        <Choices
          label={text.query.title}
          value={panel.tab}
          choices={[
            ['table', text.query.table],
            ['graph', text.query.graph],
          ]}
          onChange={(tab) => onChange({ ...panel, tab })}
        />
        <TimeControls panel={panel} onChange={onChange} />
        <RunStats outcome={running.outcome} />
      </div>
      <div className={running.isRunning ? 'panel-result is-running' : 'panel-result'}>
        <Annotations outcome={running.outcome} />
        {running.outcome?.kind === 'error' ? (
          <QueryError error={running.outcome.error} expr={panel.expr} />
        ) : null}
        {panel.expr.trim() === '' ? (
          <EmptyState icon="query" title={text.query.notRun}>
            {text.query.notRunDetail}
          </EmptyState>
        ) : null}
        {showTable === undefined ? null : <ResultTable data={showTable.answer.data} />}
        {showGraph === undefined ? null : (
          <ResultGraph
            panel={panel}
            data={showGraph.answer.data}
            grid={showGraph.grid}
            onChange={onChange}
          />
        )}
        {running.outcome === undefined && running.isRunning ? <div className="waiting" /> : null}
      </div>
    </section>
  );
}

interface ExpressionRowProps extends PanelProps {
  readonly draft: string;
  readonly onDraft: (expr: string) => void;
  readonly onRun: (expr: string) => void;
  readonly running: { readonly isRunning: boolean; readonly cancel: () => void };
}

function ExpressionRow(props: ExpressionRowProps) {
  const text = useText();
  const { draft, running, onRun, onDraft } = props;
  return (
    <div className="expression-row">
      <Suspense fallback={<div className="editor editor-waiting mono">{draft}</div>}>
        <PromqlEditor
          value={draft}
          label={text.query.expression}
          placeholder={text.query.placeholder}
          isFirst={props.number === 1}
          onChange={onDraft}
          onRun={onRun}
        />
      </Suspense>
      <div className="expression-buttons">
        {running.isRunning ? (
          <button type="button" className="button run" onClick={running.cancel}>
            {text.query.cancel}
          </button>
        ) : (
          <button type="button" className="button primary run" onClick={() => onRun(draft)}>
            {text.query.run}
          </button>
        )}
        <HistoryMenu history={props.history} onPick={onRun} onClear={props.onClearHistory} />
        <button
          type="button"
          className="button ghost"
          title={text.query.duplicate}
          aria-label={text.query.duplicate}
          onClick={props.onDuplicate}
        >
          <Icon name="copy" />
        </button>
        {props.onRemove === undefined ? null : (
          <button
            type="button"
            className="button ghost"
            title={text.query.remove}
            aria-label={text.query.remove}
            onClick={props.onRemove}
          >
            <Icon name="trash" />
          </button>
        )}
      </div>
    </div>
  );
}

function RunStats({ outcome }: { outcome: Outcome | undefined }) {
  const text = useText();
  const { language } = useSettings();
  if (outcome === undefined || outcome.kind === 'error') return <span className="run-stats" />;
  const { data } = outcome.answer;
  const isScalar = data.resultType === 'scalar' || data.resultType === 'string';
  const count = isScalar ? 1 : data.result.length;
  const parts = [
    text.query.stats(
      formatSeconds(outcome.tookMs / 1000),
      text.query.series(formatCount(count, language)),
    ),
  ];
  if (outcome.kind === 'graph') parts.push(text.query.resolutionIs(`${outcome.grid.step}s`));
  return (
    <span className="run-stats faint" role="status">
      {parts.join(' · ')}
    </span>
  );
}

function Annotations({ outcome }: { outcome: Outcome | undefined }) {
  const text = useText();
  if (outcome === undefined || outcome.kind === 'error') return null;
  const { warnings, infos } = outcome.answer;
  return (
    <>
      {warnings.map((warning) => (
        <p key={warning} className="annotation tone-warning">
          <Icon name="warning" size={14} /> <strong>{text.query.warnings}</strong> {warning}
        </p>
      ))}
      {infos.map((info) => (
        <p key={info} className="annotation tone-info">
          <Icon name="info" size={14} /> <strong>{text.query.infos}</strong> {info}
        </p>
      ))}
    </>
  );
}

const POSITION = /(?:^|: )(\d+):(\d+): (?:parse error: )?/;

function QueryError({ error, expr }: { error: ApiError; expr: string }) {
  const text = useText();
  const { errors } = text.query;
  const known = Object.keys(errors).find((type) => type === error.errorType);
  const title = errors[(known ?? 'other') as keyof typeof errors];
  const position = POSITION.exec(error.message);
  const line = Number(position?.[1] ?? 0);
  const column = Number(position?.[2] ?? 0);
  const source = expr.split('\n')[line - 1];
  return (
    <div className="notice tone-critical" role="alert">
      <Icon name="critical" />
      <div>
        <strong>{title}</strong>
        {position === null ? null : (
          <span className="faint"> {text.query.errorAt(line, column)}</span>
        )}
        {position === null || source === undefined ? null : (
          <pre className="error-source">{`${source}\n${' '.repeat(Math.max(0, column - 1))}^`}</pre>
        )}
        <p className="mono wrap">
          {position === null
            ? error.message
            : error.message.slice(position.index).replace(POSITION, '')}
        </p>
      </div>
    </div>
  );
}
