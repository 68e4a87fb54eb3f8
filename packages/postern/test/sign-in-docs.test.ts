import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadConfig } from '@postern/config'

/** Pages by their path from the root of the repository. */
const PAGES = [
  'docs/login-defence',
  'docs/headers',
  'docs/bound-sessions',
  'docs/bring-your-own',
  'packages/identity/README',
]
const here = dirname(fileURLToPath(import.meta.url))

function blocks(page: string, language: string): readonly string[] {
  const text = readFileSync(join(here, '..', '..', '..', `${page}.md`), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  )
}

/** Runs a program in its folder, and closes what it exports and leaves open. */
async function runProgram(path: string, code: string): Promise<void> {
  const before = process.cwd()
  process.chdir(dirname(path))
  try {
    const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href).catch(
      (error: unknown) => assert.fail(`${String(error)}\n${code}`),
    )
    for (const value of Object.values(exported)) if (isClosable(value)) await value.close()
  } finally {
    process.chdir(before)
  }
}

function isClosable(value: unknown): value is { close(): Promise<void> | void } {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function'
}

describe('what the pages about sign-in print', { timeout: 60_000 }, () => {
  before(() => {
    // The secret of the reader's own tokens, which docs/bring-your-own.md reads.
    process.env['JWT_SECRET'] = 'a secret of 64 bytes, as the page asks of those who sign by HS512'
  })
  after(() => {
    delete process.env['JWT_SECRET']
  })

  for (const page of PAGES) {
    test(`${page}.md: every configuration is accepted, and every program runs`, async context => {
      const folder = mkdtempSync(join(here, '.docs-'))
      context.after(() => rmSync(folder, { recursive: true, force: true }))
      writeFileSync(
        join(folder, 'mail.ts'),
        'export const mailTo = async (to: string, text: string): Promise<void> => { console.log(to, text) }',
      )
      writeFileSync(
        join(folder, 'users.ts'),
        'export const findUser = async (name: string): Promise<{ email: string }> => ({ email: name })',
      )
      let count = 0
      for (const yaml of blocks(page, 'yaml')) {
        const path = join(folder, `postern.config.${count++}.yaml`)
        writeFileSync(path, yaml)
        const environment = { APP_URL: 'postgres://127.0.0.1/app', JWT_SECRET: process.env['JWT_SECRET'] }
        await assert.doesNotReject(loadConfig({ path, folder, environment }), yaml)
      }
      for (const code of blocks(page, 'ts')) {
        const path = join(
          folder,
          `${code.startsWith('// postern.config.ts') ? 'postern.config.' : 'program.'}${count++}.ts`,
        )
        writeFileSync(path, code)
        if (path.includes('postern.config.'))
          await assert.doesNotReject(loadConfig({ path, folder, environment: {} }), code)
        else await runProgram(path, code)
      }
      assert.ok(count > 0)
    })
  }
})
