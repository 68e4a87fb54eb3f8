import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event, EventRecorder } from '@postern/core'
import { StoreError, VirtualClock } from '@postern/core'
import { auditCommands } from '../src/admin/audit-commands.ts'
import { parameterCommands } from '../src/admin/parameter-commands.ts'
import { consoleCommands } from '../src/console/console-commands.ts'

/** Keeps what is entered, or cannot. */
function recorderOf(done: string[], state: 'works' | 'fails' = 'works') {
  const events: Event[] = []
  const recorder: EventRecorder = {
    commit: async event => {
      if (state === 'fails') throw new StoreError('the disk is full', { store: 'audit', retryable: true })
      events.push(event)
      done.push(event.action ?? '')
      return { index: BigInt(events.length) }
    },
    record: () => {},
  }
  return { events, recorder }
}

for (const state of ['works', 'fails'] as const)
  test(`an erasure that the gateway is asked for stands in the log under a name before it is done (log ${state})`, async () => {
    const done: string[] = []
    const { events, recorder } = recorderOf(done, state)
    const commands = auditCommands(
      {
        clock: new VirtualClock(),
        recorder,
        audit: {
          eraseSubject: async () => {
            done.push('erased')
            return { index: 7n, leafHash: '' }
          },
        },
      },
      async () => void done.push('erased elsewhere'),
    )
    const asked = Promise.resolve(commands['audit/erase']?.({ principal: 'ann', operator: 'olga' }))
    if (state === 'fails') {
      await assert.rejects(asked, StoreError)
      assert.deepEqual(done, [])
      return
    }
    assert.deepEqual(await asked, { index: 7 })
    assert.deepEqual(done, ['audit.erase', 'erased elsewhere', 'erased'])
    assert.equal(events[0]?.actor.principal, 'operator:olga')
    // The name of who was erased would outlive the erasure.
    assert.doesNotMatch(JSON.stringify(events), /ann/)
  })

test('what was learned is forgotten under a name', async () => {
  const { events, recorder } = recorderOf([])
  const commands = parameterCommands({ clock: new VirtualClock(), recorder, learned: undefined })
  await commands['parameters/forget']?.({ route: 'GET /search', operator: 'olga' })
  assert.deepEqual(
    events.map(({ action, actor, data }) => [action, actor.principal, data]),
    [['parameters.forget', 'operator:olga', { route: 'GET /search' }]],
  )
})

test('attack: a link to the console in the name of somebody else leaves no trace of who made it', async () => {
  const done: unknown[] = []
  const unused = (): never => assert.fail('not asked for')
  const commands = consoleCommands(
    {
      link: name => `link of ${name}`,
      invitationLink: unused,
      ask: unused,
      get operators(): never {
        return unused()
      },
    },
    async (action, data, operator) => void done.push([action, data, operator]),
  )
  assert.deepEqual(
    await commands['console/link']?.({ name: 'bob', roles: ['approver'], operator: 'mallory' }),
    {
      link: 'link of bob',
    },
  )
  assert.deepEqual(done, [['console.link', { name: 'bob', roles: ['viewer', 'approver'] }, 'mallory']])
})
