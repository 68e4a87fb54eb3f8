import { explain } from '@postern/access'
import type { Command } from './command.ts'
import { printResult } from './print-result.ts'
import { policiesInForce, principalOption, resourceOption } from './with-policies.ts'

/**
 * `postern policy explain`: every policy with a say, and what made it speak or kept it silent. Exit 1 when it
 * is denied.
 */
export const run: Command = async ([action = '', type = ''], options, context) => {
  const [principal, resource] = [principalOption(options), resourceOption(type, options)]
  const policies = await policiesInForce(options, context)
  const question = { principal, action, resource, context: { time: Date.now() } }
  return printResult(context, explain(policies, question))
}
