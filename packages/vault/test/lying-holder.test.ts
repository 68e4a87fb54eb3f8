import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../../../test/until.ts'
import type { HolderCore } from '../src/holder/holder-core.ts'
import { HOLDERS, type HolderId, PART_BYTES, PARTS_OF, type Part } from '../src/split/part.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { Vault } from '../src/table/vault.ts'
import { CoreLink, type TestHolders, TestPerson, testHolders } from './support/holders.ts'
import { opened, sealed } from './support/split-records.ts'

const request = (value: number) => ({
  tenant: '',
  table: 'customers',
  column: 'email',
  epoch: 0,
  digests: [Buffer.alloc(32, value)],
  purpose: 'search' as const,
})

describe('one holder that lies', () => {
  /** A link whose answers are changed on the way. */
  class Changed extends CoreLink {
    readonly #change: (answer: Record<string, unknown>) => unknown
    constructor(core: HolderCore, change: (answer: Record<string, unknown>) => unknown) {
      super(core, 'app')
      this.#change = change
    }
    override async request(body: object, timeout: number): Promise<unknown> {
      return this.#change((await super.request(body, timeout)) as Record<string, unknown>)
    }
  }
  const lies: Readonly<Record<string, (answer: Record<string, unknown>) => unknown>> = {
    'answers nothing': () => undefined,
    'answers half of a part': ({ parts }) => ({
      parts: Object.fromEntries(
        Object.entries((parts ?? {}) as Record<string, string>).map(([name, text]) => [name, text.slice(9)]),
      ),
    }),
    'answers one part only': ({ parts }) => ({
      parts: { b: (parts as Record<string, string> | undefined)?.['b'] },
    }),
    'refuses everything as frozen': () => ({ refused: 'frozen' }),
    'answers the records in another order': ({ parts }) => ({
      parts: Object.fromEntries(
        Object.entries((parts ?? {}) as Record<string, string>).map(([name, text]) => {
          const bytes = Buffer.from(text, 'base64url')
          const turned = Buffer.concat([bytes.subarray(PART_BYTES), bytes.subarray(0, PART_BYTES)])
          return [name, turned.toString('base64url')]
        }),
      ),
    }),
  }
  /** Flips a bit of every output of one part. */
  const onePart =
    (part: Part) =>
    (answer: Record<string, unknown>): unknown => {
      const { [part]: text, ...others } = (answer['parts'] ?? {}) as Partial<Record<Part, string>>
      if (text === undefined) return answer
      const bytes = Buffer.from(text, 'base64url')
      for (let at = 0; at < bytes.length; at += PART_BYTES) bytes[at] = (bytes[at] ?? 0) ^ 1
      return { parts: { ...others, [part]: bytes.toString('base64url') } }
    }
  const withLiar = (holders: TestHolders, id: HolderId, part: Part) => {
    const blamed: HolderId[] = []
    const links = holders.cores.map(core =>
      core.id === id ? new Changed(core, onePart(part)) : new CoreLink(core, 'app'),
    )
    const onLiar = (holder: HolderId): unknown => blamed.push(holder)
    return {
      keys: new SplitKeys({ links, hedgeAfter: 50, timeout: 2_000, thirdWait: 2_000, onLiar }),
      blamed,
    }
  }

  for (const id of HOLDERS)
    for (const part of PARTS_OF[id]) {
      it(`holder ${id} changes part ${part} alone, which the other it is asked with may lack: it is found out`, async () => {
        const holders = testHolders()
        // Of many salts, so that each pair of holders is asked first.
        const records = await sealed(
          holders.keys,
          Array.from({ length: 12 }, (_, row) => row),
        )
        const { keys, blamed } = withLiar(holders, id, part)
        for (const [row, record] of records.entries())
          assert.deepEqual(await opened(keys, [record]), [`secret ${row}`])
        assert.deepEqual([...new Set(blamed)], [id])
      })

      it(`holder ${id} changes part ${part} alone of a search term: it is an error, not an empty result`, async () => {
        const holders = testHolders()
        const { keys, blamed } = withLiar(holders, id, part)
        const place = { tenant: '', table: 'customers', column: 'email', epoch: 0 }
        for (const purpose of ['search', 'store'] as const)
          await assert.rejects(keys.terms({ ...place, digests: [Buffer.alloc(32, 1)], purpose }), {
            code: 'POSTERN_INTEGRITY',
          })
        assert.deepEqual(blamed, [])
      })
    }

  for (const [liar, part, away] of [
    [1, 'b', 3],
    [1, 'c', 2],
    [2, 'a', 3],
    [2, 'c', 1],
    [3, 'a', 2],
    [3, 'b', 1],
  ] as const)
    it(`holder ${liar} changes part ${part} of a search term while holder ${away} is away: found out once that is back`, async () => {
      const holders = testHolders()
      let isLying = true
      const links = holders.cores.map(core =>
        core.id === liar
          ? new Changed(core, answer => (isLying ? onePart(part)(answer) : answer))
          : new CoreLink(core, 'app'),
      )
      const keys = new SplitKeys({ links, hedgeAfter: 50, timeout: 2_000, thirdWait: 2_000 })
      const search = (value: number) => keys.terms(request(value))
      const [right] = await holders.keys.terms(request(1))
      const third = links[away - 1] as CoreLink
      third.isUp = false
      const [wrong] = await search(1)
      assert.notDeepEqual(wrong, right, 'nobody can see it at the time')
      isLying = false
      third.isUp = true
      await search(2)
      let message = ''
      await until(async () => {
        await search(3).catch((error: Error) => {
          message = error.message
        })
        return message !== ''
      })
      assert.match(message, new RegExp(`holders .*${liar}.* contradict .* while holder ${away} was away`))
      await search(4)
    })

  for (const purpose of ['search', 'store'] as const)
    it(`changes a term to ${purpose} while another is away, where three must agree: it is an error at once`, async () => {
      const holders = testHolders()
      const links = holders.cores.map(core =>
        core.id === 1 ? new Changed(core, onePart('b')) : new CoreLink(core, 'app'),
      )
      const keys = new SplitKeys({ links, timeout: 200, termsNeed: 3 })
      const honest = new SplitKeys({ links: holders.links, timeout: 2_000, termsNeed: 3 })
      const [, , third] = links as [CoreLink, CoreLink, CoreLink]
      const asked = { ...request(1), purpose }
      for (const fault of ['down', 'frozen'] as const) {
        third.fault = fault
        await assert.rejects(keys.terms(asked), { code: 'POSTERN_STORE', retryable: true })
      }
      third.fault = 'none'
      await assert.rejects(keys.terms(asked), { code: 'POSTERN_INTEGRITY' })
      assert.deepEqual(await honest.terms(asked), await holders.keys.terms(asked))
    })

  it('and is honest to a search while another is away: nothing is said once that is back', async () => {
    const { keys, links } = testHolders()
    const [, , third] = links as [CoreLink, CoreLink, CoreLink]
    third.isUp = false
    for (let value = 0; value < 3; value++) await keys.terms(request(value))
    third.isUp = true
    const before = third.requests
    await keys.terms(request(9))
    await until(() => third.requests === before + 4)
    await keys.terms(request(10))
  })

  it('changes a value for a person with a capability: the third holder takes it as well', async () => {
    const holders = testHolders()
    const table = { key: ['id'], columns: { email: { mode: 'split' } } } as const
    const honest = new Vault({ tables: { customers: table }, split: holders.keys })
    const rows = Array.from({ length: 12 }, (_, i) => ({ id: `${i}`, email: `${i}@example.com` }))
    const stored = (await honest.sealRows('customers', rows)) as { id: string; email: Uint8Array }[]
    const { keys, blamed } = withLiar(holders, 2, 'a')
    const vault = new Vault({ tables: { customers: table }, split: keys })
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    for (const [index, row] of stored.entries()) {
      const named = [{ tenant: '', table: 'customers', row: [row.id], columns: ['email'] }]
      const [opened] = await vault.openRows('customers', [row], { capability: anne.capability(named) })
      assert.deepEqual(opened, rows[index])
    }
    assert.deepEqual([...new Set(blamed)], [2])
    const [first] = stored
    assert.ok(first !== undefined)
    await assert.rejects(vault.openRows('customers', [{ ...first, id: '99' }]), { code: 'POSTERN_INTEGRITY' })
  })

  for (const [name, lie] of Object.entries(lies))
    it(`${name}: every record opens with the other two`, async () => {
      const holders = testHolders()
      const records = await sealed(holders.keys, [0, 1, 2, 3])
      const [one, two, three] = holders.cores as [HolderCore, HolderCore, HolderCore]
      const links = [new Changed(one, lie), new CoreLink(two, 'app'), new CoreLink(three, 'app')]
      const keys = new SplitKeys({ links, hedgeAfter: 5, timeout: 200, thirdWait: 20 })
      assert.deepEqual(await opened(keys, records), ['secret 0', 'secret 1', 'secret 2', 'secret 3'])
    })
})
