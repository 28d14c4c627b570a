/** What must be true of alertmanager.yml as a whole, in Alertmanager's words. */
import { yaml } from '@tyto/base';
import { defaultGlobal } from '../notify/globalConfig.ts';
import { checkReceiver } from '../notify/receiverConfig.ts';
import type { RawConfig, RouteConfig } from './config.ts';

export function checkWhole(config: RawConfig, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  const receivers = checkReceivers(config, yaml.childNode(node, 'receivers'), decoder);
  const intervals = checkIntervalNames(config, node, decoder);
  const routeNode = yaml.childNode(node, 'route');
  if (config.route === undefined) {
    const hint = '"route" with a "receiver" says who gets the alerts';
    decoder.error(node, `no route provided in config; ${hint}`);
    return;
  }
  checkRoot(config.route, routeNode, decoder);
  checkNames(config.route, routeNode, receivers, intervals, decoder);
}

function checkReceivers(
  config: RawConfig,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): ReadonlySet<string> {
  const names = new Set<string>();
  config.receivers.forEach((receiver, i) => {
    const place = yaml.itemNode(node, i);
    if (receiver.name === '') decoder.error(place, 'missing name in receiver');
    if (names.has(receiver.name)) {
      decoder.error(place, `notification config name "${receiver.name}" is not unique`);
    }
    names.add(receiver.name);
    checkReceiver(receiver, config.global ?? defaultGlobal(), place, decoder);
  });
  return names;
}

function checkIntervalNames(
  config: RawConfig,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const section of ['mute_time_intervals', 'time_intervals'] as const) {
    const what = section === 'time_intervals' ? 'time interval' : 'mute time interval';
    config[section].forEach(({ name }, i) => {
      const place = yaml.itemNode(yaml.childNode(node, section), i);
      if (names.has(name)) decoder.error(place, `${what} "${name}" is not unique`);
      names.add(name);
    });
  }
  return names;
}

function checkRoot(route: RouteConfig, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  if (route.receiver === '') {
    decoder.error(node, 'root route must specify a default receiver');
  }
  if (route.matchers.length > 0) decoder.error(node, 'root route must not have any matchers');
  if (route.muteTimeIntervals.length > 0) {
    const place = yaml.childNode(node, 'mute_time_intervals');
    decoder.error(place, 'root route must not have any mute time intervals');
  }
  if (route.activeTimeIntervals.length > 0) {
    const place = yaml.childNode(node, 'active_time_intervals');
    decoder.error(place, 'root route must not have any active time intervals');
  }
  if (route.continue) decoder.error(node, 'cannot have continue in root route');
}

function checkNames(
  route: RouteConfig,
  node: yaml.YamlNode,
  receivers: ReadonlySet<string>,
  intervals: ReadonlySet<string>,
  decoder: yaml.Decoder,
): void {
  if (route.receiver !== '' && !receivers.has(route.receiver)) {
    const place = yaml.childNode(node, 'receiver');
    decoder.error(place, `undefined receiver "${route.receiver}" used in route`);
  }
  const used = [
    ['active_time_intervals', route.activeTimeIntervals],
    ['mute_time_intervals', route.muteTimeIntervals],
  ] as const;
  for (const [field, names] of used) {
    names.forEach((name, i) => {
      if (intervals.has(name)) return;
      const place = yaml.itemNode(yaml.childNode(node, field), i);
      decoder.error(place, `undefined time interval "${name}" used in route`);
    });
  }
  const children = yaml.childNode(node, 'routes');
  route.routes.forEach((child, i) => {
    checkNames(child, yaml.itemNode(children, i), receivers, intervals, decoder);
  });
}
