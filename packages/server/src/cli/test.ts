/** `tyto test rules FILE…`: unit tests of rules, in promtool's format. See docs/tools.md. */
import { writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parseRuleFile, type RuleFileOptions, type RuleGroupConfig } from '@tyto/alerting';
import { compileSearch, errorMessage, systemClock, TytoError, yaml } from '@tyto/base';
import { glob } from '../config/glob.ts';
import { readConfigFile } from '../config/load.ts';
import { type Features, parseFeatures } from '../features.ts';
import { type Command, type CommandCall, complain, print, runCommands } from './commands.ts';
import { ENABLE_FEATURE } from './flags.ts';
import { RuleCoverage } from './rules/coverage.ts';
import { failureDiff, failureText, junitXml, type SuiteResult } from './rules/report.ts';
import { runTest } from './rules/ruleTest.ts';
import { parseTestFile, type TestFile } from './rules/testFile.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  rules: {
    usage: '[flags] FILE...',
    help: 'Runs unit tests of rules. Ends with 1 where one fails.',
    flags: [
      {
        name: 'run',
        kind: 'text',
        fallback: '',
        help: 'Only tests with names that this regular expression finds; may be given again.',
      },
      {
        name: 'debug',
        kind: 'boolean',
        fallback: 'false',
        help: 'Tell when tests begin and end, and show all series in the end.',
      },
      {
        name: 'diff',
        kind: 'boolean',
        fallback: 'false',
        help: 'Show failures line by line: - is missing, + is too much.',
      },
      { name: 'junit', kind: 'text', fallback: '', help: "A file for the results, JUnit's XML." },
      {
        name: 'ignore-unknown-fields',
        kind: 'boolean',
        fallback: 'false',
        help: 'Pass over fields that test files and rule files do not have.',
      },
      {
        name: 'coverage',
        kind: 'boolean',
        fallback: 'false',
        help: 'Tell which rules no test looks at.',
      },
      {
        name: 'coverage-threshold',
        kind: 'number',
        fallback: '0',
        help: 'Fail where tests look at fewer rules than this, in percent.',
      },
      ENABLE_FEATURE,
    ],
    wordsMin: 1,
    wordsMax: Infinity,
    run: testRules,
  },
};

/** Rejects with TytoError `bad_data` for a wrong call. */
export async function test(args: readonly string[]): Promise<void> {
  await runCommands('test', 'Unit tests.', COMMANDS, args);
}

interface Session {
  readonly call: CommandCall;
  readonly isWanted: (name: string) => boolean;
  readonly coverage: RuleCoverage;
  readonly features: Features;
}

async function testRules(call: CommandCall): Promise<number> {
  const patterns = call.all('run').map((pattern) => compileSearch(pattern));
  const isWanted = (name: string) =>
    patterns.length === 0 || patterns.some((pattern) => pattern.matcher(name).find());
  const { features, notes } = parseFeatures(call.text(ENABLE_FEATURE.name));
  for (const { level, message } of notes) if (level === 'warn') complain(`warning: ${message}`);
  const session = { call, isWanted, coverage: new RuleCoverage(), features };
  const suites: SuiteResult[] = [];
  for (const file of call.words) suites.push(await testFile(file, session));
  const junit = call.text('junit');
  if (junit !== '') await writeResults(junit, junitXml(suites));
  const hasFailed = suites.some(
    ({ error, cases }) => error !== '' || cases.some(({ failures }) => failures.length > 0),
  );
  const threshold = Number(call.text('coverage-threshold'));
  if (!call.isSet('coverage') && threshold === 0) return hasFailed ? 1 : 0;
  const { lines, percent } = session.coverage.report();
  for (const line of lines) complain(line);
  if (percent < threshold) {
    complain(
      `${percent.toFixed(1)} % of the rules are tested, less than the ${threshold} % wanted`,
    );
    return 1;
  }
  return hasFailed ? 1 : 0;
}

async function testFile(file: string, session: Session): Promise<SuiteResult> {
  const suite: SuiteResult = { file, startedMs: systemClock.nowMs(), error: '', cases: [] };
  print(`Unit Testing:  ${file}`);
  try {
    const shown = await runFile(file, suite, session);
    if (shown.length === 0) print('  SUCCESS');
    else complain(`  FAILED:\n${shown.join('\n\n')}`);
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    suite.error = errorMessage(error);
    complain(`  FAILED:\n${suite.error}`);
  }
  print('');
  return suite;
}

/** Runs the tests of a file. Resolves to the texts of failures; rejects where none can run. */
async function runFile(file: string, suite: SuiteResult, session: Session): Promise<string[]> {
  const { call, isWanted, coverage, features } = session;
  const ignores = call.isSet('ignore-unknown-fields');
  const tests = parseTestFile(await readConfigFile(file), file, ignores);
  const { groups, error } = await loadRules(file, tests, {
    ignoresUnknownFields: ignores,
    experimental: features.syntax,
  });
  const wanted = tests.tests.filter(({ name }) => isWanted(name));
  coverage.add(groups, wanted);
  const shown: string[] = [];
  for (const test of wanted) {
    const name = test.name || `unnamed#${tests.tests.indexOf(test)}`;
    if (error !== '') {
      suite.cases.push({ name, failures: [error] });
      shown.push(error);
      continue;
    }
    if (call.isSet('debug')) complain(`DEBUG: Starting test ${name}`);
    const startedMs = systemClock.monotonicMs();
    const { failures, dump } = await runTest(test, { ...tests, rules: groups, features });
    if (call.isSet('debug')) {
      complain('DEBUG: Dump of all data (input_series and rules):');
      for (const line of await dump()) complain(line);
      const tookMs = Math.round(systemClock.monotonicMs() - startedMs);
      complain(`DEBUG: Test ${name} finished, took ${tookMs} ms`);
    }
    suite.cases.push({ name, failures: failures.map(failureText) });
    const isColored = process.stderr.isTTY === true;
    const text = call.isSet('diff')
      ? failures.map((failure) => failureDiff(failure, isColored))
      : failures.map(failureText);
    shown.push(...text);
  }
  return shown;
}

/** The rules of a test file; what is wrong with them fails each of its tests. */
async function loadRules(
  file: string,
  { ruleFiles }: TestFile,
  options: RuleFileOptions,
): Promise<{ groups: RuleGroupConfig[]; error: string }> {
  const groups: RuleGroupConfig[] = [];
  const errors: string[] = [];
  for (const pattern of ruleFiles) {
    const paths = await glob(pattern, dirname(resolve(file)));
    if (paths.length === 0) complain(`  WARNING: no file match pattern ${pattern}`);
    for (const path of paths) {
      const source = await readConfigFile(path);
      const read = parseRuleFile(source, path, options);
      groups.push(...read.groups);
      if (yaml.hasErrors(read.problems)) errors.push(yaml.formatProblems(read.problems));
    }
  }
  return { groups, error: errors.join('\n') };
}

async function writeResults(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const reason = `${basename(file)}: ${errorMessage(error)}`;
    throw new TytoError('io', `cannot write the results: ${reason}`, { cause: error });
  }
}
