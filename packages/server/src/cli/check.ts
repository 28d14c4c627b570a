/** `tyto check config|rules FILE…`: everything that a start would refuse, without a start. */
import { parseAlertmanagerConfig, parseRuleFile } from '@tyto/alerting';
import { formatPlace, nearestName, systemClock, TytoError, yaml } from '@tyto/base';
import { loadConfig, readConfigFile } from '../config/load.ts';
import { type Features, parseFeatures } from '../features.ts';
import { ENABLE_FEATURE, parseFlags } from './flags.ts';

const KINDS = ['config', 'rules'];

/** Rejects with TytoError `bad_data` when any file has a mistake; warnings are printed. */
export async function check(args: readonly string[]): Promise<void> {
  const { flags, rest } = parseFlags(args, [ENABLE_FEATURE]);
  const { features, notes } = parseFeatures(flags.get(ENABLE_FEATURE.name) ?? '');
  const [kind, ...files] = rest;
  if (!KINDS.includes(kind ?? '')) {
    const nearest = nearestName(kind ?? '', KINDS);
    const hint = nearest === undefined ? KINDS.join(' or ') : `${nearest}`;
    throw new TytoError(
      'bad_data',
      `tyto check: unknown kind "${kind ?? ''}"; did you mean ${hint}?`,
    );
  }
  if (files.length === 0) throw new TytoError('bad_data', `tyto check ${kind}: name a file`);
  for (const { level, message } of notes) if (level === 'warn') print(`warning: ${message}`);
  const failures: string[] = [];
  for (const file of files) {
    try {
      const checkFile = kind === 'rules' ? checkRules : checkConfig;
      const warnings = await checkFile(file, features);
      for (const { place, message } of warnings)
        print(`${formatPlace(place)}: warning: ${message}`);
      print(`${file}: good`);
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      failures.push(error.message);
    }
  }
  if (failures.length > 0) throw new TytoError('bad_data', failures.join('\n'));
}

async function checkRules(file: string, { syntax }: Features): Promise<readonly yaml.Problem[]> {
  const text = await readConfigFile(file);
  return refuseErrors(parseRuleFile(text, file, { experimental: syntax }).problems);
}

async function checkConfig(file: string, features: Features): Promise<readonly yaml.Problem[]> {
  const source = await readConfigFile(file);
  const keys = yaml.decodeYaml(source, file, (node) => yaml.keysOf(node) ?? []).value ?? [];
  if (keys.includes('route') || keys.includes('receivers')) {
    return refuseErrors(parseAlertmanagerConfig(source, file).problems);
  }
  if (keys.includes('groups')) return checkRules(file, features);
  return (await loadConfig({ config: file, alertmanager: '' }, systemClock, { features })).warnings;
}

function refuseErrors(problems: readonly yaml.Problem[]): readonly yaml.Problem[] {
  if (yaml.hasErrors(problems)) throw new TytoError('bad_data', yaml.formatProblems(problems));
  return problems;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
