import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { MarkupLexer } from '../src/lex/html-elements.ts'
import { ShellCommandLexer } from '../src/lex/shell-command.ts'
import { ANY_DATABASE, SQL_KEYWORDS, SqlDialect } from '../src/lex/sql-dialect.ts'
import { SqlGrammar } from '../src/lex/sql-grammar.ts'
import { SqlInjectionLexer } from '../src/lex/sql-injection.ts'
import type { Span } from '../src/rule/rule.ts'
import { type Reading, readingOf } from '../src/value/reading.ts'

const read = (text: string): Reading =>
  readingOf(text, { name: 'q' }, { place: 'query', fromStart: true, isPiece: false, isEscaped: false })

const TEXTS = [
  "1' or '1'='1",
  '(select(0)from(select(sleep(15)))v)',
  'O\'Brien and the 7" of rain',
  "((((a.b.c + 1) * case when 1=1 then 'x' end))) between 1 and 2",
  ';cat /etc/passwd',
  'a`id`;w"h"oami',
  '<svg onload=alert(1)><iframe <a src=x>',
  '<img src="<script>alert(1)</script>">',
  'plain text',
  '',
]

interface Lexer {
  find(reading: Reading): Span | undefined
}

const KINDS: Readonly<Record<string, () => Lexer>> = {
  sql: () => new SqlInjectionLexer(),
  shell: () => new ShellCommandLexer(),
  markup: () => new MarkupLexer(),
}

describe('lexers', () => {
  for (const [name, create] of Object.entries(KINDS)) {
    test(`a ${name} lexer finds in a text what a new one does, whatever it read before`, () => {
      const used = create()
      for (const before of TEXTS)
        for (const text of TEXTS) {
          used.find(read(before))
          assert.deepEqual(used.find(read(text)), create().find(read(text)), `${before} then ${text}`)
        }
    })
  }

  test('two grammars asked in turn answer as each does alone', () => {
    const questions = [
      'term',
      'expression',
      'comparison',
      'bracketedComparison',
      'isSolid',
      'kindAt',
    ] as const
    const answers = (grammar: SqlGrammar, i: number) => questions.map(question => grammar[question](i))
    for (const left of TEXTS)
      for (const right of TEXTS) {
        const alone = [left, right].map(text => {
          const grammar = new SqlGrammar(ANY_DATABASE)
          grammar.begin(text)
          return Array.from({ length: 40 }, (_, i) => answers(grammar, i))
        })
        const first = new SqlGrammar(ANY_DATABASE)
        const second = new SqlGrammar(ANY_DATABASE)
        first.begin(left)
        second.begin(right)
        for (let i = 0; i < 40; i++) {
          assert.deepEqual(answers(first, i), alone[0]?.[i])
          assert.deepEqual(answers(second, i), alone[1]?.[i])
        }
      }
  })

  test('their modules hold no state', () => {
    const folder = new URL('../src/lex/', import.meta.url)
    const files = readdirSync(folder)
    assert.ok(files.length > 10)
    for (const file of files)
      assert.doesNotMatch(readFileSync(new URL(file, folder), 'utf8'), /^(?:export )?(?:let|var)\s/m, file)
  })

  test('the lexer of SQL reads comments as its dialect has them', () => {
    const strict = new SqlInjectionLexer(
      new SqlDialect({ words: SQL_KEYWORDS, hasHashComments: false, hasVersionedComments: false }),
    )
    const any = new SqlInjectionLexer()
    for (const [text, inAny, inStrict] of [
      ["admin'#", 'sqli/comment', undefined],
      ['1/*!50000union*//*!50000select*/1,2,3', 'sqli/union', undefined],
      ["admin'--", 'sqli/comment', 'sqli/comment'],
      ["1' or '1'='1", 'sqli/tautology', 'sqli/tautology'],
    ] as const) {
      assert.equal(any.find(read(text))?.id, inAny, text)
      assert.equal(strict.find(read(text))?.id, inStrict, text)
    }
  })
})
