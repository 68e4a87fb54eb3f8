import { type PolicyCase, testPolicies } from '@postern/access'
import type { Command } from './command.ts'
import { printResult } from './print-result.ts'
import { exportedList, policiesInForce } from './with-policies.ts'

/**
 * `postern policy test`: tries the policies on the decisions they must make. Exit 1 when one is made
 * otherwise.
 */
export const run: Command = async (files, options, context) => {
  const policies = await policiesInForce(options, context)
  const lists = await Promise.all(files.map(file => exportedList<PolicyCase>(file, 'cases', context)))
  return printResult(context, testPolicies(policies, lists.flat()))
}
