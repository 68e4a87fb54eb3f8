import type { Command as Program } from 'commander'
import type { AddCommand } from './add-command.ts'

/** Adds `postern policy ...`, `postern approvals ...` and `postern approve`. */
export function addAccessCommands(program: Program, add: AddCommand): void {
  const policy = program.command('policy').description('who may do what')
  add(
    policy,
    'test <file...>',
    'try the policies on the decisions they must make (modules that export `cases`)',
    () => import('./policy-test.ts'),
  )
  add(
    policy,
    'explain <action> [type]',
    'why somebody may or may not do something',
    () => import('./policy-explain.ts'),
  )
    .option('--as <principal>', 'who asks: user:ann, service:bot, anonymous', 'anonymous')
    .option('--role <role...>', 'their roles')
    .option('--scope <scope...>', 'their scopes')
    .option('--tenant <tenant>', 'their tenant')
    .option('--fields <json>', 'what is known of the resource: {"customer": "ann"}')
  add(
    policy,
    'who-can <action> [type]',
    'who may do something, and what others would need',
    () => import('./policy-who-can.ts'),
  )
    .option('--principals <file>', 'a module that exports `principals`')
    .option('--fields <json>', 'what is known of the resource: {"customer": "ann"}')
  add(policy, 'matrix', 'who can do what: kinds of callers against acts', () => import('./policy-matrix.ts'))
  add(
    policy,
    'diff <file>',
    'who gains and who loses access when these policies take the place of those in force',
    () => import('./policy-diff.ts'),
  ).option('--questions <file>', 'a module that exports `questions` (default: made up from the policies)')

  const approvals = program
    .command('approvals')
    .description("requests that wait for a second person's approval")
  add(approvals, 'list', 'requests that wait', () => import('./approvals-list.ts')).option(
    '--state <state>',
    'pending, approved, denied, used, expired or cancelled',
    'pending',
  )
  add(approvals, 'show <id>', 'one request, with the rows it shows', () => import('./approvals-show.ts'))
  add(
    program,
    'approve <id>',
    'consent to a request of somebody else, or deny it',
    () => import('./approve.ts'),
  )
    .option(
      '--as <user>',
      'who decides, by their id in the application (default: the account on this machine)',
    )
    .option('--deny', 'deny it')
    .option('--note <text>', 'a note to the requester')
}
