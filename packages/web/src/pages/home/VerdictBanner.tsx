/** One sentence on the state of everything, with its icon, colour and what belongs to it. */

import { Ago, CopyButton, Link } from '../../components/basics.tsx';
import { Icon, type IconName } from '../../components/icons.tsx';
import type { Dictionary } from '../../i18n/dictionary.ts';
import { useText } from '../../i18n/useText.ts';
import { formatPercent } from '../../lib/format.ts';
import { loudCountOf, type Strain, type Verdict, type VerdictLevel } from '../../lib/verdict.ts';

const ICONS: Readonly<Record<VerdictLevel, IconName>> = {
  critical: 'critical',
  warning: 'warning',
  unknown: 'unknown',
  good: 'good',
};

const START_COMMAND = 'tyto start --config.file=prometheus.yml';

export function VerdictBanner({ verdict }: { verdict: Verdict | undefined }) {
  const text = useText();
  if (verdict === undefined) {
    return (
      <section className="verdict tone-unknown" aria-label={text.home.verdict} aria-busy="true">
        <Icon name="clock" size={40} />
        <div>
          <h1>{text.home.checking}</h1>
          <p>&nbsp;</p>
        </div>
      </section>
    );
  }
  return (
    <section
      className={`verdict tone-${verdict.level}`}
      aria-label={text.home.verdict}
      data-verdict={verdict.kind}
    >
      <Icon name={ICONS[verdict.level]} size={40} />
      <div className="verdict-words" role="status">
        <h1>{headline(verdict, text)}</h1>
        <p>
          {detail(verdict, text)}
          {Number.isFinite(verdict.sinceMs) && verdict.kind === 'firing' ? (
            <FiringSince ms={verdict.sinceMs} />
          ) : null}
        </p>
        {verdict.kind === 'empty' ? <StartHint /> : null}
      </div>
      <VerdictExtras verdict={verdict} />
    </section>
  );
}

function headline(verdict: Verdict, text: Dictionary): string {
  const loudCount = loudCountOf(verdict);
  switch (verdict.kind) {
    case 'disconnected':
      return text.home.unknown;
    case 'firing':
      if (verdict.downCount > 0) return text.home.firingAndDown(loudCount, verdict.downCount);
      return verdict.level === 'good' ? text.home.goodInfo : text.home.firing(loudCount);
    case 'down':
      return text.home.down(verdict.downCount);
    case 'strained':
      return text.home.strained(hostCount(verdict.strains));
    case 'broken':
      return text.home.broken(verdict.brokenRuleCount);
    case 'empty':
      return text.home.empty;
    case 'starting':
      return text.home.starting;
    case 'good':
      return text.home.good;
  }
}

function detail(verdict: Verdict, text: Dictionary): string {
  switch (verdict.kind) {
    case 'disconnected':
      return text.home.unknownDetail;
    case 'firing':
      return text.home.firingDetail(verdict.criticalCount, verdict.warningCount, verdict.infoCount);
    case 'down':
      return text.home.downDetail(verdict.upCount);
    case 'strained':
      return strainText(verdict.strains, text);
    case 'broken':
      return text.home.brokenDetail;
    case 'empty':
      return text.home.emptyDetail;
    case 'starting':
      return text.home.startingDetail(verdict.targetCount);
    case 'good':
      if (verdict.ruleCount === 0) return text.home.goodNoRules(verdict.upCount);
      return text.home.goodDetail(verdict.upCount, verdict.ruleCount);
  }
}

/** Named in full, since there is room for a few only. */
const STRAINS_NAMED_MAX = 3;

function strainText(strains: readonly Strain[], text: Dictionary): string {
  const named = strains
    .slice(0, STRAINS_NAMED_MAX)
    .map(
      ({ id, instance, value }) => `${instance}: ${text.home.strains[id]} ${formatPercent(value)}`,
    );
  const restCount = strains.length - named.length;
  return [...named, ...(restCount > 0 ? [text.query.moreSeries(restCount)] : [])].join(' · ');
}

function hostCount(strains: readonly Strain[]): number {
  return new Set(strains.map((one) => `${one.job} ${one.instance}`)).size;
}

function FiringSince({ ms }: { ms: number }) {
  const text = useText();
  const [before = '', after = ''] = text.home.firingSince('\u0000').split('\u0000');
  return (
    <>
      {' · '}
      {before}
      <Ago ms={ms} />
      {after}
    </>
  );
}

function StartHint() {
  const text = useText();
  return (
    <div className="start-hint">
      <p>{text.home.emptyHint}</p>
      <code>{START_COMMAND}</code>{' '}
      <CopyButton getText={() => START_COMMAND}>{text.common.copy}</CopyButton>
    </div>
  );
}

/** What is not the headline but should not be overlooked. */
function VerdictExtras({ verdict }: { verdict: Verdict }) {
  const text = useText();
  const { pendingCount, silencedCount, brokenRuleCount, strains } = verdict;
  if (verdict.kind === 'disconnected') return null;
  return (
    <ul className="verdict-extras">
      {strains.length > 0 && verdict.kind !== 'strained' ? (
        <li className="tone-warning" title={strainText(strains, text)}>
          <Icon name="warning" size={14} /> {text.home.strained(hostCount(strains))}
        </li>
      ) : null}
      {pendingCount > 0 ? (
        <li>
          <Link to="alerts?state=pending">
            <Icon name="clock" size={14} /> {text.home.pending(pendingCount)}
          </Link>
        </li>
      ) : null}
      {silencedCount > 0 ? (
        <li>
          <Link to="alerts?view=notifications">
            <Icon name="muted" size={14} /> {text.home.silenced(silencedCount)}
          </Link>
        </li>
      ) : null}
      {brokenRuleCount > 0 && verdict.kind !== 'broken' ? (
        <li className="tone-warning">
          <Link to="alerts?state=error">
            <Icon name="warning" size={14} /> {text.home.brokenShort(brokenRuleCount)}
          </Link>
        </li>
      ) : null}
    </ul>
  );
}
