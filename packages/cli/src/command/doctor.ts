import { ConfigError } from '@postern/core'
import { bad, checkVault, type DoctorFinding, diagnose, ok } from '@postern/server'
import type { Command } from './command.ts'
import { showRequest } from './doctor-request.ts'
import { EXIT } from './exit-code.ts'
import { type Output, safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { vaultPath } from './vault-path.ts'

/** `postern doctor`: every check, worst news with how to fix it. Exit 1 when something is bad. */
export const run: Command = async (_args, options, context) => {
  if (options['request'] !== undefined)
    return showRequest(await loadSetup(options, context), options, context)
  const findings: DoctorFinding[] = []
  try {
    const setup = await loadSetup(options, context)
    findings.push(...(await diagnose({ loaded: setup, dataDirectory: setup.dataDirectory })))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings.push(ok('node', process.version))
    for (const issue of error.issues)
      findings.push(bad('configuration', `${issue.place}: ${issue.problem}`, issue.hint))
  }
  findings.push(...(await checkVault(vaultPath(options, context), context.environment)))
  show(context.output, findings)
  const isBad = findings.some(finding => finding.state === 'bad')
  context.output.result({ ok: !isBad, findings })
  return isBad ? EXIT.no : EXIT.done
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
