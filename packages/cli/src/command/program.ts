import { type HelpConfiguration, Command as Program } from 'commander'
import { addAccessCommands } from './access-program.ts'
import type { AddCommand, Load } from './add-command.ts'
import { addAuditCommands } from './audit-program.ts'
import { addIdentityCommands } from './identity-program.ts'
import { showUsageAfterErrors } from './usage-line.ts'
import { addVaultCommands } from './vault-program.ts'

/** Runs a loaded command; given by the process, so that the program itself touches nothing. */
export type Execute = (
  load: Load,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void>

/** Columns of the names of commands and options; a longer one has its description on the next line. */
const NAMES = 30

/** Names beside their descriptions, within the width of the terminal. */
const HELP: HelpConfiguration = {
  formatItem(name, longest, description, helper): string {
    if (description === '') return `  ${name}`
    const column = Math.min(longest, NAMES)
    const margin = `\n${' '.repeat(column + 4)}`
    const text = helper.boxWrap(description, (helper.helpWidth ?? 80) - column - 4).replaceAll('\n', margin)
    return name.length > column ? `  ${name}${margin}${text}` : `  ${name.padEnd(column)}  ${text}`
  },
}

/** The command line as a table of names, options and where their code is. */
export function buildProgram(execute: Execute, version: string): Program {
  const program = new Program('postern')
    .description('One security layer for backends: a gateway, or one line of middleware.')
    .version(version, '-V, --version')
    .option('-c, --config <file>', 'configuration file (default: postern.config.* in this folder)')
    .option('-d, --data <folder>', "data directory (default: the configuration's, else .postern)")
    .option('--json', 'results as JSON, one value a line')
    .option('-q, --quiet', 'no progress and no notes')
    .showHelpAfterError('(--help shows how it is used)')
    .configureHelp(HELP)
    .addHelpText('after', EXIT_CODES)

  const add: AddCommand = (parent, usage, description, load) =>
    parent
      .command(usage)
      .description(description)
      .configureHelp({ ...HELP, showGlobalOptions: true })
      .action((...values: unknown[]) => {
        const command = values.at(-1) as Program
        const args = values
          .slice(0, -2)
          .flat()
          .filter(value => value !== undefined)
          .map(String)
        return execute(load, args, command.optsWithGlobals())
      })

  add(program, 'gateway', 'protect a backend: the reverse proxy', () => import('./gateway.ts'))
    .option('--to <url>', 'where the backend listens, e.g. http://127.0.0.1:3000')
    .option('--listen <place>', 'host:port, or a port on this machine only (default: 127.0.0.1:8080)')
    .option('--workers <count>', 'worker threads, or "auto" for one per core')
    .option('--observe', 'decide and record, but block nothing')
    .option(
      '--admin <place>',
      'metrics and health: host:port, or a port on this machine only (default: 127.0.0.1:9464)',
    )
    .option(
      '--console [place]',
      'the web console; host:port, or a port on this machine only (default: 127.0.0.1:9465)',
    )
  add(
    program,
    'forward-auth',
    'answer nginx, Traefik, Caddy or Envoy, which ask before they forward',
    () => import('./forward-auth.ts'),
  )
    .option('--dialect <proxy>', 'nginx, traefik, caddy or envoy')
    .option('--listen <place>', 'host:port, or a port on this machine only (default: 127.0.0.1:9090)')
    .option('--trust <address...>', 'the proxies that may ask (default: trustProxies, else loopback)')
    .option('--prefix <path>', "taken off the path: Envoy's path_prefix")
    .option('--observe', 'decide and record, but block nothing')
    .option(
      '--admin <place>',
      'metrics and health: host:port, or a port on this machine only (default: 127.0.0.1:9464)',
    )
  add(
    program,
    'dev [command...]',
    'start your backend behind the gateway and show every decision',
    () => import('./dev.ts'),
  )
    .option('--to <url>', 'where the backend listens (default: http://127.0.0.1:$PORT)')
    .option('--port <port>', 'port given to the backend as PORT (default: 3000)')
    .option('--listen <place>', 'host:port, or a port on this machine only (default: 127.0.0.1:8080)')
    .option('--enforce', 'block as in production; without it, decisions are only shown')
  add(
    program,
    'explain <request-id...>',
    'why a request was refused, and the narrowest exception',
    () => import('./explain.ts'),
  ).option('--apply', 'write the exception into the configuration')
  add(
    program,
    'report',
    'what observe mode would have refused, and the exceptions to add',
    () => import('./report.ts'),
  )
    .option('--since <time>', 'from when: 7d, 12h or a date (UTC without a zone)', '7d')
    .option('--format <format>', 'text, json or html (default: text)')
    .option('--top <count>', 'how many of each to show', '10')
  add(
    program,
    'ban <actor>',
    'ban an address, range or principal: obeyed within a second',
    () => import('./ban.ts'),
  )
    .option('--for <duration>', 'how long', '4h')
    .option('--reason <text>', 'why', 'set by hand')
    .option('--measure <measure>', 'block, throttle or challenge', 'block')
  add(
    program,
    'unban <actor>',
    'end all bans, throttles and challenges of an address, range or principal',
    () => import('./unban.ts'),
  )
  add(
    program,
    'why <actor>',
    'the remediations that apply to an actor, and the requests that led to them',
    () => import('./why.ts'),
  )
  add(
    program,
    'replay <log...>',
    'what the configuration would have done with an access log',
    () => import('./replay.ts'),
  )
    .option('--against <file>', 'a second configuration, to compare with')
    .option('--top <count>', 'how many actors and routes to show', '10')

  add(
    program,
    'inspect <file>',
    'a verdict for every request of a JSON-lines file',
    () => import('./inspect.ts'),
  ).option('--level <level>', '1 to 4', '1')

  const limits = program.command('limits').description('what is left of limits in the running gateway')
  add(
    limits,
    'show [key]',
    'what a key has left of each limit; without a key, the limits',
    () => import('./limits-show.ts'),
  )
  add(limits, 'reset <key>', 'forget what a key has used', () => import('./limits-reset.ts'))

  add(
    limits,
    'set <limit> <key> <rule>',
    'give one key a rule of its own, e.g. set tenant acme 1000/1m',
    () => import('./limits-set.ts'),
  )
  add(limits, 'unset <limit> <key>', 'back to the rule of everybody', () => import('./limits-unset.ts'))
  add(limits, 'list', 'keys that have rules of their own', () => import('./limits-list.ts'))

  const scenarios = program.command('scenarios').description('patterns over many events')
  add(
    scenarios,
    'list',
    'every scenario, and what it does when it fires',
    () => import('./scenarios-list.ts'),
  )
  add(
    scenarios,
    'test <log...>',
    'which scenarios an access log would have raised',
    () => import('./scenarios-test.ts'),
  )
  const rules = program.command('rules').description('rules in files')
  add(rules, 'test <file...>', 'run the cases of rule files or folders', () => import('./rules-test.ts'))
  const parameters = program
    .command('parameters')
    .description('parameters of routes: declared, described, learned')
  add(
    parameters,
    'propose',
    'what was learned so far, to review and enforce',
    () => import('./parameters-propose.ts'),
  ).option('--samples <count>', 'requests that a route needs', '100')
  add(
    parameters,
    'list [route]',
    'what is known about each parameter, and from where: configuration, OpenAPI, learned',
    () => import('./parameters-list.ts'),
  )
  const types = add(
    parameters,
    'types [route]',
    'the types that were learned, as lines for "routes"',
    () => import('./parameters-types.ts'),
  )
  add(
    types,
    'set <route> <parameter> <type>',
    'write what a parameter holds into the configuration ("GET /items/:id" query.page number)',
    () => import('./parameters-types-set.ts'),
  )
  add(
    parameters,
    'forget [route]',
    'forget what was learned, for one route ("POST /orders") or for all',
    () => import('./parameters-forget.ts'),
  )
  const console = program.command('console').description('the web console of the running gateway')
  add(console, 'link', 'make a link that signs in once, within 15 minutes', () => import('./console-link.ts'))
    .option('--name <name>', 'who signs in, as the audit log names them (default: your account)')
    .option('--role <role...>', 'viewer, operator, administrator, approver (default: all)')
  add(
    console,
    'activity',
    'requests and refused attempts by day and country',
    () => import('./console-activity.ts'),
  ).option('--days <count>', 'how far back, 1 to 31 (default: 7)')
  add(console, 'graph', 'who touched what, from the audit log', () => import('./console-graph.ts'))
    .option('--hours <count>', 'how far back, 1 to 744 (default: 24)')
    .option('--principal <id>', 'only what this principal touched')
    .option('--type <type>', 'only resources of this type')
    .option('--id <id>', 'with --type: only this resource')
  add(
    console,
    'false-positives',
    'refusals that were marked as false positives, by rule',
    () => import('./console-false-positives.ts'),
  )
  add(
    console,
    'false-positive <request-id...>',
    'mark a refusal as a false positive',
    () => import('./console-false-positive.ts'),
  )
    .option('--note <text>', 'what the request was')
    .option('--undo', 'take the mark away')
  add(console, 'operators', 'who may sign in with a passkey', () => import('./console-operators.ts'))
  add(
    console,
    'invite <email>',
    'make a link that makes an account with a passkey, once, within a day',
    () => import('./console-invite.ts'),
  ).option('--role <role...>', 'viewer, operator, administrator, approver (default: viewer)')
  add(
    console,
    'grant <email> <role...>',
    'what an operator may from now on',
    () => import('./console-grant.ts'),
  )
  add(
    console,
    'remove <email>',
    'an operator who may not sign in any more',
    () => import('./console-remove.ts'),
  )
  const bouncers = program
    .command('bouncers')
    .description("keys for CrowdSec bouncers that enforce this gateway's decisions")
  add(bouncers, 'add <name>', 'make a key; it is shown this once', () => import('./bouncers-add.ts'))
  add(bouncers, 'list', 'names of the keys', () => import('./bouncers-list.ts'))
  add(bouncers, 'remove <name>', 'a key that no longer works', () => import('./bouncers-remove.ts'))
  const budgets = program.command('budgets').description("row budgets in the application's database")
  add(
    budgets,
    'install',
    'count rows from now on, or as now configured',
    () => import('./budgets-install.ts'),
  ).option('--print', 'only show the SQL; keys are left out')
  add(
    budgets,
    'remove',
    'take triggers, counts and the journal away',
    () => import('./budgets-remove.ts'),
  ).option('--print', 'only show the SQL')
  add(
    budgets,
    'status',
    'what is limited, guarded and refused, and what could get around it',
    () => import('./budgets-status.ts'),
  )
  const undo = program.command('undo').description('restore deleted and edited rows')
  add(undo, 'list', 'changes that can be put back, the newest first', () => import('./undo-list.ts'))
    .option('--actor <actor>', 'those of one actor, e.g. user:alice')
    .option('--since <duration>', 'those of that time only, e.g. 1h')
  add(undo, 'show <change>', 'what putting a change back would do', () => import('./undo-show.ts')).option(
    '--table <table...>',
    'only these tables',
  )
  add(undo, 'apply [change...]', 'put changes back', () => import('./undo-apply.ts'))
    .option('--actor <actor>', 'all of one actor, the newest first')
    .option('--since <duration>', 'with --actor: those of that time only')
    .option('--table <table...>', 'only these tables')
    .option('--skip-conflicts', 'put back what fits, when some rows do not')
  add(
    undo,
    'seal',
    'encrypt the journal, and forget what is past its retention',
    () => import('./undo-seal.ts'),
  )
  addAccessCommands(program, add)
  addAuditCommands(program, add)
  addVaultCommands(program, add)
  addIdentityCommands(program, add)
  add(program, 'doctor', 'what is wrong with this setup, and how to fix it', () => import('./doctor.ts'))
    .option('--vault <file>', 'tables, keys and holders of encrypted columns', 'vault.json')
    .option('--request [path]', 'show how a request is seen: the next one that arrives, or one described by')
    .option('--peer <address>', 'the address it comes from, and')
    .option('--header <line...>', 'its headers, e.g. "X-Forwarded-For: 203.0.113.7"')
    .option('--listen <place>', 'where to wait for it (default: where the gateway listens)')
  add(program, 'schema', 'JSON Schema of the configuration, for editors', () => import('./schema.ts'))
  add(program, 'version', 'versions of Postern and Node', () => import('./version.ts'))
  showUsageAfterErrors(program)
  return program
}

const EXIT_CODES = `
Exit codes: 0 done; 1 the answer is no (not verified, not found, a check
failed); 2 command line or configuration wrong; 3 something outside is not there
(store, port, gateway); 4 data is not what was written; 70 a bug in Postern.
Documentation: docs/command-line.md`
