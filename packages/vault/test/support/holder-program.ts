// A holder that ends with the process that started it: `holder-program.ts CONFIG.json --key-file FILE`.
import { holderArguments, runHolder } from '@postern/vault/holder'
import { endWithParent } from './end-with-parent.ts'

endWithParent()
const { path, unlock } = holderArguments(process.argv.slice(2), process.env)
const holder = await runHolder(path, unlock)
process.stderr.write(`holder ${holder.core.id} ready\n`)
