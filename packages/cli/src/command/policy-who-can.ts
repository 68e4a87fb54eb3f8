import { whoCan } from '@postern/access'
import type { Principal } from '@postern/core'
import { type Command, textOption } from './command.ts'
import { printResult } from './print-result.ts'
import { exportedList, policiesInForce, resourceOption } from './with-policies.ts'

/** `postern policy who-can`: who of these may do something, and what anybody else would need. */
export const run: Command = async ([action = '', type = ''], options, context) => {
  const file = textOption(options, 'principals')
  const resource = resourceOption(type, options)
  const policies = await policiesInForce(options, context)
  const principals = file === undefined ? [] : await exportedList<Principal>(file, 'principals', context)
  return printResult(
    context,
    whoCan(policies, { action, resource, principals, context: { time: Date.now() } }),
  )
}
