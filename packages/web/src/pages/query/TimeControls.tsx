/** Which time a query looks at: range and end of a graph, moment of a table, resolution. */

import { formatDuration, parseDuration } from '@tyto/base';
import { useEffect, useState } from 'react';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { type PanelState, stepOf } from '../../lib/queryState.ts';
import { formatTime, parseTime } from '../../lib/time.ts';
import { serverNowMs } from '../../state/serverClock.ts';
import { useSettings } from '../../state/settings.ts';

const PRESETS: readonly string[] = ['5m', '15m', '1h', '3h', '6h', '12h', '1d', '2d', '1w', '4w'];
const STEPS: readonly string[] = ['', '1', '5', '15', '30', '60', '300', '900', '3600'];

interface ControlsProps {
  readonly panel: PanelState;
  readonly onChange: (panel: PanelState) => void;
}

export function TimeControls({ panel, onChange }: ControlsProps) {
  if (panel.tab === 'table') {
    return (
      <div className="time-controls">
        <EndControl panel={panel} onChange={onChange} />
      </div>
    );
  }
  return (
    <div className="time-controls">
      <RangeControl panel={panel} onChange={onChange} />
      <EndControl panel={panel} onChange={onChange} />
      <ResolutionControl panel={panel} onChange={onChange} />
      <StackedControl panel={panel} onChange={onChange} />
    </div>
  );
}

function RangeControl({ panel, onChange }: ControlsProps) {
  const text = useText();
  const set = (rangeMs: number) => onChange({ ...panel, rangeMs });
  return (
    <div className="stepper">
      <button
        type="button"
        className="button"
        aria-label={text.query.shorter}
        title={text.query.shorter}
        onClick={() => set(neighbour(panel.rangeMs, -1))}
      >
        <Icon name="minus" size={14} />
      </button>
      <DraftInput
        value={formatDuration(panel.rangeMs)}
        label={text.query.range}
        hint={text.query.invalidRange}
        size={5}
        list="range-presets"
        parse={(typed) => {
          const ms = parseDuration(typed.trim());
          return ms === undefined || ms <= 0 ? undefined : ms;
        }}
        onValue={set}
      />
      <datalist id="range-presets">
        {PRESETS.map((preset) => (
          <option key={preset} value={preset} />
        ))}
      </datalist>
      <button
        type="button"
        className="button"
        aria-label={text.query.longer}
        title={text.query.longer}
        onClick={() => set(neighbour(panel.rangeMs, 1))}
      >
        <Icon name="plus" size={14} />
      </button>
    </div>
  );
}

function EndControl({ panel, onChange }: ControlsProps) {
  const text = useText();
  const { zone } = useSettings();
  const label = panel.tab === 'graph' ? text.query.end : text.query.moment;
  const set = (endMs: number | undefined) => onChange({ ...panel, endMs });
  const stepMs = panel.tab === 'graph' ? panel.rangeMs / 2 : 60_000;
  const move = (direction: number) => {
    const nowMs = Math.floor(serverNowMs() / 1000) * 1000;
    const movedMs = (panel.endMs ?? nowMs) + direction * stepMs;
    set(movedMs >= nowMs ? undefined : movedMs);
  };
  return (
    <div className="stepper">
      <button
        type="button"
        className="button"
        aria-label={text.query.earlier}
        title={text.query.earlier}
        onClick={() => move(-1)}
      >
        <Icon name="left" size={14} />
      </button>
      <DraftInput
        value={panel.endMs === undefined ? '' : formatTime(panel.endMs, zone)}
        placeholder={text.query.now}
        label={label}
        hint={text.query.invalidTime}
        size={18}
        parse={(typed) => (typed.trim() === '' ? null : parseTime(typed, zone))}
        onValue={(ms) => set(ms ?? undefined)}
      />
      {panel.endMs === undefined ? null : (
        <button
          type="button"
          className="button"
          aria-label={text.query.now}
          title={text.query.now}
          onClick={() => set(undefined)}
        >
          <Icon name="close" size={14} />
        </button>
      )}
      <button
        type="button"
        className="button"
        aria-label={text.query.later}
        title={text.query.later}
        disabled={panel.endMs === undefined}
        onClick={() => move(1)}
      >
        <Icon name="right" size={14} />
      </button>
    </div>
  );
}

function ResolutionControl({ panel, onChange }: ControlsProps) {
  const text = useText();
  const current = panel.stepSeconds === undefined ? '' : String(panel.stepSeconds);
  const steps = STEPS.includes(current) ? STEPS : [...STEPS, current];
  const auto = stepOf({ ...panel, stepSeconds: undefined });
  return (
    <select
      className="input"
      aria-label={text.query.resolution}
      title={text.query.resolution}
      value={current}
      onChange={(event) => {
        const { value } = event.currentTarget;
        onChange({ ...panel, stepSeconds: value === '' ? undefined : Number(value) });
      }}
    >
      {steps.map((step) => (
        <option key={step} value={step}>
          {step === ''
            ? text.query.resolutionAuto(formatDuration(auto * 1000))
            : formatDuration(Number(step) * 1000)}
        </option>
      ))}
    </select>
  );
}

function StackedControl({ panel, onChange }: ControlsProps) {
  const text = useText();
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={panel.isStacked}
        onChange={(event) => onChange({ ...panel, isStacked: event.currentTarget.checked })}
      />
      {text.query.stacked}
    </label>
  );
}

/** A field whose text counts when Enter is pressed or it is left, if it can be read. */
function DraftInput<Value>(props: {
  value: string;
  label: string;
  hint: string;
  size: number;
  placeholder?: string;
  list?: string;
  parse: (typed: string) => Value | undefined;
  onValue: (value: Value) => void;
}) {
  const [draft, setDraft] = useState(props.value);
  useEffect(() => setDraft(props.value), [props.value]);
  const parsed = props.parse(draft);
  const commit = () => {
    if (draft === props.value || parsed === undefined) setDraft(props.value);
    else props.onValue(parsed);
  };
  return (
    <input
      className={parsed === undefined ? 'input invalid' : 'input'}
      value={draft}
      size={props.size}
      list={props.list}
      placeholder={props.placeholder}
      aria-label={props.label}
      aria-invalid={parsed === undefined}
      title={parsed === undefined ? props.hint : props.label}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit();
      }}
    />
  );
}

/** The next preset below or above a range. */
function neighbour(rangeMs: number, direction: -1 | 1): number {
  const presets = PRESETS.map((preset) => parseDuration(preset) ?? 0);
  if (direction === 1) return presets.find((ms) => ms > rangeMs) ?? rangeMs * 2;
  return (
    presets.findLast((ms) => ms < rangeMs) ?? Math.max(1000, Math.round(rangeMs / 2000) * 1000)
  );
}
