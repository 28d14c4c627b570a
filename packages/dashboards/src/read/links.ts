/** Links of dashboards, panels and values. */
import { flagOf, recordsOf, textOf, textsOf } from '../json.ts';
import type { Link } from '../model.ts';

export function linksOf(value: unknown): readonly Link[] {
  return recordsOf(value).map((link) => ({
    title: textOf(link.title),
    url: textOf(link.url),
    opensNewTab: flagOf(link.targetBlank),
    tags: link.type === 'dashboards' ? textsOf(link.tags) : [],
    keepsTime: flagOf(link.keepTime),
    keepsVariables: flagOf(link.includeVars),
  }));
}
