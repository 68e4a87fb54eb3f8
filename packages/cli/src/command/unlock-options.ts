import type { UnlockOptions } from '@postern/vault/holder'
import type { Command as Program } from 'commander'
import { type CommandOptions, textOption } from './command.ts'

/** Adds the options that say what unlocks a holder. */
export function addUnlockOptions(program: Program): Program {
  return program
    .option(
      '--key-file <file>',
      'unlocks it; with none of these, the passphrase in POSTERN_HOLDER_PASSPHRASE',
    )
    .option('--aws-kms <key>', 'AWS KMS unlocks it: REGION/KEY, e.g. eu-west-1/alias/holder-1')
    .option('--gcp-kms <key>', 'Cloud KMS unlocks it: projects/P/locations/L/keyRings/R/cryptoKeys/K')
    .option('--vault-transit <url>', 'HashiCorp Vault or OpenBao unlocks it: https://HOST:8200/transit/KEY')
    .option('--kms-endpoint <url>', 'where AWS KMS or Cloud KMS is, if not at its public address')
}

/** What unlocks a holder, of the options given. */
export function unlockOptions(options: CommandOptions): UnlockOptions {
  const given: Record<string, string> = {}
  for (const name of ['keyFile', 'awsKms', 'gcpKms', 'vaultTransit', 'kmsEndpoint']) {
    const value = textOption(options, name)
    if (value !== undefined) given[name] = value
  }
  return given
}
