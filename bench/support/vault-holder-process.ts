// One holder of the benchmark, with the audit log of `postern holder` and a flight recorder:
// `vault-holder-process.ts CONFIG.json --key-file FILE`.
import { openAuditLog } from '@postern/audit'
import { holderArguments, runHolder } from '@postern/vault/holder'
import { recordHolder } from './vault-flight-holder.ts'

const { path: config, unlock } = holderArguments(process.argv.slice(2), process.env)
const log = await openAuditLog({ directory: `${config}-audit`, origin: 'bench.example/holder' })
const holder = await runHolder(config, unlock, log)
recordHolder(holder.core, `${config}-flight`)
process.stderr.write(`holder ${holder.core.id} ready\n`)
