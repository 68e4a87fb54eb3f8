import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@postern/config'

const PAGE = readFileSync(new URL('../../../docs/inspection.md', import.meta.url), 'utf8')

function blocksOf(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`\n\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  )
}

/** A folder beside this file, so that imports of packages resolve. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('docs/inspection.md', () => {
  test('every configuration is accepted as printed, in YAML and in TypeScript', async () => {
    const yaml = blocksOf('yaml')
    const typescript = blocksOf('ts').filter(text => !text.startsWith('import '))
    assert.deepEqual([yaml.length, typescript.length], [2, 4])
    await inFolder(async folder => {
      mkdirSync(join(folder, 'rules'))
      writeFileSync(join(folder, 'rules/local.conf'), 'SecRule ARGS "@contains x" "id:1,phase:2,deny"\n')
      writeFileSync(
        join(folder, 'openapi.yaml'),
        'openapi: 3.1.0\ninfo: { title: x, version: "1" }\npaths: {}\n',
      )
      const file = join(folder, 'postern.config.yaml')
      for (const text of yaml) {
        writeFileSync(file, text)
        await loadConfig({ folder, environment: {} })
      }
      rmSync(file)
      for (const text of typescript) {
        const config = new Function(`return { ${text} }`)() as Record<string, unknown>
        await loadConfig({ folder, environment: {}, config })
      }
    })
  })
})
