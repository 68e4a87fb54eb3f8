// The JavaScript that is published: every package as a few files instead of one for each source file, for
// Node resolves, opens and links hundreds of files one after the other when an application starts. Not
// minified.
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild'
import { readRequirements } from '../packages/inspect/src/rules/shipped-requirements.ts'
import { shippedScenarioTexts } from '../packages/scenarios/src/scenario-files.ts'
import { documentsOf } from '../packages/scenarios/src/scenario-set.ts'
import { BUNDLED } from './bundled-code.ts'
import { withoutExamples } from './left-out-examples.ts'
import { type Package, packages, root } from './workspace.ts'

/** Files that a worker thread starts with: `new URL(`./prune-thread.${extension}`, import.meta.url)`. */
const THREAD = /new URL\(`\.\/([\w-]+)\.\$\{/g

/** What the build reads, by package and file, so that a start need not: scenarios, what rules require. */
const DATA: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'packages/scenarios': {
    'shipped-scenarios.json': () => JSON.stringify(documentsOf(shippedScenarioTexts())),
  },
  'packages/inspect': { 'rule-requirements.json': () => JSON.stringify(readRequirements()) },
}

/**
 * Files that bring a part of a package into a file of its own. All of inspection in one took V8 5 MB more
 * while it was read, which a process does not give back.
 */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  'packages/inspect': ['own-rules', 'rce', 'sqli', 'xss'].map(name => `rules/${name}.ts`),
}

/** Sent to browsers one by one, so each stays a file of its own. */
const BROWSER = 'browser/'

/** But where a bundle in CommonJS has another name for it: such code looks for packages, not for files. */
const PLACE = /\bimport\.meta\.url\b(?! \?\? __filename)/g
/** A file beside the code: `new URL('./file', import.meta.url)`. */
const BESIDE = /new URL\([^;]{1,200}?import\.meta\.url\)/

const shared: BuildOptions = {
  platform: 'node',
  format: 'esm',
  target: 'node24',
  charset: 'ascii',
  // What is published is readable as it is; maps and sources beside it were half of what people installed.
  sourcemap: false,
}

/** What `charset` leaves: comments, regular expressions and templates. */
const BEYOND_LATIN1 = /[^\x00-\xff]/g

/** Writes what a package publishes, but for its types, into its `dist`. */
export async function bundleModules({ folder, manifest }: Package): Promise<void> {
  const source = join(root, folder, 'src')
  const output = join(root, folder, 'dist')
  const files = globSync('**/*.ts', { cwd: source })
  for (const file of files.filter(name => name.startsWith(BROWSER))) await transpile(source, output, file)
  const parts = (PARTS[folder.replaceAll('\\', '/')] ?? []).map(name => join(source, name))
  const external = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  const { metafile, warnings } = await build({
    ...shared,
    absWorkingDir: root,
    entryPoints: [...entriesOf(folder, source, files), ...parts],
    outbase: source,
    outdir: output,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    external: external.flatMap(name => [name, `${name}/*`]),
    metafile: true,
    plugins: [placesOf(source)],
    logLevel: 'warning',
  })
  if (warnings.length > 0) throw new Error(`${folder} is not built as it is written`)
  for (const name of globSync('chunk-*.js', { cwd: output }))
    if (metafile.outputs[`${folder}/dist/${name}`] === undefined) rmSync(join(output, name))
  requirePlaces(folder, source, metafile)
  refuseLargeZod(metafile)
  leaveOutExamples(metafile)
  escapeWide(metafile)
  // What is in them went to chunks: nobody imports them.
  for (const part of parts) rmSync(join(output, relative(source, part).replace(/ts$/, 'js')))
  writeLicences(output, metafile, BUNDLED[manifest.name] ?? [])
  for (const [name, text] of Object.entries(DATA[folder] ?? {})) writeFileSync(join(output, name), text())
  // Last, for it is what tells how old all of this is.
  const now = new Date()
  utimesSync(join(output, 'index.js'), now, now)
}

/** Does so for the packages whose sources are newer than their modules. */
export async function ensureModules(): Promise<void> {
  const shared = newest(['package-lock.json', 'scripts/bundled-modules.ts'])
  for (const each of packages()) {
    const built = join(root, each.folder, 'dist/index.js')
    const builtAt = existsSync(built) ? statSync(built).mtimeMs : 0
    const { folder } = each
    const sources = [`${folder}/package.json`, ...globSync(`${folder}/src/**`, { cwd: root })]
    if (builtAt < Math.max(shared, newest(sources))) await bundleModules(each)
  }
}

function newest(files: readonly string[]): number {
  return Math.max(...files.map(file => statSync(join(root, file)).mtimeMs))
}

/** What others import, what the shell runs and what threads start with. */
function entriesOf(folder: string, source: string, files: readonly string[]): string[] {
  const manifest = readFileSync(join(root, folder, 'package.json'), 'utf8')
  const names = [...manifest.matchAll(/"\.\/dist\/([^"]+)\.js"/g)].map(([, name]) => `${name}.ts`)
  const threads = files.flatMap(file =>
    [...readFileSync(join(source, file), 'utf8').matchAll(THREAD)].map(([, name]) =>
      join(dirname(file), `${name}.ts`),
    ),
  )
  return [...new Set([...names, ...threads])]
    .filter(name => !name.startsWith(BROWSER) && files.includes(name))
    .map(name => join(source, name))
}

async function transpile(source: string, output: string, file: string): Promise<void> {
  const text = readFileSync(join(source, file), 'utf8').replaceAll(".ts'", ".js'")
  mkdirSync(dirname(join(output, file)), { recursive: true })
  const { code } = await transform(text, { loader: 'ts', target: 'es2022', charset: 'utf8' })
  writeFileSync(join(output, file.replace(/\.ts$/, '.js')), code)
}

/**
 * Code that looks for files beside itself moves to the top of `dist`: there it learns where it stood. Not by
 * `new URL('./file', import.meta.url)`, for which webpack would look when an application is bundled.
 */
function placesOf(source: string): Plugin {
  return {
    name: 'places',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        const place = relative(source, path).replace(/\.ts$/, '.js')
        if (place.startsWith('..') || text.search(PLACE) === -1) return undefined
        if (!place.includes('/') && !BESIDE.test(text)) return undefined
        return {
          loader: 'ts',
          contents: text.replaceAll(PLACE, `\`\${import.meta.url}/../${place}\``),
        }
      })
    },
  }
}

/** @throws Error when such code ended in another folder than the top of `dist` */
function requirePlaces(folder: string, source: string, { outputs }: Metafile): void {
  for (const [output, { inputs }] of Object.entries(outputs)) {
    if (dirname(output) === join(folder, 'dist')) continue
    for (const input of Object.keys(inputs))
      if (
        input.startsWith(relative(root, source)) &&
        readFileSync(join(root, input), 'utf8').search(PLACE) !== -1
      )
        throw new Error(`${input} uses import.meta.url and was built into ${output}`)
  }
}

/**
 * zod's messages were half of the code that reads a configuration, and its form with methods takes a third
 * more memory for each key.
 * @throws Error naming one: `import { z } from 'zod/mini'` brings all messages, `import * as z` what is used
 */
function refuseLargeZod({ outputs }: Metafile): void {
  for (const [output, { inputs }] of Object.entries(outputs))
    for (const [input, { bytesInOutput }] of Object.entries(inputs))
      if (bytesInOutput > 0 && /\/zod\/.*\/(?:locales|classic)\//.test(input))
        throw new Error(`${output} has ${input} in it: write import * as z from 'zod/mini'`)
}

function leaveOutExamples({ outputs }: Metafile): void {
  for (const [output, { inputs }] of Object.entries(outputs)) {
    if (!Object.keys(inputs).some(input => input.startsWith('packages/inspect/src/rules/'))) continue
    const file = join(root, output)
    writeFileSync(file, withoutExamples(readFileSync(file, 'utf8')))
  }
}

/**
 * Writes characters beyond Latin-1 as escapes: a file with one of them takes twice the memory in V8 for as
 * long as its code is loaded.
 * @throws Error for a raw template, where an escape would mean something else
 */
function escapeWide({ outputs }: Metafile): void {
  for (const output of Object.keys(outputs)) {
    const file = join(root, output)
    const text = readFileSync(file, 'utf8')
    if (text.search(BEYOND_LATIN1) === -1) continue
    for (const [raw] of text.matchAll(/String\.raw`[^`]*`/g))
      if (raw.search(BEYOND_LATIN1) !== -1) throw new Error(`${output} has a raw template beyond Latin-1`)
    writeFileSync(
      file,
      text.replace(BEYOND_LATIN1, wide => `\\u${wide.charCodeAt(0).toString(16).padStart(4, '0')}`),
    )
  }
}

/**
 * Licences of packages whose code is part of the build.
 * @throws Error for code that nobody decided to take in
 */
function writeLicences(output: string, { inputs }: Metafile, wanted: readonly string[]): void {
  const names = new Set(
    Object.keys(inputs).flatMap(input => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []),
  )
  if ([...names].sort().join() !== [...wanted].sort().join())
    throw new Error(`${output} holds the code of [${[...names]}], and bundled-code.ts allows [${wanted}]`)
  const texts = [...names].sort().map(name => {
    const home = join(root, 'node_modules', name)
    const [file] = globSync('LICEN[SC]E*', { cwd: home })
    if (file === undefined) throw new Error(`${name} has no licence to publish with its code`)
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
    return `${name} ${version}\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`
  })
  if (texts.length > 0) writeFileSync(join(output, 'LICENSES-of-others.txt'), texts.join('\n---\n\n'))
}
