// Takes the place of fast-check in test files (see count-assertions.ts): a property that held is an assertion
// that ran, whether or not its predicate calls one.
import fastCheck from 'fast-check'
import { ranAssertions } from './ran-assertions.ts'

const counted: typeof fastCheck = {
  ...fastCheck,
  assert: new Proxy(fastCheck.assert, {
    apply(target, self, args) {
      ranAssertions.count++
      return Reflect.apply(target, self, args)
    },
  }),
}

export default counted
