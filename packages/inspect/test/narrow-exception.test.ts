import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { inspect } from '../src/index.ts'
import { compileExceptions, type InspectException } from '../src/settings/exception.ts'

const form = (name: string, path = '/items'): Parameters<typeof inspect>[0] => ({
  method: 'POST',
  target: path,
  headers: ['content-type', 'application/x-www-form-urlencoded'],
  body: Buffer.from(`${new URLSearchParams({ [name]: '/etc/passwd' })}`),
})

/** What is printed, as a configuration file reads it. */
function read(exception: string): readonly InspectException[] {
  const { inspect: printed } = runInNewContext(`({ ${exception} })`) as {
    readonly inspect: { readonly except: readonly InspectException[] }
  }
  return [...printed.except]
}

describe('the exception of a match, as it is printed', () => {
  for (const name of ['file', 'page[file]', 'page[0][file]', 'a file', "owner's", 'größe', 'a\nb', 'a\\b'])
    test(`lets ${JSON.stringify(name)} pass and no other field`, () => {
      const printed = inspect(form(name)).matches.flatMap(({ exception }) => read(exception))
      const except = compileExceptions(printed, 'except').map(one => one.test)
      assert.equal(inspect(form(name), { except }).verdict, 'pass')
      assert.equal(inspect(form(`${name}2`), { except }).verdict, 'block')
    })

  test('names the route with its quotes', () => {
    const { matches } = inspect(form('file', "/it's"))
    assert.match(matches[0]?.exception ?? '', /route: 'POST \/it\\'s'/)
  })
})
