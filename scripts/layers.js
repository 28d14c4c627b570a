/**
 * Holds the imports of packages against layers.json: downwards only, declared, through the front
 * door, without cycles, and nothing of Node.js where it would not run. `node scripts/layers.js`
 *
 * Universal packages: that their code uses no global of Node.js or the DOM is the type checker's
 * work (tsconfig.universal.json); that they import nothing of either is checked here.
 */
import { builtinModules } from 'node:module';
import { pathToFileURL } from 'node:url';
import {
  isTest,
  isTesting,
  listFiles,
  readImports,
  readJson,
  readText,
  resolveRelative,
} from './sources.js';

const SCOPE = '@tyto/';
const BUILTIN = new Set(builtinModules);

/**
 * All violations as `{ path, line, message }`.
 *
 * `layers` is layers.json; `packages` maps a package's short name to its package.json; `files` are
 * `{ path, text }` of all below packages/<name>/src; `rootManifest` is the root package.json.
 */
export function checkLayers({ layers, packages, files, rootManifest = {} }) {
  const violations = [];
  const paths = new Set(files.map(({ path }) => path));
  const modules = files.map(({ path, text }) => ({
    path,
    owner: path.split('/')[1],
    imports: readImports(text),
  }));
  const context = {
    layers,
    packages,
    rootManifest,
    levelOf: levels(layers),
    exists: (path) => paths.has(path),
    report: (path, line, message) => violations.push({ path, line, message }),
  };
  for (const name of Object.keys(packages)) {
    if (context.levelOf.has(name)) continue;
    context.report(`packages/${name}/package.json`, 1, `"${name}" is in no layer of layers.json`);
  }
  for (const module of modules) {
    for (const found of module.imports) checkImport(module, found, context);
  }
  checkUnused(modules, context);
  for (const name of Object.keys(packages)) {
    const own = modules.filter(({ owner }) => owner === name);
    for (const cycle of fileCycles(own, context.exists)) {
      context.report(cycle[0], 1, `files import each other in a circle: ${cycle.join(' → ')}`);
    }
  }
  for (const cycle of packageCycles(packages)) {
    const path = `packages/${cycle[0]}/package.json`;
    context.report(path, 1, `packages depend on each other in a circle: ${cycle.join(' → ')}`);
  }
  return violations;
}

function levels({ layers }) {
  return new Map(layers.flatMap((names, level) => names.map((name) => [name, level])));
}

function checkImport(module, found, context) {
  const { path, owner } = module;
  const { specifier, line } = found;
  const report = (message) => context.report(path, line, message);
  if (specifier.startsWith('.')) checkRelative(module, specifier, context, report);
  else if (specifier.startsWith('node:') || BUILTIN.has(specifier.split('/')[0])) {
    checkBuiltin(module, specifier, context, report);
  } else if (specifier.startsWith(SCOPE)) {
    const [target, ...rest] = specifier.slice(SCOPE.length).split('/');
    if (target === owner) checkOwnName(module, rest, context, report);
    else checkPackage(module, target, rest, context, report);
  } else checkNpm(module, specifier, context, report);
}

function checkRelative({ path, owner }, specifier, context, report) {
  const home = `packages/${owner}/`;
  const target = resolveRelative(path, specifier, () => true);
  if (!target.startsWith(home)) {
    report(`"${specifier}" leaves the package; import the other one by its bare name`);
  }
  const resolved = resolveRelative(path, specifier, context.exists);
  if (resolved === `${home}src/index.ts` && !isTest(path)) {
    report("a file does not import its own package's index; import the file that has the name");
  }
}

function checkBuiltin({ path, owner }, specifier, { layers }, report) {
  if (!specifier.startsWith('node:')) report(`write "node:${specifier}"`);
  if (isTest(path)) return;
  if (layers.universal.includes(owner)) {
    report(`"${specifier}" is of Node.js, and ${owner} runs everywhere; take it as a parameter`);
  }
  if (layers.browser.includes(owner)) report(`"${specifier}" does not exist in a browser`);
}

function checkOwnName({ path, owner }, rest, context, report) {
  if (!isTest(path)) report('a file imports its own package by relative paths, not by its name');
  checkSubpath(owner, rest, context, report);
}

function checkPackage({ path, owner }, target, rest, context, report) {
  const { packages, layers, levelOf } = context;
  if (packages[target] === undefined) return report(`there is no package "${SCOPE}${target}"`);
  const from = levelOf.get(owner);
  const to = levelOf.get(target);
  if (to > from) report(`${owner} lies below ${target}: imports go downwards only (layers.json)`);
  if (to === from) report(`${owner} and ${target} are of one layer and do not know each other`);
  const allowed = layers.only?.[owner];
  if (allowed !== undefined && !allowed.includes(target)) {
    report(`${owner} may import ${allowed.join(', ')} only (layers.json), not ${target}`);
  }
  checkSubpath(target, rest, context, report);
  const manifest = packages[owner];
  const declared = manifest.dependencies?.[SCOPE + target] !== undefined;
  const declaredForTests = manifest.devDependencies?.[SCOPE + target] !== undefined;
  if (!declared && !(declaredForTests && isTest(path))) {
    report(`packages/${owner}/package.json does not declare "${SCOPE}${target}"`);
  }
}

function checkSubpath(target, rest, { packages }, report) {
  const entry = ['.', ...rest].join('/');
  const { exports } = packages[target];
  if (rest.length === 0 || Object.keys(exports ?? {}).includes(entry)) return;
  report(`"${SCOPE}${target}/${rest.join('/')}" is behind the package's exports`);
}

function checkNpm({ path, owner }, specifier, { packages, rootManifest }, report) {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
  const manifest = packages[owner];
  if (manifest.dependencies?.[name] ?? manifest.peerDependencies?.[name]) return;
  const forTests = manifest.devDependencies?.[name] ?? rootManifest.devDependencies?.[name];
  if (forTests && isTest(path)) return;
  report(`packages/${owner}/package.json does not declare "${name}"`);
}

function checkUnused(modules, { packages, report }) {
  for (const [name, manifest] of Object.entries(packages)) {
    const own = modules.filter(({ owner }) => owner === name);
    if (own.length === 0) continue;
    const uses = (dependency, accept) =>
      own.some(
        ({ path, imports }) =>
          accept(path) &&
          imports.some(({ specifier }) => `${specifier}/`.startsWith(`${dependency}/`)),
      );
    const path = `packages/${name}/package.json`;
    for (const dependency of ownScope(manifest.dependencies)) {
      if (uses(dependency, (file) => !isTest(file) || isTesting(file))) continue;
      report(path, 1, `"${dependency}" is declared and not imported; remove it`);
    }
    for (const dependency of ownScope(manifest.devDependencies)) {
      if (uses(dependency, () => true)) continue;
      report(path, 1, `"${dependency}" is declared for tests and not imported; remove it`);
    }
  }
}

function ownScope(dependencies = {}) {
  return Object.keys(dependencies).filter((name) => name.startsWith(SCOPE));
}

/** Circles of files within a package; an `import type` is gone at run time and does not count. */
export function fileCycles(modules, exists) {
  const edges = new Map();
  for (const { path, imports } of modules) {
    const targets = imports
      .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.'))
      .map(({ specifier }) => resolveRelative(path, specifier, exists))
      .filter((target) => target !== undefined);
    edges.set(path, targets);
  }
  return cycles(edges);
}

function packageCycles(packages) {
  const edges = new Map();
  for (const [name, manifest] of Object.entries(packages)) {
    const targets = ownScope(manifest.dependencies).map((other) => other.slice(SCOPE.length));
    edges.set(name, targets);
  }
  return cycles(edges);
}

/** One circle for each backward edge of a depth-first walk; each as nodes, the first one again. */
export function cycles(edges) {
  const found = [];
  const state = new Map();
  const trail = [];
  const visit = (node) => {
    state.set(node, 'open');
    trail.push(node);
    for (const next of edges.get(node) ?? []) {
      if (state.get(next) === 'open') found.push([...trail.slice(trail.indexOf(next)), next]);
      else if (!state.has(next)) visit(next);
    }
    trail.pop();
    state.set(node, 'done');
  };
  for (const node of edges.keys()) if (!state.has(node)) visit(node);
  return found;
}

/** The repository itself, as `checkLayers` takes it. */
function readRepository() {
  const manifests = listFiles('packages', (path) => path.endsWith('package.json'));
  const packages = {};
  for (const path of manifests) packages[path.split('/')[1]] = readJson(path);
  const files = listFiles('packages', (path) => /\.tsx?$/.test(path))
    .filter((path) => /^packages\/[^/]+\/src\//.test(path))
    .filter((path) => !path.startsWith('packages/kernels/src/assembly/'))
    .map((path) => ({ path, text: readText(path) }));
  const rootManifest = readJson('package.json');
  return { layers: readJson('layers.json'), packages, files, rootManifest };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const violations = checkLayers(readRepository());
  for (const { path, line, message } of violations) {
    process.stdout.write(`${path}:${line}: ${message}\n`);
  }
  process.exitCode = violations.length === 0 ? 0 : 1;
}
