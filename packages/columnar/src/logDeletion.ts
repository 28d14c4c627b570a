/** Deleting entries for good: the parts that have them are written anew without them. */
import { TytoError } from '@tyto/base';
import type { Labels, LogDeletion, LogField, LogFilter } from '@tyto/model';
import { type ClickHouse, quote } from './clickhouse.ts';
import { QUERY_SETTINGS, findStreams, intersection } from './logReader.ts';
import { entriesCondition, exactLine } from './logSql.ts';
import type { LogWriter } from './logWriter.ts';
import { ENTRIES, STREAMS } from './schema.ts';
import type { StreamCatalog } from './streamCatalog.ts';

/** Resolves when the entries are gone, with their number. */
export async function deleteEntries(
  clickhouse: ClickHouse,
  writer: LogWriter,
  catalog: StreamCatalog,
  request: LogDeletion,
): Promise<number> {
  const conditions = request.filters.map(exactCondition);
  const found = await findStreams(clickhouse, { ...request, matcherSets: [request.matchers] });
  const streams = streamsThatPass(found.labels, request.filters);
  const range = intersection(request, found);
  if (streams.length === 0 || range.startNs >= range.endNs) return 0;
  const where = [entriesCondition(request.tenant, streams, range), ...conditions].join(' AND ');
  return writer.alone(async () => {
    const [[count]] = await clickhouse.rows<[string]>(
      `SELECT count() FROM ${ENTRIES} WHERE ${where}`,
    );
    if (count === '0') return 0;
    await clickhouse.command(
      `ALTER TABLE ${ENTRIES} DELETE WHERE ${where} SETTINGS mutations_sync = 2, ${QUERY_SETTINGS}`,
    );
    await forgetEmptyStreams(clickhouse, request.tenant, streams);
    catalog.forget();
    return Number(count);
  });
}

/** Rows of streams that have no entries on a day any more. Nothing may be written meanwhile. */
async function forgetEmptyStreams(
  clickhouse: ClickHouse,
  tenant: string,
  streams: readonly bigint[],
): Promise<void> {
  const own = `tenant = ${quote(tenant)} AND stream IN (${streams.join(',')})`;
  await clickhouse.command(
    `ALTER TABLE ${STREAMS} DELETE WHERE ${own}
       AND (stream, day) NOT IN (SELECT stream, toDate(time) FROM ${ENTRIES} WHERE ${own})
     SETTINGS mutations_sync = 2, ${QUERY_SETTINGS}`,
  );
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
      return `metadata[${quote(place.name)}] ${filter.type} ${quote(filter.value)}`;
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
