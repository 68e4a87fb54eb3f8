import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HolderCore } from '../src/holder/holder-core.ts'
import { PART_BYTES } from '../src/split/part.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { CoreLink, testHolders } from './support/holders.ts'
import { opened, sealed } from './support/split-records.ts'

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
