// Starts three holders, freezes one, and prints the process ids and the folder: a parent to be killed.
import { HolderProcesses } from './holder-processes.ts'

const holders = await HolderProcesses.start()
holders.signal(2, 'SIGSTOP')
process.stdout.write(`${JSON.stringify({ pids: holders.pids, folder: holders.folder })}\n`)
setInterval(() => {}, 60_000)
