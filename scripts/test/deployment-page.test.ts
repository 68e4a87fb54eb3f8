import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { parse } from 'yaml'
import { until } from '../../test/until.ts'
import { packages } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'
import { Project } from './support/project.ts'

const blocks = blocksOf(readPage('docs/deployment.md'))
const environment = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_URL: 'postgres://127.0.0.1/postern',
  POSTERN_AUDIT_KEY: 'a signing key',
}

test('every configuration of the page on deployment is one that Postern takes', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-deployment-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const configurations = blocks.filter(
    ({ language, heading }) => language === 'yaml' && heading !== 'Kubernetes',
  )
  assert.equal(configurations.length, 5)
  for (const { text } of configurations) {
    const path = join(folder, 'postern.config.yaml')
    writeFileSync(path, text)
    const { config } = await loadConfig({ path, folder, environment })
    assert.equal(config.mode, 'enforce')
  }
})

test('the StatefulSet asks the paths that the admin listener serves, and gives every instance its own data', () => {
  const [manifest] = blocks.filter(({ heading, language }) => heading === 'Kubernetes' && language === 'yaml')
  const { spec } = parse(manifest?.text ?? '') as {
    readonly spec: {
      readonly volumeClaimTemplates: readonly unknown[]
      readonly template: {
        readonly spec: {
          readonly containers: readonly {
            readonly readinessProbe: { readonly httpGet: { readonly path: string } }
            readonly livenessProbe: { readonly httpGet: { readonly path: string } }
          }[]
        }
      }
    }
  }
  const [container] = spec.template.spec.containers
  const source = readPage('packages/server/src/admin/admin-server.ts')
  for (const probe of [container?.readinessProbe, container?.livenessProbe])
    assert.equal(source.includes(`case '${probe?.httpGet.path}':`), true)
  assert.equal(spec.volumeClaimTemplates.length, 1)
})

test('the commands of the page on deployment run in an empty folder', { timeout: 120_000 }, async t => {
  const project = await Project.open()
  t.after(() => project.close())
  const commands = blocks.filter(({ language }) => language === 'sh')
  assert.deepEqual(
    commands.map(({ text }) => text.trim()),
    ['npx postern doctor', 'npx postern audit key shop.example/log'],
  )
  await project.run([{ heading: '', language: 'sh', file: undefined, text: 'npm install postern' }])
  // Tests of other pages start gateways on the default ports, at any moment, and `doctor` finds those in use.
  for (let isDone = false; !isDone; ) {
    for (const port of [8080, 9464]) await until(() => isFree(port))
    isDone = await project.run(commands).then(
      () => true,
      (error: unknown) => {
        if (!String(error).includes(' is in use by ')) throw error
        return false
      },
    )
  }
})

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(false))
    socket.on('error', () => resolve(true))
    socket.on('connect', () => socket.destroy())
  })
}

test('the Dockerfile serves the configuration below it, as a user who owns the data', () => {
  const dockerfile = blocks.find(({ language }) => language === 'dockerfile')
  const lines = (dockerfile?.text ?? '').trim().split('\n')
  const instructions = new Map(lines.map(line => [line.split(' ', 1)[0] ?? '', line.replace(/^\w+ /, '')]))
  assert.equal(instructions.size, lines.length, 'an instruction is used twice')
  for (const name of instructions.keys())
    assert.match(name, /^(?:FROM|WORKDIR|RUN|COPY|USER|VOLUME|EXPOSE|ENTRYPOINT|CMD)$/)
  const image = blocks.find(({ heading, file }) => heading === 'Docker' && file === 'postern.config.yaml')
  const config = parse(image?.text ?? '') as { readonly listen: string; readonly dataDirectory: string }
  assert.equal(config.listen, `0.0.0.0:${instructions.get('EXPOSE')}`)
  assert.equal(config.dataDirectory, instructions.get('VOLUME'))
  assert.equal(config.dataDirectory, `${instructions.get('WORKDIR')}/data`)
  assert.equal(instructions.get('COPY'), 'postern.config.yaml .')
  assert.match(instructions.get('RUN') ?? '', new RegExp(`chown ${instructions.get('USER')}:`))
  const [binary = ''] = JSON.parse(instructions.get('ENTRYPOINT') ?? '[]') as readonly string[]
  const { bin } = JSON.parse(readPage('packages/postern/package.json')) as { readonly bin: object }
  assert.deepEqual(
    [binary],
    Object.keys(bin).map(name => `node_modules/.bin/${name}`),
  )
  const { engines } = JSON.parse(readPage('packages/postern/package.json')) as {
    readonly engines: { readonly node: string }
  }
  assert.ok(Number(/node:(\d+)/.exec(instructions.get('FROM') ?? '')?.[1]) >= Number(engines.node.slice(2)))
})

test('no package says that it needs an operating system, as the page on deployment says', () => {
  for (const { folder } of packages())
    assert.doesNotMatch(readPage(`${folder}/package.json`), /"(?:os|cpu)":/, folder)
})

const analyzer = spawnSync('systemd-analyze', ['--version'])
if (analyzer.status !== 0)
  process.stdout.write('systemd-analyze is not installed: the unit of docs/deployment.md was not checked\n')
else
  test('systemd takes the unit of the page', t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-unit-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const unit = blocks.find(({ file }) => file?.endsWith('postern.service'))
    assert.match(unit?.text ?? '', /^ExecStart=\/opt\/postern/m)
    const file = join(folder, 'postern.service')
    // Postern is not installed on the machine that runs the tests.
    writeFileSync(file, (unit?.text ?? '').replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'))
    const { stderr, status } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    assert.equal(
      stderr
        .split('\n')
        .filter(line => line.includes('postern.service'))
        .join('\n'),
      '',
    )
    assert.equal(status, 0, stderr)
    // Older ones rate only units that are loaded.
    if (Number(/systemd (\d+)/.exec(String(analyzer.stdout))?.[1]) < 250) return
    const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=50', file], {
      encoding: 'utf8',
    })
    assert.equal(rated.status, 0, rated.stdout.split('\n').at(-2))
  })
