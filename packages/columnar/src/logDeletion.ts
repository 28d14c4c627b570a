/** Deleting entries for good: the parts that have them are written anew without them. */
import { type Clock, TytoError } from '@tyto/base';
import type { Labels, LogDeletion, LogField, LogFilter } from '@tyto/model';
import { type ClickHouse, quote } from './clickhouse.ts';
import { entriesCondition, exactLine, metadataSql } from './logSql.ts';
import type { LogWriter } from './logWriter.ts';
import { deleteRows } from './mutation.ts';
import { ENTRIES, STREAMS } from './schema.ts';
import type { StreamCatalog } from './streamCatalog.ts';
import { intersection } from './streamFinder.ts';

export interface DeletionTools {
  readonly clickhouse: ClickHouse;
  readonly writer: LogWriter;
  readonly catalog: StreamCatalog;
  readonly clock: Clock;
}

/** Resolves when the entries are gone, with their number. Those that come meanwhile may stay. */
export async function deleteEntries(
  { clickhouse, writer, catalog, clock }: DeletionTools,
  request: LogDeletion,
): Promise<number> {
  const conditions = request.filters.map(exactCondition);
  const found = await catalog.find(clickhouse, { ...request, matcherSets: [request.matchers] });
  const streams = streamsThatPass(found.labels, request.filters);
  const range = intersection(request, found);
  if (streams.length === 0 || range.startNs >= range.endNs) return 0;
  const where = [entriesCondition(request.tenant, streams, range), ...conditions].join(' AND ');
  const [[count]] = await clickhouse.rows<[string]>(
    `SELECT count() FROM ${ENTRIES} WHERE ${where}`,
  );
  if (count === '0') return 0;
  await deleteRows(clickhouse, clock, ENTRIES, where);
  // A stream that is written to now must not lose its row.
  await writer.alone(async () => {
    const own = `tenant = ${quote(request.tenant)} AND stream IN (${streams.join(',')})`;
    const left = `SELECT stream, toDate(time) FROM ${ENTRIES} WHERE ${own}`;
    await deleteRows(clickhouse, clock, STREAMS, `${own} AND (stream, day) NOT IN (${left})`);
    catalog.forget();
  });
  return Number(count);
}

/** Filters by labels are decided here, the others by SQL. */
function streamsThatPass(
  labels: ReadonlyMap<bigint, Labels>,
  filters: readonly LogFilter[],
): bigint[] {
  return [...labels].flatMap(([id, own]) =>
    filters.every((filter) => {
      const label = labelOf(filter);
      return label === undefined || own.get(label.name) === label.value;
    })
      ? [id]
      : [],
  );
}

/** A filter `label = value`, the one kind of filters by labels that is taken. */
function labelOf(filter: LogFilter): { name: string; value: string } | undefined {
  if (filter.on !== 'field' || filter.type !== '=') return undefined;
  const place = onlyPlace(filter.places);
  return place?.from === 'label' ? { name: place.name, value: filter.value } : undefined;
}

function exactCondition(filter: LogFilter): string {
  const line = exactLine(filter);
  if (line !== undefined) return line;
  if (labelOf(filter) !== undefined) return '1';
  if (filter.on === 'field' && (filter.type === '=' || filter.type === '!=')) {
    const place = onlyPlace(filter.places);
    if (place?.from === 'metadata') {
      return `${metadataSql(place.name)} ${filter.type} ${quote(filter.value)}`;
    }
  }
  throw new TytoError(
    'bad_data',
    'logs can be deleted by their labels, by texts and patterns of lines (|=, !=, |~, !~) and by ' +
      'structured metadata; leave out the other filters',
  );
}

function onlyPlace(places: readonly LogField[]): LogField | undefined {
  return places.length === 1 ? places[0] : undefined;
}
