import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SensitiveTexts } from '../src/lex/sensitive-texts.ts'
import { ShellCommandLexer } from '../src/lex/shell-command.ts'
import { readingOf } from '../src/value/reading.ts'

const PIECES = [
  ...[
    '/etc/',
    '/bin/',
    '/tmp/',
    'passwd',
    'sleep 5',
    'sleep  9',
    'net user ',
    '|sh ',
    '| bash;',
    'https://a',
  ],
  ...['>/var/', '> /www', '$ifs', 'oast.', ' ', 'x', ';', 'e', '/', 'sleep', 'net ', 'h', '\n'],
]

test('what stands in a part of a text is found whatever parts were asked for before', () => {
  const bound = fc.nat(60)
  const asked = fc.array(fc.tuple(bound, bound), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }), asked, (pieces, parts) => {
      const lower = pieces.join('')
      const shared = new SensitiveTexts()
      shared.begin(lower)
      for (const [from, length] of parts) {
        const alone = new SensitiveTexts()
        alone.begin(lower)
        assert.equal(shared.standIn(from, from + length), alone.standIn(from, from + length), lower)
        // Cut out, the part holds the same, but for a word that the cut ends.
        const cut = new SensitiveTexts()
        cut.begin(`${lower.slice(from, from + length)}x`)
        if (cut.standIn(0, length)) assert.ok(alone.standIn(from, from + length), lower)
      }
    }),
    { numRuns: 3_000, seed: 3 },
  )
})

test('a command is found behind words that name nothing, and behind a word that names one elsewhere', () => {
  const lexer = new ShellCommandLexer()
  const head = { place: 'query', fromStart: true, isPiece: false, isEscaped: false } as const
  const scoreOf = (text: string): number => lexer.find(readingOf(text, { name: 'q' }, head))?.score ?? 0
  for (const before of [';foo'.repeat(300), ';/x/y'.repeat(300), ';a=b'.repeat(300), ';foo;/???/c?t'])
    for (const attack of [';cat /etc/passwd', '|/bin/cat /etc/passwd', ';/???/c?t /???/p??s??', '$(whoami)'])
      assert.ok(scoreOf(before + attack) >= 5, before.slice(-8) + attack)
  // The table of one text says nothing of the next.
  assert.equal(scoreOf(';foo'), 0)
  assert.ok(scoreOf(';id') > 0)
})
