import { ConfigError, shellWord, systemClock } from '@postern/core'
import { accountName, Connections, openAudit, operatorEvent } from '@postern/runtime'
import { askGateway, readRunFile } from '@postern/server'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup, type Setup } from './setup.ts'

/**
 * `postern audit erase`: destroys a principal's key. Asked of the running gateway, or done here when none
 * runs. It cannot be undone, so it wants `--yes`.
 */
export const run: Command = async ([principal = ''], options, context) => {
  if (options['yes'] !== true)
    throw new ConfigError({
      place: 'audit erase',
      problem: 'cannot be undone',
      hint: `if you mean it: ${eraseCommand(principal, textOption(options, 'tenant'))}`,
    })
  const setup = await loadSetup(options, context)
  const tenant = textOption(options, 'tenant')
  const index =
    readRunFile(setup.dataDirectory) === undefined
      ? await eraseHere(setup, principal, tenant)
      : await askToErase(setup, principal, tenant)
  context.output.line(
    `what the entries of ${safe(principal)} said of them can no longer be read; entry ${index} records it`,
  )
  context.output.note(
    `entries of others that name them, such as bans by operators, stay: ${searchCommand(principal)}`,
  )
  context.output.result({ principal, tenant, index })
  return EXIT.done
}

/** As it can be pasted: a principal may call itself anything, and its tenant must not get lost on the way. */
function eraseCommand(principal: string, tenant: string | undefined): string {
  const more = tenant === undefined ? '' : ` --tenant=${shellWord(tenant)}`
  const word = shellWord(principal)
  return principal.startsWith('-')
    ? `postern audit erase${more} --yes -- ${word}`
    : `postern audit erase ${word}${more} --yes`
}

function searchCommand(principal: string): string {
  return `postern audit search --text=${shellWord(principal.slice(principal.indexOf(':') + 1))}`
}

async function askToErase(
  { dataDirectory }: Setup,
  principal: string,
  tenant: string | undefined,
): Promise<number> {
  const answer = await askGateway(dataDirectory, 'audit/erase', {
    principal,
    operator: accountName(),
    ...(tenant !== undefined && { tenant }),
  })
  return Number((answer as { readonly index?: unknown }).index)
}

async function eraseHere(setup: Setup, principal: string, tenant: string | undefined): Promise<number> {
  const connections = new Connections(setup.config, setup.dataDirectory, 'existing')
  try {
    const { eraseKeptTraffic } = await import('@postern/server/console')
    const opened = await openAudit(setup, connections)
    if (opened === undefined) {
      await eraseKeptTraffic(connections, principal, tenant ?? '')
      throw new ConfigError({
        place: 'audit',
        problem: 'is switched off in this configuration; what the console kept was erased',
        hint: 'if there is a log, name its configuration with `--config`',
      })
    }
    const { log } = opened
    try {
      await log.commit(operatorEvent({ action: 'audit.erase', resource: { type: 'audit' } }, systemClock))
      await eraseKeptTraffic(connections, principal, tenant ?? '')
      return Number((await log.eraseSubject(principal, tenant === undefined ? {} : { tenant })).index)
    } finally {
      await log.close()
    }
  } finally {
    await connections.close()
  }
}
