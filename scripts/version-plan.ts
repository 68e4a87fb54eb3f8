import type { Manifest } from './workspace.ts'

/** How much a change means to users (semantic versioning). */
export type Step = 'patch' | 'minor' | 'major'

/** A change that is not released yet: a file of `changes/`. */
export interface Change {
  /** By folder name of the package: `core`. */
  readonly packages: Readonly<Record<string, Step>>
  /** For users: what is different for them. */
  readonly text: string
}

/** What a release makes of one package. */
export interface Release {
  /** Folder name. */
  readonly folder: string
  readonly from: string
  readonly to: string
  /** Lines for its changelog. */
  readonly lines: readonly string[]
}

/** A package as far as versions go. */
export interface VersionedPackage {
  readonly folder: string
  readonly manifest: Pick<Manifest, 'name' | 'dependencies' | 'peerDependencies' | 'optionalDependencies'> & {
    readonly version: string
  }
}

const STEPS: readonly Step[] = ['patch', 'minor', 'major']

/**
 * Reads a file of `changes/`: lines `PACKAGE: STEP` between two lines of dashes, then the text.
 * @param known folder names of packages
 * @throws Error naming the file and what is wrong
 */
export function parseChange(file: string, source: string, known: readonly string[]): Change {
  const [, head, text = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(source.replaceAll('\r\n', '\n')) ?? []
  if (head === undefined)
    throw new Error(`${file}: begins with lines "PACKAGE: STEP" between two lines of ---`)
  const packages: Record<string, Step> = {}
  for (const line of head.split('\n')) {
    const [, name = '', step = ''] = /^([\w-]+): (\w+)$/.exec(line) ?? []
    if (!known.includes(name)) throw new Error(`${file}: "${line}" names no package of packages/`)
    if (!isStep(step)) throw new Error(`${file}: "${line}" must end in patch, minor or major`)
    packages[name] = step
  }
  if (text.trim() === '') throw new Error(`${file}: says nothing about the change`)
  return { packages, text: text.trim() }
}

export function isStep(text: string): text is Step {
  return STEPS.some(step => step === text)
}

/**
 * The releases that changes need. Packages pin each other exactly, so one that depends on a released one is
 * released as well. Below 1.0 a major step raises the minor number.
 */
export function versionPlan(
  packages: readonly VersionedPackage[],
  changes: readonly Change[],
): readonly Release[] {
  const steps = new Map<string, Step>()
  for (const change of changes)
    for (const [folder, step] of Object.entries(change.packages))
      steps.set(folder, larger(steps.get(folder), step))
  let size: number
  do {
    size = steps.size
    for (const { folder, manifest } of packages)
      if (!steps.has(folder) && dependsOnOne(manifest, packages, steps)) steps.set(folder, 'patch')
  } while (steps.size > size)
  return packages.flatMap(({ folder, manifest: { version } }) => {
    const step = steps.get(folder)
    if (step === undefined) return []
    const own = changes.filter(change => Object.hasOwn(change.packages, folder)).map(({ text }) => text)
    return [
      {
        folder,
        from: version,
        to: raised(version, step),
        lines: own.length > 0 ? own : ['Updated the packages that it depends on.'],
      },
    ]
  })
}

function larger(one: Step | undefined, other: Step): Step {
  return one !== undefined && STEPS.indexOf(one) > STEPS.indexOf(other) ? one : other
}

function dependsOnOne(
  { dependencies, peerDependencies, optionalDependencies }: VersionedPackage['manifest'],
  packages: readonly VersionedPackage[],
  steps: ReadonlyMap<string, Step>,
): boolean {
  const names = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
  return packages.some(({ folder, manifest }) => steps.has(folder) && names.includes(manifest.name))
}

function raised(version: string, step: Step): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (step === 'major' && major > 0) return `${major + 1}.0.0`
  return step === 'patch' ? `${major}.${minor}.${patch + 1}` : `${major}.${minor + 1}.0`
}

/** A changelog with a release on top. @param changelog as it was; empty for a new one */
export function withRelease(name: string, changelog: string, { to, lines }: Release, date: string): string {
  const title = `# Changelog of ${name}\n`
  const before = changelog === '' ? '' : changelog.replace(/^# .*\n/, '')
  return `${title}\n## ${to} (${date})\n\n${lines.map(line => `- ${line.replaceAll('\n', '\n  ')}`).join('\n')}\n${before}`
}
