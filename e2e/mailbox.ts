import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Waits for the newest mail to somebody in the outbox of a gateway, and returns the link in it. */
export async function linkTo(folder: string, address: string): Promise<string> {
  const outbox = join(folder, '.postern', 'outbox')
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const mails = filesOf(outbox)
      .toSorted()
      .map(file => readFileSync(join(outbox, file), 'utf8'))
      .filter(mail => mail.includes(address))
    const link = /https?:\/\/\S+/.exec(mails.at(-1) ?? '')?.[0]
    if (link !== undefined) return link
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`no mail to ${address} came`)
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter(file => !file.startsWith('.'))
  } catch {
    return []
  }
}
