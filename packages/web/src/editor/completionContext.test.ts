import { describe, expect, it } from 'vitest';
import { completionContextAt } from './completionContext.ts';

/** The context at the `|` of a text. */
function at(marked: string) {
  const position = marked.indexOf('|');
  return completionContextAt(marked.replace('|', ''), position);
}

describe('completion', () => {
  it('offers metrics and functions where an expression may begin', () => {
    expect(at('ra|')).toEqual({ kind: 'expression', from: 0 });
    expect(at('sum(ra|')).toEqual({ kind: 'expression', from: 4 });
    expect(at('up + no|')).toEqual({ kind: 'expression', from: 5 });
  });

  it('offers the labels of the metric inside its braces', () => {
    expect(at('up{|}')).toEqual({ kind: 'labelName', from: 3, metric: 'up' });
    expect(at('up{job="a}", in|')).toEqual({ kind: 'labelName', from: 13, metric: 'up' });
    expect(at('{|')).toEqual({ kind: 'labelName', from: 1, metric: undefined });
  });

  it('offers the values of the label inside its quotes', () => {
    expect(at('up{job=~"no|"}')).toEqual({
      kind: 'labelValue',
      from: 9,
      metric: 'up',
      label: 'job',
    });
    expect(at('up{job="a", "service.name"=\'x|')).toEqual({
      kind: 'labelValue',
      from: 28,
      metric: 'up',
      label: 'service.name',
    });
  });

  it('offers labels where an aggregation groups', () => {
    expect(at('sum by (in|) (up{job="node"})')).toEqual({
      kind: 'labelName',
      from: 8,
      metric: 'up',
    });
  });

  it('offers durations inside brackets', () => {
    expect(at('rate(up[5|')).toEqual({ kind: 'duration', from: 8 });
    expect(at('rate(up[|')).toEqual({ kind: 'duration', from: 8 });
  });

  it('stays quiet in comments, numbers, after an operator and in other strings', () => {
    for (const text of ['up # ra|', '12|', 'up{job=|', 'label_replace(up, "a|']) {
      expect(at(text)).toEqual({ kind: 'nothing' });
    }
  });
});
