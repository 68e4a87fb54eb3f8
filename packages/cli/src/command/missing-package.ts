import { ConfigError, errorCode } from '@postern/core'

/** Packages that some commands need and `npm install postern` leaves out. */
const OPTIONAL: Readonly<Record<string, string>> = {
  '@postern/vault': 'the commands of the vault and its holders',
}

/**
 * Explains why the code of a command, or what that loads when it runs, is not there.
 * @returns ConfigError with the command that installs a package left out; else the error itself
 */
export function asMissingPackage(error: unknown): unknown {
  if (error instanceof Error && errorCode(error) === 'ERR_MODULE_NOT_FOUND')
    for (const [name, what] of Object.entries(OPTIONAL))
      if (error.message.includes(`'${name}'`))
        return new ConfigError(
          { place: 'postern', problem: `${what} need the package ${name}`, hint: `npm install ${name}` },
          { cause: error },
        )
  return error
}
