import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { API } from 'typescript/unstable/sync'
import { SOURCE_FLAGS } from '../../test/source-flags.ts'
import { type ApiExport, apiEntries } from '../api-exports.ts'
import { examplesIn } from '../api-reference.ts'
import { root } from '../workspace.ts'

interface Ran {
  readonly name: string
  readonly printed: readonly string[]
  readonly error?: string
}

/** Runs each example, and prints what came of it. */
const RUNNER = `import { format } from 'node:util'
const results = []
for (const name of process.argv.slice(2)) {
  const printed = []
  console.log = (...values) => { printed.push(format(...values)) }
  try {
    await import(new URL(name + '.ts', import.meta.url).href)
    results.push({ name, printed })
  } catch (error) {
    results.push({ name, printed, error: String(error?.stack ?? error) })
  }
}
process.stdout.write(JSON.stringify(results))
`

describe('every public name of postern', () => {
  const names: ApiExport[] = []
  let folder = ''
  let ran: readonly Ran[] = []

  before(() => {
    names.push(...(apiEntries().find(({ path }) => path === 'postern')?.exports ?? []))
    folder = mkdtempSync(join(tmpdir(), 'postern-examples-'))
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(root, 'packages/postern'), join(folder, 'node_modules/postern'), 'junction')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'run.ts'), RUNNER)
    for (const [i, { doc }] of names.entries())
      writeFileSync(join(folder, `${i}.ts`), codeOf(examplesIn(doc)[0] ?? ''))
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [...SOURCE_FLAGS, join(folder, 'run.ts'), ...names.map((_, i) => String(i))],
      { cwd: folder, encoding: 'utf8', timeout: 120_000 },
    )
    assert.equal(status, 0, stderr)
    ran = JSON.parse(stdout) as readonly Ran[]
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('has a docstring with an example that imports it', () => {
    assert.ok(names.length > 30)
    for (const { name, doc } of names) {
      const [example = '', ...more] = examplesIn(doc)
      assert.match(example, new RegExp(`^import .*\\b${name}\\b.* from 'postern'$`, 'm'), name)
      assert.deepEqual(more, [], `${name} has one example`)
    }
  })

  test('has an example that runs and prints what it says', () => {
    for (const [i, { name, doc }] of names.entries()) {
      const result = ran.find(other => other.name === String(i))
      assert.equal(result?.error, undefined, `${name}: ${result?.error}`)
      const said = [...(examplesIn(doc)[0] ?? '').matchAll(/\/\/ prints: (.*)$/gm)].map(match => match[1])
      assert.deepEqual(result?.printed, said, name)
    }
  })

  test('has an example that the compiler accepts', () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.base.json'),
        compilerOptions: {
          noEmit: true,
          isolatedDeclarations: false,
          declaration: false,
          declarationMap: false,
          sourceMap: false,
          composite: false,
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          typeRoots: [join(root, 'node_modules/@types')],
          types: ['node'],
        },
        files: names.map((_, i) => `${i}.ts`),
      }),
    )
    // Asked about the examples alone, the compiler does not check all that they import.
    const api = new API({ cwd: folder })
    try {
      const config = join(folder, 'tsconfig.json')
      const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program
      for (const [i, { name }] of names.entries()) {
        const file = join(folder, `${i}.ts`)
        assert.ok(program?.getSourceFile(file) !== undefined, name)
        const problems = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
        assert.deepEqual(
          problems.map(({ text }) => text),
          [],
          name,
        )
      }
    } finally {
      api.close()
    }
  })
})

test('each public name is described so that it can be read without its neighbours in the source', () => {
  const leaning = apiEntries()
    .flatMap(entry => entry.exports)
    .filter(({ doc }) => doc.length < 12 || /^(The same|As above|See `|Those (of|that)|They|Its) ?/.test(doc))
  assert.deepEqual(
    leaning.map(({ file, name, doc }) => `${file} ${name}: ${doc}`),
    [],
  )
})

function codeOf(example: string): string {
  return /^```ts\n([\s\S]*)\n```$/.exec(example)?.[1] ?? ''
}
