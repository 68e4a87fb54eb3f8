import { accessMatrix } from '@postern/access'
import type { Command } from './command.ts'
import { printResult } from './print-result.ts'
import { policiesInForce } from './with-policies.ts'

/** `postern policy matrix`: what every kind of caller that the policies tell apart may do. */
export const run: Command = async (_args, options, context) =>
  printResult(context, accessMatrix(await policiesInForce(options, context)))
