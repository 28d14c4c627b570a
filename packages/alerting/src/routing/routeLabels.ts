/** The labels of a route as a group has them: templates over the alerts that it holds now. */
import { errorMessage } from '@tyto/base';
import type { NotifyTemplates } from '../notify/notifyTemplate.ts';
import { templateData } from '../notify/templateData.ts';
import type { AlertGroup } from './alertGroup.ts';

/** Of a template that fails, the error stands for the text. */
export async function renderRouteLabels(
  group: AlertGroup,
  templates: NotifyTemplates,
  externalUrl: string,
  nowMs: number,
): Promise<Record<string, string>> {
  const { labels, receiver } = group.route;
  const names = Object.entries(labels);
  if (names.length === 0) return {};
  const alerts = await group.sorted();
  const data = templateData({
    receiver,
    groupKey: group.key,
    groupLabels: group.labels,
    firing: alerts.filter(({ endsAtMs }) => endsAtMs > nowMs),
    resolved: alerts.filter(({ endsAtMs }) => endsAtMs <= nowMs),
    reason: 'first notification',
    externalUrl,
    nowMs,
    data: {},
    links: undefined,
    routeLabels: labels,
  });
  return Object.fromEntries(
    names.map(([name, text]) => {
      try {
        return [name, templates.expand(text, data)];
      } catch (error) {
        return [name, errorMessage(error)];
      }
    }),
  );
}
