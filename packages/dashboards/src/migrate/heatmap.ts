/** The heat map of before version 9, whose settings stood beside its options. */
import { flagOf, isRecord, type Json, numberOf, recordOf, textOf } from '../json.ts';

export function migrateHeatmap(panel: Json): Json {
  const options = recordOf(panel.options);
  const isOld = panel.dataFormat !== undefined && options.calculate === undefined;
  if (!isOld) return panel;
  const color = recordOf(panel.color);
  const axis = recordOf(panel.yAxis);
  const isOpacity = color.mode === 'opacity';
  const unit = textOf(axis.format);
  const { fieldConfig } = panel;
  return {
    ...panel,
    fieldConfig: isRecord(fieldConfig) ? fieldConfig : { defaults: {}, overrides: [] },
    options: {
      calculate: panel.dataFormat !== 'tsbuckets',
      color: {
        mode: isOpacity ? 'opacity' : 'scheme',
        scheme: textOf(color.colorScheme).replace(/^interpolate/, '') || 'Oranges',
        fill: textOf(color.cardColor),
        scale: color.colorScale === 'sqrt' ? 'exponential' : 'linear',
        exponent: numberOf(color.exponent) ?? 0.5,
        reverse: false,
        ...present('min', numberOf(color.min)),
        ...present('max', numberOf(color.max)),
      },
      filterValues: { le: flagOf(panel.hideZeroBuckets) ? 0 : -1 },
      cellGap: numberOf(recordOf(panel.cards).cardPadding) ?? 1,
      legend: { show: flagOf(recordOf(panel.legend).show) },
      rowsFrame: { layout: textOf(panel.yBucketBound, 'auto') },
      tooltip: { mode: flagOf(recordOf(panel.tooltip).show, true) ? 'single' : 'none' },
      yAxis: {
        unit,
        reverse: flagOf(panel.reverseYBuckets),
        axisPlacement: flagOf(axis.show, true) ? 'left' : 'hidden',
        ...present('decimals', numberOf(axis.decimals)),
        ...present('min', numberOf(axis.min)),
        ...present('max', numberOf(axis.max)),
      },
    },
  };
}

function present(name: string, value: number | undefined): Json {
  return value === undefined ? {} : { [name]: value };
}
