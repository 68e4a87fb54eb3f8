import type { Config } from '@postern/config'
import { startNotes } from '@postern/runtime'
import type { Overrides } from '@postern/server'
import { overridden, type Served, serve } from '@postern/server'
import { type Command, type CommandContext, type CommandOptions, listOption, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { announceReach, closeUnlessHurried, followConfiguration, stopped, watchEvents } from './gateway.ts'
import { loadServiceSetup, noteOwner, type Setup } from './setup.ts'

/** `postern forward-auth`: answers nginx, Traefik, Caddy or Envoy until a signal stops it. */
export const run: Command = async (_args, options, context) => {
  context.expectReload()
  const setup = await loadServiceSetup(options, context)
  noteOwner(setup, context)
  const overrides = readOverrides(options, setup)
  const loaded = overridden(setup, overrides, context.environment)
  const served = await serve({
    loaded,
    overrides,
    dataDirectory: setup.dataDirectory,
    kind: 'forward-auth',
    onWait: sentence => context.output.note(sentence),
    stop: context.signal,
  })
  const stopFollowing = followConfiguration(served, setup, overrides, context)
  announce(served, { ...setup, ...loaded }, context)
  for (const note of await startNotes(loaded.config, served.runtime.resources.identity))
    context.output.note(note)
  watchEvents(served, context, 'refusals')
  await stopped(context.signal)
  stopFollowing()
  await closeUnlessHurried(served, context)
  return EXIT.done
}

/** Without a word about proxies only those on this machine may ask. */
function readOverrides(options: CommandOptions, { written }: Setup): Overrides {
  const said = {
    dialect: textOption(options, 'dialect'),
    listen: textOption(options, 'listen'),
    prefix: textOption(options, 'prefix'),
  }
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  const admin = textOption(options, 'admin')
  const trust = listOption(options, 'trust')
  return {
    forwardAuth: { ...written.forwardAuth, ...given } as Config['forwardAuth'],
    trustProxies: trust.length > 0 ? trust : written.trustProxies === undefined ? ['loopback'] : undefined,
    mode: options['observe'] === true ? 'observe' : undefined,
    admin: admin === undefined ? undefined : { listen: admin },
  }
}

function announce(served: Served, { config, file }: Setup, { output }: CommandContext): void {
  const { dialect } = config.forwardAuth
  const trusted = config.trustProxies.entries
  output.line(`${output.paint('green', 'postern')} ${served.url} answers ${dialect}`)
  const open = announceReach(served, output)
  output.line(`  configuration  ${file.path ?? 'none (defaults)'}`)
  output.line(`  may ask        ${trusted.join(', ')}; anyone else gets 403`)
  if (config.mode === 'observe')
    output.line(`  mode           ${output.paint('yellow', 'observe: nothing is blocked')}`)
  if (served.admin !== undefined) output.line(`  admin          ${served.admin} (/healthz /readyz /metrics)`)
  if (served.console !== undefined)
    output.line(`  console        ${served.console.link} (signs in once, within 15 minutes)`)
  output.note(
    'Postern sees no bodies or responses in this mode, so rules and scenarios about them find nothing.',
  )
  const { url, admin } = served
  output.result({ event: 'listening', url, open, admin, dialect, trusted, pid: process.pid })
}
