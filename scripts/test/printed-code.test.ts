import assert from 'node:assert/strict'
import { globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { API } from 'typescript/unstable/sync'
import { root } from '../workspace.ts'
import { type Block, blocksOf, readPage } from './support/page.ts'

/** Types of packages that pages name and that are not linked at the root of the workspace. */
const ELSEWHERE = { typeorm: 'packages/access/node_modules/typeorm/index.d.ts' }
/** Modules whose types nobody here has, or that the reader of a page writes. */
const OF_READERS = `
declare module 'express-session'
declare module 'pkcs11js'
declare module '*/mail.ts' {
  export function mailTo(address: string, text: string): Promise<void>
}
declare module '*/users.ts' {
  export function findUser(account: string): Promise<{ readonly email: string } | undefined>
}
`

/** What a piece of a program may leave out, and what it is. */
const OF_PIECES: Readonly<Record<string, string>> = {
  app: 'any',
  AppModule: 'any',
  cors: '() => import("express").RequestHandler',
  createServer: 'typeof import("node:http").createServer',
  express: 'typeof import("express")',
  fastify: '(typeof import("fastify"))["default"]',
  handler: '(request: Request) => Response',
  Hono: 'typeof import("hono").Hono',
  honeyGuard: 'typeof import("@postern/remediate").honeyGuard',
  ignitor: '{ httpServer(): { start(make: (handle: import("node:http").RequestListener) => object): void } }',
  Koa: 'typeof import("koa")',
  login: 'any',
  layer: 'Awaited<ReturnType<typeof import("postern").postern>>',
  limits: 'ReturnType<typeof import("@postern/throttle").throttle>',
  logger: 'Console',
  NestFactory: '{ create(module: unknown): Promise<any> }',
  postern: 'typeof import("postern").postern',
  principalOf: '(header: string | undefined) => import("postern").Principal | undefined',
  rateLimit: '(options: Record<string, unknown> & { keyGenerator?: (request: any) => string }) => any',
  RateLimiterRedis: 'any',
  redis: 'import("@postern/store").RedisConnection',
  remediations: 'import("@postern/remediate").RemediationStore',
  req: 'any',
  storeClient: 'any',
  WebSocketServer: 'any',
  ...Object.fromEntries(
    ['address', 'overrides', 'redisStore', 'tenant', 'throttle', 'window'].map(name => [
      name,
      `typeof import("@postern/throttle").${name}`,
    ]),
  ),
}

/** What a page leaves to its reader beside its programs. */
const OF_PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/configuration.md': { app: 'any', server: 'import("node:http").Server' },
  'docs/extending.md': {
    app: '{ use(handler: (request: any, response: unknown, next: () => void) => unknown): void }',
    lookUp: '(header: string | undefined) => Promise<import("postern").Principal | undefined>',
  },
  'docs/gateway.md': { request: '{ headers: Record<string, string> }' },
  'docs/inspection.md': {
    request: '{ method: string, target: string, headers: readonly string[] }',
    handle: '(request: unknown) => unknown',
    pathOfRecommendedJson: 'string',
    DDWAF: 'any',
    document: 'object',
  },
  'docs/throttle.md': { database: '{ query(text: string, values: readonly unknown[]): Promise<any> }' },
  'packages/postern/README.md': { app: 'import("express").Express' },
  'packages/console/README.md': {
    clock: 'import("@postern/core").Clock',
    directory: 'string',
    parts: 'Parameters<typeof import("@postern/console").startConsole>[0]["parts"]',
    runtime: '{ listen(listener: (event: import("@postern/core").Event) => void): void }',
  },
  'packages/audit/README.md': {
    deleteOrders: '(ids: readonly number[]) => Promise<void>',
    event: 'import("@postern/core").Event',
    ids: 'readonly number[]',
    intent: 'import("@postern/core").Event',
  },
}

/** A block as a module: settings become a configuration, and what its page leaves out is declared. */
function moduleOf(page: string, { text }: Block): string {
  if (/^(?:\/\/.*\n)*[\w'"$]+: /.test(text))
    return moduleOf(page, { text: `export default defineConfig({\n${text}})\n` } as Block).concat(
      "import { defineConfig } from 'postern'\n",
    )
  const open = { ...(/^import /m.test(text) ? {} : OF_PIECES), ...OF_PAGES[page] }
  const declared = Object.entries(open)
    .filter(([name]) => new RegExp(`(?<![.'\\w])${name}\\b(?!:)`).test(text))
    .filter(
      ([name]) => !new RegExp(`(?:const|function) (?:\\{ )?${name}\\b|import .*\\b${name}\\b`).test(text),
    )
    .map(([name, type]) => `declare const ${name}: ${type}\n`)
  return `${text}${declared.join('')}export {}\n`
}

/** The file of a block: named above it, in its first line, or by its place on the page. */
function fileOf({ file, text }: Block, place: number): string {
  return file ?? /^\/\/ ([\w./-]+\.ts)$/m.exec(text.split('\n', 1)[0] ?? '')?.[1] ?? `block-${place}.ts`
}

const PAGES = globSync(['README.md', 'docs/*.md', 'packages/*/README.md'], { cwd: root }).toSorted()
const folder = mkdtempSync(join(tmpdir(), 'postern-printed-code-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const files = new Map<string, readonly string[]>()
for (const page of PAGES) {
  const own = join(folder, page.replace(/\W+/g, '-'))
  const blocks = blocksOf(readPage(page))
    // Nest and Prisma have settings of the compiler and files of their own.
    .filter(({ language, text }) => language === 'ts' && !/@nestjs|\bPrismaClient\b/.test(text))
    .map((block, place) => [join(own, fileOf(block, place)), moduleOf(page, block)] as const)
  for (const [file, text] of blocks) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  if (blocks.length > 0)
    files.set(
      page,
      blocks.map(([file]) => file),
    )
}
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
writeFileSync(join(folder, 'of-readers.d.ts'), OF_READERS)
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      target: 'es2024',
      lib: ['es2024', 'dom', 'dom.iterable'],
      module: 'nodenext',
      customConditions: ['@postern/source'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      paths: Object.fromEntries(Object.entries(ELSEWHERE).map(([name, path]) => [name, [join(root, path)]])),
      typeRoots: [join(root, 'node_modules/@types')],
      types: ['node'],
    },
    files: ['of-readers.d.ts', ...[...files.values()].flat()],
  }),
)

describe('the compiler accepts every block of TypeScript as it is printed, in strict mode', () => {
  // Asked about these files alone, the compiler does not check all that they import.
  const api = new API({ cwd: folder })
  after(() => api.close())
  const config = join(folder, 'tsconfig.json')
  const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program

  for (const [page, blocks] of files)
    test(page, () => {
      const problems = blocks.flatMap(file => {
        assert.ok(program?.getSourceFile(file) !== undefined, file)
        return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
          ({ text, pos }) => `${basename(file)} at ${pos}: ${text}`,
        )
      })
      assert.deepEqual(problems, [])
    })
})

/** Packages that a page's programs import, without those of Node and `postern` itself. */
function importsOf(page: string): readonly string[] {
  const code = blocksOf(readPage(page))
    .filter(({ language }) => language === 'ts' || language === 'js')
    .map(({ text }) => text)
    .join('')
  const names = [...code.matchAll(/^(?:import|\} from) ?(?:.* from )?'((?:@[\w-]+\/)?[\w-]+)/gm)].map(
    ([, name = '']) => name,
  )
  return [...new Set(names)].filter(name => name !== 'postern' && name !== 'node').toSorted()
}

for (const page of PAGES.filter(name => name.startsWith('docs/')))
  test(`${page} names every package that its programs import, outside of them`, () => {
    const prose = readPage(page).replace(/^```(?!sh$).*\n[\s\S]*?^```$/gm, '')
    const named = new Set(
      [...prose.matchAll(/(?:npm install [^`\n]*|`[^`\n]+`)/g)].flatMap(([text]) =>
        text
          .replaceAll('`', '')
          .split(' ')
          .map(word => word.replace(/(?<=.)@[\d.]+$/, '')),
      ),
    )
    assert.deepEqual(
      importsOf(page).filter(name => !named.has(name)),
      [],
    )
  })
