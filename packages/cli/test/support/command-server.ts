import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { main } from '../../src/command/main.ts'

/** Commands that go on until they are stopped: each is a process of its own. */
const SERVES = 'holder run'

/** A stream whose text is handed over at once. */
function sink(take: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      take(String(text))
      done()
    },
  })
}

/** Runs commands of a script in one process: a page of sixty would start as many. */
export interface CommandServer {
  /** What commands wrote to standard error, and those that failed to standard output. */
  readonly errors: () => string
  close(): void
}

/**
 * Writes a program `postern` that has its arguments run here, by the command line itself, and prints what
 * that prints. It exits as the command did.
 * @param bin folder of the program
 * @param cwd folder in which commands run
 * @param process how to start `postern` as a process, for commands that serve
 */
export async function serveCommands(options: {
  readonly bin: string
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly process: string
}): Promise<CommandServer> {
  const { bin, cwd, environment } = options
  let errors = ''
  const run = async (args: readonly string[]): Promise<string> => {
    let printed = ''
    const exit = await main(args, {
      stdout: sink(text => {
        printed += text
      }),
      stderr: sink(text => {
        errors += text
      }),
      env: environment,
      cwd: () => cwd,
      on: () => {},
      off: () => {},
    })
    if (exit !== 0) errors += `$ postern ${args.join(' ')}: exit ${exit}\n${printed}`
    return `${exit}:${printed}`
  }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    response.end(await run(text.split('\0').slice(0, -1)))
  })
  const socket = join(bin, 'postern.sock')
  await new Promise<void>(resolve => server.listen(socket, resolve))
  writeFileSync(
    join(bin, 'postern'),
    `#!/bin/sh
case "$1 $2" in '${SERVES}') ${options.process} "$@" ;; esac
answer=$(printf '%s\\0' "$@" | curl -sS --unix-socket '${socket}' --data-binary @- http://postern/) || exit 1
printf '%s\\n' "\${answer#*:}"
exit "\${answer%%:*}"
`,
    { mode: 0o755 },
  )
  return {
    errors: () => errors,
    close: () => {
      server.close()
      rmSync(socket, { force: true })
    },
  }
}
