// `npm run versions`: what the changes of changes/ make of the versions of packages.
//   npm run versions -- add core=minor,http=patch "One sentence for users"   writes a file of changes/
//   npm run versions -- apply        raises versions, writes changelogs, empties changes/
//   npm run versions -- unreleased   fails while changes/ holds any
//   npm run versions -- unpublished  prints the packages whose version the registry does not have
//   npm run versions -- publish [--dry-run]  publishes those, with provenance; dry: packs all, sends none
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { stagePackage } from './publishable.ts'
import {
  type Change,
  isStep,
  parseChange,
  type Release,
  type VersionedPackage,
  versionPlan,
  withRelease,
} from './version-plan.ts'
import { isBuilt, packages, root } from './workspace.ts'

const all: readonly VersionedPackage[] = packages().map(({ folder, manifest }) => ({
  folder: basename(folder),
  manifest: { ...manifest, version: manifest.version ?? '0.0.0' },
}))
const known = all.map(({ folder }) => folder)
const changeFiles = globSync('changes/*.md', { cwd: root })
  .filter(file => basename(file) !== 'README.md')
  .sort()
const [command = 'plan', ...words] = process.argv.slice(2)

try {
  switch (command) {
    case 'plan':
      show(plan())
      break
    case 'add':
      add(words)
      break
    case 'apply':
      apply(plan())
      break
    case 'unreleased':
      if (changeFiles.length > 0)
        throw new Error(`not released yet: ${changeFiles.join(', ')}; npm run versions -- apply`)
      break
    case 'unpublished':
      for (const { manifest } of all) if (!isPublished(manifest)) console.log(manifest.name)
      break
    case 'publish':
      publish(words.includes('--dry-run') ? 'dry run' : 'real')
      break
    default:
      throw new Error(`"${command}" is not a command; use add, apply, unreleased, unpublished or publish`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

function changes(): readonly Change[] {
  return changeFiles.map(file => parseChange(file, readFileSync(join(root, file), 'utf8'), known))
}

function plan(): readonly Release[] {
  return versionPlan(all, changes())
}

function show(releases: readonly Release[]): void {
  if (releases.length === 0) console.log('Nothing to release: changes/ is empty.')
  for (const { folder, from, to } of releases) console.log(`${folder.padEnd(12)} ${from} -> ${to}`)
}

function add([steps = '', text = '']: readonly string[]): void {
  const pairs = steps.split(',').map(pair => pair.split('='))
  if (pairs.some(([, step = '']) => !isStep(step)) || text === '')
    throw new Error('usage: npm run versions -- add PACKAGE=patch|minor|major[,...] "One sentence for users"')
  const source = `---\n${pairs.map(([name, step]) => `${name}: ${step}`).join('\n')}\n---\n${text}\n`
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
  const file = `changes/${slug.replace(/^-|-$/g, '')}.md`
  parseChange(file, source, known)
  mkdirSync(join(root, 'changes'), { recursive: true })
  writeFileSync(join(root, file), source, { flag: 'wx' })
  console.log(`wrote ${file}`)
}

function apply(releases: readonly Release[]): void {
  const date = new Date().toISOString().slice(0, 10)
  const versions = new Map(
    releases.map(({ folder, to }) => [all.find(other => other.folder === folder)?.manifest.name ?? '', to]),
  )
  for (const release of releases) {
    const log = join(root, 'packages', release.folder, 'CHANGELOG.md')
    const name = all.find(({ folder }) => folder === release.folder)?.manifest.name ?? release.folder
    writeFileSync(log, withRelease(name, existsSync(log) ? readFileSync(log, 'utf8') : '', release, date))
  }
  for (const file of globSync(['packages/*/package.json', 'examples/*/package.json'], { cwd: root }))
    writeFileSync(join(root, file), repinned(readFileSync(join(root, file), 'utf8'), versions))
  for (const file of changeFiles) rmSync(join(root, file))
  show(releases)
  console.log('now run  npm install --ignore-scripts  for package-lock.json, commit, and tag the commit')
}

/** A manifest with the new version of its own and of the packages that it pins. */
function repinned(text: string, versions: ReadonlyMap<string, string>): string {
  const { name } = JSON.parse(text) as { readonly name: string }
  const own = versions.get(name)
  const raised = own === undefined ? text : text.replace(/("version": )"[^"]*"/, `$1"${own}"`)
  return [...versions].reduce(
    (so, [other, to]) => so.replace(new RegExp(`("${other}": )"\\d[^"]*"`, 'g'), `$1"${to}"`),
    raised,
  )
}

/** Publishes each package from a folder that holds what goes into its tarball, and nothing else. */
function publish(kind: 'real' | 'dry run'): void {
  const into = mkdtempSync(join(tmpdir(), 'postern-publish-'))
  try {
    for (const one of packages()) {
      const { name, version = '' } = one.manifest
      if (kind === 'real' && isPublished({ ...one.manifest, version })) continue
      if (!isBuilt(one)) throw new Error(`${name} is not built: npm run build`)
      // Provenance is signed by the workflow's own identity, which a dry run elsewhere does not have.
      const flags = kind === 'real' ? ['--provenance'] : ['--dry-run']
      const staged = stagePackage(one, into)
      const { status } = spawnSync('npm', ['publish', staged, '--access', 'public', ...flags], {
        stdio: 'inherit',
      })
      if (status !== 0) throw new Error(`npm publish failed for ${name}@${version}`)
    }
  } finally {
    rmSync(into, { recursive: true, force: true })
  }
}

function isPublished({ name, version }: VersionedPackage['manifest']): boolean {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return status === 0 && stdout.trim() !== ''
}
