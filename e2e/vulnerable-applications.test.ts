// sqlmap against two applications with a hole in a free-text field, in process. The field is declared a
// document, which inspection does not read: what is left is what the sinks say at the driver. The counts are
// printed; docs/real-attacks.md has them as a table.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import type { Config } from 'postern'
import { freshDatabase } from '../test/fresh.ts'
import { neededTool, runTool } from './attack-tool.ts'
import { catalogue, guestBook, type Vulnerable, type VulnerableOptions } from './vulnerable-applications.ts'

const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const folder = mkdtempSync(join(tmpdir(), 'postern-vulnerable-'))
after(() => rmSync(folder, { recursive: true }))

/** Ends the database once nothing is connected to it. */
const database = freshDatabase({ after })

/** Free text is passed over: `document` is not inspected. */
const FREE_TEXT = { 'body.text': 'document' } as const
const withSinks = (sinks: false | Record<string, never>): Config => ({
  inspect: { parameters: FREE_TEXT, sinks },
})

/** An address out of the table of accounts; the least that sqlmap says of a hole. */
const DUMPED = /user\d+@example\.com/
const FOUND = /Payload: |user\d+@example\.com/
const REQUESTS = /(\d+) HTTP\(s\) requests/

async function attacked(
  t: TestContext,
  program: string,
  { url, ran, refused }: Vulnerable,
  dbms: string,
): Promise<string> {
  const { output } = await runTool(
    program,
    [
      ...['--batch', '--disable-coloring', '--flush-session', '--output-dir', folder, '--user-agent', AGENT],
      ...['--threads', '4', '--dbms', dbms, '--technique', 'BEUQ', '-T', 'account', '-C', 'email', '--dump'],
      ...['--stop', '3', '--level', '2', '-u', url, '--data', '{"text":"lamp*"}'],
      ...['-H', 'Content-Type: application/json', '--ignore-code', '500'],
    ],
    { cwd: folder, seconds: 60 },
  )
  t.diagnostic(
    `${dbms}: ${ran()} statements ran, ${refused()} were refused by the sink; ${REQUESTS.exec(output)?.[0] ?? 'all requests'}`,
  )
  return output
}

for (const [dbms, open] of [
  ['SQLite', guestBook],
  ['PostgreSQL', async (options: VulnerableOptions) => catalogue(await database, options)],
] as const)
  describe(`sqlmap at a free-text field that is joined to a statement of ${dbms}`, () => {
    for (const [how, config] of [
      ['without Postern', undefined],
      ['with sinks off', withSinks(false)],
    ] as const)
      test(`reads the accounts ${how}`, async t => {
        const program = neededTool(t, 'sqlmap')
        if (program === undefined) return
        const application = await open(config === undefined ? {} : { config })
        t.after(() => application.close())
        const output = await attacked(t, program, application, dbms)
        assert.match(output, DUMPED, output)
        assert.equal(application.refused(), 0)
      })

    test('finds nothing with sinks on', async t => {
      const program = neededTool(t, 'sqlmap')
      if (program === undefined) return
      const application = await open({ config: withSinks({}) })
      t.after(() => application.close())
      const output = await attacked(t, program, application, dbms)
      assert.doesNotMatch(output, FOUND, output)
      assert.ok(application.refused() > 20, `${application.refused()} refused\n${output}`)
    })

    test('runs what honest people type with sinks on', async t => {
      const application = await open({ config: withSinks({}) })
      t.after(() => application.close())
      for (const [text, found] of [
        ['lamp', 1],
        ['rug & chair -- or both (cheap)', 0],
        ['select a lamp from the hall; or not', 0],
        ['x = y', 0],
      ] as const) {
        const response = await fetch(application.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ text }),
        })
        assert.equal(response.status, 200, text)
        assert.equal(((await response.json()) as unknown[]).length, found, text)
      }
      assert.equal(application.refused(), 0)
    })
  })
