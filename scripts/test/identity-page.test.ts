import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/until.ts'
import { besideBackend } from './support/backend.ts'
import { type Block, blocksOf, readPage } from './support/page.ts'
import type { Project } from './support/project.ts'

const blocks = blocksOf(readPage('docs/identity.md'))

function blocksUnder(heading: string, language: string): readonly Block[] {
  return blocks.filter(block => block.heading === heading && block.language === language)
}

/** Runs lines of the page as printed, and keeps what they print. */
async function printed(project: Project, lines: string): Promise<string> {
  const path = 'export PATH="$PWD/node_modules/.bin:$PATH"'
  await project.run([
    { heading: '', language: 'sh', file: undefined, text: `${path}\n{\n${lines}} > printed.txt\n` },
  ])
  return readFileSync(join(project.folder, 'printed.txt'), 'utf8')
}

/** A gateway with a configuration of the page, in front of a backend that says hello. */
async function openProject(t: TestContext, configuration: string | undefined): Promise<Project> {
  const project = await besideBackend(t, 'hello\n')
  await printed(project, 'npm install postern\n')
  project.write('postern.config.yaml', configuration ?? '')
  await project.run([
    {
      heading: '',
      language: 'console',
      file: undefined,
      text: '$ npx postern gateway --to http://127.0.0.1:3000 --listen 127.0.0.1:8080\n',
    },
  ])
  await until(() =>
    fetch(`http://localhost:${project.port('8080')}/`).then(
      answer => answer.ok,
      () => false,
    ),
  )
  return project
}

test('a key of the page on identity opens the route that needs its scope, until it is revoked', {
  timeout: 180_000,
}, async t => {
  const [configuration] = blocksUnder('API keys', 'yaml')
  const [create, ask, manage] = blocksUnder('API keys', 'sh')
  assert.ok(create !== undefined && ask !== undefined && manage !== undefined)
  const project = await openProject(t, configuration?.text)
  await printed(project, create.text)
  assert.equal(await printed(project, ask.text), 'hello\n')
  const stranger = await fetch(`http://localhost:${project.port('8080')}/orders`)
  assert.equal(stranger.status, 401)
  const key = readFileSync(join(project.folder, 'billing.key'), 'utf8')
  const id = key.split('_')[2] ?? ''
  const managed = await printed(project, manage.text.replaceAll(' ID', ` ${id}`))
  assert.match(managed, new RegExp(`${id}[\\s\\S]*service:billing`))
  assert.match(await printed(project, ask.text), /"status":\s*401/)
})

test('the commands of the page on identity get a device a code, and tell it to wait', {
  timeout: 180_000,
}, async t => {
  const [configuration] = blocksUnder('Run an OAuth server', 'yaml')
  const [block] = blocksUnder('Run an OAuth server', 'sh')
  const lines = block?.text.replaceAll('\\\n', ' ').trim().split('\n') ?? []
  assert.equal(lines.length, 2)
  const [ask = '', poll = ''] = lines
  const project = await openProject(t, configuration?.text)
  const answer = JSON.parse(await printed(project, `${ask}\n`)) as Readonly<Record<string, string>>
  assert.match(
    answer['verification_uri_complete'] ?? '',
    /^http:\/\/localhost:\d+\/\.postern\/oauth\/device\?/,
  )
  const waiting = await printed(project, `${poll.replace('DEVICE_CODE', answer['device_code'] ?? '')}\n`)
  assert.match(waiting, /"error":\s*"authorization_pending"/)
})

test('the commands of the page on identity disable an account that was taken over, and enable it again', {
  timeout: 180_000,
}, async t => {
  const [configuration] = blocksUnder('API keys', 'yaml')
  const [take, giveBack, ...others] = blocksUnder('Recover an account that was taken over', 'sh')
  assert.ok(take !== undefined && giveBack !== undefined && others.length === 0)
  const project = await openProject(t, configuration?.text)
  project.write('people.csv', 'email\nalice@shop.example\n')
  await printed(project, 'postern users import people.csv\n')
  // Nobody is signed in, of which the exit code of the second line tells.
  const disabled = await printed(project, take.text.replace(/^(postern sessions .*)$/m, '$1 || test $? = 1'))
  assert.match(disabled, /^alice@shop\.example is disabled\n/)
  assert.match(await printed(project, 'postern users list\n'), /disabled {2}alice@shop\.example/)
  assert.equal(await printed(project, giveBack.text), 'alice@shop.example is active\n')
  assert.doesNotMatch(await printed(project, 'postern users list\n'), /disabled/)
})
