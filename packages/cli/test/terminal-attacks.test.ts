import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { ConfigError, type Event } from '@postern/core'
import { decisionLine } from '../src/command/decision-line.ts'
import { Output } from '../src/command/output.ts'

function terminal(): { readonly output: Output; written(): string } {
  let text = ''
  const stream = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        text += chunk.toString('utf8')
        done()
      },
    }),
    { isTTY: true },
  )
  const environment = { FORCE_COLOR: '1' }
  const output = new Output({ stdout: stream, stderr: stream, json: false, quiet: false, environment })
  return { output, written: () => text }
}

/** Sets the title, clears the screen, writes to the clipboard, moves up, hides, turns the line around. */
const OBEYED = '\u001b]0;owned\u0007\u001b[2J\u001b]52;c;cm0=\u0007\u001b[1A\u001b[8m\u009b2J\u202e\r\b'
/** Everything that a terminal obeys, but the colours of `paint`. */
const OBEDIENT =
  /\u001b(?!\[(?:[12]|22|3[1236]|39)m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e]/

describe('what a client or an application wrote', () => {
  const ways: readonly (readonly [string, (output: Output) => void])[] = [
    ['in a line', output => output.line(`found ${OBEYED}`)],
    ['in a coloured line', output => output.line(output.paint('cyan', `rule ${OBEYED}`))],
    ['in a note', output => output.note(`backend: ${OBEYED}`)],
    ['in an error', output => void output.failure(new Error(OBEYED))],
    [
      'in a mistake of the configuration',
      output => void output.failure(new ConfigError({ place: OBEYED, problem: OBEYED, hint: OBEYED })),
    ],
    [
      'in an event',
      output => {
        const request = { id: OBEYED, method: OBEYED, host: OBEYED, path: OBEYED, query: OBEYED }
        const event: Event = {
          type: 'http',
          time: 0,
          actor: { principal: OBEYED },
          request,
          reasons: [{ rule: OBEYED, message: OBEYED }],
        }
        output.line(decisionLine(event, output))
        output.line(decisionLine({ ...event, type: `remediation.${OBEYED}` }, output))
      },
    ],
  ]
  for (const [where, write] of ways)
    test(`moves no cursor and sets no title ${where}`, () => {
      const { output, written } = terminal()
      write(output)
      assert.notEqual(written(), '')
      assert.doesNotMatch(written(), OBEDIENT)
    })

  test('leaves the colours and line ends of commands as they are', () => {
    const { output, written } = terminal()
    output.line(`${output.paint('green', 'ok')}\n  ${output.paint('dim', 'then')}\tthis`)
    assert.equal(written(), '\u001b[32mok\u001b[39m\n  \u001b[2mthen\u001b[22m\tthis\n')
  })
})

test('a reader that takes nothing more leaves one wait behind, however many lines there are', async () => {
  for (const end of ['drain', 'error', 'close'] as const) {
    const stdout = new Writable({ highWaterMark: 1, write: () => {} })
    stdout.on('error', () => {})
    const output = new Output({ stdout, stderr: stdout, json: true, quiet: false, environment: {} })
    const lines = Array.from({ length: 100 }, () => output.data('a line'))
    assert.equal(stdout.listenerCount('drain'), 1)
    const before = stdout.listenerCount('error')
    stdout.emit(end, new Error('no space'))
    await Promise.all(lines)
    assert.equal(stdout.listenerCount('drain'), 0)
    assert.equal(stdout.listenerCount('error'), before - 1)
    const next = output.data('another line')
    assert.equal(stdout.listenerCount('drain'), 1)
    stdout.emit('drain')
    await next
  }
})
