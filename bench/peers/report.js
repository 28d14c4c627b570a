/** Tables of medians, with each server's ratio to Prometheus, as Markdown. */
import { cpus, release, totalmem } from 'node:os';
import { formatNumber, MEBIBYTE, median, medians } from './figures.js';
import { BASE, ratioText } from './ratio.js';

/**
 * @typedef {object} Outcome of a workload on a server
 * @property {string} server
 * @property {import('./figures.js').Figure[][]} runs
 * @property {string[]} failures what a run ended with that gave no figures
 *
 * @typedef {object} Section
 * @property {string} name
 * @property {string} title
 * @property {string} [base] the server that the others are compared with
 * @property {string} description
 * @property {Outcome[]} outcomes
 * @property {string[]} detail further lines of Markdown
 */

/** Figures that have no table of their own. */
function ownRows(runs) {
  return medians(runs).filter(({ row }) => row === undefined);
}

function tableOf(outcomes, base) {
  const columns = outcomes.filter(({ runs }) => runs.length > 0);
  if (columns.length === 0) return [];
  const found = new Map(columns.map(({ server, runs }) => [server, ownRows(runs)]));
  const baseFigures = found.get(base);
  const compared = baseFigures === undefined ? [] : columns.filter(({ server }) => server !== base);
  const rows = new Map([...found.values()].flat().map((figure) => [figure.name, figure]));
  const heads = columns.map(({ server }) => server);
  const ratios = compared.map(({ server }) => `${server}/${base}`);
  const lines = [
    `| | unit | ${[...heads, ...ratios].join(' | ')} |`,
    `|---|---|${'---:|'.repeat(heads.length + ratios.length)}`,
  ];
  for (const [name, { unit, better }] of rows) {
    const figureOf = (figures) => figures?.find((figure) => figure.name === name)?.value;
    const values = columns.map(({ server }) => formatNumber(figureOf(found.get(server))));
    const quotients = compared.map(({ server }) =>
      ratioText(figureOf(found.get(server)), figureOf(baseFigures), better),
    );
    lines.push(`| ${name} | ${unit} | ${[...values, ...quotients].join(' | ')} |`);
  }
  return lines;
}

/** @param {Section} section */
export function sectionText({ name, title, base = BASE, description, outcomes, detail }) {
  const lines = [`## ${name} ${title}`, '', description, '', ...tableOf(outcomes, base)];
  if (detail.length > 0) lines.push('', ...detail);
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
