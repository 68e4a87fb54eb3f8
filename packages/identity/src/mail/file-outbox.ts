import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '@postern/core'
import { checkedMail, type Mailer } from './mailer.ts'

const MOST = 200

/**
 * Writes mails into a folder instead of sending them, the newest 200, readable by this user only: for
 * development. A mail holds links that sign in, so it is not a place for real ones.
 */
export function fileOutbox(folder: string, clock: Clock = systemClock): Mailer {
  let count = 0
  return {
    send: async mail => {
      const { to, subject, text } = checkedMail(mail)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const time = new Date(clock.now()).toISOString()
      const name = `${time.replace(/[:.]/g, '-')}-${process.pid}-${String(count++).padStart(6, '0')}.txt`
      await writeFile(join(folder, name), `To: ${to}\nSubject: ${subject}\nDate: ${time}\n\n${text}\n`, {
        mode: 0o600,
        flag: 'wx',
      })
      const old = (await readdir(folder))
        .filter(file => file.endsWith('.txt'))
        .sort()
        .slice(0, -MOST)
      for (const file of old) await rm(join(folder, file), { force: true })
    },
  }
}
