import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RepeatedWork } from '../src/lifetime/repeated-work.ts'

test('work that does not end shows in readiness and is reported once, until it ends', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const reported: string[] = []
  let runs = 0
  let end = (): void => {}
  const repeated = new RepeatedWork({
    name: 'approvals',
    every: 10_000,
    work: () => {
      runs++
      return new Promise(resolve => {
        end = resolve
      })
    },
    onTrouble: problem => reported.push(problem),
  })
  t.mock.timers.tick(290_000)
  assert.equal(repeated.health().ok, true)
  t.mock.timers.tick(100_000)
  assert.deepEqual(repeated.health(), {
    name: 'approvals',
    ok: false,
    required: false,
    detail: 'under way for more than 5 minutes',
  })
  assert.deepEqual([runs, reported], [1, ['under way for more than 5 minutes']])

  end()
  await setImmediate()
  assert.equal(repeated.health().ok, true)
  t.mock.timers.tick(10_000)
  assert.equal(runs, 2)
  end()
  await repeated.close()
})

test('work that fails is reported once for each problem, and tried again', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const problems = ['away', 'away', 'refused']
  const reported: string[] = []
  const recoveries: number[] = []
  const repeated = new RepeatedWork({
    name: 'store',
    every: 1_000,
    required: true,
    work: async () => {
      const problem = problems.shift()
      if (problem !== undefined) throw new Error(problem)
    },
    onTrouble: problem => reported.push(problem),
    onRecovery: lasted => recoveries.push(lasted),
  })
  for (let i = 0; i < 3; i++) {
    await setImmediate()
    assert.deepEqual([repeated.health().ok, recoveries.length], [false, 0])
    t.mock.timers.tick(1_000)
  }
  await setImmediate()
  assert.equal(repeated.health().ok, true)
  assert.deepEqual(reported, ['away', 'refused'])
  t.mock.timers.tick(1_000)
  await setImmediate()
  assert.equal(recoveries.length, 1, 'its end is reported once')
  await repeated.close()
})
