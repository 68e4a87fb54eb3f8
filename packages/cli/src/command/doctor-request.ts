import { parseListen } from '@postern/config'
import { PortInUse } from '@postern/runtime'
import { describedRequest, nextRequest, type SeenRequest, seenRequest } from '../doctor/seen-request.ts'
import { type CommandContext, type CommandOptions, listOption, textOption } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type Output, safe } from './output.ts'
import type { Setup } from './setup.ts'

/**
 * `postern doctor --request`: how a request would be seen. One that `--peer` and `--header` describe, else
 * the next that arrives where the gateway listens. Exit 1 when its sender names a client and is not trusted.
 */
export async function showRequest(
  { config }: Setup,
  options: CommandOptions,
  { output, signal }: CommandContext,
): Promise<ExitCode> {
  const headers = listOption(options, 'header')
  const peer = textOption(options, 'peer')
  const target = typeof options['request'] === 'string' ? options['request'] : '/'
  const given = textOption(options, 'listen')
  const listen = given === undefined ? config.listen : parseListen(given, '--listen')
  const isDescribed = peer !== undefined || headers.length > 0
  const seen = isDescribed
    ? seenRequest(config, describedRequest(target, peer, headers))
    : await nextRequest(config, listen, signal, port =>
        output.note(
          `waiting at ${listen.path === undefined ? `${listen.host}:${port}` : listen.host} for one request through your proxy; Ctrl-C ends, --peer and --header describe one instead`,
        ),
      ).catch((error: unknown) => {
        throw PortInUse.explain(error, listen.host, listen.port, '--listen')
      })
  if (seen === undefined) return EXIT.done
  show(seen, output)
  output.result({ request: seen })
  return seen.setting === undefined ? EXIT.done : EXIT.no
}

function show(seen: SeenRequest, output: Output): void {
  const lines = [
    ['connection from', `${seen.peer} (${seen.trusted ? 'a trusted proxy' : 'not a trusted proxy'})`],
    ...seen.forwarding.map(line => ['forwarding', `${line}${seen.trusted ? '' : '   (not trusted)'}`]),
    ['client', `${seen.client}: limits and bans are held against it`],
    ['request', `${seen.method} ${seen.scheme}://${seen.host}${seen.path}`],
    ['route', seen.route ?? 'none of the configuration'],
  ] as const
  for (const [name = '', text = ''] of lines) output.line(`${name.padEnd(16)} ${safe(text)}`)
  if (seen.setting !== undefined) output.line(`hint: if ${seen.peer} is your proxy, set ${seen.setting}`)
}
