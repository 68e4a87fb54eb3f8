// `npm run postern -- COMMAND`: the command line from the sources, without a build.
import { main } from '../packages/cli/src/command/main.ts'

process.exitCode = await main(process.argv.slice(2), process)
