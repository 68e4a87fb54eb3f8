import { ConfigError } from '@postern/core'
import { inspectLines, type Level, type RecordVerdict } from '@postern/inspect'
import { logLines } from '../replay/log-lines.ts'
import { namedFile, openText } from '../replay/open-text.ts'
import { totalBytes } from '../replay/replay.ts'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'

const EXAMPLE =
  '{"id":"a","method":"POST","path":"/items?id=1","headers":{"Content-Type":"text/plain"},"body":"x"}'

/**
 * `postern inspect`: one request a line in, one verdict a line out, always JSON. Exit 1 when a line was no
 * request.
 */
export const run: Command = async ([name = ''], options, context) => {
  const { output, signal } = context
  const file = namedFile(context.folder, name)
  const level = parseLevel(textOption(options, 'level') ?? '1')
  const bar = output.progress('inspect', totalBytes([file], 'a file of requests, one JSON object a line'))
  const counts = { pass: 0, block: 0, 'too-big': 0, error: 0 }
  for await (const verdict of inspectLines(
    singleLines(file, bytes => bar.advance(bytes)),
    { level },
  )) {
    counts[verdict.verdict]++
    await output.data(verdictLine(verdict))
    if (signal.aborted) return EXIT.interrupted
  }
  bar.end()
  output.note(
    `${counts.block} blocked, ${counts['too-big']} too big, ${counts.pass} passed, ${counts.error} unreadable`,
  )
  if (counts.error > 0)
    output.note(`a line that can be read is like ${EXAMPLE}; all but path may be left out`)
  return counts.error === 0 ? EXIT.done : EXIT.no
}

/** Only a line feed ends a line: JSON may hold U+2028 and U+2029, at which node's readline splits. */
async function* singleLines(file: string, onBytes: (bytes: number) => void): AsyncGenerator<string> {
  for await (const { lines, bytes } of logLines(openText(file))) {
    onBytes(bytes)
    yield* lines
  }
}

function verdictLine({ id, verdict, matches }: RecordVerdict): string {
  return JSON.stringify({ id, verdict, matches })
}

function parseLevel(text: string): Level {
  const level = ([1, 2, 3, 4] as const).find(known => String(known) === text)
  if (level !== undefined) return level
  throw new ConfigError({
    place: '--level',
    problem: `"${text.slice(0, 20)}" is not a level`,
    hint: '1, 2, 3 or 4',
  })
}
