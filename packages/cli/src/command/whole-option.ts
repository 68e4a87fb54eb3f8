import { ConfigError } from '@postern/core'
import { type CommandOptions, textOption } from './command.ts'

/** The whole numbers that an option may be. */
interface WholeRange {
  readonly least: number
  /** Absent: any that a number holds exactly. */
  readonly most?: number
}

/**
 * An option that is a whole number, in decimal digits.
 * @returns the fallback where it is not given
 * @throws ConfigError for anything else, which would silently count as zero
 */
export function wholeOption<Fallback extends number | undefined>(
  options: CommandOptions,
  name: string,
  fallback: Fallback,
  { least, most }: WholeRange,
): number | Fallback {
  const text = textOption(options, name)
  if (text === undefined) return fallback
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= (most ?? value)) return value
  throw new ConfigError({
    place: `--${name}`,
    problem: `"${text.slice(0, 40)}" is not a whole number ${most === undefined ? `of at least ${least}` : `from ${least} to ${most}`}`,
  })
}
