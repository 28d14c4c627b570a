import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TytoError } from '@tyto/base';
import { readDashboard } from '@tyto/dashboards';

const KEYS = [
  ...['title', 'panels', 'rows', 'type', 'gridPos', 'fieldConfig', 'options', 'targets'],
  ...['templating', 'list', 'annotations', 'spec', 'elements', 'layout', 'kind', 'styles'],
  ...['defaults', 'overrides', 'mappings', 'thresholds', 'steps', 'yaxes', 'seriesOverrides'],
];
const WORDS = ['graph', 'singlestat', 'table', 'heatmap', 'row', 'query', 'RowsLayout', 'value'];

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom(null, true, -1, 0, 1e308, '', ...WORDS),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 6 }),
  ),
})).value;

it('any JSON is read or refused', () => {
  fc.assert(
    fc.property(json, (value) => {
      try {
        expect(readDashboard(value).sections).toBeInstanceOf(Array);
      } catch (error) {
        if (!(error instanceof TytoError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
