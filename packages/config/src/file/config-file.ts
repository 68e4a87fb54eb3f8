import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, errorCode } from '@postern/core'
import type { Document, LineCounter } from 'yaml'
import { readConfigText, requireFile } from './config-text.ts'
import { fileVersion } from './follow-file.ts'
import { importedFiles } from './imported-files.ts'
import { yamlIssues } from './yaml-issues.ts'
import { yamlPackage } from './yaml-package.ts'

/** Where a value stands in a configuration: `['routes', 'POST /login', 'throttle']`. */
export type ConfigPath = readonly (string | number)[]

/** A configuration as written, not yet checked. */
export interface ConfigFile {
  /** Absolute path; undefined when the configuration was handed over in code. */
  readonly path: string | undefined
  /** Folder that relative paths in it start from. */
  readonly folder: string
  readonly value: unknown
  /** Text of a YAML or JSON file, as it was read. */
  readonly text?: string
  /** Which content of the file it was; see `fileVersion`. */
  readonly version: string | undefined
  /** Files beside it that one in code imports, and which content of them; see `staleImportsSentence`. */
  readonly imported?: ReadonlyMap<string, string | undefined>
  /** Names a place for an error message, with the line where the format keeps lines. */
  place(path: ConfigPath): string
}

/** A module that fetches secrets first may take a while; one that never ends must not hang the start. */
const LOADING_MS = 30_000

/**
 * Reads a configuration file: TypeScript and JavaScript are imported (their default export is the
 * configuration), YAML and JSON are parsed.
 * @throws ConfigError when there is no such file, or it cannot be read as its kind
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const absolute = resolve(path)
  const version = fileVersion(absolute)
  requireFile(absolute, path)
  const extension = extname(absolute)
  if (/^\.[cm]?[jt]s$/.test(extension)) return { ...(await importConfig(absolute, version ?? '')), version }
  if (['.yaml', '.yml', '.json'].includes(extension)) return { ...parseConfig(absolute, extension), version }
  throw new ConfigError({
    place: path,
    problem:
      extension === ''
        ? 'has no ending that says what kind of file it is'
        : `"${extension}" is not a kind of configuration file`,
    hint: 'use .ts, .js, .yaml or .json',
  })
}

/** A configuration handed over in code. */
export function configInCode(value: unknown, folder: string): ConfigFile {
  return { path: undefined, folder, value, version: undefined, place: formatPath }
}

type Unversioned = Omit<ConfigFile, 'version'>

async function importConfig(path: string, version: string): Promise<Unversioned> {
  const name = basename(path)
  let module: { readonly default?: unknown }
  try {
    // The query makes a changed file a new module; what it imports stays as it was until the process
    // restarts. CommonJS is cached by its path, whatever the query.
    delete createRequire(path).cache[realpathSync(path)]
    module = await loaded(import(`${pathToFileURL(path).href}?at=${encodeURIComponent(version)}`))
  } catch (error) {
    if (error instanceof ConfigError)
      throw new ConfigError(
        error.issues.map(issue => ({ ...issue, place: `${name}: ${issue.place}` })),
        { cause: error },
      )
    throw new ConfigError(
      {
        place: firstPlace(error, path) ?? name,
        problem:
          error instanceof Error
            ? `${error.name}: ${firstLine(error.message)}`
            : 'threw a value that is not an error',
        ...importHint(error),
      },
      { cause: error },
    )
  }
  const value = defaultOf(module)
  if (value === undefined)
    throw new ConfigError({
      place: name,
      problem: 'has no default export',
      hint: 'write: export default defineConfig({ ... })',
    })
  if (typeof value === 'function')
    throw new ConfigError({
      place: name,
      problem: 'exports a function',
      hint: 'export what it returns: export default defineConfig({ ... })',
    })
  const imported = importedFiles(path)
  return { path, folder: dirname(path), value, imported, place: at => `${name}: ${formatPath(at)}` }
}

/** The timer also keeps the process until then: else Node ends it in silence. */
async function loaded<T>(loading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new ConfigError({
          place: 'await',
          problem: `has not finished loading after ${LOADING_MS / 1_000} seconds`,
          hint: 'something that it awaits never ends: give it a time limit',
        }),
      )
    }, LOADING_MS)
  })
  try {
    return await Promise.race([loading, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The default export, also of a module that a compiler made CommonJS of. */
function defaultOf({ default: value }: { readonly default?: unknown }): unknown {
  const isCompiled = typeof value === 'object' && value !== null && '__esModule' in value
  return isCompiled ? ('default' in value ? value.default : undefined) : value
}

function importHint(error: unknown): { readonly hint?: string } {
  const code = errorCode(error)
  if (code === 'ERR_MODULE_NOT_FOUND' && error instanceof Error) {
    const name = /Cannot find package '([^']{1,120})'/.exec(error.message)?.[1]
    if (name === undefined) return { hint: 'check the path after "import", and its ending (.ts, .js)' }
    return { hint: `install what the file imports: npm install ${name}` }
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return { hint: 'use types that can be erased: no enums, no namespaces' }
  return {}
}

/** The first stack line inside the file itself: `postern.config.ts:12:3`. */
function firstPlace(error: unknown, path: string): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const at = stack.indexOf(path)
  const position = at < 0 ? null : /^[^\s)]*?:(\d+)(?::(\d+))?/.exec(stack.slice(at + path.length))
  return position === null
    ? undefined
    : `${basename(path)}:${position[1]}${position[2] === undefined ? '' : `:${position[2]}`}`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

/**
 * A configuration as it would be with this text in its file, which is not touched.
 * @param path absolute, of a YAML or JSON file that need not exist
 * @throws ConfigError when the text cannot be read as its kind
 */
export function configOfText(path: string, text: string): ConfigFile {
  return { ...parseConfig(path, extname(path), text), version: undefined }
}

function parseConfig(
  path: string,
  extension: string,
  read: string = readConfigText(path, basename(path)),
): Unversioned {
  // Editors on Windows put a byte order mark in front.
  const text = read.startsWith('\uFEFF') ? read.slice(1) : read
  const name = basename(path)
  const { LineCounter, parseDocument } = yamlPackage()
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    merge: true,
  })
  const issues = yamlIssues([...document.errors, ...document.warnings], text, at => {
    const { line, col } = lines.linePos(at)
    return `${name}:${line}:${col}`
  })
  if (issues.length > 0) throw new ConfigError(issues)
  const value: unknown = extension === '.json' ? parseJson(text, name) : resolved(document, name)
  return {
    path,
    folder: dirname(path),
    value: value ?? {},
    text,
    place: at => {
      const line = lineOf(document, lines, at)
      return `${name}${line === undefined ? '' : `:${line}`}: ${formatPath(at)}`
    },
  }
}

/** The values of a document. Aliases of aliases could stand for more than the memory holds. */
function resolved(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    const missing = /^Unresolved alias.*: (\S{1,60})$/.exec(cause instanceof Error ? cause.message : '')?.[1]
    throw new ConfigError(
      missing === undefined
        ? { place: name, problem: 'its aliases stand for too much', hint: 'write out what *name stands for' }
        : {
            place: name,
            problem: `there is no &${missing} before *${missing}`,
            hint: `name the value where it is first written: &${missing} { ... }; or put "*${missing}" in quotes`,
          },
      { cause },
    )
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new ConfigError(
      {
        place: name,
        problem: firstLine(error instanceof Error ? error.message : 'is not JSON'),
        hint: 'JSON has no comments, no commas at the end of a list, and double quotes; YAML (postern.config.yaml) and TypeScript are easier to write',
      },
      { cause: error },
    )
  }
}

/** Line of the value, or of the nearest thing around it that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: ConfigPath): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (hasRange(node)) return lines.linePos(node.range[0]).line
  }
  return undefined
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
}

/** `['routes', 'POST /login', 'inspect', 'except', 0]` becomes `routes["POST /login"].inspect.except[0]`. */
function formatPath(path: ConfigPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[A-Za-z_]\w*$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text === '' ? 'the configuration' : text
}
