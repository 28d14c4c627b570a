/** Tables of medians, with each server's ratio to Prometheus, as Markdown. */
import { cpus, release, totalmem } from 'node:os';
import { formatNumber, MEBIBYTE, median, medians } from './figures.js';

/** The server that the others are compared with. */
const BASE = 'prometheus';
/** Ratios this close to 1 are called equal. */
const EQUAL_WITHIN = 0.05;

/**
 * @typedef {object} Outcome of a workload on a server
 * @property {string} server
 * @property {import('./figures.js').Figure[][]} runs
 * @property {string[]} failures what a run ended with that gave no figures
 *
 * @typedef {object} Section
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {Outcome[]} outcomes
 */

/** A ratio with `+` where it is better, `-` where it is worse, `=` where it is neither. */
function ratioText(value, base, better) {
  if (value === undefined || base === undefined || Number.isNaN(value) || Number.isNaN(base)) {
    return '-';
  }
  const ratio = value === base ? 1 : value / base;
  const text = Number.isFinite(ratio) ? `${ratio.toFixed(2)}x` : 'inf';
  if (better === 'none') return text;
  if (Math.abs(ratio - 1) <= EQUAL_WITHIN) return `${text} =`;
  return `${text} ${ratio > 1 === (better === 'more') ? '+' : '-'}`;
}

function tableOf(outcomes) {
  const columns = outcomes.filter(({ runs }) => runs.length > 0);
  if (columns.length === 0) return [];
  const found = new Map(columns.map(({ server, runs }) => [server, medians(runs)]));
  const base = found.get(BASE);
  const compared = base === undefined ? [] : columns.filter(({ server }) => server !== BASE);
  const rows = new Map([...found.values()].flat().map((figure) => [figure.name, figure]));
  const heads = columns.map(({ server }) => server);
  const ratios = compared.map(({ server }) => `${server}/${BASE}`);
  const lines = [
    `| | unit | ${[...heads, ...ratios].join(' | ')} |`,
    `|---|---|${'---:|'.repeat(heads.length + ratios.length)}`,
  ];
  for (const [name, { unit, better }] of rows) {
    const figureOf = (figures) => figures?.find((figure) => figure.name === name)?.value;
    const values = columns.map(({ server }) => formatNumber(figureOf(found.get(server))));
    const quotients = compared.map(({ server }) =>
      ratioText(figureOf(found.get(server)), figureOf(base), better),
    );
    lines.push(`| ${name} | ${unit} | ${[...values, ...quotients].join(' | ')} |`);
  }
  return lines;
}

/** @param {Section} section */
export function sectionText({ name, title, description, outcomes }) {
  const lines = [`## ${name} ${title}`, '', description, '', ...tableOf(outcomes)];
  for (const { server, failures } of outcomes) {
    for (const failure of new Set(failures)) {
      lines.push('', `**${server}** has no figures of a run: ${failure}`);
    }
  }
  return `${lines.join('\n').replace(/\n+$/, '')}\n`;
}

/**
 * @param {import('./plan.js').Plan} plan
 * @param {readonly Section[]} sections
 * @param {readonly number[]} otherShares of all cores that other processes took, a run each
 */
export function reportText(plan, sections, otherShares) {
  const memory = (totalmem() / MEBIBYTE / 1024).toFixed(0);
  const percent = (value) => `${(value * 100).toFixed(0)} %`;
  const others =
    otherShares.length === 0
      ? ''
      : ` Other processes took ${percent(median([...otherShares]))} of all cores while measuring ` +
        `(median of the runs), ${percent(Math.max(...otherShares))} at most.`;
  const intro =
    `\`npm run bench:peers\`: medians of ${plan.runs} runs, scale ${plan.scale}, seed ` +
    `${plan.seed}, one server alive at a time, each run on an empty directory, on ` +
    `${cpus().length} cores, ${memory} GiB, Linux ${release()}, Node.js ${process.version}. ` +
    'Ratios hold, single absolute figures do not. Ratios: + better, - worse, = within 5 %.' +
    `${others}\n`;
  return ['# Tyto and its peers\n', intro, ...sections.map(sectionText)].join('\n');
}
