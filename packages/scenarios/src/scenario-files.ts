import { existsSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, fileProblem } from '@postern/core'
import { ruleFilesIn } from './rule-files.ts'
import type { ScenarioDetector } from './scenario-detector.ts'
import {
  type ScenarioDocuments,
  ScenarioSet,
  type ScenarioSource,
  type ScenarioText,
} from './scenario-set.ts'

/** Which scenarios are loaded. */
export interface ScenarioFiles {
  /** Folders of `.yml` and `.yaml` files, read with their subfolders. `*.cases.yml` are tests, not rules. */
  readonly folders?: readonly string[]
  /** Whether the scenarios that come with Postern are used; default: `all`. */
  readonly shipped?: 'all' | 'none'
  /** Names of files, without their ending, to leave out: `http-crawl`. */
  readonly without?: readonly string[]
}

const MAX_FILES = 2_000
/** Beside both `src` and `dist`. */
const shippedFolder = (): string => fileURLToPath(new URL('../scenarios', import.meta.url))
/** The rules in there, read by the build: reading the YAML takes longer than the rest of a start. */
const builtFile = (): string => fileURLToPath(new URL('shipped-scenarios.json', import.meta.url))

/**
 * The rules of files.
 * @throws ConfigError for a folder that cannot be read, and for every rule that is not understood
 */
export function loadScenarios(files: ScenarioFiles = {}): ScenarioSet {
  const { shipped = 'all', folders = [], without = [] } = files
  if (folders.length > 0) return readScenarios(files)
  const name = JSON.stringify([shipped, without])
  if (shippedOnly?.name !== name) shippedOnly = { name, set: readScenarios(files) }
  return shippedOnly.set
}

/**
 * Module state: the rules of the package are immutable, and the same for as long as the process lives; a
 * preview builds several engines from them.
 */
let shippedOnly: { readonly name: string; readonly set: ScenarioSet } | undefined

function readScenarios({ shipped = 'all', ...own }: ScenarioFiles): ScenarioSet {
  const files = { shipped, ...own }
  return ScenarioSet.parse([
    ...(shipped === 'none' ? [] : shippedScenarios(files)),
    ...readScenarioFiles({ ...own, shipped: 'none' }).filter(source => !isCases(source.place)),
  ])
}

/**
 * Files of test cases in the same places (`*.cases.yml`).
 * @throws ConfigError for a folder that cannot be read
 */
export function loadScenarioCases(files: ScenarioFiles = {}): readonly ScenarioText[] {
  return readScenarioFiles(files).filter(source => isCases(source.place))
}

/** The rules that come with Postern, as text. */
export function shippedScenarioTexts(): readonly ScenarioText[] {
  return readScenarioFiles({}).filter(source => !isCases(source.place))
}

function shippedScenarios({ without }: ScenarioFiles): readonly ScenarioSource[] {
  const left = new Set(without)
  const built = builtFile()
  const all = existsSync(built)
    ? (JSON.parse(readFileSync(built, 'utf8')) as readonly ScenarioDocuments[])
    : shippedScenarioTexts()
  return all.filter(({ place }) => !left.has(nameOf(place)))
}

/**
 * Checks that everything that is to be left out exists.
 * @param others names of what is left out by the same list and stands in no file
 * @param place where the list stands, for errors
 * @throws ConfigError naming what leaves nothing out
 */
export function checkScenarioNames(
  { without = [], ...files }: ScenarioFiles,
  others: readonly string[],
  place: string,
): void {
  if (without.length === 0) return
  const names = new Set([...others, ...readScenarioFiles(files).map(source => nameOf(source.place))])
  const unknown = without.filter(name => !names.has(name))
  if (unknown.length > 0)
    throw new ConfigError(
      unknown.map(name => ({
        place,
        problem: `there is no scenario "${name.slice(0, 60)}"`,
        hint: near(name, [...names]) ?? 'postern scenarios list shows them all',
      })),
    )
}

function near(name: string, names: readonly string[]): string | undefined {
  const parts = name.toLowerCase().split(/[^a-z0-9]+/)
  const best = names
    .map(one => ({
      one,
      shared: one.split('-').filter(part => parts.includes(part)).length,
      start: startOf(one, name.toLowerCase()),
    }))
    .sort((a, b) => b.shared - a.shared || b.start - a.start)[0]
  return best === undefined || best.shared === 0 ? undefined : `did you mean "${best.one}"?`
}

/** How many characters two names begin alike with. */
function startOf(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

/** The name by which `without` leaves a file out. */
function nameOf(path: string): string {
  return path.replace(/^.*[\\/]/, '').replace(/(?:\.cases)?\.ya?ml$/, '')
}

function readScenarioFiles(files: ScenarioFiles): readonly ScenarioText[] {
  const shipped = files.shipped === 'none' ? undefined : shippedFolder()
  const folders = [...(shipped === undefined ? [] : [shipped]), ...(files.folders ?? [])]
  const left = new Set(files.without)
  const sources: ScenarioText[] = []
  for (const folder of folders) {
    for (const name of namesIn(folder)) {
      if (left.has(nameOf(name))) continue
      const place = folder === shipped ? name : join(folder, name)
      sources.push({ place, text: readText(join(folder, name)) })
      if (sources.length > MAX_FILES)
        throw new ConfigError({ place: folder, problem: `holds more than ${MAX_FILES} rule files` })
    }
  }
  return sources
}

function namesIn(folder: string): readonly string[] {
  try {
    return ruleFilesIn(folder)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(
      { place: folder, problem: fileProblem(cause), hint: 'name a folder of .yml files' },
      { cause },
    )
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError({ place: path, problem: fileProblem(cause) }, { cause })
  }
}

function isCases(place: string): boolean {
  return /\.cases\.ya?ml$/.test(place)
}

/** The files that are followed, and who receives what is wrong with them. */
export interface ScenarioWatchOptions {
  readonly files: ScenarioFiles
  readonly detector: ScenarioDetector
  /** Told after new rules were taken. */
  readonly onReload?: (scenarios: ScenarioSet) => void
  /** Receives the error of rules that cannot be used; the ones before stay in force. */
  readonly onError: (error: unknown) => void
}

/** Long enough for an editor or a checkout to finish writing. */
const SETTLE_MS = 200

/**
 * Follows the folders and exchanges the detector's rules when a file changes. A mistake keeps the old rules.
 * @returns how to stop
 * @throws ConfigError for a folder that cannot be watched
 */
export function watchScenarios(options: ScenarioWatchOptions): () => void {
  let timer: NodeJS.Timeout | undefined
  const reload = (): void => {
    try {
      const scenarios = loadScenarios(options.files)
      options.detector.replace(scenarios)
      options.onReload?.(scenarios)
    } catch (error) {
      options.onError(error)
    }
  }
  const watchers = (options.files.folders ?? []).map(folder => {
    try {
      const watcher = watch(folder, { recursive: true, persistent: false }, () => {
        clearTimeout(timer)
        timer = setTimeout(reload, SETTLE_MS).unref()
      })
      watcher.on('error', options.onError)
      return watcher
    } catch (cause) {
      throw new ConfigError(
        { place: folder, problem: 'cannot be watched', hint: 'check that it exists and can be read' },
        { cause },
      )
    }
  })
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
