import { ConfigError } from '@postern/core'
import { readRunFile } from '@postern/server'
import { checkBudgets } from '../doctor/check-budgets.ts'
import { checkDataDirectory } from '../doctor/check-data.ts'
import {
  checkBackend,
  checkCertificate,
  checkPort,
  checkTrustedProxies,
  listenPlaces,
} from '../doctor/check-network.ts'
import { checkStores } from '../doctor/check-stores.ts'
import { checkVault } from '../doctor/check-vault.ts'
import { bad, type DoctorFinding, ok } from '../doctor/finding.ts'
import type { Command } from './command.ts'
import { showRequest } from './doctor-request.ts'
import { EXIT } from './exit-code.ts'
import { type Output, safe } from './output.ts'
import { loadSetup, type Setup } from './setup.ts'
import { vaultPath } from './vault-path.ts'

/** `postern doctor`: every check, worst news with how to fix it. Exit 1 when something is bad. */
export const run: Command = async (_args, options, context) => {
  if (options['request'] !== undefined)
    return showRequest(await loadSetup(options, context), options, context)
  const findings: DoctorFinding[] = [ok('node', process.version)]
  try {
    const setup = await loadSetup(options, context)
    findings.push(ok('configuration', setup.file.path ?? 'none: the defaults protect'))
    findings.push(...(await checkSetup(setup)))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const issue of error.issues)
      findings.push(bad('configuration', `${issue.place}: ${issue.problem}`, issue.hint ?? 'correct it'))
  }
  findings.push(...(await checkVault(vaultPath(options, context), context.environment)))
  show(context.output, findings)
  const isBad = findings.some(finding => finding.state === 'bad')
  context.output.result({ ok: !isBad, findings })
  return isBad ? EXIT.no : EXIT.done
}

async function checkSetup({ config, file, dataDirectory }: Setup): Promise<readonly DoctorFinding[]> {
  const { gateway, admin } = listenPlaces(config)
  const isRunning = readRunFile(dataDirectory) !== undefined
  const certificate = checkCertificate(config, file.folder, Date.now())
  return [
    checkDataDirectory(dataDirectory),
    ...(await checkStores(config)),
    ...(await checkBudgets(config)),
    await checkBackend(config, gateway),
    checkTrustedProxies(config, gateway),
    ...(certificate === undefined ? [] : [certificate]),
    await checkPort('gateway port', gateway, isRunning),
    ...(admin === undefined ? [] : [await checkPort('admin port', admin, isRunning)]),
  ]
}

function show(output: Output, findings: readonly DoctorFinding[]): void {
  const marks = {
    ok: output.paint('green', 'ok  '),
    warn: output.paint('yellow', 'warn'),
    bad: output.paint('red', 'bad '),
  }
  for (const { state, check, detail, hint } of findings) {
    output.line(`${marks[state]} ${check}: ${safe(detail)}`)
    if (hint !== undefined) output.line(`     hint: ${safe(hint)}`)
  }
}
