// A real npm client publishes to and installs from Verdaccio, offline, through the gateway with its defaults.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { answering, freePort, type Protected, protect, type Running, root, run } from './protected.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-verdaccio-'))
let registry: Running
let gateway: Protected
let token = ''

before(async () => {
  const port = await freePort()
  writeFileSync(
    join(folder, 'config.yaml'),
    [
      `storage: ${join(folder, 'storage')}`,
      'auth: { htpasswd: { file: ./htpasswd } }',
      'uplinks: {}',
      "packages: { '**': { access: $all, publish: $authenticated, unpublish: $authenticated } }",
      'log: { type: stdout, format: json, level: warn }',
      '',
    ].join('\n'),
  )
  registry = run(
    process.execPath,
    [
      join(root, 'e2e/node_modules/verdaccio/bin/verdaccio'),
      '--config',
      join(folder, 'config.yaml'),
      '--listen',
      `127.0.0.1:${port}`,
    ],
    { cwd: folder },
  )
  await answering(`http://127.0.0.1:${port}/-/ping`)
  gateway = await protect(`http://127.0.0.1:${port}`)
  const user = await fetch(`${gateway.url}/-/user/org.couchdb.user:ada`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ada', password: 'correct horse battery staple' }),
  })
  assert.equal(user.status, 201)
  token = ((await user.json()) as { token: string }).token
})

after(async () => {
  await gateway?.stop()
  await registry?.stop()
  rmSync(folder, { recursive: true })
})

function npm(cwd: string, ...args: string[]): string {
  const host = new URL(gateway.url).host
  writeFileSync(
    join(cwd, '.npmrc'),
    `registry=${gateway.url}/\n//${host}/:_authToken=${token}\naudit=false\nfund=false\n`,
  )
  const result = spawnSync('npm', [...args, '--cache', join(folder, 'cache'), '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, npm_config_update_notifier: 'false' },
  })
  if (result.status !== 0)
    assert.fail(`npm ${args.join(' ')}: ${result.stdout}${result.stderr}\n${gateway.refusals().join('\n')}`)
  return result.stdout
}

/** As people write them: long enough that what it quotes is read as a quotation (docs/inspection.md). */
const README = `# A door to the left

Opens, closes and stays where it is put. No dependencies, no configuration, three functions.

## Install

\`\`\`sh
npm install left-door && npm test
\`\`\`

## Use

\`\`\`js
const door = require('left-door')
db.query("SELECT * FROM t WHERE id = " + id) // never do this: <script>alert(1)</script>
\`\`\`

What it returns is a number. It does not throw, and it does not wait for anybody.
`

function library(name: string, version: string, source: string): string {
  const at = join(folder, name.replace('/', '-'))
  mkdirSync(at, { recursive: true })
  writeFileSync(
    join(at, 'package.json'),
    JSON.stringify({
      name,
      version,
      main: 'index.js',
      description: "Drops into any project; SELECT it <today> & don't look back",
      scripts: { test: 'node index.js && echo "$PATH" | cat' },
    }),
  )
  writeFileSync(join(at, 'index.js'), source)
  writeFileSync(join(at, 'README.md'), README)
  return at
}

test('npm publishes plain, scoped and large packages, and installs, views, tags and unpublishes them', () => {
  npm(library('left-door', '1.0.0', 'module.exports = 1\n'), 'publish')
  npm(library('left-door', '1.1.0', 'module.exports = 2\n'), 'publish')
  npm(
    library('@ada/lantern', '2.0.0', `module.exports = ${JSON.stringify('x'.repeat(3_000_000))}\n`),
    'publish',
    '--access',
    'public',
  )
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{"name":"project","version":"1.0.0"}')
  npm(project, 'install', 'left-door@^1.0.0', '@ada/lantern')
  const installed = JSON.parse(
    readFileSync(join(project, 'node_modules/left-door/package.json'), 'utf8'),
  ) as { version: string }
  assert.equal(installed.version, '1.1.0')
  assert.match(npm(project, 'view', '@ada/lantern', 'version'), /2\.0\.0/)
  npm(project, 'dist-tag', 'add', 'left-door@1.0.0', 'stable')
  assert.match(npm(project, 'search', 'left-door'), /left-door/)
  npm(project, 'ci')
  npm(project, 'whoami')
  npm(project, 'unpublish', 'left-door@1.0.0', '--force')
  assert.deepEqual(gateway.refusals(), [])
})
