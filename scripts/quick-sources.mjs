// Loaded before everything else in each process of a run of tests. Most of the start of such a process is
// finding hundreds of source files and stripping their types, so this keeps the stripped texts and finds the
// files of the workspace by their names alone: half the time. Every place of a text is where it is in the
// source. Plain JavaScript: it must not need stripping itself.
import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'

const workspace = new URL('../', import.meta.url).href
const folder = fileURLToPath(new URL('node_modules/.cache/stripped/', workspace))
/** A source of a copy of the workspace, such as tests of pages make. */
const COPIED = /^file:.*?\/(?=(?:(?:packages|examples)\/[^/]+\/(?:src|test)|scripts)\/)(?!.*\/node_modules\/)/
/** Where packages of a workspace begin, by name and workspace. */
const packages = new Map()

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '', conditions } = context
    if (!isSource(parentURL)) return next(specifier, context)
    if (/^\.\.?\/.*\.ts$/.test(specifier)) {
      const { href } = new URL(specifier, parentURL)
      // What `load` does not strip is left to node altogether.
      return isSource(href) ? { url: href, format: 'module', shortCircuit: true } : next(specifier, context)
    }
    if (!specifier.startsWith('@postern/') || !conditions.includes('import')) return next(specifier, context)
    const name = `${specifier} ${workspaceOf(parentURL)}`
    const known = packages.get(name) ?? { ...next(specifier, context), shortCircuit: true }
    packages.set(name, known)
    return known
  },
  load(url, context, next) {
    const source = isSource(url) && url.endsWith('.ts') ? strippedFile(url) : undefined
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true }
  },
})

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
