// What npm would publish works where it is installed: every package is packed, laid out as npm
// lays it out, and used by plain Node, without the sources of the workspace. Needs a build (npm
// run build); says so when there is none.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { tryBundles } from './packed-bundles.ts'
import { tryOrms } from './packed-orms.ts'
import { layOutPacked } from './packed-packages.ts'
import { newerDeclarations, typeProblems } from './packed-types.ts'
import { tryVault } from './packed-vault.ts'
import { isBuilt, packages, root } from './workspace.ts'

const USE = `
import { createServer } from 'node:http'
import { postern } from 'postern'
if (import.meta.resolve('postern').includes('/src/')) throw new Error('the sources were loaded, not the build')
const layer = await postern({ config: { audit: { retention: '90d' } } })
const handle = layer.fetch(() => new Response('hello'), { peer: () => '203.0.113.9' })
const status = async target => (await handle(new Request('http://shop.example' + target))).status
const found = [await status('/'), await status('/?q=%3Cscript%3Ealert(1)%3C/script%3E')]
await layer.close()
if (String(found) !== '200,403') throw new Error('answered ' + found)
`

const REQUIRED = `
const { readFileSync } = require('node:fs')
for (const name of readFileSync('entries.txt', 'utf8').trim().split('\\n'))
  if (Object.keys(require(name)).length === 0) throw new Error('require() found nothing in ' + name)
import('postern').then(({ ConfigError }) => {
  if (ConfigError !== require('postern').ConfigError) throw new Error('there are two copies of postern')
})
`

const TYPED = `
import { ConfigError, type Config, defineConfig, postern } from 'postern'
import { guardPool, ReadBudgets } from '@postern/access'
import { guardSqlite } from '@postern/access/sqlite'
import { LoginDefence } from '@postern/identity/login'
export const others = [guardPool, ReadBudgets, guardSqlite, LoginDefence]
const config: Config = defineConfig({ mode: 'observe' })
export const layer = postern({ config })
export const hintOf = (error: unknown) => (error instanceof ConfigError ? error.issues[0].hint : undefined)
// @ts-expect-error: an unknown mode
export const wrong: Config = { mode: 'nope' }
`

const all = packages()
const unbuilt = all.filter(one => !isBuilt(one))
if (unbuilt.length > 0) {
  console.log(
    `--   packed packages: not built (npm run build): ${unbuilt.map(({ folder }) => folder).join(', ')}`,
  )
  process.exit(0)
}

const project = mkdtempSync(join(tmpdir(), 'postern-packed-'))
try {
  layOutPacked(all, project)
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME }
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  writeFileSync(join(project, 'use.js'), USE)
  writeFileSync(join(project, 'use.cjs'), REQUIRED)
  writeFileSync(join(project, 'entries.txt'), requiredEntries(project).join('\n'))
  for (const file of ['use.js', 'use.cjs'])
    execFileSync(process.execPath, [file], { cwd: project, env, stdio: 'inherit' })
  const cli = linkBinary(project)
  execFileSync('npx', ['--no', 'postern', 'version'], {
    cwd: project,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (const command of ['version', 'schema', 'scenarios list'])
    execFileSync(process.execPath, [cli, ...command.split(' ')], {
      cwd: project,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  await checkTypes(project)
  for (const workers of ['1', '2']) await tryGateway(cli, workers, env)
  await tryBundles(project, env)
  await tryVault(project, env)
  for (const name of await tryOrms(project, env))
    console.log(`--   ORMs on packed packages: ${name} is not installed`)
  console.log(`${all.length} packed packages work in a project of their own`)
} finally {
  rmSync(project, { recursive: true, force: true })
}

/** Every entry that the packed packages offer to `require()`: `@postern/vault/holder`. */
function requiredEntries(folder: string): readonly string[] {
  return all.flatMap(({ manifest: { name } }) => {
    const packed = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')
    const { exports = {} } = JSON.parse(packed) as { exports?: Readonly<Record<string, unknown>> }
    return Object.entries(exports)
      .filter(([, target]) => typeof target === 'object' && target !== null && 'require' in target)
      .map(([path]) => name + path.slice(1))
  })
}

/** Puts the binary of `postern` where npm puts it. @returns the file it runs */
function linkBinary(folder: string): string {
  const home = join(folder, 'node_modules', 'postern')
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { bin: { postern: string } }
  const file = join(home, bin.postern)
  chmodSync(file, 0o755)
  mkdirSync(join(folder, 'node_modules', '.bin'))
  symlinkSync(file, join(folder, 'node_modules', '.bin', 'postern'))
  return file
}

/** The types resolve in every module mode of TypeScript, in ES modules and in CommonJS. */
async function checkTypes(folder: string): Promise<void> {
  const tarballs = join(folder, 'tarballs')
  const problems: string[] = []
  for (const tarball of readdirSync(tarballs)) problems.push(...(await typeProblems(join(tarballs, tarball))))
  for (const { manifest } of all)
    problems.push(...newerDeclarations(join(folder, 'node_modules', manifest.name)))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  writeFileSync(join(folder, 'typed.mts'), TYPED)
  writeFileSync(join(folder, 'typed.cts'), TYPED)
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true })
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
  for (const [module, resolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
    ['commonjs', 'bundler'],
  ] as const) {
    const options = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
      '--target',
      'es2022',
    ]
    const modes = ['--module', module, '--moduleResolution', resolution]
    const checked = options.filter(option => option !== '--skipLibCheck')
    // A bundler reads no .cts by require().
    const files = resolution === 'bundler' ? ['typed.mts'] : ['typed.mts', 'typed.cts']
    execFileSync(tsc, [...options, ...modes, ...files], { cwd: folder, stdio: ['ignore', 2, 2] })
    // Projects that check the declarations of what they installed have no optional packages either.
    execFileSync(tsc, [...checked, '--types', 'node', ...modes, ...files], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    })
  }
}

/** A gateway of the build passes what is good and refuses what is not. */
async function tryGateway(cli: string, workers: string, env: Record<string, string>): Promise<void> {
  const backend = createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const to = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
  const places = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']
  const gateway = spawn(
    process.execPath,
    [cli, 'gateway', '--json', '--quiet', '--to', to, '--workers', workers, ...places],
    {
      cwd: project,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    const said = await firstLine(gateway.stdout)
    const { url } = JSON.parse(said) as { readonly url: string }
    const statuses: number[] = []
    for (const target of ['/', '/?q=%3Cscript%3Ealert(1)%3C/script%3E'])
      statuses.push((await fetch(`${url}${target}`)).status)
    if (String(statuses) !== '200,403')
      throw new Error(`the gateway with ${workers} worker(s) answered ${statuses}`)
  } finally {
    gateway.kill('SIGTERM')
    await once(gateway, 'exit')
    backend.close()
    backend.closeAllConnections()
  }
}

function firstLine(stream: Readable): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('\n')) resolve(said.slice(0, said.indexOf('\n')))
    })
    stream.on('end', () => reject(new Error('the gateway ended before it listened')))
  })
}
