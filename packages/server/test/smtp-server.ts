import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Header and body as sent. */
  readonly data: string
}

/** A server of SMTP (RFC 5321) in this process, for tests: takes mails, or refuses every recipient. */
export interface SmtpServer {
  readonly url: string
  readonly mails: ReceivedMail[]
  refuse: boolean
  close(): Promise<void>
}

/** Listens on loopback, without TLS. */
export async function startSmtp(): Promise<SmtpServer> {
  const mails: ReceivedMail[] = []
  const sockets = new Set<Socket>()
  const state = { refuse: false }
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    talk(socket, mails, () => state.refuse)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    get refuse() {
      return state.refuse
    },
    set refuse(refuse: boolean) {
      state.refuse = refuse
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function talk(socket: Socket, mails: ReceivedMail[], refuses: () => boolean): void {
  let waiting = ''
  let isData = false
  let from = ''
  let to: string[] = []
  const say = (line: string): boolean => socket.write(`${line}\r\n`)
  const answer = (line: string): void => {
    const address = /<(.*?)>/.exec(line)?.[1] ?? ''
    switch (line.slice(0, 4).toUpperCase()) {
      case 'MAIL':
        from = address
        break
      case 'RCPT':
        if (refuses()) return void say('550 nobody here')
        to.push(address)
        break
      case 'DATA':
        isData = true
        return void say('354 go on')
      case 'QUIT':
        return void socket.end('221 bye\r\n')
    }
    say('250 ok')
  }
  const take = (data: string): void => {
    mails.push({ from, to, data })
    to = []
    isData = false
    say('250 taken')
  }
  say('220 test')
  socket.on('data', chunk => {
    waiting += chunk.toString()
    for (;;) {
      const mark = isData ? '\r\n.\r\n' : '\r\n'
      const end = waiting.indexOf(mark)
      if (end < 0) return
      const text = waiting.slice(0, end)
      waiting = waiting.slice(end + mark.length)
      if (isData) take(text)
      else answer(text)
    }
  })
}
