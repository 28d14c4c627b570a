/** `tyto check config FILE…`: everything that a start would refuse, without a start. */
import { parseAlertmanagerConfig, parseRuleFile } from '@tyto/alerting';
import { formatPlace, nearestName, systemClock, TytoError, yaml } from '@tyto/base';
import { loadConfig, readConfigFile } from '../config/load.ts';

const KINDS = ['config', 'rules'];

/** Rejects with TytoError `bad_data` when any file has a mistake; warnings are printed. */
export async function check(args: readonly string[]): Promise<void> {
  const [kind, ...files] = args;
  if (!KINDS.includes(kind ?? '')) {
    const nearest = nearestName(kind ?? '', KINDS);
    const hint = nearest === undefined ? KINDS.join(' or ') : `${nearest}`;
    throw new TytoError(
      'bad_data',
      `tyto check: unknown kind "${kind ?? ''}"; did you mean ${hint}?`,
    );
  }
  if (files.length === 0) throw new TytoError('bad_data', `tyto check ${kind}: name a file`);
  const failures: string[] = [];
  for (const file of files) {
    try {
      const warnings = kind === 'rules' ? await checkRules(file) : await checkConfig(file);
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

async function checkRules(file: string): Promise<readonly yaml.Problem[]> {
  return refuseErrors(parseRuleFile(await readConfigFile(file), file).problems);
}

async function checkConfig(file: string): Promise<readonly yaml.Problem[]> {
  const source = await readConfigFile(file);
  const keys = yaml.decodeYaml(source, file, (node) => yaml.keysOf(node) ?? []).value ?? [];
  if (keys.includes('route') || keys.includes('receivers')) {
    return refuseErrors(parseAlertmanagerConfig(source, file).problems);
  }
  if (keys.includes('groups')) return checkRules(file);
  return (await loadConfig({ config: file, alertmanager: '' }, systemClock)).warnings;
}

function refuseErrors(problems: readonly yaml.Problem[]): readonly yaml.Problem[] {
  if (yaml.hasErrors(problems)) throw new TytoError('bad_data', yaml.formatProblems(problems));
  return problems;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
