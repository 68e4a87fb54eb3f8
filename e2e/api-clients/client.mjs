// What people do with one of these clients in half a minute: node client.mjs NAME URL
const [name, url] = process.argv.slice(2)

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const sentences = [
  "It's the one; select it from the list and order -- it's lovely",
  'Price < 20 and > 10? Install with: npm i lamp && npm start',
  'See ../manual.pdf or https://lamps.example/?q=1;drop',
]

const CLIENTS = {
  /** Four tabs whose network lets no WebSocket through, one of which is closed and opened again. */
  'socket.io-polling': async () => {
    const { io } = await import('socket.io-client')
    const open = () =>
      new Promise((resolve, reject) => {
        const socket = io(url, { transports: ['polling'], forceNew: true })
        socket.once('connect', () => resolve(socket))
        socket.once('connect_error', reject)
      })
    const tabs = await Promise.all(Array.from({ length: 4 }, open))
    for (let i = 0; i < 60; i++) {
      await tabs[i % 4].emitWithAck('say', sentences[i % 3])
      await pause(120)
      if (i % 20 === 19) {
        tabs[0].disconnect()
        tabs[0] = await open()
      }
    }
    for (const socket of tabs) socket.disconnect()
  },
  /** Sixty notes written offline, sent, read one by one, edited in two places and kept in step. */
  'pouchdb-sync': async () => {
    const { default: PouchDB } = await import('pouchdb-core')
    const { default: memory } = await import('pouchdb-adapter-memory')
    const { default: http } = await import('pouchdb-adapter-http')
    const { default: replication } = await import('pouchdb-replication')
    const Client = PouchDB.plugin(memory).plugin(http).plugin(replication)
    const local = new Client('notes', { adapter: 'memory' })
    const remote = new Client(`${url}/notes`)
    for (let i = 0; i < 60; i++) await local.put({ _id: `note-${i}`, text: sentences[i % 3] })
    await local.replicate.to(remote, { batch_size: 10 })
    for (let i = 0; i < 60; i++) await remote.get(`note-${i}`)
    const live = local.sync(remote, { live: true, retry: true })
    for (let i = 0; i < 30; i++) {
      const side = i % 2 === 0 ? local : remote
      const note = await side.get(`note-${i}`)
      await side.put({ ...note, text: `${note.text} (${i})` }).catch(() => undefined)
      await pause(150)
    }
    live.cancel()
    const second = new Client('second', { adapter: 'memory' })
    await remote.replicate.to(second)
    await remote.allDocs({ include_docs: true })
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => remote.get(`not-there-${i}`).catch(() => undefined)),
    )
  },
  /** A shop: pages of a list, every detail, search as one types, reviews, and queries that are polled. */
  'apollo-client': async () => {
    const { ApolloClient, HttpLink, InMemoryCache, gql } = await import('@apollo/client/core')
    const client = new ApolloClient({
      link: new HttpLink({ uri: `${url}/graphql` }),
      cache: new InMemoryCache(),
    })
    await shop(
      (query, variables) => client.query({ query: gql(query), variables, fetchPolicy: 'network-only' }),
      (mutation, variables) => client.mutate({ mutation: gql(mutation), variables }),
    )
    client.stop()
  },
  urql: async () => {
    const { Client, fetchExchange } = await import('@urql/core')
    const client = new Client({ url: `${url}/graphql`, exchanges: [fetchExchange], preferGetMethod: true })
    await shop(
      (query, variables) => client.query(query, variables).toPromise(),
      (mutation, variables) => client.mutation(mutation, variables).toPromise(),
    )
  },
}

async function shop(ask, change) {
  const LIST =
    'query Lamps($after: Int, $search: String) { lamps(after: $after, search: $search) { id name price __typename } }'
  const LAMP =
    'query Lamp($id: ID!) { lamp(id: $id) { id name price reviews { text __typename } __typename } }'
  const REVIEW =
    'mutation Review($id: ID!, $text: String!) { review(id: $id, text: $text) { id reviews { text } } }'
  for (let after = 0; after < 120; after += 12) await ask(LIST, { after })
  await Promise.all(Array.from({ length: 40 }, (_, i) => ask(LAMP, { id: String(i + 1) })))
  for (let i = 41; i <= 100; i++) await ask(LAMP, { id: String(i) })
  const typed = 'Lamp 1 or Lamp 2; it is'
  for (let i = 1; i <= typed.length; i++) {
    await ask(LIST, { after: 0, search: typed.slice(0, i) })
    await pause(90)
  }
  for (let i = 0; i < 12; i++) {
    await change(REVIEW, { id: String(i + 1), text: sentences[i % 3] })
    await ask(LAMP, { id: String(i + 1) })
    await pause(200)
  }
  for (let i = 0; i < 20; i++) {
    await ask(LIST, { after: 0 })
    await pause(250)
  }
}

await CLIENTS[name]()
process.exit(0)
