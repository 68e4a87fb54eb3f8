import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parseActor } from '@postern/remediate'
import { until } from '../../../test/until.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-reload-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function withLayer(
  config: Config,
  folder: string,
  work: (layer: Postern) => Promise<void>,
): Promise<void> {
  const layer = await postern({ folder, config })
  try {
    await work(layer)
  } finally {
    await layer.close()
  }
}

async function status(layer: Postern, peer: string): Promise<number> {
  const handle = layer.fetch(() => new Response('ok'), { peer: () => peer })
  const response = await handle(new Request('http://shop.example/'))
  await response.arrayBuffer()
  return response.status
}

const ruleNamed = (name: string): string =>
  [
    `title: ${name}`,
    `name: ${name}`,
    'level: low',
    'logsource: { category: webserver }',
    `detection: { page: { cs-uri-stem: /${name} }, condition: page }`,
    'respond: { action: alert }',
  ].join('\n')

const scenarioCount = (layer: Postern): string =>
  layer.health().find(({ name }) => name === 'scenarios')?.detail ?? ''

describe('a configuration that is read again', { timeout: 60_000 }, () => {
  test('protects newly trusted proxies, also from remediations already in force', () =>
    withLayer({}, newFolder(), async layer => {
      const ban = (address: string) =>
        layer.remediations.add({
          actor: parseActor(address),
          measure: 'block',
          reason: 'test',
          for: '1h',
        })
      await ban('203.0.113.7')
      assert.equal(await status(layer, '203.0.113.7'), 403)
      await layer.reload({ trustProxies: ['203.0.113.0/28'], remediations: { never: ['198.51.100.1'] } })
      assert.equal(await status(layer, '203.0.113.7'), 200)
      await assert.rejects(ban('203.0.113.8'), /is protected/)
      await assert.rejects(ban('198.51.100.1'), /is protected/)
      await layer.reload({})
      assert.equal(await status(layer, '203.0.113.7'), 403)
    }))

  test('follows its own folders of scenarios: a change in one never brings earlier rules back', async () => {
    const folder = newFolder()
    for (const name of ['first', 'second']) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'a.yml'), ruleNamed(`${name}-a`))
    }
    const of = (folders: readonly string[]): Config => ({ scenarios: { shipped: 'none', folders } })
    await withLayer(of(['first']), folder, async layer => {
      assert.match(scenarioCount(layer), /^1 scenarios/)
      await layer.reload(of(['first', 'second']))
      assert.match(scenarioCount(layer), /^2 scenarios/)
      writeFileSync(join(folder, 'second', 'b.yml'), ruleNamed('second-b'))
      await until(() => scenarioCount(layer).startsWith('3 '))
      writeFileSync(join(folder, 'first', 'b.yml'), ruleNamed('first-b'))
      await until(() => scenarioCount(layer).startsWith('4 '))
    })
  })
})
