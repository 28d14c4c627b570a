/** What a configuration names besides itself: files of secrets, files of targets, addresses. */
import { stat } from 'node:fs/promises';
import {
  type FileDiscoveryConfig,
  nodeDiscoveryFiles,
  type ScrapeConfig,
  type Secret,
  staticConfigSchema,
  targetsOfGroup,
  toGroup,
} from '@tyto/collect';
import { errorMessage, TytoError, yaml } from '@tyto/base';
import type { LoadedConfig } from '../../config/load.ts';

export interface FileFindings {
  readonly errors: string[];
  readonly warnings: string[];
}

const groupsSchema = yaml.list(staticConfigSchema);

/** Never rejects: what is wrong is among the findings. */
export async function checkNamedFiles(config: LoadedConfig): Promise<FileFindings> {
  const found: FileFindings = { errors: [], warnings: [] };
  for (const job of config.jobs) {
    await checkSecrets(job, found);
    job.staticConfigs.forEach((group, i) => {
      checkTargets(job, toGroup(group, String(i)), `group ${i}`, found);
    });
    for (const discovery of job.fileDiscoveries) await checkDiscovery(job, discovery, found);
  }
  for (const { badAddresses } of config.prometheus.alerting.alertmanagers) {
    for (const address of badAddresses) {
      const hint = 'write host:port, without a scheme or path';
      found.errors.push(`alertmanagers: "${address}" is not a valid hostname; ${hint}`);
    }
  }
  return found;
}

/** Keys and credentials without which no scrape begins are errors, others warnings. */
async function checkSecrets(job: ScrapeConfig, found: FileFindings): Promise<void> {
  const { tls, authorization, basicAuth } = job.http;
  const needed: [string, Secret | undefined][] = [
    ['client cert file', tls.cert],
    ['client key file', tls.key],
    ['authorization credentials or bearer token file', authorization?.credentials],
  ];
  const others: [string, Secret | undefined][] = [
    ['CA file', tls.ca],
    ['username file', basicAuth?.username],
    ['password file', basicAuth?.password],
  ];
  const about = (what: string, problem: string) => `job "${job.jobName}": ${what}: ${problem}`;
  for (const [what, secret] of needed) {
    const problem = await missing(secret);
    if (problem !== undefined) found.errors.push(about(what, problem));
  }
  for (const [what, secret] of others) {
    const problem = await missing(secret);
    if (problem !== undefined) found.warnings.push(about(what, problem));
  }
}

async function missing(secret: Secret | undefined): Promise<string | undefined> {
  if (secret === undefined || !('file' in secret) || secret.file === '') return undefined;
  try {
    await stat(secret.file);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

async function checkDiscovery(
  job: ScrapeConfig,
  discovery: FileDiscoveryConfig,
  found: FileFindings,
): Promise<void> {
  for (const pattern of discovery.files) {
    const paths = await nodeDiscoveryFiles.glob(pattern).catch(() => []);
    if (paths.length === 0) {
      const about = `file "${pattern}" for file_sd in scrape job "${job.jobName}"`;
      found.warnings.push(`${about} does not exist`);
    }
    for (const path of paths) await checkTargetFile(job, path, found);
  }
}

async function checkTargetFile(
  job: ScrapeConfig,
  path: string,
  found: FileFindings,
): Promise<void> {
  try {
    const text = await nodeDiscoveryFiles.read(path);
    const { value = [], problems } = yaml.decodeYaml(text, path, groupsSchema);
    if (yaml.hasErrors(problems)) {
      found.errors.push(yaml.formatProblems(problems));
      return;
    }
    value.forEach((group, i) => {
      checkTargets(job, toGroup(group, `${path}:${i}`), `group ${i} of ${path}`, found);
    });
  } catch (error) {
    const code = error instanceof TytoError ? error.message : errorMessage(error);
    found.errors.push(`${path}: ${code}`);
  }
}

/** Addresses, as they are after relabelling. */
function checkTargets(
  job: ScrapeConfig,
  group: Parameters<typeof targetsOfGroup>[0],
  place: string,
  found: FileFindings,
): void {
  targetsOfGroup(group, job).forEach((result, i) => {
    if (result.kind !== 'invalid') return;
    found.errors.push(`job "${job.jobName}": instance ${i} in ${place}: ${result.reason}`);
  });
}
