import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { holderShare } from '../src/holder/budgets.ts'
import type { HolderCore } from '../src/holder/holder-core.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { saltFrom } from '../src/split/contribution.ts'
import { HOLDERS, type HolderId } from '../src/split/part.ts'
import { explore } from './model/explore.ts'
import {
  type ProtocolAction,
  type ProtocolOptions,
  splitProtocol,
  storedSalt,
} from './model/split-protocol.ts'
import { packed, testHolders } from './support/holders.ts'

const SEAL_ONLY: ProtocolOptions = { records: 2, share: 3, nonces: 2, canOpen: false }

describe('the split protocol, in every state of its model', () => {
  for (const corrupt of [undefined, 1, 2, 3] as const) {
    it(`a right to seal never opens${corrupt === undefined ? '' : `, even with the keys of holder ${corrupt}`}`, () => {
      const result = explore(splitProtocol({ ...SEAL_ONLY, ...(corrupt !== undefined && { corrupt }) }, 0))
      assert.equal(result.violation, undefined)
      assert.ok(result.states > 40, `${result.states} states`)
    })
  }

  it('opens at most 3/2 of what a holder counts when all holders are honest', () => {
    for (const share of [1, 2]) {
      const bound = Math.floor((3 * share) / 2)
      const options: ProtocolOptions = { records: bound + 1, share, nonces: 0, canOpen: true }
      const result = explore(splitProtocol(options, bound))
      assert.equal(result.violation, undefined)
      assert.ok(explore(splitProtocol(options, bound - 1)).violation !== undefined, 'the bound is reached')
    }
  })

  it('opens at most 1.5 B, whichever holder the adversary has whole', () => {
    const budget = 3
    for (const corrupt of HOLDERS) {
      const options: ProtocolOptions = {
        records: 5,
        share: holderShare(budget),
        nonces: 0,
        canOpen: true,
        corrupt,
      }
      assert.equal(explore(splitProtocol(options, 1.5 * budget)).violation, undefined)
    }
  })

  const broken: readonly (readonly [string, ProtocolOptions, number])[] = [
    ['the client chooses the salt', { ...SEAL_ONLY, broken: 'client chooses the salt' }, 0],
    ['a contribution works twice', { ...SEAL_ONLY, broken: 'contributions work twice' }, 0],
    [
      'a holder does not look for its own contribution',
      { ...SEAL_ONLY, broken: 'own contribution not checked' },
      0,
    ],
    [
      'openings are not counted',
      {
        records: 3,
        share: 1,
        nonces: 0,
        canOpen: true,
        broken: 'budget not counted when sealing rights are used',
      },
      1,
    ],
    [
      'a holder counts all of B while another is stolen',
      { records: 5, share: 3, nonces: 0, canOpen: true, corrupt: 1 },
      4,
    ],
  ]
  for (const [name, options, bound] of broken) {
    it(`would be seen to fail if ${name}`, () => {
      const { violation } = explore(splitProtocol(options, bound))
      assert.ok(violation !== undefined)
      assert.ok(violation.trace.length > 0)
    })
  }
})

/** A step of a random run, before it is an action of the model and a request to the code. */
interface RandomStep {
  readonly op: 'seal' | 'open' | 'old'
  readonly holder: HolderId
  readonly row: number
  readonly pick: readonly number[]
}

/** The same step as the model's action and as the code's request. */
function actionAndBody(
  { op, holder, row, pick }: RandomStep,
  nonceOf: (symbol: string) => string,
): { readonly action: ProtocolAction; readonly body: object } {
  const context = { tenant: '', table: 't', column: 'c', row: [`${row}`], version: 0 }
  if (op === 'open') {
    const salt = saltFrom(encodeContext(context), [{ holder: 1, nonce: Buffer.alloc(16, row) }]).toString(
      'base64url',
    )
    return {
      action: { op: 'open', holder, row, salt: storedSalt(row) },
      body: { op: 'open', items: packed([{ context, epoch: 0, salt }]) },
    }
  }
  const nonces: Partial<Record<HolderId, string>> = {}
  for (const id of HOLDERS) {
    const index = pick[id - 1] ?? 0
    if (index <= 3) nonces[id] = op === 'old' || index === 3 ? `old${id}-${row}` : `new${id}-${index}`
  }
  const contributions = HOLDERS.flatMap(id =>
    nonces[id] === undefined ? [] : [{ holder: id, nonce: nonceOf(nonces[id]) }],
  )
  return {
    action: { op: 'seal', holder, row, nonces },
    body: { op: 'seal', epoch: 0, items: [{ context, contributions }] },
  }
}

describe('the model and the code', () => {
  it('accept and refuse the same requests', () => {
    const step = fc.record({
      op: fc.constantFrom('nonce', 'seal', 'seal', 'open', 'old'),
      holder: fc.constantFrom(...HOLDERS),
      row: fc.nat(2),
      pick: fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const model = splitProtocol({ records: 3, share: 1, nonces: 99, canOpen: true }, 99)
        const { cores } = testHolders({ budgets: { person: 1, service: 1, served: 9, table: 9, all: 9 } })
        let state = model.initial
        const nonces = new Map<string, string>()
        const nonceOf = (symbol: string): string =>
          nonces.get(symbol) ?? Buffer.from(symbol.padEnd(16).slice(0, 16)).toString('base64url')
        for (const { op, ...rest } of steps) {
          const { holder } = rest
          const core = cores[holder - 1] as HolderCore
          if (op === 'nonce') {
            const issued = core.answer('app', { op: 'nonces', count: 1 })
            assert.ok('nonces' in issued)
            nonces.set(`new${holder}-${state.issued[holder]}`, issued.nonces[0] ?? '')
            state = model.step(state, { op: 'nonce', holder }) ?? state
            continue
          }
          const { action, body } = actionAndBody({ op, ...rest }, nonceOf)
          const next = model.step(state, action)
          const answer = core.answer('app', body)
          assert.equal('parts' in answer, next !== undefined, JSON.stringify({ action, answer }))
          state = next ?? state
        }
      }),
      { numRuns: 300 },
    )
  })
})
