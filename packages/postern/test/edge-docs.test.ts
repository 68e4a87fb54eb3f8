import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cli } from '../../cli/test/cli.ts'

const PAGE = readFileSync(new URL('../../../docs/edge.md', import.meta.url), 'utf8')

test('every configuration of docs/edge.md is accepted as printed, and its command says what the page says', async () => {
  const blocks = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  assert.equal(blocks.length, 6)
  const command = /```sh\nnpx postern (.*)\n```/.exec(PAGE)?.[1] ?? ''
  const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const folder = mkdtempSync(join(tmpdir(), 'postern-edge-docs-'))
  try {
    for (const [index, text] of blocks.entries()) {
      writeFileSync(join(folder, 'postern.config.yaml'), text)
      const { code, stdout, stderr } = await cli(args, folder)
      // Only the first names a proxy.
      assert.equal(code, index === 0 ? 0 : 1, `${text}\n${stderr}`)
      assert.match(stdout, index === 0 ? /client +203\.0\.113\.7/ : /set trustProxies/)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
