// A server that one of the clients beside it talks to: node server.mjs KIND PORT
import { createServer } from 'node:http'

const [kind, port] = process.argv.slice(2)

const KINDS = {
  'socket.io': async () => {
    const { Server } = await import('socket.io')
    const server = createServer((_, response) => response.writeHead(404).end())
    const io = new Server(server)
    io.on('connection', socket => {
      socket.join('lamps')
      socket.on('say', (text, done) => {
        io.to('lamps').emit('said', text)
        done('heard')
      })
    })
    return server
  },
  pouchdb: async () => {
    const { default: PouchDB } = await import('pouchdb-core')
    const { default: memory } = await import('pouchdb-adapter-memory')
    const { default: replication } = await import('pouchdb-replication')
    const { default: mapreduce } = await import('pouchdb-mapreduce')
    const { default: find } = await import('pouchdb-find')
    const { default: couch } = await import('express-pouchdb')
    const Kept = PouchDB.plugin(memory)
      .plugin(mapreduce)
      .plugin(replication)
      .plugin(find)
      .defaults({ adapter: 'memory' })
    return createServer(couch(Kept, { inMemoryConfig: true, mode: 'minimumForPouchDB' }))
  },
  graphql: async () => {
    const { buildSchema } = await import('graphql')
    const { createHandler } = await import('graphql-http/lib/use/http')
    const lamps = Array.from({ length: 120 }, (_, i) => ({
      id: String(i + 1),
      name: `Lamp ${i + 1}`,
      price: 10 + i,
      reviews: [{ text: `Bright; "select" the warm one, it's <b>lovely</b> -- ${i}` }],
    }))
    const schema = buildSchema(`
      type Review { text: String! }
      type Lamp { id: ID!, name: String!, price: Int!, reviews: [Review!]! }
      type Query { lamps(after: Int = 0, first: Int = 12, search: String): [Lamp!]!, lamp(id: ID!): Lamp }
      type Mutation { review(id: ID!, text: String!): Lamp }
    `)
    const rootValue = {
      lamps: ({ after, first, search }) =>
        lamps.filter(({ name }) => search === undefined || name.includes(search)).slice(after, after + first),
      lamp: ({ id }) => lamps[Number(id) - 1],
      review: ({ id, text }) => {
        const lamp = lamps[Number(id) - 1]
        lamp?.reviews.push({ text })
        return lamp
      },
    }
    return createServer(createHandler({ schema, rootValue }))
  },
}

const server = await KINDS[kind]()
server.listen(Number(port), '127.0.0.1')
