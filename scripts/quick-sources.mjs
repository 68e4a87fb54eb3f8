// Loaded before everything else in each process of a run of tests. Most of the start of such a process is
// finding hundreds of source files and stripping their types, so this keeps the stripped texts and finds the
// files of the workspace by their names alone: half the time. Every place of a text is where it is in the
// source. With `?built` behind its name, the command line of this workspace, and applications elsewhere that
// import its packages, run what is published, from `dist`: a gateway starts with half the work. Plain
// JavaScript: it must not need stripping itself.
import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { threadId } from 'node:worker_threads'

const workspace = new URL('../', import.meta.url).href
const folder = fileURLToPath(new URL('node_modules/.cache/stripped/', workspace))
/** A source of a copy of the workspace, such as tests of pages make. */
const COPIED = /^file:.*?\/(?=(?:(?:packages|examples)\/[^/]+\/(?:src|test)|scripts)\/)(?!.*\/node_modules\/)/
const SOURCE = '@postern/source'
const commandLine = `${workspace}packages/postern/src/bin.ts`
/** What an application imports of a package that it has not installed. */
const ENTRY = /^(file:.*\/packages\/[^/]+\/)src\/index\.ts$/
const DIST = /\/packages\/[^/]+\/dist\//
/** Whether this process or thread runs what is published: it began with something other than a source. */
const runsBuilt = import.meta.url.endsWith('?built') && isPublished(began())
/** Where packages of a workspace begin, by name, form and workspace. */
const packages = new Map()

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '', conditions } = context
    const isBuilt = runsBuilt && isPublished(parentURL)
    if (isBuilt && specifier.startsWith(workspace) && ENTRY.test(specifier))
      return { url: specifier.replace(ENTRY, '$1dist/index.js'), format: 'module', shortCircuit: true }
    const wanted = isBuilt ? { ...context, conditions: conditions.filter(one => one !== SOURCE) } : context
    if (!isSource(parentURL)) return next(specifier, wanted)
    if (/^\.\.?\/.*\.ts$/.test(specifier)) {
      const { href } = new URL(specifier, parentURL)
      // What `load` does not strip is left to node altogether.
      return isSource(href) ? { url: href, format: 'module', shortCircuit: true } : next(specifier, context)
    }
    if (!specifier.startsWith('@postern/') || !conditions.includes('import')) return next(specifier, context)
    const name = `${specifier} ${isBuilt} ${workspaceOf(parentURL)}`
    const known = packages.get(name) ?? { ...next(specifier, wanted), shortCircuit: true }
    packages.set(name, known)
    return known
  },
  load(url, context, next) {
    const source = isSource(url) && url.endsWith('.ts') ? strippedFile(url) : undefined
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true }
  },
})

/** What the process was started with: a command or an application. Threads say the same. */
function began() {
  const [, file] = process.argv
  const url = file === undefined ? '' : pathToFileURL(file).href
  return url === `${workspace}scripts/postern.ts` ? commandLine : url
}

function isPublished(url) {
  return url === commandLine || DIST.test(url) || !isSource(url)
}

function isSource(url) {
  return workspaceOf(url) !== undefined
}

function workspaceOf(url) {
  if (!url.startsWith(workspace)) return COPIED.exec(url)?.[0]
  return url.includes('/node_modules/', workspace.length - 1) ? undefined : workspace
}

/** Undefined for a file that cannot be read or stripped: node words that error. */
function strippedFile(url) {
  try {
    const text = readFileSync(fileURLToPath(url), 'utf8')
    const kept = `${folder}${hash('sha256', `${process.version}\n${text}`)}`
    return readIfKept(kept) ?? keep(kept, stripTypeScriptTypes(text))
  } catch {
    return undefined
  }
}

function readIfKept(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Other processes find the whole text or none. */
function keep(path, source) {
  try {
    mkdirSync(folder, { recursive: true })
    const written = `${path}.${process.pid}.${threadId}`
    writeFileSync(written, source)
    renameSync(written, path)
  } catch {
    // A process that may not write there strips for itself.
  }
  return source
}
