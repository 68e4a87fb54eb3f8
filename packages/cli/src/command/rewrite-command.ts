import { ConfigError, parseDuration } from '@postern/core'
import { LocalKeys, type TableSchemas } from '@postern/vault'
import {
  checkKnownKeys,
  MOST_ROWS,
  openVaultDatabase,
  type RewriteKind,
  rewriteTable,
} from '@postern/vault/setup'
import { type CommandContext, type CommandOptions, listOption, textOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { wholeOption } from './whole-option.ts'
import { withVault } from './with-vault.ts'

/** A job over a table. */
export interface RewriteJob {
  readonly kind: RewriteKind
  readonly table: string
  /** Changes the tables of `vault.json` for the job. Default: as they are there. */
  readonly tables?: (tables: TableSchemas) => TableSchemas
}

/** Runs a job over a table; Ctrl-C ends it after the batch at hand. */
export async function rewriteCommand(
  { kind, table, tables }: RewriteJob,
  options: CommandOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const batch = wholeOption(options, 'batch', 100, { least: 1, most: MOST_ROWS })
  const work = async ({ file, vault }: Parameters<Parameters<typeof withVault>[2]>[0]): Promise<ExitCode> => {
    const database = await openVaultDatabase(file)
    let noted = ''
    try {
      if (file.keys !== undefined) await checkKnownKeys(database.client, LocalKeys.read(file.keys), file.keys)
      const progress = await rewriteTable({
        kind,
        table,
        vault,
        client: database.client,
        dialect: database.dialect,
        batch,
        pause: parseDuration(textOption(options, 'pause') ?? 0, '--pause'),
        signal: context.signal,
        except: listOption(options, 'except').map(keyOf),
        onProgress: ({ rows, rewritten }) => {
          const text = `${counted(rows, 'row')}, ${counted(rewritten, 'value')}`
          if (text !== noted) context.output.note(text)
          noted = text
        },
      })
      const { rows, rewritten, late, done } = progress
      context.output.line(
        `${counted(rows, 'row')} looked at, ${counted(rewritten, 'value')} rewritten${done ? '' : '; stopped, run it again to go on'}`,
      )
      if (late > 0)
        context.output.note(
          `${late} of them ${late === 1 ? 'was' : 'were'} written in the old form while the job ran. ` +
            'Find out what still writes so, an instance with another configuration or a program without the vault, ' +
            'before you change the state of a column, and run the job again.',
        )
      if (kind === 'seal' && done && rewritten > 0) context.output.note(plainValuesLeft(table, database))
      context.output.result(progress)
      return done ? EXIT.done : EXIT.interrupted
    } finally {
      await database.close()
    }
  }
  return withVault(options, context, work, tables === undefined ? {} : { tables })
}

/** Where values that were sealed just now may still be. */
function plainValuesLeft(table: string, { dialect }: Awaited<ReturnType<typeof openVaultDatabase>>): string {
  // Its name is a plain one: the job has checked that.
  const name = table.split('.').map(part => `"${part}"`)
  const vacuum = dialect.rows === 'arrays' ? `VACUUM FULL ${name.join('.')}` : 'VACUUM'
  return `Files of the database may still hold the plain values: run ${vacuum}, and make sure that its write-ahead log and earlier backups are removed.`
}

/** The key of one row: a value, or a JSON array of texts. */
function keyOf(text: string): readonly string[] {
  if (!text.startsWith('[')) return [text]
  try {
    const key: unknown = JSON.parse(text)
    if (Array.isArray(key) && key.every(part => typeof part === 'string')) return key
  } catch {
    // Said below.
  }
  throw new ConfigError({
    place: '--except',
    problem: 'is not a JSON array of texts',
    hint: 'e.g. ["eu","666"]',
  })
}
