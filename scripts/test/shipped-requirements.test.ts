import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import {
  readRequirements,
  shippedRequirements,
} from '../../packages/inspect/src/rules/shipped-requirements.ts'

const NAME = 'rule-requirements.json'
const dist = fileURLToPath(new URL('../../packages/inspect/dist', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'postern-requirements-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const ATTACK = `
const guard = inspectionGuard()
const { matches } = inspect({ method: 'GET', target: '/?q=1%27%20union%20select%20password%20from%20users--', headers: [] })
console.log(guard.name, matches.length > 0 ? 'found' : 'nothing')
`

function run(file: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', env: {} })
  return stdout + stderr
}

describe('what the rules that ship require', () => {
  test('is published as the expressions say it', () => {
    assert.deepEqual(shippedRequirements(), [], 'sources read the expressions')
    const published: unknown = JSON.parse(readFileSync(join(dist, NAME), 'utf8'))
    assert.deepEqual(published, JSON.parse(JSON.stringify(readRequirements())))
  })

  test('is read from the published file', () => {
    const copy = join(folder, 'dist')
    cpSync(dist, copy, { recursive: true })
    symlinkSync(modules, join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const file = join(folder, 'asks.js')
    writeFileSync(file, `import { inspect, inspectionGuard } from './dist/index.js'\n${ATTACK}`)
    assert.match(run(file), /found/)
    writeFileSync(join(copy, NAME), 'not JSON')
    assert.match(run(file), /SyntaxError/)
    const misfits = readRequirements().map(() => ({
      requires: [[{ texts: ['in no request'], within: 65_535 }]],
      least: 1,
      most: 65_535,
    }))
    writeFileSync(join(copy, NAME), JSON.stringify(misfits))
    assert.match(run(file), /nothing/)
    writeFileSync(join(copy, NAME), JSON.stringify(misfits.slice(1)))
    assert.match(run(file), /found/, 'that of another build is not used')
    rmSync(join(copy, NAME))
    assert.match(run(file), /found/)
  })

  for (const format of ['esm', 'cjs'] as const)
    test(`is read from the expressions in a bundle without the file: ${format}`, async () => {
      const outfile = join(folder, format === 'esm' ? 'out.mjs' : 'out.cjs')
      await build({
        stdin: {
          contents: `import { inspect, inspectionGuard } from '@postern/inspect'\n${ATTACK}`,
          resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        },
        outfile,
        format,
        bundle: true,
        platform: 'node',
        target: 'node24',
        logLevel: 'silent',
      })
      assert.match(run(outfile), /found/)
    })
})
