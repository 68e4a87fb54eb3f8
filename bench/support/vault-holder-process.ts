// One holder of the benchmark, with the audit log of `postern holder`:
// `vault-holder-process.ts CONFIG.json --key-file FILE`.
import { openAuditLog } from '@postern/audit'
import { holderArguments, runHolder } from '@postern/vault/holder'

const { path: config, unlock } = holderArguments(process.argv.slice(2), process.env)
const log = await openAuditLog({ directory: `${config}-audit`, origin: 'bench.example/holder' })
const holder = await runHolder(config, unlock, log)
process.stderr.write(`holder ${holder.core.id} ready\n`)
