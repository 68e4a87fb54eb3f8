import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Approvals } from '@postern/access'
import { openDataDirectory, openSqlite } from '@postern/store'
import { cli } from './cli.ts'

/** As a module anywhere can import it. */
const ACCESS = import.meta.resolve('@postern/access')

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const policies = (more: string): string => `
import { allow, definePolicies, hasRole, owns, resourceType } from ${JSON.stringify(ACCESS)}
const order = resourceType('order', { table: 'orders', fields: { id: 'integer', customer: 'text' } })
export const policies = definePolicies([
  allow('own orders', { action: 'order.read', on: order, when: owns(order.fields.customer) }),
  ${more}
])`

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-cli-access-'))
  folders.push(folder)
  writeFileSync(join(folder, 'postern.config.yaml'), 'policies: policies.ts\n')
  writeFileSync(join(folder, 'policies.ts'), policies(''))
  writeFileSync(
    join(folder, 'next.ts'),
    policies("allow('interns', { action: 'order.read', on: order, when: hasRole('intern') }),"),
  )
  writeFileSync(
    join(folder, 'cases.ts'),
    `const ann = { kind: 'user', id: 'ann' }
     const resource = { type: 'order', fields: { id: 7, customer: 'ann' } }
     export const principals = [ann, { kind: 'user', id: 'bob' }]
     export const cases = [{ principal: ann, action: 'order.read', resource, expect: 'allow', policy: 'own orders' }]`,
  )
  return folder
}

const FIELDS = ['--fields', '{"customer":"ann"}']

describe('postern policy', { timeout: 600_000 }, () => {
  const commands: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      'test tries the cases',
      ['policy', 'test', 'cases.ts'],
      0,
      /^ok {3}user:ann order\.read order 7\n1 of 1 cases passed\n$/,
    ],
    [
      'matrix says what every kind of caller may do',
      ['policy', 'matrix'],
      0,
      /^anonymous\n {2}nothing\nany user\n {2}sometimes order\.read order\n$/,
    ],
    [
      'explain says who decided',
      ['policy', 'explain', 'order.read', 'order', '--as', 'user:ann', ...FIELDS],
      0,
      /^allowed by policy "own orders"/,
    ],
    [
      'explain ends with 1 for no',
      ['policy', 'explain', 'order.read', 'order', '--as', 'user:bob', ...FIELDS],
      1,
      /false: order\.customer = principal\.id/,
    ],
    [
      'who-can lists who may',
      ['policy', 'who-can', 'order.read', 'order', '--principals', 'cases.ts', ...FIELDS],
      0,
      /^1 of 2 may order\.read this order\n {2}user:ann by "own orders"/,
    ],
    ['diff ends with 1 when somebody gains', ['policy', 'diff', 'next.ts'], 1, /^\+ allow "interns"/],
    [
      'diff ends with 0 when nothing changes',
      ['policy', 'diff', 'policies.ts'],
      0,
      /^0 gain and 0 lose access/,
    ],
  ]
  for (const [name, args, exit, output] of commands)
    test(name, async () => {
      const { code, stdout, stderr } = await cli(args, newFolder())
      assert.deepEqual([code, stderr], [exit, ''])
      assert.match(stdout, output)
    })

  test('says what is wrong with a principal, fields or a file', async () => {
    const folder = newFolder()
    for (const [args, message] of [
      [['policy', 'explain', 'x', '--as', 'ann'], /--as: is not a principal/],
      [['policy', 'explain', 'x', 'order', '--fields', '[1]'], /--fields: is not a JSON object/],
      [['policy', 'test', 'policies.ts'], /exports no list "cases"/],
      [['policy', 'test', 'missing.ts'], /missing\.ts: does not exist\n.*exports a list "cases"/],
      [['policy', 'diff', 'nowhere.ts'], /nowhere\.ts does not exist/],
    ] as const) {
      const { code, stderr } = await cli(args, folder)
      assert.equal(code, 2)
      assert.match(stderr, message)
    }
  })
})

describe('postern approvals', { timeout: 600_000 }, () => {
  test('lists and shows what waits, and approve decides it once, under a name that is not behind it', async () => {
    const folder = newFolder()
    const directory = openDataDirectory(join(folder, '.postern'))
    const database = openSqlite({ path: directory.file('postern.db') })
    const { id } = await new Approvals({ database }).request({
      act: { actor: 'user:finn', action: 'invoice.purge', resource: 'account/7', arguments: { year: 2019 } },
      principal: { kind: 'user', id: 'finn' },
      by: 'role:owner',
      reason: 'year end \u001b[31m',
      preview: { rows: { invoices: 4_812 }, sample: [{ id: 1 }], body: 'all\nof \u202ethem' },
    })
    database.close()
    directory.close()
    const list = await cli(['approvals', 'list'], folder)
    assert.match(
      list.stdout,
      new RegExp(`^${id} {2}pending {2}invoice\\.purge account/7\n {2}asked by {3}user:finn\n`),
    )
    assert.match(list.stdout, /rows {7}invoices: 4812/)
    assert.doesNotMatch(list.stdout, /sample|body|\u001b/)
    const shown = (await cli(['approvals', 'show', id], folder)).stdout
    assert.match(shown, /body {7}all\n {2}body {7}of ·them\n {2}sample {5}\{"id":1\}/)
    const own = await cli(['approve', id, '--as', 'finn'], folder)
    assert.equal(own.code, 1)
    assert.match(own.stderr, /Nobody decides a request of their own/)
    const approved = await cli(['approve', id, '--as', 'olga', '--note', 'fine', '--json'], folder)
    assert.deepEqual(
      [approved.code, JSON.parse(approved.stdout)],
      [0, { id, state: 'approved', decidedBy: 'user:olga' }],
    )
    assert.equal((await cli(['approve', id, '--as', 'otto'], folder)).code, 1)
    assert.equal((await cli(['approve', id, '--as', 'otto', '--deny'], folder)).code, 0)
    assert.equal((await cli(['approve', id, '--as', 'otto', '--deny'], folder)).code, 1)
    assert.equal((await cli(['approvals', 'list'], folder)).stdout, 'no request is pending\n')
    assert.equal((await cli(['approvals', 'show', '0'.repeat(32)], folder)).code, 1)
  })

  test('say who asks by their address, and refuse to let them decide under it', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      'identity:\n  origin: http://localhost:8080\npolicies: policies.ts\n',
    )
    writeFileSync(join(folder, 'users.csv'), 'email,name,email_verified\nfinn@shop.example,Finn,true\n')
    assert.equal((await cli(['users', 'import', 'users.csv'], folder)).code, 0)
    const account = JSON.parse((await cli(['users', 'list', '--json'], folder)).stdout) as { id: string }
    const directory = openDataDirectory(join(folder, '.postern'))
    const database = openSqlite({ path: directory.file('postern.db') })
    const { id } = await new Approvals({ database }).request({
      act: { actor: `user:${account.id}`, action: 'invoice.purge', resource: '', arguments: {} },
      principal: { kind: 'user', id: account.id },
      by: 'role:owner',
    })
    database.close()
    directory.close()
    const asked = new RegExp(` asked by {3}finn@shop\\.example \\(Finn\\), user:${account.id}\n`)
    assert.match((await cli(['approvals', 'list'], folder)).stdout, asked)
    assert.match((await cli(['approvals', 'show', id], folder)).stdout, asked)
    const own = await cli(['approve', id, '--as', 'finn@shop.example'], folder)
    assert.equal(own.code, 1)
    assert.match(own.stderr, /Nobody decides a request of their own/)
    const approved = await cli(['approve', id, '--as', 'olga'], folder)
    assert.equal(approved.code, 0)
    assert.match(approved.stdout, asked)
  })
})

/** The commands of a page, each as its arguments. */
function commandsOf(page: string): readonly (readonly string[])[] {
  const text = readFileSync(join(import.meta.dirname, `../../../docs/${page}.md`), 'utf8')
  return [...text.matchAll(/^postern (.*)$/gm)].map(([, line = '']) =>
    [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, bare]) => one ?? two ?? bare ?? ''),
  )
}

describe('the commands that pages print', { timeout: 600_000 }, () => {
  test('of policies answer as the page says', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'people.ts'), "export const principals = [{ kind: 'user', id: 'ann' }]\n")
    const codes: (number | null)[] = []
    for (const args of commandsOf('policies')) {
      const { code, stderr } = await cli(args, folder)
      assert.equal(stderr, '', args.join(' '))
      codes.push(code)
    }
    // Nobody edits orders here, and the next policies let interns read.
    assert.deepEqual(codes, [0, 1, 0, 1])
  })

  test('of approvals show a request, approve it and take that back', async () => {
    const folder = newFolder()
    const directory = openDataDirectory(join(folder, '.postern'))
    const database = openSqlite({ path: directory.file('postern.db') })
    const { id } = await new Approvals({ database }).request({
      act: { actor: 'user:finn', action: 'invoice.purge', resource: 'account/7', arguments: {} },
      principal: { kind: 'user', id: 'finn' },
      by: 'role:owner',
    })
    database.close()
    directory.close()
    const printed: string[] = []
    for (const args of commandsOf('approvals')) {
      const { code, stdout, stderr } = await cli(
        args.map(part => (part === 'ID' ? id : part)),
        folder,
      )
      assert.deepEqual([code, stderr], [0, ''], args.join(' '))
      printed.push(stdout.split('\n')[0] ?? '')
    }
    assert.deepEqual(
      printed.map(line => /pending|approved|denied/.exec(line)?.[0]),
      ['pending', 'pending', 'approved', 'denied'],
    )
  })
})
