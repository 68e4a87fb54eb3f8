import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Standings } from '../src/answer/standings.ts'
import { concurrency, window } from '../src/index.ts'
import { limitName, Question } from '../src/limit/question.ts'

const NAMES = ['address', 'busy', 'login', 'route', 'tenant'].map(limitName)
const RULE = window(60_000, '1m')

/** An answered question about the first limits, or about them in another order. */
const answered = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  turned: fc.boolean(),
  remaining: fc.array(fc.constantFrom(0, 1, 31, 59_999, 60_000, 70_000), { minLength: 5, maxLength: 5 }),
  resetAfter: fc.array(fc.constantFrom(0, 1, 999, 1_000, 59_001), { minLength: 5, maxLength: 5 }),
})

describe('the text of RateLimit', () => {
  it('is what the numbers say, whatever was written before', () => {
    fc.assert(
      fc.property(fc.array(answered, { minLength: 1, maxLength: 40 }), questions => {
        const standings = new Standings()
        for (const { count, turned, remaining, resetAfter } of questions) {
          const names = (turned ? NAMES.toReversed() : NAMES).slice(0, count)
          const question = new Question()
          for (const [i, name] of names.entries()) {
            question.ask(name, 'k', RULE, 1)
            question.remaining[i] = remaining[i] as number
            question.resetAfter[i] = resetAfter[i] as number
          }
          const expected = names.map(
            ({ name }, i) =>
              `"${name}";r=${Math.min(60_000, remaining[i] as number)};t=${Math.ceil((resetAfter[i] as number) / 1_000)}`,
          )
          for (let again = 0; again < 2; again++) assert.equal(standings.of(question), expected.join(', '))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('says no time for a concurrency limit, whose places come back when requests end', () => {
    const standings = new Standings()
    const asked = (rule: typeof RULE | ReturnType<typeof concurrency>): Question => {
      const question = new Question()
      question.ask(NAMES[0] as (typeof NAMES)[number], 'k', rule, 1)
      question.remaining[0] = 3
      question.resetAfter[0] = 66_000
      return question
    }
    for (let again = 0; again < 2; again++) {
      assert.equal(standings.of(asked(RULE)), '"address";r=3;t=66')
      assert.equal(standings.of(asked(concurrency(5))), '"address";r=3')
    }
  })

  it('keeps texts for other limits once those are all that is asked about', () => {
    const standings = new Standings()
    const question = new Question()
    question.ask(NAMES[0] as (typeof NAMES)[number], 'k', RULE, 1)
    assert.equal(standings.of(question), '"address";r=0;t=0')
    const other = new Question()
    other.ask(NAMES[1] as (typeof NAMES)[number], 'k', RULE, 1)
    for (let i = 0; i < 1_100; i++) assert.equal(standings.of(other), '"busy";r=0;t=0')
    assert.equal(standings.of(question), '"address";r=0;t=0')
  })
})
