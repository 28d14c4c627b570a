/** The table of Q: a row for each query, cold, warm and processor time of each server. */
import { BASE, ratioText } from './ratio.js';
import { formatNumber, medians } from './figures.js';

const COLUMNS = ['cold', 'warm', 'cpu'];

/**
 * @param {readonly import('./queryList.js').Query[]} queries
 * @param {readonly import('./report.js').Outcome[]} outcomes
 * @param {(server: string, base: string, query: string) => string} compare answers
 * @returns {string[]} lines of Markdown
 */
export function queryTable(queries, outcomes, compare) {
  const measured = outcomes.filter(({ runs }) => runs.length > 0);
  const found = new Map(measured.map(({ server, runs }) => [server, medians(runs)]));
  const valueOfQuery = (server, row, column) =>
    found.get(server)?.find((one) => one.row === row && one.column === column)?.value;
  const servers = measured.map(({ server }) => server);
  const others = found.has(BASE) ? servers.filter((server) => server !== BASE) : [];
  const heads = [
    ...servers.flatMap((server) => COLUMNS.map((column) => `${server} ${column}`)),
    ...others.flatMap((server) => [`${server}/${BASE} warm`, 'cpu', 'answers']),
  ];
  const lines = [`| query (ms) | ${heads.join(' | ')} |`, `|---|${'---:|'.repeat(heads.length)}`];
  for (const { name } of queries) {
    const values = servers.flatMap((server) =>
      COLUMNS.map((column) => formatNumber(valueOfQuery(server, name, column))),
    );
    const ratios = others.flatMap((server) => [
      ...['warm', 'cpu'].map((column) =>
        ratioText(valueOfQuery(server, name, column), valueOfQuery(BASE, name, column), 'less'),
      ),
      compare(server, BASE, name),
    ]);
    lines.push(`| ${name} | ${[...values, ...ratios].join(' | ')} |`);
  }
  return lines;
}
