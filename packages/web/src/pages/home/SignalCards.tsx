/** A card per signal: the value in large, its shape over the last hour, and what belongs to it. */

import { lazy, type ReactNode, Suspense } from 'react';
import { Link } from '../../components/basics.tsx';
import { Icon } from '../../components/icons.tsx';
import type { Dictionary } from '../../i18n/dictionary.ts';
import { useText } from '../../i18n/useText.ts';
import { formatBytes, formatUnit } from '../../lib/format.ts';
import {
  hostSignals,
  type Level,
  levelOf,
  type Signal,
  type SignalId,
} from '../../lib/hostSignals.ts';
import { queryLink } from '../../lib/queryState.ts';
import { formatClock } from '../../lib/time.ts';
import type { HostName, HostState } from '../../state/host.ts';
import { useSettings } from '../../state/settings.ts';

const Sparkline = lazy(async () => ({
  default: (await import('../../components/Sparkline.tsx')).Sparkline,
}));

interface CardPlan {
  readonly title: string;
  /** Drawn and shown in large. */
  readonly main: readonly (readonly [id: SignalId, text: string])[];
  /** Shown small. */
  readonly others: readonly (readonly [id: SignalId, text: string])[];
}

function plansOf(text: Dictionary): readonly CardPlan[] {
  const { home } = text;
  return [
    {
      title: home.cpu,
      main: [['cpu', '']],
      others: [
        ['load', home.load],
        ['cpuPressure', home.cpuPressure],
      ],
    },
    { title: home.memory, main: [['memory', '']], others: [['swap', home.swap]] },
    {
      title: home.disk,
      main: [['diskBusy', home.diskBusy]],
      others: [
        ['diskRead', home.diskRead],
        ['diskWrite', home.diskWrite],
      ],
    },
    {
      title: home.network,
      main: [
        ['receive', home.receive],
        ['transmit', home.transmit],
      ],
      others: [['networkErrors', home.networkErrors]],
    },
  ];
}

export function SignalCards(props: {
  state: HostState | undefined;
  host: HostName | undefined;
  window: string;
}) {
  const text = useText();
  const { host, state } = props;
  const list = hostSignals(host?.job ?? '', host?.instance ?? '', props.window);
  const signals = new Map(list.map((signal) => [signal.id, signal]));
  return plansOf(text).map((plan) => (
    <SignalCard key={plan.title} plan={plan} state={state} signals={signals} />
  ));
}

function SignalCard(props: {
  plan: CardPlan;
  state: HostState | undefined;
  signals: ReadonlyMap<SignalId, Signal>;
}) {
  const { plan, state, signals } = props;
  const text = useText();
  const level = worst(plan, state, signals);
  const exprs = plan.main.map(([id]) => signals.get(id)?.expr ?? '');
  return (
    <article className={`card signal level-${level}`}>
      <header>
        <Link to={queryLink(exprs[0] ?? '', { tab: 'graph' })} className="signal-title">
          {plan.title}
        </Link>
        <LevelMark level={level} />
      </header>
      <div className="signal-main">
        {plan.main.map(([id, words], index) => (
          <BigValue key={id} signal={signals.get(id)} state={state} words={words} order={index} />
        ))}
      </div>
      <SignalShape plan={plan} state={state} signals={signals} />
      <dl className="signal-others">
        {plan.main[0]?.[0] === 'memory' ? (
          <div>
            <dt className="wide">
              {text.home.memoryFree(
                state?.memoryAvailableBytes === undefined
                  ? '–'
                  : formatBytes(state.memoryAvailableBytes),
              )}
            </dt>
          </div>
        ) : null}
        {plan.others.map(([id, words]) => (
          <SmallValue key={id} signal={signals.get(id)} state={state} words={words} />
        ))}
      </dl>
    </article>
  );
}

function BigValue(props: {
  signal: Signal | undefined;
  state: HostState | undefined;
  words: string;
  order: number;
}) {
  const { signal, state } = props;
  const value = signal === undefined ? undefined : state?.signals[signal.id]?.value;
  const shown = value === undefined || signal === undefined ? '–' : formatUnit(value, signal.unit);
  const [digits = shown, unit = ''] = splitUnit(shown);
  return (
    <div className="big">
      <span className="big-digits">{digits}</span>
      <span className="big-unit">{unit}</span>
      {props.words === '' ? null : (
        <span className={`big-words order-${props.order}`}>{props.words}</span>
      )}
    </div>
  );
}

function SmallValue(props: {
  signal: Signal | undefined;
  state: HostState | undefined;
  words: string;
}) {
  const { signal, state } = props;
  if (signal === undefined) return null;
  const value = state?.signals[signal.id]?.value;
  // Hosts without swap or without pressure information have nothing to say here.
  if (state !== undefined && value === undefined) return null;
  const level = value === undefined ? 'good' : levelOf(value, signal.warning, signal.critical);
  return (
    <div className={`level-${level}`}>
      <dt>{props.words}</dt>
      <dd>{value === undefined ? '–' : formatUnit(value, signal.unit)}</dd>
    </div>
  );
}

function SignalShape(props: {
  plan: CardPlan;
  state: HostState | undefined;
  signals: ReadonlyMap<SignalId, Signal>;
}): ReactNode {
  const { zone } = useSettings();
  const { plan, state } = props;
  if (state === undefined) return <div className="sparkline" />;
  const first = props.signals.get(plan.main[0]?.[0] ?? 'cpu');
  const limits: (readonly [number, string])[] = [];
  if (first?.warning !== undefined) limits.push([first.warning, '--warning']);
  if (first?.critical !== undefined) limits.push([first.critical, '--critical']);
  const empty = state.times.map(() => null);
  const columns = plan.main.map(([id]) => {
    const column = state.signals[id]?.column ?? [];
    return column.length === 0 ? empty : column;
  });
  return (
    <Suspense fallback={<div className="sparkline" />}>
      <Sparkline
        times={state.times}
        columns={columns}
        colors={['--spark-1', '--spark-2'].slice(0, columns.length)}
        limits={limits}
        max={first?.max}
        format={(value) => formatUnit(value, first?.unit ?? 'number')}
        formatTime={(seconds) => formatClock(seconds * 1000, zone)}
      />
    </Suspense>
  );
}

export function LevelMark({ level }: { level: Level }) {
  const text = useText();
  if (level === 'good') return null;
  return (
    <span className={`level-mark tone-${level}`}>
      <Icon name={level} size={14} />
      {level === 'warning' ? text.home.levelWarning : text.home.levelCritical}
    </span>
  );
}

function worst(
  plan: CardPlan,
  state: HostState | undefined,
  signals: ReadonlyMap<SignalId, Signal>,
): Level {
  let level: Level = 'good';
  for (const [id] of [...plan.main, ...plan.others]) {
    const value = state?.signals[id]?.value;
    const signal = signals.get(id);
    if (value === undefined || signal === undefined) continue;
    const one = levelOf(value, signal.warning, signal.critical);
    if (one === 'critical' || (one === 'warning' && level === 'good')) level = one;
  }
  return level;
}

/** `12.3%` and `1.5 KiB/s` as digits and unit. */
function splitUnit(shown: string): string[] {
  const match = /^([-+]?[\d.]+)\s?(.*)$/.exec(shown);
  return match === null ? [shown] : [match[1] ?? '', match[2] ?? ''];
}
