// Loaded before a test file by scripts/run-test-file.ts: a test that passes although no assertion ran in it
// has shown nothing, so it fails. Assertions are the functions of node:assert, as members of its default
// export, and the properties of fast-check; a wait of test/until.ts ends in one.
import strict from 'node:assert/strict'
import { registerHooks } from 'node:module'
import type { TestContext } from 'node:test'
import { isMainThread } from 'node:worker_threads'
import { ranAssertions } from './ran-assertions.ts'

/** Processes and threads that a test starts with its own flags load this file as well. */
const isTestFile =
  isMainThread &&
  (/\.test\.m?[jt]s$/.test(process.argv[1] ?? '') || process.execArgv.includes('--test-isolation=none'))
if (isTestFile) {
  // Getters count without a frame of their own: assert.ok shows the source of its caller.
  for (const [name, own] of Object.entries(strict)) {
    // Classes have names with a capital; `strict` is the module itself.
    if (typeof own !== 'function' || !/^[a-z]/.test(name) || name === 'strict') continue
    Object.defineProperty(strict, name, {
      configurable: true,
      enumerable: true,
      get() {
        ranAssertions.count++
        return own
      },
    })
  }
  const fastCheck = new URL('counted-fast-check.ts', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'fast-check' && context.parentURL !== fastCheck
        ? { url: fastCheck, shortCircuit: true }
        : next(specifier, context),
  })
  const { afterEach, beforeEach } = await import('node:test')
  const before = new WeakMap<object, number>()
  const skipped = new WeakSet<object>()
  beforeEach(each => {
    const context = each as TestContext
    before.set(context, ranAssertions.count)
    const { skip } = context
    context.skip = message => {
      skipped.add(context)
      skip.call(context, message)
    }
  })
  afterEach(context => {
    // Typed in newer declarations only.
    const { passed } = context as TestContext & { readonly passed: boolean }
    if (passed && !skipped.has(context) && before.get(context) === ranAssertions.count)
      throw new Error('no assertion ran in this test: it cannot fail for what its name says')
  })
}
