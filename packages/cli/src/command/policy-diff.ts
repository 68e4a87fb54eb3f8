import { type AccessQuestion, diffPolicies, questionsAbout } from '@postern/access'
import { type Command, textOption } from './command.ts'
import { printResult } from './print-result.ts'
import { exportedList, policiesIn, policiesInForce } from './with-policies.ts'

/** `postern policy diff`: who gains and who loses access by a change. Exit 1 when somebody gains. */
export const run: Command = async ([file = ''], options, context) => {
  const before = await policiesInForce(options, context)
  const after = await policiesIn(file, context)
  const given = textOption(options, 'questions')
  const questions =
    given === undefined
      ? questionsAbout(before, after)
      : await exportedList<AccessQuestion>(given, 'questions', context)
  return printResult(context, diffPolicies(before, after, questions))
}
